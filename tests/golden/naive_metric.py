"""Losses of embeddings by the definition: loops over plain lists, to 120 digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import mpmath

Vector = Sequence[float]
Table = Sequence[Vector]
IGNORED = -100


def inner(a: Vector, b: Vector) -> mpmath.mpf:
    return mpmath.fsum(mpmath.mpf(x) * mpmath.mpf(y) for x, y in zip(a, b, strict=True))


def length(a: Vector) -> mpmath.mpf:
    return mpmath.sqrt(inner(a, a))


def cosine_of(a: Vector, b: Vector) -> mpmath.mpf:
    size = length(a) * length(b)
    return inner(a, b) / size if size else mpmath.mpf(0)


def rounded(value: mpmath.mpf) -> float:
    return math.inf if value > mpmath.mpf(2) ** 1024 else float(value)


def cosine_embedding_rows(x1: Table, x2: Table, target: Vector, margin: float = 0.0) -> list[float]:
    damp = mpmath.mpf(10) ** -12
    found = []
    for a, b, y in zip(x1, x2, target, strict=True):
        c = inner(a, b) / mpmath.sqrt((inner(a, a) + damp) * (inner(b, b) + damp))
        found.append(float(1 - c if y == 1 else max(mpmath.mpf(0), c - margin)))
    return found


def contrastive_rows(
    x1: Table, x2: Table, target: Vector, margin: float = 1.0, similar: int = 1, half: bool = True, p: float = 2.0
) -> list[float]:
    found = []
    for a, b, y in zip(x1, x2, target, strict=True):
        powers = [abs(mpmath.mpf(u) - mpmath.mpf(v)) ** p for u, v in zip(a, b, strict=True)]
        d = mpmath.fsum(powers) ** (1 / mpmath.mpf(p))
        away = d if y == similar else max(mpmath.mpf(0), margin - d)
        found.append(rounded(away * away / (2 if half else 1)))
    return found


def contrastive_distance_rows(
    pred: Vector, target: Vector, margin: float = 1.0, similar: int = 1, half: bool = True
) -> list[float]:
    points = [[d] for d in pred]
    return contrastive_rows(points, [[0.0]] * len(points), target, margin, similar, half)


def soft_triplet_rows(anchor: Table, positive: Table, negative: Table) -> list[float]:
    found = []
    for a, p, n in zip(anchor, positive, negative, strict=True):
        near = length([mpmath.mpf(u) - mpmath.mpf(v) for u, v in zip(a, p, strict=True)])
        far = length([mpmath.mpf(u) - mpmath.mpf(v) for u, v in zip(a, n, strict=True)])
        found.append(float(mpmath.log1p(mpmath.exp(near - far))))
    return found


def center_rows(features: Table, target: Sequence[int], prototypes: Table) -> list[float]:
    found = []
    for x, y in zip(features, target, strict=True):
        parts = [(mpmath.mpf(u) - mpmath.mpf(v)) ** 2 for u, v in zip(x, prototypes[y], strict=True)]
        found.append(rounded(mpmath.fsum(parts) / 2))
    return found


def softmax_cost(scores: Sequence[mpmath.mpf], y: int) -> float:
    """-log-softmax of the scores at y; e to the power of a difference, and never of a large number."""
    ahead = [s - scores[y] for s in scores]
    top = max(ahead)
    return float(top + mpmath.log(mpmath.fsum(mpmath.exp(a - top) for a in ahead)))


def over_prototypes(
    features: Table,
    target: Sequence[int],
    prototypes: Table,
    score: Callable[[Vector, Vector, bool], mpmath.mpf],
) -> list[float]:
    found = []
    for x, y in zip(features, target, strict=True):
        ignored = y == IGNORED
        scores = [score(x, w, j == y) for j, w in enumerate(prototypes)]
        found.append(0.0 if ignored else softmax_cost(scores, y))
    return found


def folded_cosine(cosine: mpmath.mpf, m: int) -> mpmath.mpf:
    angle = mpmath.acos(cosine)
    k = min(int(mpmath.floor(m * angle / mpmath.pi)), m - 1)
    return (-1) ** k * mpmath.cos(m * angle) - 2 * k


def l_softmax_rows(
    features: Table, target: Sequence[int], prototypes: Table, m: int = 4, lam: float = 0.0
) -> list[float]:
    def score(x: Vector, w: Vector, true: bool) -> mpmath.mpf:
        c = cosine_of(x, w)
        return length(x) * length(w) * ((lam * c + folded_cosine(c, m)) / (1 + mpmath.mpf(lam)) if true else c)

    return over_prototypes(features, target, prototypes, score)


def sphereface_rows(
    features: Table, target: Sequence[int], prototypes: Table, m: int = 4, factor: float = 1.0
) -> list[float]:
    def score(x: Vector, w: Vector, true: bool) -> mpmath.mpf:
        c = cosine_of(x, w)
        return factor * length(x) * (folded_cosine(c, m) if true else c)

    return over_prototypes(features, target, prototypes, score)


def cosface_rows(
    features: Table, target: Sequence[int], prototypes: Table, margin: float = 0.35, factor: float = 64.0
) -> list[float]:
    def score(x: Vector, w: Vector, true: bool) -> mpmath.mpf:
        return factor * (cosine_of(x, w) - (mpmath.mpf(margin) if true else 0))

    return over_prototypes(features, target, prototypes, score)


def arcface_rows(
    features: Table,
    target: Sequence[int],
    prototypes: Table,
    margin: float = 0.5,
    factor: float = 64.0,
    easy: bool = False,
) -> list[float]:
    def score(x: Vector, w: Vector, true: bool) -> mpmath.mpf:
        c = cosine_of(x, w)
        if not true:
            return factor * c
        angle = mpmath.acos(c)
        if easy:
            return factor * (mpmath.cos(angle + margin) if c > 0 else c)
        late = angle > mpmath.pi - margin
        return factor * (c - margin * mpmath.sin(margin) if late else mpmath.cos(angle + margin))

    return over_prototypes(features, target, prototypes, score)


def scaled_cosine_rows(features: Table, target: Sequence[int], prototypes: Table, factor: float) -> list[float]:
    return cosface_rows(features, target, prototypes, 0.0, factor)


def soft_triple_rows(
    features: Table,
    target: Sequence[int],
    prototypes: Table,
    centers: int = 10,
    la: float = 20.0,
    gamma: float = 0.1,
    margin: float = 0.01,
) -> list[float]:
    classes = [prototypes[start : start + centers] for start in range(0, len(prototypes), centers)]

    def score(x: Vector, group: Table, true: bool) -> mpmath.mpf:
        near = [cosine_of(x, w) for w in group]
        powers = [mpmath.exp(c / gamma) for c in near]
        return la * (inner(powers, near) / mpmath.fsum(powers) - (mpmath.mpf(margin) if true else 0))

    return over_prototypes(features, target, classes, score)


def paired_rows(
    x1: Table, x2: Table, scale: float = 1.0, normalize: bool = True, symmetric: bool = False
) -> list[float]:
    """Softmax cost of each row's own partner."""
    alike = cosine_of if normalize else inner
    n = len(x1)
    near = [[alike(a, b) / mpmath.mpf(scale) for b in x2] for a in x1]
    there = [softmax_cost(near[i], i) for i in range(n)]
    if not symmetric:
        return there
    return [(there[i] + softmax_cost([near[j][i] for j in range(n)], i)) / 2 for i in range(n)]


def siglip_rows(x1: Table, x2: Table, t: float = 10.0, b: float = -10.0, normalize: bool = True) -> list[float]:
    alike = cosine_of if normalize else inner
    found = []
    for i, u in enumerate(x1):
        scores = [(1 if i == j else -1) * (t * alike(u, v) + b) for j, v in enumerate(x2)]
        found.append(float(mpmath.fsum(mpmath.log1p(mpmath.exp(-s)) for s in scores)))
    return found


def standing(x: Table) -> list[list[mpmath.mpf]]:
    """The columns without their means."""
    columns = [[mpmath.mpf(v) for v in column] for column in zip(*x, strict=True)]
    return [[v - mpmath.fsum(column) / len(column) for v in column] for column in columns]


def vicreg_value(
    x1: Table,
    x2: Table,
    invariance: float = 25.0,
    variance: float = 25.0,
    covariance: float = 1.0,
    eps: float = 1e-4,
) -> list[float]:
    n, wide = len(x1), len(x1[0])
    total = mpmath.mpf(0)
    for a, b in zip(x1, x2, strict=True):
        for u, v in zip(a, b, strict=True):
            total += invariance * (mpmath.mpf(u) - mpmath.mpf(v)) ** 2 / (n * wide)
    for view in (standing(x1), standing(x2)):
        for j, one in enumerate(view):
            spread = mpmath.sqrt(inner(one, one) / (n - 1) + mpmath.mpf(eps))
            total += variance * max(mpmath.mpf(0), 1 - spread) / wide / 2
            for k, other in enumerate(view):
                if j != k:
                    total += covariance * (inner(one, other) / (n - 1)) ** 2 / wide
    return [float(total)]


def barlow_value(x1: Table, x2: Table, lam: float = 5e-3, eps: float = 1e-6) -> list[float]:
    n = len(x1)
    scaled = []
    for view in (standing(x1), standing(x2)):
        sizes = [mpmath.sqrt(inner(one, one) / (n - 1)) + mpmath.mpf(eps) for one in view]
        scaled.append([[v / size if size else v for v in one] for one, size in zip(view, sizes, strict=True)])
    total = mpmath.mpf(0)
    for j, one in enumerate(scaled[0]):
        for k, other in enumerate(scaled[1]):
            alike = inner(one, other) / n
            total += (1 - alike) ** 2 if j == k else mpmath.mpf(lam) * alike**2
    return [float(total)]


def proxy_anchor_value(
    features: Table, target: Sequence[int], prototypes: Table, margin: float = 0.1, alpha: float = 32.0
) -> list[float]:
    pull, push = mpmath.mpf(0), mpmath.mpf(0)
    for j, proxy in enumerate(prototypes):
        near = [cosine_of(x, proxy) for x in features]
        own = [mpmath.exp(-alpha * (s - mpmath.mpf(margin))) for s, y in zip(near, target, strict=True) if y == j]
        others = [
            mpmath.exp(alpha * (s + mpmath.mpf(margin)))
            for s, y in zip(near, target, strict=True)
            if y not in (j, IGNORED)
        ]
        pull += mpmath.log1p(mpmath.fsum(own))
        push += mpmath.log1p(mpmath.fsum(others))
    there = len({y for y in target if y != IGNORED})
    return [float(pull / there + push / len(prototypes))]
