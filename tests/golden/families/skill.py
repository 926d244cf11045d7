"""Golden cases of deviances and Brier scores against the best constant prediction."""

from __future__ import annotations

from cases import Case, Suit
from declare import case, like, naive, sklearn, value

EDGES = {
    "near-constant-counts": {  # the deviance from the mean is 1e-16 of the terms it is made of
        "pred": [1e6 + 3.0, 1e6 - 1.0, 1e6, 1e6 + 2.0],
        "target": [1e6 + 1.0, 1e6 - 1.0, 1e6 + 2.0, 1e6],
        "weight": [1.0, 2.0, 0.5, 1.0],
    },
    "constant-counts": {"pred": [2.0, 3.0, 2.5], "target": [2.0, 2.0, 2.0], "weight": [1.0, 2.0, 1.0]},
    "negative-mean": {"pred": [0.5, 1.0, 0.25], "target": [-2.0, 1.0, 0.5], "weight": [1.0, 1.0, 1.0]},
}
DEVIANCE = "d2_tweedie_score(target, pred, power={power})"
BRIER = "d2_brier_score(target, pred{more})"


def deviances() -> list[Case]:
    found = []
    for power in (0.0, 1.0, 1.5, 2.0, 3.0, -1.0):
        params = {"power": power} if power else {}
        call = DEVIANCE.format(power=power)
        weighted = call.replace("power", "sample_weight=weight, power")
        for data in ("payments",) if power else ("payments", "reals", "real-edges"):
            found.append(
                case(
                    "d2-tweedie",
                    data,
                    value(sklearn(call)),
                    value(sklearn(weighted), weight="weight"),
                    like("sklearn", sklearn(call)),
                    rows=None,
                    **params,
                )
            )
        exact = f"deviance_skill(pred, target, {power})"
        heavy = f"deviance_skill(pred, target, {power}, weight)"
        for data in ("near-constant-counts", "constant-counts"):
            found.append(
                case("d2-tweedie", data, value(naive(exact)), value(naive(heavy), weight="weight"), rows=None, **params)
            )
    found.append(
        case("d2-tweedie", "negative-mean", value(naive("deviance_skill(pred, target, -1.0)")), rows=None, power=-1.0)
    )
    return found


def briers() -> list[Case]:
    found = []
    for data, more in (
        ("probabilities", ", labels=[0, 1]"),
        ("hard-probability-edges", ", labels=[0, 1]"),
        ("class-probabilities", ", labels=[0, 1, 2, 3]"),
    ):
        call = BRIER.format(more=more if data == "class-probabilities" else "")
        weighted = call.replace(")", ", sample_weight=weight)")
        found.append(
            case(
                "d2-brier",
                data,
                value(sklearn(call)),
                value(sklearn(weighted), weight="weight"),
                like("sklearn", sklearn(call)),
                rows=None,
            )
        )
    return found


def logs() -> list[Case]:
    found = []
    for data, clips in (
        ("probabilities", ("sklearn", "none")),
        ("hard-probability-edges", ("sklearn", "dtype")),
        ("class-probabilities", ("sklearn", 0.2)),
        ("class-probability-edges", ("sklearn",)),
    ):
        for clip in clips:
            params = {} if clip == "sklearn" else {"clip": clip}
            more = {"class-probabilities": ", labels=[0, 1, 2, 3]", "class-probability-edges": ", labels=[0, 1, 2]"}
            within = "pred" if isinstance(clip, str) else f"np.clip(pred, {clip}, {1 - clip})"
            if isinstance(clip, float):  # scikit-learn has no such clipping: its own loss of the clipped, by hand
                rows = f"np.log({within}[np.arange(len(target)), target])"
                null = "np.log(np.bincount(target, minlength=4) / len(target))[target]"
                found.append(
                    case("d2-log-loss", data, value(sklearn(f"1 - {rows}.sum() / {null}.sum()")), rows=None, **params)
                )
                continue
            call = f"d2_log_loss_score(target, {within}{more.get(data, '')})"
            weighted = call.replace(")", ", sample_weight=weight)")
            plain = [value(sklearn(call)), value(sklearn(weighted), weight="weight")]
            found.append(case("d2-log-loss", data, *plain, like("sklearn", sklearn(call)), rows=None, **params))
    return found


def cases() -> list[Case]:
    return [*deviances(), *briers(), *logs()]


SUITS = {
    ("d2-tweedie", "sklearn"): [[Suit("payments", {"power": 1.5}), Suit("reals")]],
    ("d2-log-loss", "sklearn"): [[Suit("probabilities"), Suit("class-probabilities")]],
    ("d2-brier", "sklearn"): [[Suit("probabilities"), Suit("class-probabilities")]],
}
