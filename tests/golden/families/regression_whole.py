"""Golden cases of numbers of a whole data set of real values."""

from __future__ import annotations

from typing import Any

from cases import Case, Suit
from declare import case, keras, like, naive, sklearn, torch, value


def whole() -> list[Case]:
    """Numbers of a whole data set."""
    found = []
    plain = [
        value(torch("F.mse_loss(pred, target).sqrt()")),
        value(torch("F.mse_loss(pred, target, weight=weight).sqrt()"), weight="weight"),
        value(torch("((weight * (pred - target) ** 2).sum() / len(weight)).sqrt()"), weight="weight", weight_norm="n"),
        value(torch("(pred - target).abs().max()"), reduction="max"),
        value(torch("(pred - target).abs().quantile(0.5)"), reduction="median"),
        like("torch", torch("F.mse_loss(pred, target, weight=weight).sqrt()"), weight="weight"),
        like("keras", keras("metrics.RootMeanSquaredError()(target, pred)")),
        like("keras", keras("metrics.RootMeanSquaredError()(target, pred, sample_weight=weight)"), weight="weight"),
        like("sklearn", sklearn("root_mean_squared_error(target, pred, sample_weight=weight)"), weight="weight"),
    ]
    for data in ("reals", "real-edges", "one-real"):
        found.append(case("rmse", data, *plain, rows=torch("F.l1_loss(pred, target, reduction='none')")))
    by_row = torch("F.mse_loss(pred, target, reduction='none').mean(1).sqrt()")
    whole_weights = "F.mse_loss(pred, target, weight=weight[:, None].expand_as(pred)).sqrt()"
    by_column = [
        value(sklearn("root_mean_squared_error(target, pred)")),
        value(sklearn("root_mean_squared_error(target, pred, sample_weight=weight)"), weight="weight"),
    ]
    found += [
        case(
            "rmse",
            "columns",
            value(torch("F.mse_loss(pred, target).sqrt()")),
            value(torch(whole_weights), weight="weight"),
            value(torch("rows.max()"), reduction="max"),
            like("torch", torch(whole_weights), weight="weight"),
            like("keras", keras("metrics.RootMeanSquaredError()(target, pred)")),
            like("sklearn", sklearn("root_mean_squared_error(target, pred)")),
            like("sklearn", sklearn("root_mean_squared_error(target, pred, sample_weight=weight)"), weight="weight"),
            rows=by_row,
        ),
        case("rmse", "columns", *by_column, rows=by_row, multioutput="per-column"),
        case("rmse", "constant-column", *by_column, rows=by_row, multioutput="per-column"),
    ]
    found += [
        case(
            "max-error",
            data,
            value(sklearn("max_error(target, pred)")),
            like("sklearn", sklearn("max_error(target, pred)")),
            value(sklearn("max_error(target[weight > 0], pred[weight > 0])"), weight="weight"),
            rows=torch("F.l1_loss(pred, target, reduction='none')"),
        )
        for data in ("reals", "real-edges", "one-real")
    ]
    found.append(
        case(
            "max-error",
            "columns",
            value(sklearn("max(max_error(t, p) for t, p in zip(target.T, pred.T))")),
            rows=torch("(pred - target).abs().amax(1)"),
        )
    )
    return found


def scores() -> list[Case]:
    """r2 and explained-variance."""
    found = []
    one = [
        value(sklearn("r2_score(target, pred)")),
        value(sklearn("r2_score(target, pred, sample_weight=weight)"), weight="weight"),
        like("sklearn", sklearn("r2_score(target, pred)")),
        like("sklearn", sklearn("r2_score(target, pred, sample_weight=weight)"), weight="weight"),
    ]
    for data in ("reals", "real-edges", "constant-target", "constant-right", "far-from-zero"):
        found.append(case("r2", data, *one, rows=None))
    found.append(case("r2", "reals", *one, rows=None, multioutput="per-column"))
    call = "r2_score(target, pred, multioutput='variance_weighted'"
    by_spread = [
        value(sklearn(f"{call})")),
        value(sklearn(f"{call}, sample_weight=weight)"), weight="weight"),
    ]
    # scikit-learn leaves the errors of a constant column out of that; the definition does not.
    by_definition = [
        value(naive("r2(pred, target)")),
        value(naive("r2(pred, target, weight)"), weight="weight"),
    ]
    keras_score = [
        like("keras", keras("metrics.R2Score()(target, pred)")),
        like("keras", keras("metrics.R2Score()(target, pred, sample_weight=weight)"), weight="weight"),
    ]
    found += [
        case("r2", "columns", *by_spread, *by_definition, *one[2:], *keras_score, rows=None),
        case("r2", "constant-column", *by_definition, *one[2:], rows=None),
        case("r2", "columns", *one, rows=None, multioutput="per-column"),
        case("r2", "constant-column", *one, rows=None, multioutput="per-column"),
    ]
    infinite = [value(sklearn("r2_score(target, pred, force_finite=False)"))]
    for data in ("reals", "constant-target", "constant-right"):
        found.append(case("r2", data, *infinite, rows=None, force_finite=False))
    found.append(
        case("r2", "constant-column", *infinite, rows=None, multioutput="per-column", force_finite=False),
    )
    return [*found, *explained()]


def explained() -> list[Case]:
    call = "explained_variance_score(target, pred"
    one = [
        value(sklearn(f"{call})")),
        value(sklearn(f"{call}, sample_weight=weight)"), weight="weight"),
        like("sklearn", sklearn(f"{call})")),
        like("sklearn", sklearn(f"{call}, sample_weight=weight)"), weight="weight"),
    ]
    by_definition = [
        value(naive("explained_variance(pred, target)")),
        value(naive("explained_variance(pred, target, weight)"), weight="weight"),
    ]
    by_spread = [
        value(sklearn(f"{call}, multioutput='variance_weighted')")),
        value(sklearn(f"{call}, multioutput='variance_weighted', sample_weight=weight)"), weight="weight"),
    ]
    infinite = [value(sklearn(f"{call}, force_finite=False)"))]
    plain = ("reals", "real-edges", "constant-target", "constant-right", "constant-error", "far-from-zero", "one-real")
    found = [case("explained-variance", data, *one, *by_definition, rows=None) for data in plain]
    found += [
        case("explained-variance", data, *by_definition, rows=None)
        for data in ("common-error", "spread-extremes", "constant-column")
    ]
    found += [
        case("explained-variance", "columns", *by_spread, *by_definition, *one[2:], rows=None),
        case("explained-variance", "columns", *one, rows=None, multioutput="per-column"),
        case("explained-variance", "constant-column", *one, rows=None, multioutput="per-column"),
        case(
            "explained-variance", "constant-column", *infinite, rows=None, multioutput="per-column", force_finite=False
        ),
    ]
    for data in ("reals", "constant-target", "constant-right"):
        found.append(case("explained-variance", data, *infinite, rows=None, force_finite=False))
    return found


def cases() -> list[Case]:
    return [*whole(), *scores()]


EVERY = [Suit("columns"), Suit("reals"), Suit("real-edges")]
LIKE_SKLEARN = {"like": "sklearn"}
BY_COLUMN = [Suit("reals"), Suit("columns", {}, LIKE_SKLEARN), Suit("columns", differs=True)]
INFINITE = {"force_finite": False}

SUITS = {
    ("rmse", "torch"): [EVERY],
    ("rmse", "keras"): [EVERY],
    ("rmse", "torchmetrics"): [EVERY],
    ("rmse", "sklearn"): [BY_COLUMN],
    ("max-error", "sklearn"): [[Suit("reals"), Suit("real-edges")]],
    ("max-error", "torch"): [EVERY],
    ("r2", "sklearn"): [[*BY_COLUMN, Suit("constant-target", INFINITE)]],
    ("r2", "keras"): [[Suit("columns", {"multioutput": "per-column"}), Suit("columns", differs=True)]],
    ("r2", "torchmetrics"): [[*BY_COLUMN, Suit("small-numbers", differs=True)]],
    ("explained-variance", "sklearn"): [[*BY_COLUMN, Suit("constant-target", INFINITE)]],
    ("explained-variance", "torchmetrics"): [[*BY_COLUMN, Suit("far-from-zero", differs=True)]],
}

EDGES: dict[str, dict[str, Any]] = {
    "constant-error": {  # the target varies, the error does not
        "pred": [1.5, 2.5, 4.5, 0.5],
        "target": [1.0, 2.0, 4.0, 0.0],
        "weight": [1.0, 2.0, 0.5, 0.0],
    },
    "common-error": {  # an error of 1e8 in all rows, and what is left is of size 1: rounding it would show
        "pred": [1e8 + 0.1, 1e8 - 1.3, 1e8 + 1.7, 1e8 + 2.9, 1e8 - 0.7],
        "target": [0.3, -1.1, 1.4, 3.3, -0.2],
        "weight": [1.0, 2.0, 0.5, 1.0, 3.0],
    },
    "spread-extremes": {  # squares beyond float64, above and below
        "pred": [1e200, -3e200, 2e200, 1e-200, -2e-200],
        "target": [1.5e200, -2e200, 2.5e200, 3e-200, -1e-200],
        "weight": [1.0, 2.0, 0.5, 1.0, 1.0],
    },
    "small-numbers": {
        "pred": [1e-3, 2e-3, 4e-3, 1e-3],
        "target": [1.5e-3, 2e-3, 3e-3, 0.5e-3],
        "weight": [1.0, 2.0, 1.0, 1.0],
    },
}
