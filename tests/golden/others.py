"""Golden cases of distributions, margins, triplets and ranked lists."""

from __future__ import annotations

from typing import Any

from cases import Case
from declare import case, keras, like, naive, optax, pointwise, scipy, sklearn, torch, value

NONE = "reduction='none'"


def divergence() -> list[Case]:
    """kl-div: its mean is torch's batchmean."""
    found = []
    for data, form, pred, log_target in (
        ("log-distributions", None, "pred", False),
        ("distributions", "probs", "pred.log()", False),
        ("logit-distributions", "logits", "F.log_softmax(pred, 1)", False),
        ("two-log-distributions", None, "pred", True),
        ("probability-log-distributions", "probs", "pred.log()", True),
        ("sparse-log-distributions", None, "pred", False),
    ):
        params: dict[str, Any] = {**({"input": form} if form else {}), **({"log_target": True} if log_target else {})}
        call = f"F.kl_div({pred}, target, {NONE}, log_target={log_target})"
        batch = call.replace(NONE, "reduction='batchmean'")
        mean = call.replace(NONE, "reduction='mean'")
        rows = f"{call}.sum(1)"
        reduced = [
            value(torch(batch)),
            value(torch(mean), row="mean"),
            value(torch(call.replace(NONE, "reduction='sum'")), reduction="sum"),
            value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
            value(torch("(weight * rows).sum()"), weight="weight", reduction="sum"),
            value(torch("(weight * rows).sum() / len(weight)"), weight="weight", weight_norm="n"),
            value(torch("(weight * rows).sum() / weight.sum() / pred.shape[1]"), weight="weight", row="mean"),
            value(torch("rows.max()"), reduction="max"),
            value(torch(f"{call}.mean(1).quantile(0.5)"), reduction="median", row="mean"),
            like("torch", torch(mean)),
        ]
        if pred == "pred":
            function = "kl_divergence_with_log_targets" if log_target else "kl_divergence"
            reduced.append(like("optax", optax(f"{function}(pred, target).mean()")))
            reduced.append(value(optax(f"{function}(pred, target).sum()"), reduction="sum"))
        found.append(case("kl-div", data, *reduced, rows=torch(rows), **params))
    for data in ("distributions", "sparse-distributions"):
        clipped = "losses.kl_divergence(target, pred)"
        found += [
            case(
                "kl-div",
                data,
                value(keras("losses.KLDivergence()(target, pred)")),
                rows=keras(clipped),
                input="probs",
                clip="keras",
            ),
            # --like keras brings input=probs and its clipping along.
            case(
                "kl-div",
                data,
                like("keras", keras("losses.KLDivergence()(target, pred)")),
                like("keras", keras("losses.KLDivergence()(target, pred, sample_weight=weight)"), weight="weight"),
                rows=None,
            ),
        ]
    found.append(
        case(
            "kl-div",
            "probability-log-distributions",
            value(keras("losses.KLDivergence()(np.exp(target), pred)")),
            rows=keras("losses.kl_divergence(np.exp(target), pred)"),
            input="probs",
            clip="keras",
            log_target=True,
        )
    )
    # Of zeros: t = 0 costs nothing, t > 0 where q = 0 surprises without end.
    for data in ("sparse-distributions", "distributions"):
        rows = scipy("special.rel_entr(target, pred).sum(1)")
        reduced = [value(scipy("rows.mean()")), value(scipy("np.median(rows)"), reduction="median")]
        found.append(case("kl-div", data, *reduced, rows=rows, input="probs", clip="none"))
    return found


def margin() -> list[Case]:
    """hinge; torch's margin_ranking_loss against zero has the margin free."""
    found = []
    hinge = "F.margin_ranking_loss(pred, torch.zeros_like(pred), {y}, margin={m}, reduction='none')"
    flat = [
        like("keras", keras("losses.Hinge()(target[:, None], pred[:, None])")),
        like("keras", keras("losses.Hinge()(target[:, None], pred[:, None], sample_weight=weight)"), weight="weight"),
    ]
    plus_minus = "(1.0 * (target > 0) - 1.0 * (target <= 0))"
    for data, signs, extra in (
        ("signed", "target", [like("optax", optax("hinge_loss(pred, target).mean()")), *flat]),
        ("signed-edges", "target", [like("optax", optax("hinge_loss(pred, target).mean()")), *flat]),
        ("zero-one-signed", plus_minus, flat),
        ("all-positive", "target", flat),
    ):
        found.append(pointwise("hinge", data, hinge.format(y=signs, m=1.0), *extra))
        for level in (0.5, 0.0):
            found.append(pointwise("hinge", data, hinge.format(y=signs, m=level), margin=level))
    found += [
        pointwise("hinge", "signed", hinge.format(y="target", m=1.0), labels="pm1"),
        pointwise("hinge", "zero-one-signed", hinge.format(y=plus_minus, m=1.0), labels="01"),
        pointwise("hinge", "all-positive", hinge.format(y="target", m=2.0), labels="01", margin=2.0),
        pointwise(
            "hinge",
            "signed-columns",
            hinge.format(y="target", m=1.0),
            like("keras", keras("losses.Hinge()(target, pred, sample_weight=weight)"), weight="weight"),
            wide=True,
        ),
        case(
            "hinge",
            "signed",
            value(sklearn("hinge_loss(target, pred)")),
            value(sklearn("hinge_loss(target, pred, sample_weight=weight)"), weight="weight"),
            rows=optax("hinge_loss(pred, target)"),
            margin=1.0,
        ),
    ]
    return found


DISTANCES = {
    "cosine": "lambda u, v: 1 - F.cosine_similarity(u, v)",
    "sqeuclidean": "lambda u, v: ((u - v) ** 2).sum(-1)",
    "manhattan": "lambda u, v: F.pairwise_distance(u, v, p=1, eps=0.0)",
}


def triplets() -> list[Case]:
    found = []
    for loss in ("triplet-margin", "triplet-margin-with-distance"):
        for data in ("triplets", "triplet-edges"):
            for params in (
                {},
                {"margin": 0.2},
                {"p": 1.0},
                {"p": 3.5},
                {"eps": 0.01},
                {"eps": 0.0},
                {"swap": True},
                {"p": 1.0, "eps": 1e-3, "margin": 2.0, "swap": True},
            ):
                said = "".join(f", {key}={item}" for key, item in params.items())
                call = f"F.triplet_margin_loss(anchor, positive, negative{said}, {NONE})"
                same = like("torch", torch(call.replace(NONE, "reduction='mean'")))
                found.append(pointwise(loss, data, call, same, **params))
            for distance, function in DISTANCES.items():
                for extra in ({}, {"margin": 0.2, "swap": True}):
                    said = "".join(f", {key}={item}" for key, item in extra.items())
                    inputs = "anchor, positive, negative"
                    call = f"F.triplet_margin_with_distance_loss({inputs}, distance_function={function}{said}, {NONE})"
                    found.append(pointwise(loss, data, call, distance=distance, **extra))
    found.append(
        pointwise(
            "triplet-margin-with-distance",
            "triplets",
            f"F.triplet_margin_with_distance_loss(anchor, positive, negative, {NONE})",
            margin=1.0,
        )
    )
    return found


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
    return [*divergence(), *margin(), *triplets(), *ranking()]
