"""Golden cases of focal losses, poly-1 and generalized cross-entropy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cases import Case, Oracle, Reduced, Suit
from declare import case, exact, keras, like, naive, optax, pointwise, torch, value

ALPHAS = [0.5, 1.0, 2.0, 0.25]
ONE_HOT = "np.eye(pred.shape[1])[target]"


def by_hand(library: Callable[[str], Oracle], elements: str, *, wide: bool = False) -> list[Reduced]:
    """mean, sum and their weighted kin, by arithmetic on a library's elements."""
    rows = f"({elements}).sum(1)" if wide else f"({elements})"
    width = " / pred.shape[1]" if wide else ""
    found = [
        value(library(f"({elements}).mean()")),
        value(library(f"({elements}).sum()"), reduction="sum"),
        value(library(f"(weight * {rows}).sum() / weight.sum(){width}"), weight="weight"),
        value(library(f"(weight * {rows}).sum() / len(weight){width}"), weight="weight", weight_norm="n"),
        value(library(f"(weight * {rows}).sum()"), weight="weight", reduction="sum"),
    ]
    if wide:
        found += [
            value(library(f"{rows}.mean()"), row="sum"),
            value(library(f"{rows}.max()"), row="sum", reduction="max"),
        ]
    return found


def sigmoid_focal() -> list[Case]:
    """optax at both sides of every parameter, Keras for probabilities, mpmath far out."""
    loss = "sigmoid-focal"
    found = []
    for params in (
        {},
        {"alpha": 0.75},
        {"alpha": None},
        {"gamma": 0.5},
        {"gamma": 5.0, "alpha": 0.0},
        {"gamma": 1.0, "alpha": 1.0},
    ):
        said = {"alpha": 0.25, "gamma": 2.0, **params}
        call = f"sigmoid_focal_loss(pred, target, alpha={said['alpha']}, gamma={said['gamma']})"
        for data, wide in (("logits", False), ("soft-logits", False), ("multilabel-logits", True)):
            rows = optax(f"{call}.mean(1)" if wide else call)
            found.append(case(loss, data, *by_hand(optax, call, wide=wide), rows=rows, **params))
        rows = exact(f"focal_rows(pred, target, {said['alpha']}, {said['gamma']})")
        for data in ("focal-edges", "one-class-logits", "other-class-logits"):
            found.append(case(loss, data, value(naive("mean(rows)")), rows=rows, **params))
        rows = exact(f"focal_rows(pred, target, {said['alpha']}, {said['gamma']}, 'probs')")
        for data in ("probabilities", "soft-probabilities", "hard-probability-edges", "tiny-probabilities"):
            found.append(case(loss, data, value(naive("mean(rows)")), rows=rows, input="probs", **params))
    return [*found, *focal_conventions(loss)]


def focal_conventions(loss: str) -> list[Case]:
    """Keras clips the cross-entropy, not the focus; its alpha is off."""
    found = []
    weighed = "losses.BinaryFocalCrossentropy({more})(target[:, None], pred[:, None]{weight})"
    for data, form, more in (
        ("probabilities", "probs", ""),
        ("probability-edges", "probs", ""),
        ("logits", "logits", "from_logits=True"),
    ):
        found.append(
            case(
                loss,
                data,
                like("keras", keras(weighed.format(more=more, weight=""))),
                like("keras", keras(weighed.format(more=more, weight=", sample_weight=weight")), weight="weight"),
                like("optax", optax("sigmoid_focal_loss(pred, target).mean()"))
                if form == "logits"
                else like("optax", naive("mean(focal_rows(pred, target, None, 2.0, 'probs'))")),
                rows=None,
                input=form,
                gamma=2.0,
            )
        )
    balanced = "losses.binary_focal_crossentropy(target[:, None], pred[:, None], apply_class_balancing=True)"
    mean = keras("losses.BinaryFocalCrossentropy(apply_class_balancing=True)(target, pred)")
    found.append(case(loss, "probability-edges", value(mean), rows=keras(balanced), input="probs", clip="keras"))
    capped = "(0.25 * target + 0.75 * (1 - target)) * (target + pred - 2 * target * pred) ** 2 * {bce}"
    for clip, bce in (
        ("torch", "F.binary_cross_entropy(pred, target, reduction='none')"),
        (0.01, "F.binary_cross_entropy(pred.clamp(0.01, 0.99), target, reduction='none')"),
    ):
        rows = torch(capped.format(bce=bce))
        found.append(case(loss, "probability-edges", value(torch("rows.mean()")), rows=rows, input="probs", clip=clip))
    return found


def alpha_ce() -> list[Case]:
    """alpha-ce: torch's weights, and sigmoid-focal of optax without focus."""
    loss = "alpha-ce"
    logits = "F.binary_cross_entropy_with_logits(pred, target, weight={level}, reduction='none')"
    probs = "F.binary_cross_entropy(pred, target, weight={level}, reduction='none')"
    found = []
    for params in ({}, {"alpha": 0.75}, {"alpha": 1.0}, {"alpha": None}):
        alpha = params.get("alpha", 0.25)
        level = "None" if alpha is None else f"{alpha} * target + {1 - alpha} * (1 - target)"
        found += [
            pointwise(loss, data, logits.format(level=level), **params)
            for data in ("logits", "soft-logits", "logit-edges", "one-class-logits")
        ]
        found += [
            pointwise(loss, "multilabel-logits", logits.format(level=level), wide=True, **params),
            pointwise(loss, "probabilities", probs.format(level=level), input="probs", **params),
            pointwise(loss, "probability-edges", probs.format(level=level), input="probs", clip="torch", **params),
        ]
    plain = [
        like("optax", optax("sigmoid_binary_cross_entropy(pred, target).mean()")),
        like("keras", keras("losses.BinaryFocalCrossentropy(gamma=0.0, from_logits=True)(target, pred)")),
    ]
    found.append(case(loss, "logits", *plain, rows=None, gamma=0.0))
    for data in ("probabilities", "probability-edges"):
        balanced = "apply_class_balancing=True, gamma=0.0"
        rows = keras(f"losses.binary_focal_crossentropy(target[:, None], pred[:, None], {balanced})")
        mean = value(keras(f"losses.BinaryFocalCrossentropy({balanced})(target, pred)"))
        unbalanced = like("keras", keras("losses.BinaryFocalCrossentropy(gamma=0.0)(target, pred)"))
        found.append(case(loss, data, mean, unbalanced, rows=rows, input="probs", clip="keras"))
    return found


def softmax_focal() -> list[Case]:
    loss = "softmax-focal"
    found = []
    for params in (
        {},
        {"alpha": None},
        {"alpha": 0.6, "gamma": 0.5},
        {"gamma": 0.0},
        {"gamma": 3.0, "alpha": None},
        {"alpha": [0.5, 1.0, 2.0, 0.0], "gamma": 1.0},
        {"alpha": ALPHAS},
    ):
        said = {"alpha": 0.25, "gamma": 2.0, **params}
        alpha, gamma = said["alpha"], said["gamma"]
        level = "1.0" if alpha is None else f"torch.as_tensor({alpha}).expand(4)"
        index = f"torch.as_tensor({1.0 if alpha is None else alpha}).expand(4)[target.clamp(0, 3)]"
        prob = "F.nll_loss(torch.softmax(pred, 1), target, reduction='none')"  # minus the probability of the truth
        cost = "F.cross_entropy(pred, target, reduction='none')"
        hard = f"{index} * (1 + {prob}) ** {gamma} * {cost}"
        soft = f"(target * {level} * (1 - torch.softmax(pred, 1)) ** {gamma} * -F.log_softmax(pred, 1)).sum(1)"
        found.append(case(loss, "classes", *by_hand(torch, hard), rows=torch(hard), **params))
        found.append(case(loss, "soft-classes", *by_hand(torch, soft), rows=torch(soft), **params))
        rows = exact(f"softmax_focal(pred, target, {alpha}, {gamma})")
        found.append(case(loss, "classes-of-four-edges", value(naive("mean(rows)")), rows=rows, **params))
        for data, form in (("class-probabilities", "probs"), ("class-log-probabilities", "log-probs")):
            rows = exact(f"softmax_focal(pred, target, {alpha}, {gamma}, '{form}')")
            found.append(case(loss, data, value(naive("mean(rows)")), rows=rows, input=form, **params))
    keep = "target != -100"
    rows = torch(
        "torch.where(target == -100, 0, 0.25 * (1 - torch.exp(-cost)) ** 2 * cost)".replace(
            "cost", "F.cross_entropy(pred, target, reduction='none')"
        )
    )
    found.append(case(loss, "ignored", value(torch(f"rows[{keep}].mean()")), rows=rows))
    rows = torch(rows.call.replace("-100", "2").replace("pred, target,", "pred, target, ignore_index=2,"))
    found.append(case(loss, "ignored-2", value(torch("rows[target != 2].mean()")), rows=rows, ignore_index=2))
    return [*found, *softmax_focal_conventions(loss)]


def softmax_focal_conventions(loss: str) -> list[Case]:
    found = []
    call = "losses.CategoricalFocalCrossentropy({more})({target}, pred{weight})"
    for data, form, target, more in (
        ("classes", "logits", ONE_HOT, "from_logits=True"),
        ("soft-classes", "logits", "target", "from_logits=True"),
        ("class-probabilities", "probs", ONE_HOT, ""),
        ("class-probability-edges", "probs", ONE_HOT, ""),
        ("distributions", "probs", "target", ""),
    ):
        plain = keras(call.format(more=more, target=target, weight=""))
        weighed = keras(call.format(more=more, target=target, weight=", sample_weight=weight"))
        found.append(
            case(
                loss,
                data,
                like("keras", plain),
                like("keras", weighed, weight="weight"),
                rows=None,
                input=form,
                gamma=2.0,
            )
        )
    rows = keras(f"losses.categorical_focal_crossentropy({ONE_HOT}, pred)")
    for data in ("class-probabilities", "class-probability-edges"):
        mean = value(keras(call.format(more="", target=ONE_HOT, weight="")))
        found.append(case(loss, data, mean, rows=rows, input="probs", clip="keras"))
    taken = "{p}.gather(1, target[:, None])[:, 0]"
    for clip, log, p in (
        ("torch", "torch.log({t}).clamp(min=-100.0)", "pred"),
        ("sklearn", "torch.log({t})", f"pred.clamp({2.0**-52}, 1 - {2.0**-52})"),
        (0.05, "torch.log({t})", "pred.clamp(0.05, 0.95)"),
    ):
        truth = taken.format(p=p)
        rows = torch(f"-0.25 * (1 - {truth}) ** 2 * {log.format(t=truth)}")
        mean = value(torch("rows.mean()"))
        found.append(case(loss, "class-probability-edges", mean, rows=rows, input="probs", clip=clip))
    return found


def poly_ce() -> list[Case]:
    loss = "poly-ce"
    found = []
    for params in ({}, {"epsilon": 1.0}, {"epsilon": 0.0}, {"epsilon": -0.5}, {"epsilon": -1.0}, {"epsilon": 50.0}):
        epsilon = params.get("epsilon", 2.0)
        soft = f"poly_loss_cross_entropy(pred, target, epsilon={epsilon})"
        hard = f"poly_loss_cross_entropy(pred, jnp.eye(pred.shape[1])[target], epsilon={epsilon})"
        same = [like("optax", optax(f"{soft}.mean()"))]
        found.append(case(loss, "soft-classes", *by_hand(optax, soft), *same, rows=optax(soft), **params))
        found.append(case(loss, "classes", *by_hand(optax, hard), rows=optax(hard), **params))
        rows = exact(f"poly(pred, target, {epsilon})")
        for data in ("class-edges", "classes-of-four-edges", "one-hot"):
            found.append(case(loss, data, value(naive("mean(rows)")), rows=rows, **params))
        for data, form in (("class-probabilities", "probs"), ("class-log-probabilities", "log-probs")):
            rows = exact(f"poly(pred, target, {epsilon}, '{form}')")
            found.append(case(loss, data, value(naive("mean(rows)")), rows=rows, input=form, **params))
        rows = exact(f"poly(pred, target, {epsilon}, 'probs')")
        found.append(
            case(loss, "class-probability-edges", value(naive("mean(rows)")), rows=rows, input="probs", **params)
        )
    ignored = "poly_loss_cross_entropy(pred, jnp.eye(pred.shape[1])[target], epsilon=2.0) * (target != 2)"
    mean = value(optax("rows.sum() / (target != 2).sum()"))
    found.append(case(loss, "classes", mean, rows=optax(ignored), ignore_index=2))
    return found


def generalized_ce() -> list[Case]:
    loss = "generalized-ce"
    found = []
    for params in ({}, {"q": 0.7}, {"q": 0.01}, {"q": 0.99}):
        q = params.get("q", 0.5)
        rows = f"losses.categorical_generalized_cross_entropy(target, pred, {q})"
        call = f"losses.CategoricalGeneralizedCrossEntropy(q={q})(target, pred"
        same = [
            like("keras", keras(f"{call})")),
            like("keras", keras(f"{call}, sample_weight=weight)"), weight="weight"),
        ]
        for data in ("class-probabilities", "class-probability-edges"):
            found.append(case(loss, data, *by_hand(keras, rows), *same, rows=keras(rows), **params))
    for params in ({}, {"q": 1.0}, {"q": 1e-9}, {"q": 0.7}):
        q = params.get("q", 0.5)
        for data in ("class-probabilities", "class-probability-edges"):
            rows = exact(f"bent(pred, target, {q})")
            found.append(case(loss, data, value(naive("mean(rows)")), rows=rows, input="probs", **params))
        for data, form in (
            ("classes", "logits"),
            ("class-edges", "logits"),
            ("classes-of-four-edges", "logits"),
            ("class-log-probabilities", "log-probs"),
        ):
            rows = exact(f"bent(pred, target, {q}, '{form}')")
            found.append(case(loss, data, value(naive("mean(rows)")), rows=rows, input=form, **params))
    rows = keras("losses.categorical_generalized_cross_entropy(target, pred, 0.5) * (target != 2)")
    mean = value(keras("rows.sum() / (target != 2).sum()"))
    found.append(case(loss, "class-probabilities", mean, rows=rows, ignore_index=2))
    return found


def cases() -> list[Case]:
    return [*sigmoid_focal(), *alpha_ce(), *softmax_focal(), *poly_ce(), *generalized_ce()]


INF = float("inf")

EDGES: dict[str, dict[str, Any]] = {
    "focal-edges": {  # sure and right, sure and wrong, soft, where e^-x leaves the range
        "pred": [0.0, 37.0, -37.0, 150.0, -150.0, 40.0, -40.0, 710.0, -710.0, 1e-300, 1000.0, -1000.0, 300.0, -2.0],
        "target": [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.25],
        "weight": [1.0, 2.0, 3.0, 1.0, 0.5, 0.0, 1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 0.5],
    },
    "tiny-probabilities": {
        "pred": [1e-300, 1e-20, 1e-9, 1e-300, 1e-20, 1e-9, 0.9999999999999999, 0.9999999999999999],
        "target": [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "weight": [1.0, 2.0, 0.5, 1.0, 1.0, 0.0, 3.0, 1.0],
    },
    "classes-of-four-edges": {  # sure, far from zero, masked, tied, and everything at once
        "pred": [
            [40.0, 0.0, 0.0, -INF],
            [0.0, 300.0, -300.0, 0.0],
            [1e8 + 0.5, 1e8, 1e8 - 1.0, 1e8],
            [1.0, 1.0, 1.0, 1.0],
            [-INF, -INF, 5.0, -INF],
            [0.0, 20.0, 0.0, 0.0],
            [-5.0, 0.0, 1000.0, -1000.0],
            [1e-9, 0.0, 0.0, 0.0],
        ],
        "target": [0, 1, 0, 3, 2, 0, 3, 0],
        "weight": [1.0, 2.0, 0.5, 1.0, 1.0, 0.0, 1.0, 3.0],
    },
}

SUITS = {
    ("sigmoid-focal", "optax"): [[Suit("multilabel-logits", {"gamma": 0.5}), Suit("logits", {"alpha": None})]],
    ("sigmoid-focal", "keras"): [
        [
            Suit("multilabel-logits", {"alpha": 0.75}),
            Suit("logit-edges", differs=True),
        ],
        [
            Suit("probabilities", {"input": "probs", "alpha": None}),
            Suit("probabilities", {"input": "probs"}, {"like": "keras"}),
            Suit("probabilities", {"input": "probs"}, differs=True),
        ],
    ],
    ("softmax-focal", "keras"): [
        [Suit("classes", {"gamma": 1.0}), Suit("class-edges", differs=True)],
        [Suit("distributions", {"input": "probs", "alpha": ALPHAS})],
    ],
    ("poly-ce", "optax"): [[Suit("soft-classes", {"epsilon": -1.0})]],
    ("generalized-ce", "keras"): [[Suit("class-probabilities", {"q": 0.7}), Suit("class-probability-edges")]],
}
