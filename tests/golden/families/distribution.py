"""Golden cases of divergences and likelihoods."""

from __future__ import annotations

from typing import Any

from cases import Case, Suit
from declare import case, keras, like, optax, scipy, torch, value

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


def cases() -> list[Case]:
    return divergence()


SUITS = {
    ("kl-div", "torch"): [[Suit("log-distributions"), Suit("two-log-distributions", {"log_target": True})]],
    ("kl-div", "keras"): [
        [
            Suit("distributions", {}, {"like": "keras"}),
            Suit("sparse-distributions", {}, {"like": "keras"}),
            Suit("sparse-distributions", {"input": "probs"}, differs=True),
        ]
    ],
    ("kl-div", "optax"): [[Suit("log-distributions"), Suit("sparse-log-distributions")]],
}
