"""Golden cases of losses of pairs and lists."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Oracle, Suit
from declare import by_elements, case, exact, like, naive, optax, torch, value
from inputs import LIST, WIDTH, Arrays, Rng, weights


def rows_of_pairs(names: tuple[str, str], *, signed: bool, wide: bool) -> Any:
    """Two scores a row (or two of each of several), and which should be higher."""

    def make(rng: Rng, rows: int) -> Arrays:
        shape = (rows, WIDTH) if wide else rows
        found = {name: 1.5 * rng.normal(size=shape) for name in names}
        if signed:
            found["target"] = np.where(rng.random(size=shape) < 0.5, -1.0, 1.0)
        return {**found, "weight": weights(rng, rows)}

    return make


def ordered_lists(rng: Rng, rows: int) -> Arrays:
    """Lists without ties, for libraries that break them by chance."""
    count = rows // LIST
    return {
        "pred": 2 * rng.normal(size=count * LIST),
        "target": rng.permuted(np.tile(np.arange(float(LIST)), (count, 1)), axis=1).reshape(-1),
        "group": np.repeat(np.arange(count), LIST),
        "weight": np.repeat(weights(rng, count), LIST),
    }


RANDOM = {
    "score-pairs": rows_of_pairs(("x1", "x2"), signed=True, wide=False),
    "score-pair-columns": rows_of_pairs(("x1", "x2"), signed=True, wide=True),
    "item-pairs": rows_of_pairs(("positive", "negative"), signed=False, wide=False),
    "item-pair-columns": rows_of_pairs(("positive", "negative"), signed=False, wide=True),
    "answer-pairs": rows_of_pairs(("chosen", "rejected"), signed=False, wide=False),
    "answer-pair-columns": rows_of_pairs(("chosen", "rejected"), signed=False, wide=True),
    "ordered-lists": ordered_lists,
}

FAR = [0.0, 1.0, 40.0, -40.0, 800.0, -800.0, 1e16, 1e-9]
NEAR = [0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 1e16 - 2.0, 0.0]

EDGES: dict[str, dict[str, Any]] = {
    "score-pair-edges": {  # ties, leads of exactly the margin, far apart, labels 0 and 1
        "x1": [1.0, 2.0, 3.0, 2.0, 2.0, 1e300, 0.0, 1.0],
        "x2": [2.0, 2.0, 1.0, 2.0, 1.5, -1e300, -0.0, 1.25],
        "target": [1, 1, 0, 0, 1, 1, 0, 0],
        "weight": [1.0, 2.0, 0.0, 3.0, 0.5, 1.0, 1.0, 2.0],
    },
    "item-pair-edges": {"positive": FAR, "negative": NEAR, "weight": [1.0, 2.0, 0.5, 0.0, 1.0, 1.0, 3.0, 1.0]},
    "answer-pair-edges": {"chosen": FAR, "rejected": NEAR, "weight": [1.0, 2.0, 0.5, 0.0, 1.0, 1.0, 3.0, 1.0]},
    "list-edges": {  # alone, far apart, tied, nothing relevant, all alike, one far below, near ties far from zero
        "pred": [0.5, 700.0, -700.0, 0.0, 1.0, 1.0, 1.0, 0.2, 0.3, 5.0, -50.0, 1e8, 1e8 + 1e-7, 1e8 - 1e-7],
        "target": [1.0, 2.0, 1.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 3.0, 3.0, 0.5, 0.25, 4.0],
        "group": [9, 3, 3, 3, 1, 1, 1, 4, 4, 5, 5, 2, 2, 2],
        "weight": [1.0, 2.0, 2.0, 2.0, 0.5, 0.5, 0.5, 3.0, 3.0, 1.0, 1.0, 0.0, 0.0, 0.0],
    },
    "high-grades": {  # 2^r overflows
        "pred": [0.5, 1.0, 2.0, 1.0, 2.0],
        "target": [2000.0, 1999.0, 1990.0, 1.0, 0.0],
        "group": [1, 1, 1, 2, 2],
        "weight": [1.0, 1.0, 1.0, 2.0, 2.0],
    },
}


def pairs() -> list[Case]:
    found = []
    margin = "F.margin_ranking_loss(x1, x2, {t}, margin={m}, reduction='none')"
    for data, target in (("score-pairs", "target"), ("score-pair-edges", "2. * target - 1")):
        for params in ({}, {"margin": 0.5}):
            call = margin.format(t=target, m=params.get("margin", 0.0))
            liked = like("torch", torch(call.replace(", reduction='none'", "")))
            found.append(
                case(
                    "margin-ranking",
                    data,
                    value(torch("rows.mean()")),
                    value(torch("rows.sum()"), reduction="sum"),
                    value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
                    liked,
                    rows=torch(call),
                    **params,
                )
            )
    wide = "F.margin_ranking_loss(x1, x2, target, margin=0.5, reduction='none')"
    found.append(by_elements("margin-ranking", "score-pair-columns", wide, margin=0.5))
    found.append(
        case(
            "margin-ranking",
            "score-pairs",
            value(torch("rows.mean()")),
            labels="pm1",
            rows=torch(margin.format(t="target", m=0.0)),
        )
    )
    for loss, data, roles in (("bpr", "item", "positive, negative"), ("bradley-terry", "answer", "chosen, rejected")):
        settings: tuple[dict[str, Any], ...] = ({}, {"margin": 0.75}) if loss == "bradley-terry" else ({},)
        for params in settings:
            rows = f"preference_rows({roles}, {params.get('margin', 0.0)})"
            for form in (f"{data}-pairs", f"{data}-pair-edges"):
                found.append(
                    case(
                        loss,
                        form,
                        value(torch("rows.mean()")),
                        value(torch("rows.sum()"), reduction="sum"),
                        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
                        rows=exact(rows),
                        **params,
                    )
                )
            better, worse = roles.split(", ")
            call = f"-F.logsigmoid({better} - {worse} - {params.get('margin', 0.0)})"
            found.append(by_elements(loss, f"{data}-pair-columns", call, **params))
    return found


def of_lists(loss: str, function: str, *settings: dict[str, Any], data: tuple[str, ...]) -> list[Case]:
    """Every list by a loop over the definition; weighted, and the sum."""
    found = []
    for name in data:
        for params in settings:
            said = "".join(f", {key}={item!r}" for key, item in params.items())
            found.append(
                case(
                    loss,
                    name,
                    value(naive("mean(rows)")),
                    value(naive("math.fsum(rows)"), reduction="sum"),
                    value(naive("mean(rows, firsts(weight, group))"), weight="weight"),
                    rows=naive(f"{function}(pred, target, group{said})"),
                    **params,
                )
            )
    return found


LISTS = "pred.reshape(-1, 5), target.reshape(-1, 5)"
DATA = ("ragged-lists", "tied-lists", "list-edges")


def lists() -> list[Case]:
    found = of_lists("ranknet", "ranknet_rows", {}, {"slope": 2.5, "pairs": "mean"}, data=DATA)
    lambdas: tuple[dict[str, Any], ...] = (
        {},
        {"k": 2},
        {"gain": "linear", "discount": "reciprocal"},
        {"slope": 0.5, "k": 1},
    )
    found += of_lists("lambdarank", "lambdarank_rows", *lambdas, data=(*DATA, "high-grades"))
    found += of_lists("listnet", "listnet_rows", {}, {"temperature": 0.25}, data=DATA)
    found += of_lists("ranking-softmax-loss", "ranking_softmax_rows", {}, data=DATA)
    found += of_lists("listmle", "listmle_rows", {}, data=DATA)
    smooth: tuple[dict[str, Any], ...] = ({}, {"temperature": 1.0}, {"gain": "linear", "temperature": 0.01})
    found += of_lists("approx-ndcg", "approx_ndcg_rows", *smooth, data=(*DATA, "high-grades"))
    whole = f"ranking_softmax_loss({LISTS})"
    found += [
        case(
            "ranking-softmax-loss",
            "lists",
            value(optax(whole)),
            like("optax", optax(whole)),
            rows=optax(f"ranking_softmax_loss({LISTS}, reduce_fn=None)"),
        ),
        case(
            "listmle",
            "ordered-lists",
            value(torch("rows.mean()")),
            rows=naive("listmle_rows(pred, target, group)"),
            ties="error",
        ),
    ]
    return found


def by_rax(loss: str, call: str, **params: Any) -> Case:
    return case(
        loss,
        "ordered-lists",
        value(naive("mean(rows)")),
        rows=Oracle("rax", f"jnp.array([{call} for s, t in zip({LISTS})])"),
        **params,
    )


def elsewhere() -> list[Case]:
    """rax list by list, which has a number of its own only for a batch."""
    logistic = "rax.pairwise_logistic_loss({}s, t{})"
    weighing = (
        ", reduce_fn=jnp.sum, lambdaweight_fn=lambda a, b, **rest: "
        "rax.dcg_lambdaweight(a, b, normalize=True, topn={}, **rest)) / len(s"
    )
    return [
        by_rax("ranknet", logistic.format("", ", reduce_fn=jnp.sum")),
        by_rax("ranknet", logistic.format("", ""), pairs="mean"),
        by_rax("lambdarank", logistic.format("", weighing.format(None))),
        by_rax("lambdarank", logistic.format("2 * ", weighing.format(3)), slope=2.0, k=3),
        by_rax("listmle", "rax.listmle_loss(s, t)"),
        by_rax("ranking-softmax-loss", "rax.softmax_loss(s, t)"),
    ]


def cases() -> list[Case]:
    return [*pairs(), *lists(), *elsewhere()]


ORDERED = Suit("ordered-lists")
SUITS = {
    ("margin-ranking", "torch"): [[Suit("score-pairs", {"margin": 0.5}), Suit("score-pair-edges", differs=True)]],
    ("bpr", "torch"): [[Suit("item-pairs"), Suit("item-pair-edges")]],
    ("bradley-terry", "torch"): [[Suit("answer-pairs", {"margin": 0.5}), Suit("answer-pair-edges")]],
    ("ranknet", "rax"): [
        [ORDERED, Suit("lists", {"slope": 2.0})],
        [Suit("ordered-lists", {"pairs": "mean"}), Suit("ordered-lists", differs=True)],
    ],
    ("lambdarank", "rax"): [[ORDERED, Suit("ordered-lists", {"k": 2, "slope": 0.5})]],
    ("listnet", "torch"): [[Suit("lists"), Suit("lists", {"temperature": 0.5})]],
    ("listnet", "optax"): [[Suit("lists", {"temperature": 2.0})]],
    ("ranking-softmax-loss", "optax"): [[Suit("lists"), Suit("tied-lists")]],
    ("ranking-softmax-loss", "rax"): [[Suit("lists")]],
    ("listmle", "rax"): [[ORDERED]],
    ("approx-ndcg", "rax"): [[Suit("lists"), Suit("ordered-lists", {"temperature": 1.0})]],
}
