"""Golden cases of cross-entropy's other names, each with its own form of input."""

from __future__ import annotations

from typing import Any

from cases import Case, Reduced, Suit
from declare import case, exact, keras, like, naive, optax, sklearn, torch, value

WEIGHT = [0.5, 1.0, 2.0, 0.25]
EPS = 2.0**-52
LOG = {"logits": "F.log_softmax(pred, 1)", "probs": "torch.log(pred)", "log-probs": "pred"}
ONE_HOT = "F.one_hot(target.clamp(0), pred.shape[1])"


def index_means(own: str, keep: str) -> list[Reduced]:
    """mean, sum and weighted mean of index targets, from the rows: the divisor is the weight of the true classes."""
    return [
        value(torch(f"rows.sum() / ({own} * ({keep})).sum()")),
        value(torch("rows.sum()"), reduction="sum"),
        value(torch(f"(weight * rows).sum() / (weight * {own} * ({keep})).sum()"), weight="weight"),
    ]


def row_means() -> list[Reduced]:
    return [
        value(torch("rows.mean()")),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
    ]


def shared(loss: str, data: str, log: str, *, s: float | None = None, **said: Any) -> list[Case]:
    """What every name takes: class weights and ignored classes. ``s`` is the smoothing of a name that has it."""
    smooth = f", label_smoothing={s}" if s else ""
    found = []
    for params in ({}, {"class_weight": WEIGHT}, {"ignore_index": 2}, {"class_weight": WEIGHT, "ignore_index": 2}):
        heavy = "torch.tensor([0.5, 1.0, 2.0, 0.25])" if "class_weight" in params else "None"
        ignored = params.get("ignore_index", -100)
        own = f"{heavy}[target]" if "class_weight" in params else "1.0"
        # Of log-probabilities the log-softmax is themselves.
        call = f"F.cross_entropy({log}, target, weight={heavy}, ignore_index={ignored}, reduction='none'{smooth})"
        found.append(case(loss, data, *index_means(own, f"target != {ignored}"), rows=torch(call), **params, **said))
    return found


def smoothed(loss: str, data: str, form: str, **said: Any) -> list[Case]:
    """Smoothing over all classes and over the wrong ones, by loops."""
    found = []
    for smoothing, uniform, heavy in ((0.1, "C", None), (0.1, "C-1", None), (0.4, "C-1", WEIGHT), (1.0, "C-1", None)):
        params: dict[str, Any] = {"label_smoothing": smoothing, "uniform": uniform}
        if heavy:
            params["class_weight"] = heavy
        rows = exact(f"smoothed(pred, target, {smoothing}, '{uniform}', {heavy}, '{form}')")
        mean = value(naive(f"plain_mean(rows, [1.0] * len(rows), shares(target, {heavy}))"))
        found.append(case(loss, data, mean, rows=rows, **params, **said))
    return found


def softmax_ce_soft() -> list[Case]:
    loss = "softmax-ce-soft"
    soft = "F.cross_entropy(pred, target, reduction='none')"
    classes = "losses.CategoricalCrossentropy(from_logits=True)(target, pred"
    same = [
        like("torch", torch("F.cross_entropy(pred, target)")),
        like("keras", keras(f"{classes})")),
        like("keras", keras(f"{classes}, sample_weight=weight)"), weight="weight"),
        like("optax", optax("softmax_cross_entropy(pred, target).mean()")),
    ]
    found = [
        case(loss, "soft-classes", *row_means(), *same, rows=torch(soft)),
        case(loss, "one-hot", value(torch("rows.mean()")), rows=torch(soft.replace("target,", "target.double(),"))),
        case(
            loss,
            "sparse-masked",
            value(optax("rows.mean()")),
            rows=optax("softmax_cross_entropy(jnp.maximum(pred, -1e300), target)"),
        ),
        *shared(loss, "classes", "pred"),
        *smoothed(loss, "classes", "logits"),
    ]
    for smoothing, uniform in ((0.2, "C"), (0.2, "C-1")):
        rows = exact(f"smoothed(pred, target, {smoothing}, '{uniform}')")
        said = {"label_smoothing": smoothing, "uniform": uniform}
        found.append(case(loss, "soft-classes", value(naive("mean(rows)")), rows=rows, **said))
    # scikit-learn takes probabilities; of logits nothing is clipped.
    probs = "np.exp(pred) / np.exp(pred).sum(1, keepdims=True)"
    sklearn_like = like("sklearn", sklearn(f"log_loss(target, {probs}, labels=range(4))"))
    found.append(case(loss, "classes", sklearn_like, rows=None, label_smoothing=0.0))
    return found


def conventions(loss: str) -> list[Case]:
    """Probabilities in the ways of four libraries."""
    found = []
    sparse = "losses.SparseCategoricalCrossentropy()(target, pred"
    for data, count in (("class-probabilities", 4), ("class-probability-edges", 3)):
        metric = f"log_loss(target, pred, labels=range({count})"
        same = [
            like("torch", torch("F.nll_loss(torch.log(pred), target)")),
            like("optax", naive("mean(log_loss_rows(pred, target, 0.0))")),
            like("keras", keras(f"{sparse})")),
            like("keras", keras(f"{sparse}, sample_weight=weight)"), weight="weight"),
            like("sklearn", sklearn(f"{metric})")),
            like("sklearn", sklearn(f"{metric}, sample_weight=weight)"), weight="weight"),
        ]
        plain = torch("F.nll_loss(torch.log(pred), target, reduction='none')")
        found.append(case(loss, data, *row_means(), *same, rows=plain))
        found.append(
            case(
                loss,
                data,
                value(keras(f"{sparse})")),
                rows=keras("losses.sparse_categorical_crossentropy(target, pred)"),
                clip="keras",
            )
        )
        for clip, log in (
            ("sklearn", f"torch.log(pred.clamp({EPS}, 1 - {EPS}))"),
            ("torch", "torch.log(pred).clamp(min=-100.0)"),
            (0.05, "torch.log(pred.clamp(0.05, 0.95))"),
        ):
            rows = torch(f"F.nll_loss({log}, target, reduction='none')")
            found.append(case(loss, data, value(torch("rows.mean()")), rows=rows, clip=clip))
    return found


def probabilities() -> list[Case]:
    """Names that take class probabilities, against labels and against distributions."""
    found = []
    for loss in ("categorical-ce", "sparse-categorical-ce", "log-likelihood"):
        found += conventions(loss)
        found += shared(loss, "class-probabilities", "torch.log(pred)")[1:]
        found += smoothed(loss, "class-probabilities", "probs")
        ignoring = "losses.SparseCategoricalCrossentropy(ignore_class=1)(target, pred)"
        found.append(case(loss, "class-probabilities", like("keras", keras(ignoring)), rows=None, ignore_index=1))
    loss = "categorical-ce"
    call = "losses.CategoricalCrossentropy({more})(target, pred{weight})"
    for data in ("distributions", "sparse-distributions", "one-hot-probabilities"):
        rows = torch("-torch.xlogy(target, pred).sum(1)")
        same = [
            like("keras", keras(call.format(more="", weight=""))),
            like("keras", keras(call.format(more="", weight=", sample_weight=weight")), weight="weight"),
        ]
        found.append(case(loss, data, *row_means(), *same, rows=rows))
        smooth = like("keras", keras(call.format(more="label_smoothing=0.1", weight="")))
        found.append(case(loss, data, smooth, rows=None, label_smoothing=0.1))
    return found


def label_smoothing_ce() -> list[Case]:
    loss = "label-smoothing-ce"
    soft = "F.cross_entropy(pred, target, reduction='none', label_smoothing=0.1)"
    classes = "losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)(target, pred"
    same = [
        like("torch", torch("F.cross_entropy(pred, target, label_smoothing=0.1)")),
        like("keras", keras(f"{classes})")),
        like("keras", keras(f"{classes}, sample_weight=weight)"), weight="weight"),
        like("optax", optax("softmax_cross_entropy(pred, smooth_labels(target, 0.1)).mean()")),
    ]
    # scikit-learn has no smoothing; its convention is probabilities, clipped.
    clipped = f"torch.log(pred.clamp({EPS}, 1 - {EPS}))"
    smooth_rows = f"-((0.9 * {ONE_HOT} + 0.1 / pred.shape[1]) * {clipped}).sum(1)"
    found = [
        case(loss, "soft-classes", *row_means(), *same, rows=torch(soft)),
        *shared(loss, "classes", "pred", s=0.1),
        *shared(loss, "class-probabilities", "torch.log(pred)", s=0.1, input="probs"),
        *shared(loss, "class-log-probabilities", "pred", s=0.1, input="log-probs"),
        case(loss, "class-probability-edges", like("sklearn", torch(f"({smooth_rows}).mean()")), rows=None),
        case(
            loss,
            "class-probability-edges",
            value(torch("rows.mean()")),
            rows=torch(smooth_rows),
            input="probs",
            clip="sklearn",
        ),
    ]
    for heavy in (None, WEIGHT):
        said: dict[str, Any] = {} if heavy is None else {"class_weight": heavy}
        rows = exact(f"smoothed(pred, target, 0.1, 'C-1', {heavy})")
        mean = value(naive(f"plain_mean(rows, [1.0] * len(rows), shares(target, {heavy}))"))
        found.append(case(loss, "classes", mean, rows=rows, uniform="C-1", **said))
    for data in ("classes-of-four-edges", "masked-truth"):
        rows = exact("smoothed(pred, target, 0.1)")
        found.append(case(loss, data, value(naive("mean(rows)")), rows=rows))
    return found


def cases() -> list[Case]:
    return [*softmax_ce_soft(), *probabilities(), *label_smoothing_ce()]


INF = float("inf")

EDGES: dict[str, dict[str, Any]] = {
    "sparse-masked": {  # what is masked has no target, and costs nothing
        "pred": [[0.5, -INF, 2.0], [-INF, 0.25, -0.5]],
        "target": [[0.25, 0.0, 0.75], [0.0, 0.5, 0.5]],
        "weight": [1.0, 2.0],
    },
    "one-hot-probabilities": {
        "pred": [[0.7, 0.2, 0.1], [0.0, 1.0, 0.0], [0.25, 0.25, 0.5]],
        "target": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        "weight": [1.0, 2.0, 0.5],
    },
}

SUITS: dict[tuple[str, str], list[list[Suit]]] = {}  # those of cross-entropy
