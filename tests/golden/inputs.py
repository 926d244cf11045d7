"""Inputs of the golden cases: random ones of any length, and small ones written out for their edges."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
Rng = np.random.Generator
CLASSES = 4
LIST = 5  # rows of a list
WIDTH = 3


def softmax(logits: NDArray[Any]) -> NDArray[Any]:
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True)


def weights(rng: Rng, rows: int) -> NDArray[Any]:
    """Row weights, every fourth of them zero."""
    weight = rng.uniform(0.1, 3.0, size=rows)
    weight[3::4] = 0.0
    return weight


def reals(rng: Rng, rows: int) -> Arrays:
    target = rng.normal(size=rows)
    return {"pred": target + 1.5 * rng.normal(size=rows), "target": target, "weight": weights(rng, rows)}


def columns(rng: Rng, rows: int) -> Arrays:
    target = rng.normal(size=(rows, WIDTH)) * np.array([1.0, 2.0, 5.0])
    return {"pred": target + 1.5 * rng.normal(size=(rows, WIDTH)), "target": target, "weight": weights(rng, rows)}


def quantiles(rng: Rng, rows: int) -> Arrays:
    return {
        "pred": np.sort(rng.normal(size=(rows, WIDTH)), axis=1),
        "target": rng.normal(size=rows),
        "weight": weights(rng, rows),
    }


def probabilities(rng: Rng, rows: int) -> Arrays:
    return {
        "pred": rng.uniform(0.02, 0.98, size=rows),
        "target": rng.integers(0, 2, size=rows).astype(float),
        "weight": weights(rng, rows),
    }


def soft_probabilities(rng: Rng, rows: int) -> Arrays:
    return {**probabilities(rng, rows), "target": rng.uniform(size=rows)}


def multilabel(rng: Rng, rows: int) -> Arrays:
    return {
        "pred": rng.uniform(0.02, 0.98, size=(rows, WIDTH)),
        "target": rng.integers(0, 2, size=(rows, WIDTH)).astype(float),
        "weight": weights(rng, rows),
    }


def logits(rng: Rng, rows: int) -> Arrays:
    return {**probabilities(rng, rows), "pred": 3 * rng.normal(size=rows)}


def soft_logits(rng: Rng, rows: int) -> Arrays:
    return {**soft_probabilities(rng, rows), "pred": 3 * rng.normal(size=rows)}


def multilabel_logits(rng: Rng, rows: int) -> Arrays:
    return {**multilabel(rng, rows), "pred": 3 * rng.normal(size=(rows, WIDTH))}


def classes(rng: Rng, rows: int) -> Arrays:
    """Logits, and the index of the right class; all classes occur."""
    target = np.arange(rows) % CLASSES
    rng.shuffle(target)
    return {"pred": 2 * rng.normal(size=(rows, CLASSES)), "target": target, "weight": weights(rng, rows)}


def ignoring(label: int) -> Callable[[Rng, int], Arrays]:
    """Logits with every third target ignored."""

    def make(rng: Rng, rows: int) -> Arrays:
        arrays = classes(rng, rows)
        arrays["target"][1::3] = label
        return arrays

    return make


def soft_classes(rng: Rng, rows: int) -> Arrays:
    return {**classes(rng, rows), "target": softmax(2 * rng.normal(size=(rows, CLASSES)))}


def class_probabilities(rng: Rng, rows: int) -> Arrays:
    arrays = classes(rng, rows)
    return {**arrays, "pred": softmax(arrays["pred"])}


def class_log_probabilities(rng: Rng, rows: int) -> Arrays:
    arrays = classes(rng, rows)
    return {**arrays, "pred": np.log(softmax(arrays["pred"]))}


def ignored_log_probabilities(rng: Rng, rows: int) -> Arrays:
    arrays = ignoring(-100)(rng, rows)
    return {**arrays, "pred": np.log(softmax(arrays["pred"]))}


def distributions(form: str, log_target: bool = False) -> Callable[[Rng, int], Arrays]:
    """A prediction in one of its forms, and a target distribution."""

    def make(rng: Rng, rows: int) -> Arrays:
        scores = 2 * rng.normal(size=(rows, CLASSES))
        target = softmax(2 * rng.normal(size=(rows, CLASSES)))
        pred = {"logits": scores, "probs": softmax(scores), "log-probs": np.log(softmax(scores))}[form]
        return {"pred": pred, "target": np.log(target) if log_target else target, "weight": weights(rng, rows)}

    return make


def signed(rng: Rng, rows: int) -> Arrays:
    target = np.where(rng.random(size=rows) < 0.5, -1.0, 1.0)
    return {"pred": 1.5 * rng.normal(size=rows), "target": target, "weight": weights(rng, rows)}


def zero_one_signed(rng: Rng, rows: int) -> Arrays:
    arrays = signed(rng, rows)
    return {**arrays, "target": (arrays["target"] + 1) / 2}


def signed_columns(rng: Rng, rows: int) -> Arrays:
    target = np.where(rng.random(size=(rows, WIDTH)) < 0.5, -1.0, 1.0)
    return {"pred": 1.5 * rng.normal(size=(rows, WIDTH)), "target": target, "weight": weights(rng, rows)}


def labels(rng: Rng, rows: int) -> Arrays:
    target = rng.integers(0, CLASSES, size=rows)
    pred = np.where(rng.random(size=rows) < 0.6, target, rng.integers(0, CLASSES, size=rows))
    return {"pred": pred, "target": target, "weight": weights(rng, rows)}


def label_sets(rng: Rng, rows: int) -> Arrays:
    target = rng.integers(0, 2, size=(rows, WIDTH))
    pred = np.where(rng.random(size=(rows, WIDTH)) < 0.8, target, 1 - target)
    return {"pred": pred, "target": target, "weight": weights(rng, rows)}


def triplets(rng: Rng, rows: int) -> Arrays:
    anchor = rng.normal(size=(rows, 5))
    return {
        "anchor": anchor,
        "positive": anchor + 0.7 * rng.normal(size=(rows, 5)),
        "negative": anchor + rng.normal(size=(rows, 5)),
        "weight": weights(rng, rows),
    }


def lists(tied: bool) -> Callable[[Rng, int], Arrays]:
    """Ranked lists of equal length, each row with the weight of its list."""

    def make(rng: Rng, rows: int) -> Arrays:
        count = rows // LIST
        pred = rng.normal(size=count * LIST)
        return {
            "pred": np.round(pred) if tied else pred,
            "target": rng.integers(0, 4, size=count * LIST).astype(float),
            "group": np.repeat(np.arange(count), LIST),
            "weight": np.repeat(weights(rng, count), LIST),
        }

    return make


# Kinds of inputs that can be made at any length (compare.py makes them long).
RANDOM: dict[str, Callable[[Rng, int], Arrays]] = {
    "reals": reals,
    "columns": columns,
    "quantiles": quantiles,
    "probabilities": probabilities,
    "soft-probabilities": soft_probabilities,
    "multilabel": multilabel,
    "logits": logits,
    "soft-logits": soft_logits,
    "multilabel-logits": multilabel_logits,
    "classes": classes,
    "ignored": ignoring(-100),
    "ignored-255": ignoring(255),
    "ignored-2": ignoring(2),
    "soft-classes": soft_classes,
    "class-probabilities": class_probabilities,
    "class-log-probabilities": class_log_probabilities,
    "ignored-log-probabilities": ignored_log_probabilities,
    "log-distributions": distributions("log-probs"),
    "distributions": distributions("probs"),
    "logit-distributions": distributions("logits"),
    "two-log-distributions": distributions("log-probs", log_target=True),
    "probability-log-distributions": distributions("probs", log_target=True),
    "signed": signed,
    "zero-one-signed": zero_one_signed,
    "signed-columns": signed_columns,
    "labels": labels,
    "label-sets": label_sets,
    "triplets": triplets,
    "lists": lists(tied=False),
    "tied-lists": lists(tied=True),
}
ROWS = 10
SEED = 20260

INF = float("inf")

# Inputs written out: the places where formulas change their branch, and where libraries differ.
EDGES: dict[str, dict[str, Any]] = {
    "real-edges": {  # errors 0, +-1/4, +-1/2, +-1, +-3, +-1000: on the corners of huber and smooth-l1, and far out
        "pred": [2.0, 1.25, 0.75, 0.5, -0.5, 2.0, 0.0, 4.0, -2.0, 1000.0, -1000.0],
        "target": [2.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
        "weight": [0.0, 1.0, 2.0, 0.5, 1.0, 3.0, 1.0, 1.0, 0.25, 0.125, 0.125],
    },
    "one-column": {"pred": [[1.0], [2.5], [-3.0]], "target": [[0.5], [2.5], [1.0]], "weight": [1.0, 2.0, 3.0]},
    "one-real": {"pred": [3.0], "target": [1.5], "weight": [2.0]},
    "constant-target": {"pred": [1.0, 2.0, 3.0], "target": [2.0, 2.0, 2.0], "weight": [1.0, 2.0, 1.0]},
    "constant-right": {"pred": [2.0, 2.0, 2.0], "target": [2.0, 2.0, 2.0], "weight": [1.0, 2.0, 1.0]},
    "constant-column": {  # the second column of the target never changes
        "pred": [[1.0, 2.0], [2.0, 3.0], [4.0, 2.0]],
        "target": [[1.5, 2.0], [2.0, 2.0], [3.0, 2.0]],
        "weight": [1.0, 2.0, 1.0],
    },
    "far-from-zero": {  # a mean of 1e8 and a spread of 1: sums of squares cancel
        "pred": [1e8 + 0.5, 1e8 - 1.0, 1e8 + 1.25, 1e8 - 0.25, 1e8 + 2.0],
        "target": [1e8, 1e8 - 1.5, 1e8 + 1.0, 1e8 - 0.5, 1e8 + 1.0],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0],
    },
    "probability-edges": {
        "pred": [0.0, 0.0, 1.0, 1.0, 0.5, 0.0, 1.0, 1e-9, 1e-9, 0.25],
        "target": [0.0, 1.0, 0.0, 1.0, 1.0, 0.5, 0.25, 1.0, 0.0, 0.0],
        "weight": [1.0, 2.0, 3.0, 1.0, 0.5, 1.0, 1.0, 0.0, 1.0, 2.0],
    },
    "hard-probability-edges": {
        "pred": [0.0, 0.0, 1.0, 1.0, 0.5, 1e-9, 1e-9, 0.25],
        "target": [0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0],
        "weight": [1.0, 2.0, 3.0, 1.0, 0.5, 0.0, 1.0, 2.0],
    },
    "logit-edges": {
        "pred": [0.0, 40.0, -40.0, 40.0, -40.0, 1000.0, 1000.0, -1000.0, 700.0, -5.0],
        "target": [1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.5, 0.25],
        "weight": [1.0, 2.0, 3.0, 1.0, 0.5, 0.0, 1.0, 1.0, 1.0, 2.0],
    },
    "one-class-logits": {"pred": [2.0, -1.0, 0.5], "target": [1.0, 1.0, 1.0], "weight": [1.0, 2.0, 3.0]},
    "other-class-logits": {"pred": [2.0, -1.0, 0.5], "target": [0.0, 0.0, 0.0], "weight": [1.0, 2.0, 3.0]},
    "class-edges": {  # masked classes, ties, wide gaps
        "pred": [[0.0, -INF, 1.0], [1.0, 1.0, 1.0], [1000.0, 0.0, -1000.0], [-INF, 2.0, -INF], [-1000.0, 0.0, 1000.0]],
        "target": [2, 0, 0, 1, 1],
        "weight": [1.0, 2.0, 0.5, 3.0, 1.0],
    },
    "one-hot": {
        "pred": [[0.5, -1.0, 2.0], [1.5, 0.25, -0.5], [0.0, 3.0, 1.0]],
        "target": [[0, 0, 1], [1, 0, 0], [1, 0, 0]],
        "weight": [1.0, 2.0, 0.5],
    },
    "masked-truth": {"pred": [[0.0, -INF, 1.0], [0.0, 0.5, 1.0]], "target": [1, 1], "weight": [1.0, 1.0]},
    "class-probability-edges": {
        "pred": [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5], [0.0, 1.0, 0.0]],
        "target": [0, 0, 2, 2],
        "weight": [1.0, 2.0, 0.5, 3.0],
    },
    "sparse-targets": {  # soft targets with zeros against probabilities with zeros
        "pred": [[0.5, 0.5, 0.0], [0.1, 0.2, 0.7], [1.0, 0.0, 0.0]],
        "target": [[0.25, 0.75, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]],
        "weight": [1.0, 2.0, 0.5],
    },
    "sparse-log-distributions": {
        "pred": [[-0.5, -1.5, -1.787], [-1.0986, -1.0986, -1.0986], [-0.105360516, -2.995732274, -2.995732274]],
        "target": [[0.25, 0.75, 0.0], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]],
        "weight": [1.0, 2.0, 0.5],
    },
    "sparse-distributions": {
        "pred": [[0.5, 0.5, 0.0], [0.1, 0.2, 0.7], [0.6, 0.4, 0.0]],
        "target": [[0.25, 0.75, 0.0], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5]],
        "weight": [1.0, 2.0, 0.5],
    },
    "signed-edges": {  # margins 1, -1, 0, beyond and within
        "pred": [1.0, -1.0, 0.0, 5.0, 0.5, -0.5, 1.0, -7.0],
        "target": [1.0, -1.0, 1.0, 1.0, -1.0, -1.0, -1.0, 1.0],
        "weight": [1.0, 2.0, 3.0, 1.0, 0.5, 0.0, 1.0, 2.0],
    },
    "all-positive": {"pred": [0.5, -0.5, 2.0], "target": [1.0, 1.0, 1.0], "weight": [1.0, 2.0, 3.0]},
    "words": {
        "pred": ["cat", "dog", "dog", "ox", "10"],
        "target": ["cat", "cat", "dog", "ox", "2"],
        "weight": [1.0, 2.0, 3.0, 0.5, 1.0],
    },
    "threshold-edges": {
        "pred": [0.5, 0.5, 0.49999999999999994, 0.0, 1.0, 0.7],
        "target": [1.0, 0.0, 1.0, 0.0, 1.0, 0.0],
        "weight": [1.0, 2.0, 3.0, 0.5, 1.0, 1.0],
    },
    "tied-scores": {
        "pred": [[0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [0.25, 0.25, 0.5]],
        "target": [0, 2, 2],
        "weight": [1.0, 2.0, 3.0],
    },
    "triplet-edges": {  # equal vectors, zero vectors, hinge on and off
        "anchor": [[0.0, 0.0], [1.0, 2.0], [3.0, 4.0], [0.0, 0.0], [1.0, 0.0]],
        "positive": [[0.0, 0.0], [1.0, 2.0], [0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]],
        "negative": [[0.0, 0.0], [-9.0, 9.0], [3.0, 4.5], [0.0, 1.5], [2.0, 0.0]],
        "weight": [1.0, 2.0, 0.0, 1.0, 0.5],
    },
    "ragged-lists": {  # of 1 to 4 items, with ties, one without anything relevant, one in best order
        "pred": [0.3, 0.5, 0.5, 0.1, 0.9, 0.8, 0.7, 0.2, 0.2, 0.2, 0.2, 0.4, 0.6],
        "target": [2.0, 0.0, 3.0, 1.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        "group": [5, 2, 2, 2, 1, 1, 1, 7, 7, 7, 7, 4, 4],
        "weight": [1.0, 2.0, 2.0, 2.0, 0.5, 0.5, 0.5, 3.0, 3.0, 3.0, 3.0, 1.0, 1.0],
    },
}


def families(names: Sequence[str] = ()) -> dict[str, ModuleType]:
    """The modules of families/, all or those named."""
    found = sorted(path.stem for path in Path(__file__).with_name("families").glob("[a-z]*.py"))
    unknown = set(names) - set(found)
    if unknown:
        raise SystemExit(f"no such family: {sorted(unknown)}; there are {found}")
    return {name: importlib.import_module(f"families.{name}") for name in names or found}


def merged(attribute: str, shared: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs here and those that modules of families/ bring along; a name stands once."""
    made = dict(shared)
    for name, family in families().items():
        own = getattr(family, attribute, {})
        if set(own) & set(made):
            raise SystemExit(f"{name}: inputs of these names are there already: {sorted(set(own) & set(made))}")
        made.update(own)
    return made


def random_inputs() -> dict[str, Callable[[Rng, int], Arrays]]:
    return merged("RANDOM", RANDOM)


def everything() -> dict[str, Arrays]:
    """All inputs of the cases, by name. Each random kind has a seed of its own, so that adding one moves none."""
    rng = np.random.default_rng
    made = {name: make(rng([SEED, *name.encode()]), ROWS) for name, make in random_inputs().items()}
    edges = merged("EDGES", EDGES)
    return {**made, **{name: {role: np.asarray(a) for role, a in arrays.items()} for name, arrays in edges.items()}}


def plain(array: Any) -> Any:
    """An array, or several by name, as lists."""
    return {name: part.tolist() for name, part in array.items()} if isinstance(array, dict) else array.tolist()
