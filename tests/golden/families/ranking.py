"""Golden cases of ranked lists."""

from __future__ import annotations

from cases import Case, Suit
from declare import case, like, naive, sklearn, value

SQUARE = "{role}.reshape(-1, 5)"


def ranking() -> list[Case]:
    """ndcg-loss: scikit-learn over lists of one length; loops over the definition for the rest."""
    pred, target = SQUARE.format(role="pred"), SQUARE.format(role="target")
    weight = SQUARE.format(role="weight") + "[:, 0]"
    found = []
    for data, settings in (
        ("lists", ({}, {"k": 3}, {"k": 1}, {"k": 50}, {"ignore_ties": True}, {"k": 2, "ignore_ties": True})),
        ("tied-lists", ({}, {"k": 3}, {"k": 1})),
    ):
        for params in settings:
            for gain in ("linear", "exp"):
                relevance = target if gain == "linear" else f"(2.0 ** {target} - 1)"
                said = "".join(f", {key}={item}" for key, item in params.items())
                mean = f"1 - ndcg_score({relevance}, {pred}{said})"
                weighted = f"1 - ndcg_score({relevance}, {pred}{said}, sample_weight={weight})"
                rows = f"[1 - ndcg_score(t[None], p[None]{said}) for t, p in zip({relevance}, {pred})]"
                given = {**params, **({} if gain == "linear" else {"gain": gain})}
                found.append(
                    case(
                        "ndcg-loss",
                        data,
                        value(sklearn(mean)),
                        value(sklearn(f"({mean}) * len({pred})"), reduction="sum"),
                        value(sklearn("np.max(rows)"), reduction="max"),
                        value(sklearn(weighted), weight="weight"),
                        like("sklearn", sklearn(weighted), weight="weight"),
                        like("sklearn", sklearn(mean)),
                        rows=sklearn(rows),
                        **given,
                    )
                )
    for data in ("ragged-lists", "tied-lists"):
        for params in (
            {},
            {"k": 2, "gain": "exp"},
            {"ignore_ties": True},
            {"k": 3, "ignore_ties": True, "gain": "exp"},
        ):
            if data == "tied-lists" and not params:
                continue
            said = "".join(f", {key}={item!r}" for key, item in params.items())
            rows = f"ndcg_rows(pred, target, group{said})"
            found.append(
                case(
                    "ndcg-loss",
                    data,
                    value(naive("mean(rows)")),
                    value(naive("mean(rows, firsts(weight, group))"), weight="weight"),
                    rows=naive(rows),
                    **params,
                )
            )
    return found


def cases() -> list[Case]:
    return ranking()


SUITS = {
    ("ndcg-loss", "sklearn"): [
        [Suit("lists"), Suit("tied-lists", {"k": 3}), Suit("lists", {"k": 2, "ignore_ties": True})]
    ],
}
