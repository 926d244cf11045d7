"""Golden cases of norms, medians and scores against the best constant."""

from __future__ import annotations

from cases import Case, Suit
from declare import case, like, naive, sklearn, torch, torchmetrics, value

EDGES = {
    "long-vectors": {  # squares overflow, or vanish
        "pred": [[3e200, 4e200], [3e-200, 4e-200], [0.0, 0.0], [1.0, 1e-170]],
        "target": [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]],
        "weight": [1.0, 1.0, 2.0, 1.0],
    },
    "tied-weights": {  # half of the weight is reached to the bit: 0.1 + 0.2 is not 0.3 in floats, but 0.1 + 0.25 + 0.15
        "pred": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "target": [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        "weight": [0.25, 0.5, 0.25, 0.5, 0.25, 0.25],
    },
    "even-values": {"pred": [1.0, 5.0, 2.0, 9.0], "target": [0.0, 0.0, 0.0, 0.0], "weight": [1.0, 1.0, 1.0, 1.0]},
}


def norms() -> list[Case]:
    found = []
    for data in ("columns", "reals", "one-column"):
        error = "(pred - target)" if data != "reals" else "(pred - target)[:, None]"
        calls = {
            "l2-norm": (f"torch.linalg.vector_norm({error}, dim=1)", {}),
            "l2-norm squared": (f"{error}.square().sum(1)", {"squared": True}),
            "l1-norm": (f"{error}.abs().sum(1)", {}),
        }
        for name, (rows, params) in calls.items():
            loss = name.split()[0]
            default, other = ("sum", "mean") if loss == "l1-norm" else ("mean", "sum")
            found.append(
                case(
                    loss,
                    data,
                    value(torch(f"rows.{default}()")),
                    value(torch(f"rows.{other}()"), reduction=other),
                    value(torch("(weight * rows).sum() / weight.sum()"), weight="weight", reduction="mean"),
                    value(torch("(weight * rows).sum()"), weight="weight", reduction="sum"),
                    value(torch("rows.max()"), reduction="max"),
                    rows=torch(rows),
                    **params,
                )
            )
        weight = "weight[:, None]"
        for loss, call, weighted, params in (
            ("l2-norm", f"torch.linalg.vector_norm({error})", f"({weight} * {error} ** 2).sum().sqrt()", {}),
            ("l2-norm", f"({error} ** 2).sum()", f"({weight} * {error} ** 2).sum()", {"squared": True}),
            ("l1-norm", f"{error}.abs().sum()", f"({weight} * {error}.abs()).sum()", {}),
        ):
            of_file = value(torch(call)), value(torch(weighted), weight="weight")
            found.append(case(loss, data, *of_file, rows=None, norm_over="all", **params))
    long = "vector_lengths(pred, target)"
    found.append(case("l2-norm", "long-vectors", value(naive("max(rows)"), reduction="max"), rows=naive(long)))
    minkowski = [value(torchmetrics(f"minkowski_distance(pred, target, p={p})")) for p in (1, 2)]
    found.append(case("l1-norm", "label-sets", minkowski[0], rows=None, norm_over="all"))
    found.append(case("l2-norm", "label-sets", minkowski[1], rows=None, norm_over="all"))
    return found


def medians() -> list[Case]:
    found = []
    call = "median_absolute_error(target, pred{})"
    weighted = call.format(", sample_weight=weight")
    for data in ("reals", "real-edges", "even-values", "tied-weights", "one-real"):
        plain = value(sklearn(call.format(""))), value(sklearn(weighted), weight="weight")
        liked = like("sklearn", sklearn(call.format(""))), like("sklearn", sklearn(weighted), weight="weight")
        found.append(case("median-ae", data, *plain, *liked, rows=None))
    found += [
        case("median-ae", "columns", value(sklearn("np.median(np.abs(pred - target))")), rows=None),
        case(
            "median-ae",
            "columns",
            value(sklearn(call.format(""))),
            value(sklearn(weighted), weight="weight"),
            rows=None,
            multioutput="per-column",
        ),
    ]
    return found


def skill() -> list[Case]:
    found = []
    for loss, level in (("d2-pinball", 0.5), ("d2-pinball", 0.1), ("d2-pinball", 0.9), ("d2-absolute", None)):
        name = "d2_absolute_error_score" if level is None else "d2_pinball_score"
        alpha = "" if level in (None, 0.5) else f", alpha={level}"
        params = {} if level in (None, 0.5) else {"quantile": level}
        call, weighted = f"{name}(target, pred{alpha})", f"{name}(target, pred, sample_weight=weight{alpha})"
        for data in ("reals", "real-edges", "constant-target", "constant-right", "far-from-zero"):
            found.append(
                case(
                    loss,
                    data,
                    value(sklearn(call)),
                    value(sklearn(weighted), weight="weight"),
                    like("sklearn", sklearn(call)),
                    rows=None,
                    **params,
                )
            )
        whole = "1 - {0}(target, pred{1}) / {0}(target, np.tile({2}, (len(target), 1)){1})"
        null = f"np.quantile(target, {level or 0.5}, axis=0, method='averaged_inverted_cdf')"
        found += [
            case(
                loss,
                "columns",
                value(sklearn(whole.format("mean_pinball_loss", alpha, null))),
                like("sklearn", sklearn(call)),
                like("sklearn", sklearn(weighted), weight="weight"),
                rows=None,
                **params,
            ),
            case(loss, "constant-column", value(sklearn(call)), rows=None, multioutput="per-column", **params),
        ]
    return found


def cases() -> list[Case]:
    return [*norms(), *medians(), *skill()]


COLUMNS = Suit("columns", {"multioutput": "per-column"})
SUITS = {
    ("l2-norm", "torch"): [[Suit("columns")]],
    ("l2-norm", "torchmetrics"): [[Suit("columns", {"norm_over": "all"}), Suit("columns", differs=True)]],
    ("l1-norm", "torch"): [[Suit("columns"), Suit("reals")]],
    ("l1-norm", "torchmetrics"): [[Suit("columns")]],
    ("median-ae", "sklearn"): [[Suit("reals"), COLUMNS, Suit("columns", differs=True)]],
    ("d2-pinball", "sklearn"): [
        [Suit("reals", {"quantile": 0.9}), COLUMNS, Suit("columns", {"quantile": 0.1}, differs=True)]
    ],
}
