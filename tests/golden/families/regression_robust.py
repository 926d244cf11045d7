"""Golden cases of robust losses, and of errors as shares of sizes, spreads and ranges."""

from __future__ import annotations

from typing import Any

from cases import Case, Oracle, Reduced, Suit
from declare import case, exact, naive, torch, torchmetrics, value

INF = float("inf")

EDGES: dict[str, dict[str, Any]] = {
    "robust-edges": {  # nothing, next to nothing, the corners of wing, far out, where squares overflow or vanish
        "pred": [0.0, 1e-9, 1e-200, 1.0, 10.0, -10.0, 9.999999999999998, 1e8, 1e160, 3.0, 1e-5],
        "target": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1e12, 0.0],
        "weight": [0.0, 1.0, 2.0, 0.5, 1.0, 3.0, 1.0, 1.0, 0.25, 1.0, 2.0],
    },
    "share-edges": {  # no size, below eps, opposite signs, sums that overflow, equal
        "pred": [0.0, 1e-7, 3e-320, -1.0, 1.7e308, 1.7e308, 5.0, 0.0],
        "target": [0.0, 2e-7, 0.0, 1.0, -1.7e308, 1.5e308, 5.0, 2.0],
        "weight": [1.0, 2.0, 0.5, 1.0, 0.0, 1.0, 3.0, 1.0],
    },
    "equal-means": {"pred": [1.0, 4.0, 2.0, 3.0], "target": [1.0, 3.0, 2.0, 4.0], "weight": [1.0, 2.0, 1.0, 0.0]},
    "negative-targets": {"pred": [-1.0, -4.5, 2.0], "target": [-1.5, -4.0, 1.0], "weight": [1.0, 2.0, 1.0]},
    "small-targets": {  # sums of squares below the eps of libraries
        "pred": [1e-9, 3e-9, 2e-9, 2.5e-9],
        "target": [1e-9, 2.5e-9, 2e-9, 3e-9],
        "weight": [1.0, 2.0, 1.0, 0.5],
    },
    "tiny-sizes": {"pred": [1e-7, 2e-7], "target": [1.5e-7, 2e-7], "weight": [1.0, 3.0]},
}


def by_elements(wide: bool) -> list[Reduced]:
    """What follows from the rows, whose elements are as many in each."""
    found = [
        value(torch("rows.mean()")),
        value(torch(f"rows.sum(){' * 3' if wide else ''}"), reduction="sum"),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
    ]
    return [*found, value(torch("3 * rows.mean()"), row="sum")] if wide else found


def elements(loss: str, data: str, oracle: Oracle, **params: Any) -> Case:
    return case(loss, data, *by_elements(data == "columns"), rows=oracle, **params)


def said(params: dict[str, float]) -> str:
    return "".join(f", {key}={item!r}".replace("inf", "math.inf") for key, item in params.items())


def shapes() -> list[Case]:
    found = []
    barrons: tuple[dict[str, float], ...] = (
        {},
        {"c": 0.5},
        {"alpha": 2.0},
        {"alpha": 0.0, "c": 3.0},
        {"alpha": -2.0},
        {"alpha": 1.5, "c": 2.0},
        {"alpha": -INF},
        {"alpha": 1e-9},
        {"alpha": 2.0000000001},
        {"alpha": -50.0},
    )
    for params in barrons:
        rows = exact(f"barron_rows(pred, target{said(params)})")
        found += [elements("barron", data, rows, **params) for data in ("reals", "robust-edges")]
    found.append(elements("barron", "columns", exact("barron_rows(pred, target)")))
    found.append(
        elements("barron", "reals", exact("barron_rows(pred, target, alpha=math.inf, c=2.)"), alpha=INF, c=2.0)
    )
    found += [
        elements("barron", "reals", naive(f"barron_rows(pred, target, alpha={a})"), alpha=a) for a in (3.5, 1e6, -1e9)
    ]
    call = "losses._functional.wing_loss(pred, target, width={}, curvature={}, reduction='none')"
    wings: tuple[dict[str, float], ...] = ({}, {"width": 5.0, "curvature": 0.5}, {"width": 0.5}, {"curvature": 40.0})
    for params in wings:
        for data in ("reals", "robust-edges", "columns"):
            found.append(elements("wing", data, exact(f"wing_rows(pred, target{said(params)})"), **params))
        if len(params) == 1:
            width, curvature = params.get("width", 10.0), params.get("curvature", 2.0)
            found.append(elements("wing", "real-edges", Oracle("smp", call.format(width, curvature)), **params))
    return found


def shares() -> list[Case]:
    found = []
    for params in ({}, {"eps": 0.5}, {"eps": 0.0}):
        rows = exact(f"smape_rows(pred, target{said(params)})")
        found += [elements("smape", data, rows, **params) for data in ("reals", "real-edges", "share-edges", "columns")]
    metric = "symmetric_mean_absolute_percentage_error(pred, target)"
    found.append(case("smape", "one-real", value(torchmetrics(metric)), rows=exact("smape_rows(pred, target)")))
    for data in ("reals", "columns", "real-edges", "tiny-sizes", "constant-right"):
        weighted = value(naive("wmape(pred, target, weight)"), weight="weight")
        tm = value(torchmetrics("weighted_mean_absolute_percentage_error(pred, target)"))
        found.append(case("wmape", data, tm, weighted, rows=None))
    found.append(case("wmape", "tiny-sizes", value(naive("wmape(pred, target, eps=0.)")), rows=None, eps=0.0))
    return found


def one_number(loss: str, function: str, data: str, metric: str | None = None, **params: Any) -> Case:
    given = {**params}
    column = given.pop("multioutput", None)
    word = {**given, **({"per_column": True} if column else {})}
    text = "".join(f", {key}={item!r}" for key, item in word.items())
    reduced = [
        value(naive(f"{function}(pred, target{text})")),
        value(naive(f"{function}(pred, target, weight{text})"), weight="weight"),
    ]
    if metric is not None:
        reduced.append(value(torchmetrics(metric)))
    return case(loss, data, *reduced, rows=None, **params)


def spreads() -> list[Case]:
    found = []
    data = ("reals", "columns", "far-from-zero", "negative-targets", "small-targets")
    column = {"multioutput": "per-column"}
    for name in data:
        flat = name not in ("columns", "small-targets", "far-from-zero")
        found += [
            one_number("relative-squared-error", "rse", name, "relative_squared_error(pred, target)" if flat else None),
            one_number("relative-squared-error", "rse", name, squared=False),
        ]
        for kind in ("mean", "range", "std", "l2"):
            params = {} if kind == "mean" else {"normalization": kind}
            metric = (
                f"normalized_root_mean_squared_error(pred.reshape(-1), target.reshape(-1), {kind!r})"
                if name != "far-from-zero"
                else None
            )
            found.append(one_number("nrmse", "nrmse", name, metric, **params))
        for ddof in (0, 1):
            params = {"ddof": ddof} if ddof else {}
            metric = "1 - concordance_corrcoef(pred, target).mean()" if ddof and flat else None
            if ddof and name == "small-targets":
                continue
            found.append(one_number("concordance", "concordance", name, metric, **params))
    rse = "relative_squared_error(pred, target)"
    found += [
        one_number("relative-squared-error", "rse", "columns", rse, **column),
        one_number("relative-squared-error", "rse", "columns", squared=False, **column),
        *(one_number("nrmse", "nrmse", "columns", normalization=kind, **column) for kind in ("range", "std", "l2")),
        one_number("nrmse", "nrmse", "columns", **column),
        one_number(
            "concordance", "concordance", "columns", "1 - concordance_corrcoef(pred, target).mean()", ddof=1, **column
        ),
        case("relative-squared-error", "constant-right", value(naive("0.")), rows=None),
        case("relative-squared-error", "constant-target", value(naive("math.inf")), rows=None),
        case("nrmse", "constant-target", value(naive("math.inf")), rows=None, normalization="std"),
        case("nrmse", "constant-right", value(naive("0.")), rows=None, normalization="range"),
        case("concordance", "constant-right", value(naive("0.")), rows=None),
    ]
    return found


def powers() -> list[Case]:
    found = []
    vector = "torch.linalg.vector_norm(pred - target, ord={p}, dim=1)"
    for p in (None, 1.0, 3.0, 1.5, 40.0):
        params = {} if p is None else {"p": p}
        power = p or 2.0
        found += [
            case(
                "minkowski",
                "columns",
                value(torch("rows.mean()")),
                value(torch("rows.sum()"), reduction="sum"),
                value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
                rows=torch(vector.format(p=power)),
                **params,
            ),
            case(
                "minkowski",
                "long-vectors",
                value(naive("max(rows)"), reduction="max"),
                rows=exact(f"minkowski_rows(pred, target, {power})"),
                **params,
            ),
            case(
                "minkowski",
                "columns",
                value(torchmetrics(f"minkowski_distance(pred, target, p={power})")),
                value(naive(f"minkowski_all(pred, target, {power}, weight)"), weight="weight"),
                rows=None,
                norm_over="all",
                **params,
            ),
            case(
                "minkowski",
                "long-vectors",
                value(naive(f"minkowski_all(pred, target, {power})")),
                rows=None,
                norm_over="all",
                **params,
            ),
        ]
    return found


def cases() -> list[Case]:
    return [*shapes(), *shares(), *spreads(), *powers()]


COLUMNS = {"multioutput": "per-column"}
SUITS = {
    ("barron", "torch"): [[Suit("reals"), Suit("reals", {"c": 0.5}), Suit("reals", {"alpha": 1.5}, differs=True)]],
    ("barron", "scipy"): [[Suit("reals", {"c": 3.0}), Suit("reals", {"alpha": 0.0}, differs=True)]],
    ("wing", "smp"): [[Suit("reals"), Suit("columns", {"width": 2.0, "curvature": 0.5})]],
    ("smape", "torchmetrics"): [[Suit("reals"), Suit("columns"), Suit("tiny-sizes", {"eps": 0.0}, differs=True)]],
    ("wmape", "torchmetrics"): [[Suit("reals"), Suit("columns"), Suit("tiny-sizes", {"eps": 0.0}, differs=True)]],
    ("relative-squared-error", "torchmetrics"): [
        [Suit("reals", {"squared": False}), Suit("columns", COLUMNS), Suit("columns", differs=True)]
    ],
    ("nrmse", "torchmetrics"): [[Suit("reals"), Suit("columns", {"normalization": "l2"})]],
    ("concordance", "torchmetrics"): [
        [
            Suit("reals", {"ddof": 1}),
            Suit("columns", {"ddof": 1, **COLUMNS}),
            Suit("equal-means"),
            Suit("reals", differs=True),
        ]
    ],
    ("minkowski", "torch"): [[Suit("columns", {"p": 3.0})]],
    ("minkowski", "scipy"): [[Suit("columns", {"p": 1.5})]],
    ("minkowski", "torchmetrics"): [[Suit("columns", {"p": 3.0, "norm_over": "all"}), Suit("columns", differs=True)]],
}
