"""Golden cases of real values against real values."""

from __future__ import annotations

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


def pinball() -> list[Case]:
    found = []
    for quantile in (0.5, 0.1, 0.9):
        params = {} if quantile == 0.5 else {"quantile": quantile}
        call = f"mean_pinball_loss(target, pred, alpha={quantile})"
        weighted = f"mean_pinball_loss(target, pred, alpha={quantile}, sample_weight=weight)"
        one_row = f"[mean_pinball_loss([t], [p], alpha={quantile}) for t, p in zip(target, pred)]"
        reduced = [
            value(sklearn(call)),
            value(sklearn(f"{call} * pred.size"), reduction="sum"),
            value(sklearn(weighted), weight="weight"),
            like("sklearn", sklearn(call)),
            like("sklearn", sklearn(weighted), weight="weight"),
        ]
        found += [
            case("pinball", data, *reduced, rows=sklearn(one_row), **params)
            for data in ("reals", "real-edges", "columns")
        ]
    each = "[mean_pinball_loss(target, p, alpha=q) for p, q in zip(pred.T, quantile)]"
    weighted = "[mean_pinball_loss(target, p, alpha=q, sample_weight=weight) for p, q in zip(pred.T, quantile)]"
    one = "[mean_pinball_loss([t], [p], alpha=q) for p, q in zip(row, quantile)]"
    rows = f"[np.mean({one}) for t, row in zip(target, pred)]"
    found.append(
        case(
            "pinball",
            "quantiles",
            value(sklearn(f"np.mean({each})")),
            value(sklearn(f"np.sum({each}) * len(target)"), reduction="sum"),
            value(sklearn(f"np.mean({weighted})"), weight="weight"),
            value(sklearn(f"np.sum({each})"), row="sum"),
            like("sklearn", sklearn(f"np.mean({weighted})"), weight="weight"),
            rows=sklearn(rows),
            quantile=(0.1, 0.5, 0.9),
        )
    )
    return found


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
    found += [
        case("r2", "columns", *by_spread, *by_definition, *one[2:], rows=None),
        case("r2", "constant-column", *by_definition, *one[2:], rows=None),
        case("r2", "columns", *one, rows=None, multioutput="per-column"),
        case("r2", "constant-column", *one, rows=None, multioutput="per-column"),
    ]
    return found


def cases() -> list[Case]:
    return [*squared_and_absolute(), *robust(), *pinball(), *whole()]


EVERY = [Suit("columns"), Suit("reals"), Suit("real-edges")]

SUITS = {
    **{("mse", library): [EVERY] for library in ("torch", "keras", "sklearn", "optax")},
    **{("mae", library): [EVERY] for library in ("torch", "keras", "sklearn")},
    **{
        ("huber", library): [[Suit("columns", {"delta": 0.25}), Suit("reals", {"delta": 3.0}), Suit("real-edges")]]
        for library in ("torch", "keras", "optax")
    },
    ("smooth-l1", "torch"): [[Suit("columns", {"beta": 0.25}), Suit("real-edges", {"beta": 0.0}), Suit("reals")]],
    ("log-cosh", "keras"): [EVERY],
    ("log-cosh", "optax"): [EVERY],
    ("pinball", "sklearn"): [[Suit("columns", {"quantile": 0.9}), Suit("reals")]],
    ("rmse", "torch"): [EVERY],
    ("rmse", "sklearn"): [[Suit("reals"), Suit("columns", {}, {"like": "sklearn"}), Suit("columns", differs=True)]],
    ("max-error", "sklearn"): [[Suit("reals"), Suit("real-edges")]],
    ("r2", "sklearn"): [[Suit("reals"), Suit("columns", {}, {"like": "sklearn"}), Suit("columns", differs=True)]],
}
