"""Golden cases of real values against real values."""

from __future__ import annotations

from typing import Any

from cases import Case, Suit
from declare import case, keras, like, naive, optax, pointwise, sklearn, torch, value

VIEWS = [  # every reduction there is, over the row values of torch
    value(torch("rows.min()"), reduction="min"),
    value(torch("rows.max()"), reduction="max"),
    value(torch("rows.quantile(0.5)"), reduction="median"),
    value(torch("rows.quantile(0.9)"), reduction="p90"),
    value(torch("rows.std()"), reduction="std"),
    value(torch("rows[weight > 0].std()"), reduction="std", weight="weight"),
    value(torch("rows[weight > 0].max()"), reduction="max", weight="weight"),
    value(torch("rows[weight > 0].quantile(0.25)"), reduction="p25", weight="weight"),
]


def squared_and_absolute() -> list[Case]:
    """mse and mae: torch and scikit-learn divide by the sum of weights, Keras by the rows."""
    found = []
    column = "target[:, None], pred[:, None]"
    names = {
        "mse": ("F.mse_loss", "losses.MeanSquaredError", "mean_squared_error"),
        "mae": ("F.l1_loss", "losses.MeanAbsoluteError", "mean_absolute_error"),
    }
    for loss, (function, keras_class, metric) in names.items():
        call = f"{function}(pred, target, reduction='none')"
        weighted = [
            like("torch", torch(f"{function}(pred, target)")),
            like("torch", torch(f"{function}(pred, target, weight=weight)"), weight="weight"),
            like("sklearn", sklearn(f"{metric}(target, pred)")),
            like("sklearn", sklearn(f"{metric}(target, pred, sample_weight=weight)"), weight="weight"),
            like("keras", keras(f"{keras_class}()({column}, sample_weight=weight)"), weight="weight"),
            value(
                keras(f"{keras_class}('mean_with_sample_weight')({column}, sample_weight=weight)"),
                weight="weight",
            ),
        ]
        if loss == "mse":
            weighted.append(like("optax", optax("squared_error(pred, target).mean()")))
        found += [
            pointwise(loss, "reals", call, *weighted, *(VIEWS if loss == "mse" else [])),
            pointwise(loss, "real-edges", call, *weighted),
            pointwise(loss, "one-real", call, *weighted),
            pointwise(loss, "one-column", f"{function}(pred[:, 0], target[:, 0], reduction='none')"),
            pointwise(
                loss,
                "columns",
                call,
                like(
                    "torch",
                    torch(f"{function}(pred, target, weight=weight[:, None].expand_as(pred))"),
                    weight="weight",
                ),
                like("sklearn", sklearn(f"{metric}(target, pred, sample_weight=weight)"), weight="weight"),
                like("keras", keras(f"{keras_class}()(target, pred, sample_weight=weight)"), weight="weight"),
                like("keras", keras(f"{keras_class}()(target, pred)")),
                wide=True,
            ),
        ]
    return found


def halved() -> list[Case]:
    """quadratic-cost: half the sum over a row's outputs, and optax's l2_loss where elements are averaged."""
    call = "0.5 * F.mse_loss(pred, target, reduction='none')"
    flat = [
        value(torch(f"({call}).mean()")),
        value(torch(f"({call}).sum()"), reduction="sum"),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
        value(torch("(weight * rows).sum() / len(weight)"), weight="weight", weight_norm="n"),
        like("optax", optax("l2_loss(pred, target).mean()")),
    ]
    wide = [
        value(torch("F.mse_loss(pred, target, reduction='sum') / 2 / len(pred)")),
        value(torch("F.mse_loss(pred, target, reduction='sum') / 2"), reduction="sum"),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
        value(torch("rows.max()"), reduction="max"),
        value(torch(f"({call}).mean()"), row="mean"),
        like("optax", optax("l2_loss(pred, target).mean()")),
        like("optax", optax("(weight[:, None] * l2_loss(pred, target)).mean(1).sum() / weight.sum()"), weight="weight"),
    ]
    found = [case("quadratic-cost", data, *flat, rows=torch(call)) for data in ("reals", "real-edges", "one-real")]
    found.append(case("quadratic-cost", "columns", *wide, rows=torch(f"({call}).sum(1)")))
    extremes = naive("half_square_rows(pred, target)")
    found += [case("quadratic-cost", data, rows=extremes) for data in ("real-extremes", "real-extremes-in-columns")]
    return found


def robust() -> list[Case]:
    """huber (torch divides weighted sums by n), smooth-l1 and log-cosh."""
    found = []
    for delta in (1.0, 0.25, 3.0):
        params = {} if delta == 1 else {"delta": delta}
        call = f"F.huber_loss(pred, target, delta={delta}, reduction='none')"
        flat = [
            like("torch", torch(f"F.huber_loss(pred, target, delta={delta}, weight=weight)"), weight="weight"),
            like("torch", torch(f"F.huber_loss(pred, target, delta={delta})")),
            like(
                "keras",
                keras(f"losses.Huber({delta})(target[:, None], pred[:, None], sample_weight=weight)"),
                weight="weight",
            ),
            like("optax", optax(f"huber_loss(pred, target, delta={delta}).mean()")),
        ]
        wide = [
            like(
                "torch",
                torch(f"F.huber_loss(pred, target, delta={delta}, weight=weight[:, None].expand_as(pred))"),
                weight="weight",
            ),
            like("keras", keras(f"losses.Huber({delta})(target, pred, sample_weight=weight)"), weight="weight"),
        ]
        found += [
            pointwise("huber", "reals", call, *flat, **params),
            pointwise("huber", "real-edges", call, *flat, **params),
            pointwise("huber", "columns", call, *wide, wide=True, **params),
        ]
    for beta in (1.0, 0.25, 3.0, 0.0):
        params = {} if beta == 1 else {"beta": beta}
        call = f"F.smooth_l1_loss(pred, target, beta={beta}, reduction='none')"
        same = like("torch", torch(f"F.smooth_l1_loss(pred, target, beta={beta})"))
        found += [pointwise("smooth-l1", data, call, same, **params) for data in ("reals", "real-edges")]
        found.append(pointwise("smooth-l1", "columns", call, same, wide=True, **params))
    flat_calls = [
        value(optax("log_cosh(pred, target).mean()")),
        value(optax("log_cosh(pred, target).sum()"), reduction="sum"),
        value(optax("(weight * log_cosh(pred, target)).sum() / weight.sum()"), weight="weight"),
        like("optax", optax("log_cosh(pred, target).mean()")),
        like("keras", keras("losses.LogCosh()(target[:, None], pred[:, None], sample_weight=weight)"), weight="weight"),
        like("keras", keras("losses.LogCosh()(target[:, None], pred[:, None])")),
    ]
    found += [
        case("log-cosh", data, *flat_calls, rows=optax("log_cosh(pred, target)")) for data in ("reals", "real-edges")
    ]
    found.append(
        case(
            "log-cosh",
            "columns",
            value(keras("losses.LogCosh()(target, pred)")),
            like("keras", keras("losses.LogCosh()(target, pred, sample_weight=weight)"), weight="weight"),
            value(optax("log_cosh(pred, target).sum(1).mean()"), row="sum"),
            value(optax("log_cosh(pred, target).sum()"), reduction="sum"),
            rows=keras("losses.log_cosh(target, pred)"),
        )
    )
    return found


def cases() -> list[Case]:
    return [*squared_and_absolute(), *halved(), *robust()]


EVERY = [Suit("columns"), Suit("reals"), Suit("real-edges")]

SUITS = {
    **{("mse", library): [EVERY] for library in ("torch", "keras", "sklearn", "optax", "torchmetrics")},
    **{("mae", library): [EVERY] for library in ("torch", "keras", "sklearn", "torchmetrics")},
    ("quadratic-cost", "torch"): [EVERY],
    ("quadratic-cost", "optax"): [[Suit("reals"), Suit("columns", {}, {"row": "mean"}), Suit("columns", differs=True)]],
    **{
        ("huber", library): [[Suit("columns", {"delta": 0.25}), Suit("reals", {"delta": 3.0}), Suit("real-edges")]]
        for library in ("torch", "keras", "optax", "scipy")
    },
    ("smooth-l1", "torch"): [[Suit("columns", {"beta": 0.25}), Suit("real-edges", {"beta": 0.0}), Suit("reals")]],
    ("log-cosh", "keras"): [EVERY],
    ("log-cosh", "optax"): [EVERY],
    ("log-cosh", "torchmetrics"): [[Suit("columns"), Suit("reals"), Suit("real-edges", differs=True)]],
}

EDGES: dict[str, dict[str, Any]] = {
    "real-extremes": {  # squares at the ends of the float range, and errors of neighbours
        "pred": [1e154, -1.5e154, 1e-154, 3e-170, 1.0 + 2.0**-52, 1e16, 1e300, -1e308, 0.1],
        "target": [0.0, 0.0, 0.0, 0.0, 1.0, 1e16 - 2.0, 1e300 * (1 + 2.0**-52), 1e308, 0.3],
        "weight": [1.0, 1.0, 2.0, 1.0, 0.5, 0.0, 1.0, 3.0, 1.0],
    },
    "real-extremes-in-columns": {
        "pred": [[1e154, 1.0], [1e-160, 3e-160], [1.0 + 2.0**-52, 1e16]],
        "target": [[0.0, 2.0], [0.0, 1e-160], [1.0, 1e16 + 4.0]],
        "weight": [1.0, 2.0, 0.5],
    },
}
