"""Golden cases of losses over a lattice of two sequences: no library here has them, loops over the definitions do."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import by_rows, case, naive, torch, value
from inputs import Arrays, Rng, weights


def series(rng: Rng, rows: int) -> Arrays:
    return {"pred": rng.normal(size=(rows, 6)), "target": rng.normal(size=(rows, 4)), "weight": weights(rng, rows)}


def vector_series(rng: Rng, rows: int) -> Arrays:
    return {
        "pred": rng.normal(size=(rows, 4, 3)),
        "target": rng.normal(size=(rows, 5, 3)),
        "weight": weights(rng, rows),
    }


def softmax(logits: Any) -> Any:
    powers = np.exp(logits)
    return powers / powers.sum(axis=-1, keepdims=True)


def lattices(form: str) -> Any:
    def make(rng: Rng, rows: int) -> Arrays:
        logits = 2 * rng.normal(size=(rows, 5, 4, 4))
        pred = {"logits": logits, "probs": softmax(logits), "log-probs": np.log(softmax(logits))}[form]
        return {"pred": pred, "target": rng.integers(1, 3, size=(rows, 3)), "weight": weights(rng, rows)}

    return make


def taggings(rng: Rng, rows: int) -> Arrays:
    return {
        "pred": 2 * rng.normal(size=(rows, 4, 3)),
        "target": rng.integers(0, 3, size=(rows, 4)),
        "transitions": rng.normal(size=(3, 3)),
        "start-transitions": rng.normal(size=3),
        "end-transitions": rng.normal(size=3),
        "weight": weights(rng, rows),
    }


def phrases(rng: Rng, rows: int) -> Arrays:
    words = np.array(["the", "cat", "Cat", "sat", "née", "on", "a", "mat"])
    sides = [[" ".join(rng.choice(words, size=rng.integers(1, 6))) for _ in range(rows)] for _ in range(2)]
    return {"pred": np.array(sides[0]), "target": np.array(sides[1]), "weight": weights(rng, rows)}


def frames_first(make: Any) -> Any:
    """The same with the first two axes of the scores in the other order."""

    def turned(rng: Rng, rows: int) -> Arrays:
        arrays = make(rng, rows)
        return {**arrays, "pred": np.ascontiguousarray(np.swapaxes(arrays["pred"], 0, 1))}

    return turned


RANDOM = {
    "series": series,
    "vector-series": vector_series,
    "lattices": lattices("logits"),
    "log-prob-lattices": lattices("log-probs"),
    "prob-lattices": lattices("probs"),
    "taggings": taggings,
    "phrases": phrases,
    "lattices-by-time": frames_first(lattices("logits")),
    "taggings-by-time": frames_first(taggings),
}


def warping() -> list[Case]:
    found = []
    for data in ("series", "vector-series"):
        for params in (
            {},
            {"metric": "euclidean"},
            {"metric": "manhattan", "window": 1},
            {"window": 0},
            {"root": True},
            {"metric": "euclidean", "window": 2, "root": True},
        ):
            said = "".join(f", {key}={item!r}" for key, item in params.items())
            found.append(by_rows("dtw", data, naive(f"dtw_rows(pred, target{said})"), **params))
        for params in ({}, {"gamma": 0.05}, {"gamma": 20.0}, {"divergence": True}, {"gamma": 0.5, "divergence": True}):
            said = "".join(f", {key}={item!r}" for key, item in params.items())
            found.append(by_rows("soft-dtw", data, naive(f"soft_dtw_rows(pred, target{said})"), **params))
    return found


def transducers() -> list[Case]:
    found = [by_rows("rnn-t", "lattices", naive("transducer_rows(pred, target)"))]
    for data, form in (("lattices", "logits"), ("log-prob-lattices", "log-probs"), ("prob-lattices", "probs")):
        params: dict[str, Any] = {"blank": 0} if form == "logits" else {"input": form, "blank": 3}
        call = f"transducer_rows(pred, target, {form!r}, {params['blank']})"
        found.append(by_rows("rnn-t", data, naive(call), **params))
    turned = naive("transducer_rows(list(zip(*pred)), target)")
    return [*found, by_rows("rnn-t", "lattices-by-time", turned, layout="TNC")]


def chains() -> list[Case]:
    beside = "target, transitions, start_transitions, end_transitions"
    rows = naive(f"crf_rows(pred, {beside})")
    return [
        by_rows("crf-nll", "taggings-by-time", naive(f"crf_rows(list(zip(*pred)), {beside})"), layout="TNC"),
        by_rows("crf-nll", "taggings", rows),
        case(
            "crf-nll",
            "taggings",
            value(torch("rows.sum() / target.numel()")),
            value(torch("rows.sum()"), reduction="sum"),
            value(torch("(weight * rows).sum() / (weight.sum() * target.shape[1])"), weight="weight"),
            rows=rows,
            average="token",
        ),
    ]


def alignments() -> list[Case]:
    found = []
    for loss, local in (("needleman-wunsch", False), ("smith-waterman", True)):
        for params in (
            {},
            {"match": 2.0, "mismatch": -3.0},
            {"gap": -0.5, "gap_open": -2.5},
            {"match": 0.0, "mismatch": -1.0, "unit": "word"},
            {"match": 1.5, "mismatch": 0.25, "gap": 0.0, "gap_open": -1.0, "unit": "byte"},
            {"unit": "word", "gap_open": -0.125},
        ):
            said = "".join(f", {key}={item!r}" for key, item in params.items())
            found.append(
                by_rows(loss, "phrases", naive(f"alignment_rows(pred, target, local={local}{said})"), **params)
            )
        folded = naive(f"alignment_rows(pred, target, local={local}, fold=True)")
        found.append(by_rows(loss, "phrases", folded, normalize=("lower",)))
    rows = naive("alignment_rows(pred, target, local=True)")
    return [*found, by_rows("needleman-wunsch", "phrases", rows, local=True)]


def cases() -> list[Case]:
    return [*warping(), *transducers(), *chains(), *alignments()]


SUITS: dict[tuple[str, str], list[list[Suit]]] = {}
