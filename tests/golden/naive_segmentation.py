"""Masks against masks, pixel by pixel in many digits."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import mpmath

Mask = dict[tuple[int, ...], Any]  # a number for each pixel


def mask_shape(nested: Any) -> tuple[int, ...]:
    return (len(nested), *mask_shape(nested[0])) if isinstance(nested, list) else ()


def mask_at(nested: Any, place: Sequence[int]) -> Any:
    for step in place:
        nested = nested[step]
    return nested


def mask_regions(
    pred: Any,
    target: Any,
    input: str = "probs",
    activation: str = "auto",
    include_background: bool = True,
    class_axis: int | None = None,
    ignore_index: int = -100,
) -> list[list[tuple[Mask, Mask]]]:
    """For each image and class the probabilities and the truth of its pixels that count.

    ``class_axis`` counts the axis of the images too.
    """
    wide = mask_shape(pred)
    classes = 1 if class_axis is None else wide[class_axis]
    inner = wide[1:] if class_axis is None else (*wide[1:class_axis], *wide[class_axis + 1 :])
    found = []
    for n in range(wide[0]):
        image: list[tuple[Mask, Mask]] = [({}, {}) for _ in range(classes)]
        for pixel in itertools.product(*(range(size) for size in inner)):
            places = [pixel]
            if class_axis is not None:
                places = [(*pixel[: class_axis - 1], c, *pixel[class_axis - 1 :]) for c in range(classes)]
            scores = [mpmath.mpf(mask_at(pred[n], place)) for place in places]
            if input == "logits" and (activation == "sigmoid" or (activation == "auto" and classes == 1)):
                scores = [1 / (1 + mpmath.exp(-score)) for score in scores]
            elif input == "logits":
                powers = [mpmath.exp(score) for score in scores]
                scores = [power / mpmath.fsum(powers) for power in powers]
            for c in range(classes):
                if classes > 1 and len(mask_shape(target)) < len(wide):
                    truth = mpmath.mpf(int(mask_at(target[n], pixel) == c))
                else:
                    truth = mpmath.mpf(mask_at(target[n], places[c]))
                said = mask_at(target[n], pixel if len(mask_shape(target)) < len(wide) else places[c])
                if said != ignore_index:
                    image[c][0][pixel], image[c][1][pixel] = scores[c], truth
        found.append(image if include_background else image[1:])
    return found


def mask_sums(p: Mask, t: Mask) -> dict[str, Any]:
    def over(term: Callable[[Any, Any], Any]) -> Any:
        return mpmath.fsum(term(p[k], t[k]) for k in p)

    return {
        "I": over(lambda x, y: x * y),
        "P": over(lambda x, y: x),
        "T": over(lambda x, y: y),
        "P2": over(lambda x, y: x * x),
        "T2": over(lambda x, y: y * y),
        "N": mpmath.mpf(len(p)),
    }


def mask_share(way: str, s: dict[str, Any], given: dict[str, Any]) -> Any:
    """The loss of one region, of its sums."""
    number = {key: mpmath.mpf(value) for key, value in given.items() if isinstance(value, int | float)}
    if given.get("on_empty") == "zero" and s["T"] == 0:
        return mpmath.mpf(0)
    if way == "dice":
        both = s["P2"] + s["T2"] if given.get("squared_pred") else s["P"] + s["T"]
        return 1 - (2 * s["I"] + number["smooth_nr"]) / (both + number["smooth_dr"])
    fp, fn = s["P"] - s["I"], s["T"] - s["I"]
    if way == "iou":
        return 1 - (s["I"] + number["smooth"]) / (s["I"] + fp + fn + number["smooth"])
    if way in {"tversky", "focal-tversky"}:
        index = (s["I"] + number["smooth"]) / (s["I"] + number["alpha"] * fp + number["beta"] * fn + number["smooth"])
        return 1 - index if way == "tversky" else (1 - index) ** (1 / number["gamma"])
    tp, fp, fn = (count + number["eps"] for count in (s["I"], fp, fn))
    tn = s["N"] - s["P"] - s["T"] + s["I"] + number["eps"]
    return 1 - (tp * tn - fp * fn) / mpmath.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))


def mask_generalized(sums: Sequence[dict[str, Any]], w_type: str, smooth_nr: float, smooth_dr: float) -> Any:
    power = {"square": 2, "simple": 1, "uniform": 0}[w_type]
    heavy = [None if s["T"] == 0 and power else 1 / s["T"] ** power if power else mpmath.mpf(1) for s in sums]
    most = max([w for w in heavy if w is not None], default=mpmath.mpf(0))
    weights = [most if w is None else w for w in heavy]
    upper = mpmath.fsum(w * 2 * s["I"] for w, s in zip(weights, sums, strict=True)) + mpmath.mpf(smooth_nr)
    lower = mpmath.fsum(w * (s["P"] + s["T"]) for w, s in zip(weights, sums, strict=True)) + mpmath.mpf(smooth_dr)
    return 1 - upper / lower


FORM = ("input", "activation", "include_background", "class_axis", "ignore_index")


def mask_form(given: dict[str, Any]) -> dict[str, Any]:
    return {key: given.pop(key) for key in FORM if key in given}


def mask_rows(way: str, pred: Any, target: Any, **given: Any) -> list[float]:
    """The mean over the classes of each image (generalised: of all classes together)."""
    found = []
    for image in mask_regions(pred, target, **mask_form(given)):
        sums = [mask_sums(*region) for region in image]
        if way == "generalized-dice":
            found.append(float(mask_generalized(sums, **given)))
        else:
            found.append(float(mpmath.fsum(mask_share(way, s, given) for s in sums) / len(sums)))
    return found


def mask_whole(way: str, pool: str, pred: Any, target: Any, weight: Any = None, **given: Any) -> float:
    """The number of all images: of each class over all of them (batch), or of everything (all)."""
    images = mask_regions(pred, target, **mask_form(given))
    sizes = [mpmath.mpf(w) for w in weight] if weight is not None else [mpmath.mpf(1)] * len(images)
    sums = []
    for c in range(len(images[0])):
        parts = [(w, mask_sums(*image[c])) for w, image in zip(sizes, images, strict=True)]
        sums.append({key: mpmath.fsum(w * s[key] for w, s in parts) for key in parts[0][1]})
    if pool == "all":
        sums = [{key: mpmath.fsum(s[key] for s in sums) for key in sums[0]}]
    if way == "generalized-dice":
        return float(mask_generalized(sums, **given))
    return float(mpmath.fsum(mask_share(way, s, given) for s in sums) / len(sums))


def jaccard_steps(errors: Sequence[tuple[Any, Any]]) -> Any:
    """Errors from the greatest on times the rise of the Jaccard loss, as (error, truth) of pixels."""
    ranked = sorted(errors, key=lambda pair: -pair[0])
    size = mpmath.fsum(truth for _, truth in ranked)
    total, last, hits, others = mpmath.mpf(0), mpmath.mpf(0), size, mpmath.mpf(0)
    for error, truth in ranked:
        hits, others = hits - truth, others + 1 - truth
        loss = 1 - hits / (size + others)
        total += max(error, mpmath.mpf(0)) * (loss - last)
        last = loss
    return total


def lovasz_hinge_rows(pred: Any, target: Any, class_axis: int | None = None, ignore_index: int = -100) -> list[float]:
    found = []
    for image in mask_regions(pred, target, class_axis=class_axis, ignore_index=ignore_index):
        values = [jaccard_steps([(1 - p[k] * (2 * t[k] - 1), t[k]) for k in p]) for p, t in image]
        found.append(float(mpmath.fsum(values) / len(values)))
    return found


def lovasz_softmax_rows(pred: Any, target: Any, class_set: str = "present", **given: Any) -> list[float]:
    found = []
    for image in mask_regions(pred, target, **given):
        chosen = [(p, t) for p, t in image if class_set == "all" or any(t.values())]
        values = [jaccard_steps([(abs(t[k] - p[k]), t[k]) for k in p]) for p, t in chosen]
        found.append(float(mpmath.fsum(values) / max(len(values), 1)))
    return found


def border_distance(mask: Mask, pixel: tuple[int, ...]) -> Any:
    """How far the nearest pixel on the other side of 1/2 is; 0 where there is none."""
    others = [k for k in mask if (mask[k] > 0.5) != (mask[pixel] > 0.5)]
    squares = [sum((a - b) ** 2 for a, b in zip(k, pixel, strict=True)) for k in others]
    return mpmath.sqrt(min(squares)) if squares else mpmath.mpf(0)


def hausdorff_rows(pred: Any, target: Any, alpha: float = 2.0, **given: Any) -> list[float]:
    power = mpmath.mpf(alpha)
    found = []
    for image in mask_regions(pred, target, **given):
        values = [
            (p[k] - t[k]) ** 2 * (border_distance(p, k) ** power + border_distance(t, k) ** power) / len(p)
            for p, t in image
            for k in p
        ]
        found.append(float(mpmath.fsum(values) / len(image)))
    return found


def neighbours(pixel: tuple[int, ...], image: Mask, *, diagonal: bool) -> list[Any]:
    """The values of a pixel and its neighbours."""
    steps = itertools.product((-1, 0, 1), repeat=len(pixel))
    near = [step for step in steps if diagonal or sum(map(abs, step)) <= 1]
    places = (tuple(a + b for a, b in zip(pixel, step, strict=True)) for step in near)
    return [image[place] for place in places if place in image]


def thin(image: Mask) -> Mask:
    return {k: min(neighbours(k, image, diagonal=False)) for k in image}


def lines_of(image: Mask) -> Mask:
    eroded = thin(image)
    return {k: max(image[k] - max(neighbours(k, eroded, diagonal=True)), mpmath.mpf(0)) for k in image}


def skeleton_of(image: Mask, iterations: int) -> Mask:
    found = lines_of(image)
    for _ in range(iterations):
        image = thin(image)
        more = lines_of(image)
        found = {k: found[k] + max(more[k] - found[k] * more[k], mpmath.mpf(0)) for k in found}
    return found


def cldice_rows(
    pred: Any, target: Any, iterations: int = 3, smooth: float = 1.0, eps: float = 1e-4, **given: Any
) -> list[float]:
    s = mpmath.mpf(smooth)
    found = []
    for image in mask_regions(pred, target, **given):
        sums = [mpmath.mpf(0)] * 4
        for p, t in image:
            one, two = skeleton_of(p, iterations), skeleton_of(t, iterations)
            terms = [(one[k] * t[k], one[k], two[k] * p[k], two[k]) for k in p]
            sums = [total + mpmath.fsum(each) for total, each in zip(sums, zip(*terms, strict=True), strict=True)]
        a, b = (sums[0] + s) / (sums[1] + s), (sums[2] + s) / (sums[3] + s)
        found.append(float(1 - 2 * a * b / (a + b + mpmath.mpf(eps))))
    return found
