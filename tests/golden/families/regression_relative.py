"""Golden cases of errors in proportion to the target: percentages and logarithms."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Reduced, Suit
from declare import case, keras, like, naive, sklearn, torch, value
from inputs import WIDTH, Arrays, Rng, weights

KERAS = 1e-7
SKLEARN = 2.0**-52


def amounts(rng: Rng, rows: int) -> Arrays:
    target = np.exp(1.5 * rng.normal(size=rows))
    return {"pred": target * np.exp(0.6 * rng.normal(size=rows)), "target": target, "weight": weights(rng, rows)}


def amount_columns(rng: Rng, rows: int) -> Arrays:
    target = np.exp(1.5 * rng.normal(size=(rows, WIDTH))) * np.array([1.0, 10.0, 0.1])
    pred = target * np.exp(0.6 * rng.normal(size=(rows, WIDTH)))
    return {"pred": pred, "target": target, "weight": weights(rng, rows)}


RANDOM = {"amounts": amounts, "amount-columns": amount_columns}

EDGES: dict[str, dict[str, Any]] = {
    "zero-targets": {  # wrong and right at 0, at -0, within eps of 0
        "pred": [1.0, 0.0, -2.0, 3.0, 1.5, -4.0, 0.0, 2.0],
        "target": [0.0, 0.0, -0.0, 2.0, 1e-300, -5.0, 4.0, 1e-8],
        "weight": [1.0, 2.0, 0.5, 3.0, 1.0, 0.0, 1.0, 2.0],
    },
    "some-zeros": {
        "pred": [1.0, 2.5, 0.0, -4.0, 3.0],
        "target": [0.0, 2.0, 0.0, -5.0, 4.0],
        "weight": [1.0, 2.0, 3.0, 0.5, 1.0],
    },
    "zeros-in-columns": {
        "pred": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [0.0, 0.0]],
        "target": [[2.0, 0.0], [4.0, 5.0], [0.0, 0.0], [1.0, -2.0]],
        "weight": [1.0, 2.0, 3.0, 0.5],
    },
    "share-extremes": {  # errors and targets at the ends of the float range
        "pred": [1e308, 1e-308, 5e-324, 1.0, 1e200, 3.0, 1.0 + 2.0**-52],
        "target": [1e-300, 1e308, 1e-323, 5e-324, -1e200, 3e300, 1.0],
        "weight": [1.0, 1.0, 2.0, 1.0, 0.5, 0.0, 1.0],
    },
    "amount-edges": {  # from -1 to 0, zeros, equal, far apart
        "pred": [1.0, -0.5, 0.0, 0.0, 7.0, 1e6, -0.999, 2.0],
        "target": [-0.5, -0.5, 0.0, 1.0, 7.0, 0.0, 10.0, 2.5],
        "weight": [1.0, 2.0, 3.0, 0.0, 1.0, 0.5, 1.0, 2.0],
    },
    "amount-extremes": {  # close together, where logarithms differ in their last digits; next to -1; huge
        "pred": [1e6, 1e6 + 1e-9, 1e300, 1.7e308, -1.0 + 2.0**-53, 1e-300, 1e-17, 3.0, 1e15, 1.7e308, -0.75],
        "target": [
            *(1e6 * (1 + 2.0**-50), 1e6, 1e300 * (1 + 2.0**-52), -1.0 + 2.0**-53, -1.0 + 2.0**-52, 2e-300, 0.0),
            *(3.0 + 2.0**-51, -0.5, 1e-308, -0.75 + 2.0**-53),
        ],
        "weight": [1.0, 2.0, 0.5, 1.0, 1.0, 3.0, 0.0, 1.0, 1.0, 0.25, 1.0],
    },
    "negative-amounts": {  # what Keras counts as 1e-7
        "pred": [1.0, -5.0, -1.0, 0.0, 3.0, -0.5, 1e-9],
        "target": [-0.5, 2.0, -3.0, 1e-8, 4.0, 10.0, 1.0],
        "weight": [1.0, 2.0, 3.0, 0.0, 1.0, 0.5, 1.0],
    },
}


def by_naive(call: str) -> list[Reduced]:
    """Mean, sum and weighted means of naive rows, one element a row."""
    return [
        value(naive(f"mean({call})")),
        value(naive(f"mean({call}, weight)"), weight="weight"),
        value(naive(f"mean({call}) * len(pred)"), reduction="sum"),
    ]


def percentages() -> list[Case]:
    metric, keras_class = "mean_absolute_percentage_error", "losses.MeanAbsolutePercentageError()"
    column = "target[:, None], pred[:, None]"
    one_row = sklearn(f"[{metric}([t], [p]) for t, p in zip(target, pred)]")
    plain = [
        value(sklearn(f"{metric}(target, pred)")),
        value(sklearn(f"{metric}(target, pred, sample_weight=weight)"), weight="weight"),
        value(sklearn(f"{metric}(target, pred) * pred.size"), reduction="sum"),
        like("sklearn", sklearn(f"{metric}(target, pred)")),
        like("sklearn", sklearn(f"{metric}(target, pred, sample_weight=weight)"), weight="weight"),
    ]
    flat = [
        like("keras", keras(f"{keras_class}({column})")),
        like("keras", keras(f"{keras_class}({column}, sample_weight=weight)"), weight="weight"),
    ]
    wide = [
        like("keras", keras(f"{keras_class}(target, pred)")),
        like("keras", keras(f"{keras_class}(target, pred, sample_weight=weight)"), weight="weight"),
        value(naive(f"mean(mape_rows(pred, target, {SKLEARN}, row='sum'))"), row="sum"),
        value(torch("rows.max()"), reduction="max"),
    ]
    found = [case("mape", data, *plain, *flat, rows=one_row) for data in ("amounts", "reals", "zero-targets")]
    found.append(case("mape", "amount-columns", *plain, *wide, rows=one_row))
    for given in ({"eps": 0.5}, {"factor": 100.0}, {"eps": KERAS, "factor": 100.0}, {"eps": 0.0}):
        call = f"mape_rows(pred, target, {given.get('eps', SKLEARN)}, {given.get('factor', 1.0)})"
        for data in ("amounts", "zero-targets", "share-extremes"):
            # One row of these is infinite by any eps below 1: means of the rest are what the others check.
            reduced = by_naive(call) if data == "amounts" else []
            found.append(case("mape", data, *reduced, rows=naive(call), **given))
    kept = "target[target != 0], pred[target != 0]"
    skipped = [
        value(sklearn(f"{metric}({kept})")),
        value(sklearn(f"{metric}({kept}, sample_weight=weight[target != 0])"), weight="weight"),
        value(sklearn(f"{metric}({kept}) * np.sum(target != 0)"), reduction="sum"),
    ]
    found.append(case("mape", "some-zeros", *skipped, rows=naive("without_zeros(pred, target)"), zero="skip"))
    found.append(case("mape", "zero-targets", rows=naive("without_zeros(pred, target)"), zero="skip"))
    whole = "(target != 0).all(1)"
    in_columns = [
        value(sklearn(f"{metric}(target[{whole}], pred[{whole}])")),
        value(sklearn(f"{metric}(target[{whole}], pred[{whole}], sample_weight=weight[{whole}])"), weight="weight"),
    ]
    found.append(case("mape", "zeros-in-columns", *in_columns, rows=naive("without_zeros(pred, target)"), zero="skip"))
    found.append(case("mape", "amounts", *plain, rows=one_row, zero="error"))
    found.append(case("mape", "share-extremes", rows=naive("mape_rows(pred, target, 0.0)"), zero="error"))
    return found


def logarithms() -> list[Case]:
    metric, keras_class = "mean_squared_log_error", "losses.MeanSquaredLogarithmicError()"
    column = "target[:, None], pred[:, None]"
    one_row = sklearn(f"[{metric}([t], [p]) for t, p in zip(target, pred)]")
    plain = [
        value(sklearn(f"{metric}(target, pred)")),
        value(sklearn(f"{metric}(target, pred, sample_weight=weight)"), weight="weight"),
        value(sklearn(f"{metric}(target, pred) * pred.size"), reduction="sum"),
        like("sklearn", sklearn(f"{metric}(target, pred)")),
        like("sklearn", sklearn(f"{metric}(target, pred, sample_weight=weight)"), weight="weight"),
    ]
    flat = [
        like("keras", keras(f"{keras_class}({column})")),
        like("keras", keras(f"{keras_class}({column}, sample_weight=weight)"), weight="weight"),
    ]
    wide = [
        like("keras", keras(f"{keras_class}(target, pred)")),
        like("keras", keras(f"{keras_class}(target, pred, sample_weight=weight)"), weight="weight"),
        value(torch("rows.sum() * pred.shape[1] / len(pred)"), row="sum"),
    ]
    found = [case("msle", data, *plain, *flat, rows=one_row) for data in ("amounts", "amount-edges")]
    found += [
        case("msle", "amount-columns", *plain, *wide, rows=one_row),
        case("msle", "amount-extremes", *by_naive("msle_rows(pred, target)"), rows=naive("msle_rows(pred, target)")),
    ]
    clamped = [
        value(keras(f"{keras_class}({column})")),
        value(keras("losses.mean_squared_logarithmic_error(target[:, None], pred[:, None]).sum()"), reduction="sum"),
    ]
    rows = keras(f"losses.mean_squared_logarithmic_error({column})")
    for data in ("amounts", "amount-edges", "negative-amounts"):
        found.append(case("msle", data, *clamped, *flat, rows=rows, clamp="keras"))
    call = "msle_rows(pred, target, True)"
    found += [case("msle", "amount-extremes", *by_naive(call), rows=naive(call), clamp="keras")]
    return found


def roots() -> list[Case]:
    metric = "root_mean_squared_log_error"
    by_definition = [
        value(naive("rmsle(pred, target)")),
        value(naive("rmsle(pred, target, weight)"), weight="weight"),
    ]
    whole = [
        *by_definition,
        value(torch("rows.max()"), reduction="max"),
        value(torch("rows.quantile(0.5)"), reduction="median"),
        like("sklearn", sklearn(f"{metric}(target, pred)")),
        like("sklearn", sklearn(f"{metric}(target, pred, sample_weight=weight)"), weight="weight"),
    ]
    by_column = [
        value(sklearn(f"{metric}(target, pred)")),
        value(sklearn(f"{metric}(target, pred, sample_weight=weight)"), weight="weight"),
    ]
    rows = naive("rmsle_rows(pred, target)")
    divided_by_n = value(
        torch("((weight * (pred.log1p() - target.log1p()) ** 2).sum() / len(weight)).sqrt()"),
        weight="weight",
        weight_norm="n",
    )
    found = [
        case("rmsle", "amounts", *whole, *by_column, divided_by_n, rows=rows),
        case("rmsle", "amount-edges", *whole, *by_column, rows=rows),
        case("rmsle", "amount-columns", *whole, rows=rows),
        case("rmsle", "amount-extremes", *by_definition, rows=rows),
    ]
    found += [case("rmsle", data, *by_column, rows=rows, multioutput="per-column") for data in RANDOM]
    clamped = "losses.MeanSquaredLogarithmicError()"
    for data in ("negative-amounts", "amount-edges"):
        rooted = [
            value(keras(f"np.sqrt({clamped}(target[:, None], pred[:, None]))")),
            value(naive("rmsle(pred, target, weight, True)"), weight="weight"),
        ]
        found.append(case("rmsle", data, *rooted, rows=naive("rmsle_rows(pred, target, True)"), clamp="keras"))
    return found


def cases() -> list[Case]:
    return [*percentages(), *logarithms(), *roots()]


LIKE_KERAS = {"like": "keras"}
COLUMN = {"like": "sklearn"}
SUITS = {
    ("mape", "sklearn"): [[Suit("amounts", {"factor": 100.0}), Suit("amount-columns"), Suit("zero-targets")]],
    ("mape", "keras"): [
        [
            Suit("amounts", {"factor": 100.0, "eps": KERAS}),
            Suit("zero-targets", {}, LIKE_KERAS),
            Suit("amount-columns", {}, LIKE_KERAS),
            Suit("amounts", differs=True),
        ]
    ],
    ("mape", "torchmetrics"): [
        [
            Suit("amounts", {"factor": 100.0}),
            Suit("zero-targets", {"eps": 1.17e-6}),
            Suit("zero-targets", differs=True),
        ]
    ],
    ("msle", "sklearn"): [[Suit("amounts"), Suit("amount-columns"), Suit("amount-edges")]],
    ("msle", "keras"): [
        [
            Suit("amounts"),
            Suit("negative-amounts", {"clamp": "keras"}),
            Suit("amount-columns", {}, LIKE_KERAS),
            Suit("amount-edges", differs=True),
        ]
    ],
    ("msle", "torchmetrics"): [[Suit("amounts"), Suit("amount-columns"), Suit("amount-edges")]],
    ("rmsle", "sklearn"): [[Suit("amounts"), Suit("amount-columns", {}, COLUMN), Suit("amount-columns", differs=True)]],
    ("rmsle", "torchmetrics"): [[Suit("amounts"), Suit("amount-columns"), Suit("amount-edges")]],
}
