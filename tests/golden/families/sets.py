"""Golden cases of sets of labels."""

from __future__ import annotations

from cases import Case, Suit
from declare import case, like, sklearn, value

EDGES = {
    "binary-labels": {
        "pred": [1, 1, 0, 0, 1, 0, 1],
        "target": [1, 0, 1, 0, 1, 0, 1],
        "weight": [1.0, 2.0, 0.5, 1.0, 0.0, 3.0, 0.25],
    },
    "nothing-positive": {"pred": [0, 0, 0], "target": [0, 0, 0], "weight": [1.0, 2.0, 3.0]},
    "empty-sets": {  # a row and a column without any label
        "pred": [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]],
        "target": [[0, 0, 0], [1, 1, 0], [0, 1, 0], [1, 0, 0]],
        "weight": [1.0, 2.0, 0.5, 3.0],
    },
}
DECIDED = {"labels": "pred", "probs": "(pred >= 0.5).astype(int)", "logits": "(pred >= 0).astype(int)"}


def cases() -> list[Case]:
    found = []
    for data, averages in (
        ("binary-labels", ("binary", "micro", "macro", "weighted")),
        ("nothing-positive", ("binary", "macro", "weighted")),
        ("labels", ("micro", "macro", "weighted")),
        ("words", ("micro", "macro", "weighted")),
        ("label-sets", ("micro", "macro", "weighted", "samples")),
        ("empty-sets", ("micro", "macro", "weighted", "samples")),
    ):
        for average in averages:
            for zero in (0.0, 1.0):
                params = {
                    **({} if average == "binary" else {"average": average}),
                    **({"zero_division": zero} if zero else {}),
                }
                said = f"average={average!r}, zero_division={zero}"
                call = f"1 - jaccard_score(target, pred, {said})"
                weighted = f"1 - jaccard_score(target, pred, {said}, sample_weight=weight)"
                rows = None
                if average == "samples":
                    rows = sklearn(f"[1 - jaccard_score(t[None], p[None], {said}) for t, p in zip(target, pred)]")
                found.append(
                    case(
                        "jaccard-hard",
                        data,
                        value(sklearn(call)),
                        value(sklearn(weighted), weight="weight"),
                        like("sklearn", sklearn(call)),
                        rows=rows,
                        **params,
                    )
                )
    for data, form, level in (
        ("probabilities", "probs", None),
        ("logits", "logits", None),
        ("threshold-edges", "probs", None),
        ("probabilities", "probs", 0.3),
        ("multilabel", "probs", None),
        ("class-probabilities", "probs", None),
    ):
        wide = data in {"multilabel", "class-probabilities"}
        decided = f"(pred >= {level}).astype(int)" if level else DECIDED[form]
        truth = "target.astype(int)"
        if data == "class-probabilities":
            decided = "pred.argmax(1)"
        average = "macro" if wide else "binary"
        call = f"1 - jaccard_score({truth}, {decided}, average={average!r})"
        params = {"input": form, **({"threshold": level} if level else {}), **({"average": average} if wide else {})}
        found.append(case("jaccard-hard", data, value(sklearn(call)), rows=None, **params))
    return found


SUITS = {
    ("jaccard-hard", "sklearn"): [
        [Suit("binary-labels"), Suit("label-sets", {"average": "macro"}), Suit("words", {"average": "weighted"})]
    ],
}
