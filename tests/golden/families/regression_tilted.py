"""Golden cases of errors whose sign counts."""

from __future__ import annotations

from cases import Case, Suit
from declare import case, like, naive, sklearn, torch, value


def signed() -> list[Case]:
    """mean-bias-error, and asymmetric at both powers (pinball is one of them)."""
    found = []
    for direction, call in (("pred-target", "pred - target"), ("target-pred", "target - pred")):
        params = {} if direction == "pred-target" else {"direction": direction}
        flat = [
            value(torch(f"({call}).mean()")),
            value(torch(f"({call}).sum()"), reduction="sum"),
            value(torch(f"(weight * ({call})).sum() / weight.sum()"), weight="weight"),
            value(torch("rows.min()"), reduction="min"),
        ]
        wide = [
            value(torch(f"({call}).mean()")),
            value(torch(f"(weight[:, None] * ({call})).mean(1).sum() / weight.sum()"), weight="weight"),
            value(torch(f"({call}).sum(1).mean()"), row="sum"),
        ]
        found += [case("mean-bias-error", data, *flat, rows=torch(call), **params) for data in ("reals", "real-edges")]
        found.append(case("mean-bias-error", "columns", *wide, rows=torch(f"({call}).mean(1)"), **params))
    balanced = [value(naive("float(sum(map(Fraction, bias_rows(pred, target))) / len(pred))"))]
    found.append(case("mean-bias-error", "far-from-zero", *balanced, rows=naive("bias_rows(pred, target)")))
    found.append(case("mean-bias-error", "real-extremes", rows=naive("bias_rows(pred, target)")))
    for given in ({}, {"over": 2.5}, {"under": 0.0}, {"over": 0.3, "under": 4.0}, {"power": 1, "over": 3.0}):
        said = "".join(f", {name}={number}" for name, number in given.items())
        call = f"asymmetric_rows(pred, target{said})"
        reduced = [
            value(naive(f"mean({call})")),
            value(naive(f"mean({call}, weight)"), weight="weight"),
        ]
        total = value(naive(f"mean({call}) * len(pred)"), reduction="sum")
        found += [
            case("asymmetric", data, *reduced, total, rows=naive(call), **given) for data in ("reals", "real-edges")
        ]
        found.append(case("asymmetric", "columns", *reduced, rows=naive(call), **given))
        found.append(case("asymmetric", "real-extremes", rows=naive(call), **given))
    tilted = [
        value(sklearn("mean_pinball_loss(target, pred, alpha=0.8)")),
        value(sklearn("mean_pinball_loss(target, pred, alpha=0.8, sample_weight=weight)"), weight="weight"),
    ]
    rows = sklearn("[mean_pinball_loss([t], [p], alpha=0.8) for t, p in zip(target, pred)]")
    for data in ("reals", "columns"):
        found.append(case("asymmetric", data, *tilted, rows=rows, over=1 - 0.8, under=0.8, power=1))
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


def cases() -> list[Case]:
    return [*signed(), *pinball()]


EVERY = [Suit("columns"), Suit("reals"), Suit("real-edges")]

SUITS = {
    ("mean-bias-error", "torch"): [[*EVERY, Suit("reals", {"direction": "target-pred"}, differs=True)]],
    ("asymmetric", "sklearn"): [
        [Suit("reals", {"power": 1, "under": 3.0}), Suit("columns", {"power": 1}), Suit("reals", differs=True)]
    ],
    ("asymmetric", "torch"): [[*EVERY, Suit("columns", {"over": 0.25, "under": 3.0, "power": 1})]],
    ("pinball", "sklearn"): [[Suit("columns", {"quantile": 0.9}), Suit("reals")]],
}
