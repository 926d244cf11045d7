"""Golden cases of divergences."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import case, keras, like, naive, optax, scipy, torch, torchmetrics, value
from inputs import WIDTH, Arrays, Rng, weights

NONE = "reduction='none'"


def measures(wide: bool) -> Any:
    """Numbers above zero that sum to nothing in particular, some targets 0."""

    def make(rng: Rng, rows: int) -> Arrays:
        shape = (rows, WIDTH) if wide else rows
        pred = np.exp(rng.normal(size=shape))
        gap = 0.7 * rng.normal(size=shape)
        target = pred * np.exp(gap + 0.2 * np.sign(gap))  # near 0 the libraries' own digits cancel
        target = np.where(rng.random(size=shape) < 0.2, 0.0, target)
        return {"pred": pred, "target": target, "weight": weights(rng, rows)}

    return make


RANDOM = {"measures": measures(wide=False), "measure-columns": measures(wide=True)}

EDGES: dict[str, dict[str, Any]] = {
    "measure-edges": {  # zeros on either side and on both, nearly equal, far apart
        "pred": [[0.0, 1.0], [0.0, 2.0], [3.0, 1e8], [1e-300, 1e300], [1.0, 1e-200]],
        "target": [[0.0, 1.0], [1.0, 2.0], [0.0, 100000001.0], [1e300, 1e-300], [1.0, 1e200]],
        "weight": [1.0, 0.0, 2.0, 0.5, 1.0],
    },
    "loose-distributions": {  # rows that sum to nearly one
        "pred": [[0.5, 0.3, 0.21], [0.1, 0.2, 0.68]],
        "target": [[0.25, 0.75, 0.02], [0.9, 0.05, 0.03]],
        "weight": [1.0, 2.0],
    },
    "loose-log-distributions": {
        "pred": [[-0.69, -1.2, -1.56], [-2.3, -1.6, -0.385]],
        "target": [[0.25, 0.75, 0.02], [0.9, 0.05, 0.03]],
        "weight": [1.0, 2.0],
    },
    "near-distributions": {
        "pred": [[0.25, 0.25, 0.5], [1e-9, 0.5, 0.5 - 1e-9], [0.1, 0.2, 0.7]],
        "target": [[0.25 + 1e-12, 0.25 - 1e-12, 0.5], [0.0, 0.5, 0.5], [0.1, 0.2, 0.7]],
        "weight": [1.0, 2.0, 0.5],
    },
    "disjoint": {
        "pred": [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.2, 0.3, 0.5]],
        "target": [[0.0, 0.5, 0.5], [0.0, 0.0, 1.0], [0.2, 0.3, 0.5]],
        "weight": [1.0, 2.0, 0.5],
    },
}


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


def jensen_shannon() -> list[Case]:
    """js-divergence: scipy has its root, torchmetrics the rows of probabilities; mpmath has the rest."""
    found = []
    plain = "jensen_shannon_divergence(target, {pred}{more})"
    root = "distance.jensenshannon(target, pred, base={base}, axis=1)"
    for data, form, pred in (
        ("distributions", None, "pred"),
        ("sparse-distributions", None, "pred"),
        ("disjoint", None, "pred"),
        ("logit-distributions", "logits", "torch.softmax(pred, 1)"),
        ("log-distributions", "log-probs", "pred.exp()"),
        ("sparse-log-distributions", "log-probs", None),
        ("loose-distributions", None, None),
    ):
        said = {"input": form} if form else {}
        loops = f"jensen_shannon_rows(pred, target{f', input={form!r}' if form else ''}"
        reduced = [value(naive("mean(rows)")), value(naive("mean(rows, weight)"), weight="weight")]
        if pred is not None:
            reduced += [
                value(torchmetrics(plain.format(pred=pred, more=""))),
                value(torchmetrics(plain.format(pred=pred, more=", reduction='sum'")), reduction="sum"),
            ]
        found.append(case("js-divergence", data, *reduced, rows=naive(f"{loops})"), **said))
        for params in (
            {"mix": 0.25},
            {"base": 2},
            {"base": 10, "mix": 0.9},
            {"sqrt": True},
            {"base": 1.5, "sqrt": True},
        ):
            more = "".join(f", {key}={item!r}" for key, item in params.items())
            rows = naive(f"{loops}{more})")
            found.append(case("js-divergence", data, value(naive("mean(rows)")), rows=rows, **said, **params))
    for base in (None, 2, 10):
        for data in ("distributions", "sparse-distributions", "disjoint"):
            call = root.format(base=base)
            params = {} if base is None else {"base": base, "mix": 0.5}
            both = [value(scipy("rows.mean()")), value(scipy("np.median(rows)"), reduction="median")]
            found.append(case("js-divergence", data, *both, rows=scipy(call), sqrt=True, input="probs", **params))
            square = [value(scipy("rows.mean()"))]
            squared = scipy(f"{call} ** 2")
            found.append(case("js-divergence", data, *square, rows=squared, sqrt=False, input="probs", **params))
    return found


def hellinger() -> list[Case]:
    """hellinger: torch and scipy have the norm; mpmath rows that nearly agree."""
    found = []
    for data, form in (
        ("distributions", None),
        ("sparse-distributions", None),
        ("disjoint", "probs"),
        ("near-distributions", "probs"),
        ("logit-distributions", "logits"),
        ("log-distributions", "log-probs"),
    ):
        said: dict[str, Any] = {"input": form} if form else {}
        for squared in (False, True):
            rows = naive(f"hellinger_rows(pred, target, {form or 'probs'!r}, {squared})")
            reduced = [value(naive("mean(rows)")), value(naive("mean(rows, weight)"), weight="weight")]
            found.append(case("hellinger", data, *reduced, rows=rows, **said, **({"squared": True} if squared else {})))
    distance = torch("torch.linalg.norm(pred.sqrt() - target.sqrt(), dim=1) / math.sqrt(2)")
    whole = value(torch("rows.sum()"), reduction="sum")
    found.append(case("hellinger", "distributions", whole, rows=distance, input="probs"))
    return found


def generalized() -> list[Case]:
    """generalized-kl: scipy has its elements, optax its rows."""
    found = []
    elements = "special.kl_div(target, pred)"
    optax_call = "generalized_kl_divergence(jnp.log(pred), target)"
    for data in ("measure-columns", "distributions"):
        reduced = [
            value(scipy(f"{elements}.sum(1).mean()")),
            value(scipy(f"{elements}.sum()"), reduction="sum"),
            value(scipy(f"{elements}.mean()"), row="mean"),
            value(scipy(f"{elements}.mean(1).max()"), row="mean", reduction="max"),
            value(scipy("(weight * rows).sum() / weight.sum()"), weight="weight"),
            value(optax(f"{optax_call}.mean()")),
            like("optax", optax(f"{optax_call}.mean()")),
        ]
        found.append(case("generalized-kl", data, *reduced, rows=scipy(f"{elements}.sum(1)")))
    reduced = [value(scipy("rows.mean()")), value(scipy("np.average(rows, weights=weight)"), weight="weight")]
    found.append(case("generalized-kl", "measures", *reduced, rows=scipy(elements)))
    # scipy leaves the floats where t / q does.
    loops = naive("[sum(measure_rows(p, t)) for p, t in zip(pred, target)]")
    found.append(case("generalized-kl", "measure-edges", value(naive("max(rows)"), reduction="max"), rows=loops))
    return found


def cases() -> list[Case]:
    return [*divergence(), *jensen_shannon(), *hellinger(), *generalized()]


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
    ("kl-div", "torchmetrics"): [[Suit("log-distributions"), Suit("loose-log-distributions", differs=True)]],
    ("js-divergence", "torchmetrics"): [
        [Suit("distributions"), Suit("disjoint"), Suit("loose-distributions", differs=True)]
    ],
    ("js-divergence", "scipy"): [
        [
            Suit("distributions"),
            Suit("disjoint", {"base": 2}),
            Suit("distributions", {"sqrt": True}, differs=True),
            Suit("loose-distributions", differs=True),
        ]
    ],
    ("hellinger", "torch"): [[Suit("distributions"), Suit("disjoint")]],
    ("hellinger", "scipy"): [[Suit("distributions"), Suit("disjoint")]],
    ("generalized-kl", "optax"): [[Suit("measure-columns"), Suit("distributions")]],
    ("generalized-kl", "scipy"): [[Suit("measure-columns"), Suit("distributions")]],
}
