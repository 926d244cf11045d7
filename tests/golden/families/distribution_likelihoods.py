"""Golden cases of likelihoods."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import case, keras, like, naive, pointwise, scipy, torch, value
from inputs import WIDTH, Arrays, Rng, weights

COLUMN = "target[:, None], pred[:, None]"


def counts(form: str, wide: bool = False) -> Any:
    """Counts up to some hundred, and log-rates or rates near them."""

    def make(rng: Rng, rows: int) -> Arrays:
        shape = (rows, WIDTH) if wide else rows
        log = 1.5 * rng.normal(size=shape) + 1.0
        target = rng.poisson(np.exp(log)).astype(float)
        return {"pred": log if form == "log" else np.exp(log), "target": target, "weight": weights(rng, rows)}

    return make


def normals(wide: bool = False) -> Any:
    """Means, values and variances, some of them below 1e-6."""

    def make(rng: Rng, rows: int) -> Arrays:
        shape = (rows, WIDTH) if wide else rows
        var = np.exp(rng.normal(size=shape))
        var[1::4] = 1e-8
        pred = rng.normal(size=shape)
        return {
            "pred": pred,
            "target": pred + np.sqrt(var) * rng.normal(size=shape),
            "var": var,
            "weight": weights(rng, rows),
        }

    return make


RANDOM = {
    "log-rates": counts("log"),
    "rates": counts("rate"),
    "log-rate-columns": counts("log", wide=True),
    "rate-columns": counts("rate", wide=True),
    "normals": normals(),
    "normal-columns": normals(wide=True),
}

EDGES: dict[str, dict[str, Any]] = {
    "log-rate-edges": {  # no counts, one, a bit more than one, fractions, a rate that underflows, one that overflows
        "pred": [0.0, 0.5, 1.0, 2.0, -3.0, 1.5, -800.0, -800.0, 20.0, 720.0],
        "target": [0.0, 0.0, 1.0, 5.0, 1.0000001, 2.5, 0.0, 2.0, 4e8, 3.0],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0, 0.0, 1.0, 0.25, 1.0, 1.0],
    },
    "rate-edges": {
        "pred": [0.5, 0.0, 2.0, 0.0, 1e-300, 1e300, 3.0, 2.5],
        "target": [0.0, 1.0, 5.0, 0.0, 4.0, 7.0, 0.5, 1.0],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0, 0.0, 1.0, 1.0],
    },
    "whole-rates": {  # counts beyond where the series of the factorial begins
        "pred": [0.5, 12.0, 16.0, 17.0, 90.0, 1e6, 1e15],
        "target": [3.0, 15.0, 16.0, 17.0, 150.0, 1000003.0, 1e15],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0, 1.0, 1.0],
    },
    "normal-edges": {  # variances of 0, below 1e-6, at it; errors of 0, far out
        "pred": [1.0, 2.0, 0.0, 1.0, 1.0, 3.0, 1e200, -1e-200],
        "target": [0.0, 2.5, 0.0, 1.0, 1.5, 3.0, 0.0, 0.0],
        "var": [0.5, 2.0, 0.0, 1e-9, 1e-9, 1e-6, 1e300, 1e-300],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0, 1.0, 1.0, 0.25],
    },
    "certain-normals": {"pred": [1.0, 2.0], "target": [1.0, 2.5], "var": [0.0, 0.0], "weight": [1.0, 2.0]},
}

POISSON = "F.poisson_nll_loss(pred, target, log_input={log}, full={full}, eps={eps}, reduction='none')"
GAUSSIAN = "F.gaussian_nll_loss(pred, target, var, full={full}, eps={eps}, reduction='none')"


def poisson() -> list[Case]:
    found = []
    plain = POISSON.format(log=True, full=False, eps=1e-8)
    same = like("torch", torch("F.poisson_nll_loss(pred, target)"))
    for data in ("log-rates", "log-rate-edges"):
        found.append(pointwise("poisson-nll", data, plain, same))
        full = POISSON.format(log=True, full=True, eps=1e-8)
        found.append(pointwise("poisson-nll", data, full, full=True))
    found.append(pointwise("poisson-nll", "log-rate-columns", plain, wide=True))
    for eps in (1e-8, 0.25):
        said: dict[str, Any] = {"log_input": False, **({} if eps == 1e-8 else {"eps": eps})}
        call = POISSON.format(log=False, full=False, eps=eps)
        found += [pointwise("poisson-nll", data, call, **said) for data in ("rates", "rate-edges")]
        found.append(pointwise("poisson-nll", "rate-columns", call, wide=True, **said))
        full = POISSON.format(log=False, full=True, eps=eps)
        found += [pointwise("poisson-nll", data, full, full=True, **said) for data in ("rates", "rate-edges")]
    found += [
        case(
            "poisson-nll",
            "rates",
            like("keras", keras("losses.Poisson()(target, pred)")),
            like("keras", keras(f"losses.Poisson()({COLUMN}, sample_weight=weight)"), weight="weight"),
            rows=None,
        ),
        case(
            "poisson-nll",
            "rate-columns",
            like("keras", keras("losses.Poisson()(target, pred, sample_weight=weight)"), weight="weight"),
            rows=None,
        ),
        case(
            "poisson-nll",
            "rate-columns",
            value(keras("losses.Poisson()(target, pred)")),
            rows=keras("losses.poisson(target, pred)"),
            log_input=False,
            eps=1e-7,
        ),
    ]
    return [*found, *exact_poisson()]


def exact_poisson() -> list[Case]:
    """The likelihood itself, which scipy has for whole counts; mpmath for fractions and large counts."""
    exact: dict[str, Any] = {"full": True, "stirling": "exact"}
    loops = "poisson_rows(pred, target, log_input={log}, full=True, stirling={kind!r}, eps={eps})"
    found = []
    for data, rate, said in (("log-rates", "np.exp(pred)", {}), ("rates", "pred", {"log_input": False, "eps": 0.0})):
        rows = scipy(f"-stats.poisson.logpmf(target, {rate})")
        reduced = [value(scipy("rows.mean()")), value(scipy("np.average(rows, weights=weight)"), weight="weight")]
        found.append(case("poisson-nll", data, *reduced, rows=rows, **exact, **said))
    rows = naive(loops.format(log=True, kind="exact", eps=0))
    found.append(case("poisson-nll", "log-rate-edges", value(naive("min(rows)"), reduction="min"), rows=rows, **exact))
    for data in ("rate-edges", "whole-rates"):
        for eps in (1e-8, 0.0):
            for kind in ("exact", "torch"):
                rows = naive(loops.format(log=False, kind=kind, eps=eps))
                said = {"full": True, "stirling": kind, "log_input": False, "eps": eps}
                found.append(case("poisson-nll", data, value(naive("max(rows)"), reduction="max"), rows=rows, **said))
    return found


def gaussian() -> list[Case]:
    found = []
    plain = GAUSSIAN.format(full=False, eps=1e-6)
    same = like("torch", torch("F.gaussian_nll_loss(pred, target, var)"))
    for full, eps in ((False, 1e-6), (True, 1e-6), (False, 0.5), (True, 1e-12)):
        said: dict[str, Any] = {**({"full": True} if full else {}), **({} if eps == 1e-6 else {"eps": eps})}
        call = GAUSSIAN.format(full=full, eps=eps)
        more = [same] if call == plain else []
        found.append(pointwise("gaussian-nll", "normals", call, *more, **said))
        found.append(pointwise("gaussian-nll", "normal-columns", call, *more, wide=True, **said))
    for full, eps in ((False, 1e-6), (True, 1e-6), (False, 1e-9), (False, 0.0)):
        said = {**({"full": True} if full else {}), **({} if eps == 1e-6 else {"eps": eps})}
        rows = naive(f"gaussian_rows(pred, target, var, full={full}, eps={eps})")
        found.append(
            case("gaussian-nll", "normal-edges", value(naive("max(rows)"), reduction="max"), rows=rows, **said)
        )
    found.append(
        case(
            "gaussian-nll",
            "certain-normals",
            value(naive("min(rows)"), reduction="min"),
            rows=naive("gaussian_rows(pred, target, var, eps=0.0)"),
            eps=0.0,
        )
    )
    return found


def cases() -> list[Case]:
    return [*poisson(), *gaussian()]


SUITS = {
    ("poisson-nll", "torch"): [
        [
            Suit("log-rates"),
            Suit("log-rates", {"full": True}),
            Suit("rates", {"log_input": False}),
            Suit("rates", {"log_input": False, "full": True, "eps": 0.25}),
        ]
    ],
    ("poisson-nll", "keras"): [
        [
            Suit("rates", {}, {"like": "keras"}),
            Suit("rate-columns", {}, {"like": "keras"}),
            Suit("rates", {"log_input": False}, differs=True),
        ]
    ],
    ("poisson-nll", "scipy"): [
        [
            Suit("log-rates", {"full": True, "stirling": "exact"}),
            Suit("rates", {"log_input": False, "full": True, "stirling": "exact", "eps": 0.0}),
            Suit("log-rates", {"full": True}, differs=True),
            Suit("rates", {"log_input": False, "full": True, "stirling": "exact"}, differs=True),
        ]
    ],
    ("gaussian-nll", "torch"): [
        [Suit("normals"), Suit("normals", {"full": True, "eps": 0.5}), Suit("normal-columns")],
    ],
    ("gaussian-nll", "scipy"): [
        [
            Suit("normals", {"full": True, "eps": 0.0}),
            Suit("normals", {"full": True}, differs=True),
            Suit("normals", {"eps": 0.0}, differs=True),
        ]
    ],
}
