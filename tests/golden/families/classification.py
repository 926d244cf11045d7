"""Golden cases of probabilities, logits and labels."""

from __future__ import annotations

from cases import Case, Reduced, Suit
from declare import case, exact, keras, like, naive, optax, pointwise, sklearn, torch, value

BCE = "F.binary_cross_entropy(pred, target, reduction='none')"
COLUMN = "target[:, None], pred[:, None]"
LOGITS = "F.binary_cross_entropy_with_logits(pred, target, reduction='none')"
# torch's bce of probabilities has no pos_weight.
HEAVY = "F.binary_cross_entropy_with_logits(torch.logit(pred), target, pos_weight=pos_weight, reduction='none')"


def binary() -> list[Case]:
    """bce of probabilities: clipping, soft targets, several labels a row."""
    torch_like = [
        like("torch", torch("F.binary_cross_entropy(pred, target)")),
        like("torch", torch("F.binary_cross_entropy(pred, target, weight=weight)"), weight="weight"),
    ]
    keras_like = [
        like("keras", keras(f"losses.BinaryCrossentropy()({COLUMN})")),
        like(
            "keras",
            keras(f"losses.BinaryCrossentropy()({COLUMN}, sample_weight=weight)"),
            weight="weight",
        ),
    ]
    sklearn_like = [
        like("sklearn", sklearn("log_loss(target, pred, labels=[0, 1])")),
        like("sklearn", sklearn("log_loss(target, pred, labels=[0, 1], sample_weight=weight)"), weight="weight"),
    ]
    # optax takes logits only.
    optax_like = like("optax", optax("sigmoid_binary_cross_entropy(jnp.log(pred) - jnp.log1p(-pred), target).mean()"))
    found = [
        pointwise("bce", "probabilities", BCE, *torch_like, *keras_like, *sklearn_like, optax_like),
        pointwise("bce", "soft-probabilities", BCE, *torch_like, *keras_like),
        pointwise("bce", "probability-edges", BCE, *torch_like, *keras_like),
        pointwise("bce", "hard-probability-edges", BCE, *torch_like, *keras_like, *sklearn_like),
        pointwise(
            "bce",
            "multilabel",
            BCE,
            like(
                "torch",
                torch("F.binary_cross_entropy(pred, target, weight=weight[:, None].expand_as(pred))"),
                weight="weight",
            ),
            like("keras", keras("losses.BinaryCrossentropy()(target, pred, sample_weight=weight)"), weight="weight"),
            wide=True,
        ),
    ]
    heavy = "F.binary_cross_entropy(pred, target, weight=torch.where(target == 1, pos_weight, 1.0), reduction='none')"
    found += [
        pointwise("bce", "probabilities", heavy, pos_weight=3.0),
        pointwise("bce", "hard-probability-edges", heavy, pos_weight=0.5),
        pointwise("bce", "soft-probabilities", HEAVY, pos_weight=3.0),
    ]
    for data in ("probabilities", "probability-edges"):
        rows = keras(f"losses.binary_crossentropy({COLUMN})")
        found.append(
            case("bce", data, value(keras("losses.BinaryCrossentropy()(target, pred)")), rows=rows, clip="keras")
        )
    clipped = "F.binary_cross_entropy(pred.clamp(0.01, 0.99), target, reduction='none')"
    exact = "-(torch.xlogy(target, pred) + torch.special.xlog1py(1 - target, -pred))"
    found += [
        case(
            "bce",
            "hard-probability-edges",
            value(sklearn("log_loss(target, pred, labels=[0, 1])")),
            rows=sklearn("[log_loss([t], [p], labels=[0, 1]) for t, p in zip(target, pred)]"),
            clip="sklearn",
        ),
        pointwise("bce", "probability-edges", clipped, clip=0.01),
        case(
            "bce",
            "probability-edges",
            value(torch("rows.mean()")),
            value(torch("rows.quantile(0.5)"), reduction="median"),
            rows=torch(exact),
            clip="none",
        ),
        case("bce", "probabilities", value(torch("rows.mean()")), rows=torch(exact), clip="none"),
    ]
    return [*found, *binary_logits()]


def binary_logits() -> list[Case]:
    """bce of logits, under its own name and under the preset's."""
    found = []
    weighted = "F.binary_cross_entropy_with_logits(pred, target, weight=weight)"
    wide_weights = "F.binary_cross_entropy_with_logits(pred, target, weight=weight[:, None].expand_as(pred))"
    heavy = "F.binary_cross_entropy_with_logits(pred, target, pos_weight=pos_weight, reduction='none')"
    for loss, said in (("bce-with-logits", {}), ("bce", {"input": "logits"})):
        flat = [
            like("torch", torch(weighted), weight="weight"),
            like("torch", torch("F.binary_cross_entropy_with_logits(pred, target)")),
            like(
                "keras",
                keras(f"losses.BinaryCrossentropy(from_logits=True)({COLUMN}, sample_weight=weight)"),
                weight="weight",
            ),
            like("optax", optax("sigmoid_binary_cross_entropy(pred, target).mean()")),
        ]
        found += [
            pointwise(loss, data, LOGITS, *flat, **said)
            for data in ("logits", "soft-logits", "logit-edges", "one-class-logits", "other-class-logits")
        ]
        found += [
            pointwise(
                loss,
                "multilabel-logits",
                LOGITS,
                like("torch", torch(wide_weights), weight="weight"),
                wide=True,
                **said,
            ),
            pointwise(loss, "multilabel-logits", heavy, wide=True, pos_weight=0.25, **said),
        ]
        found += [pointwise(loss, data, heavy, pos_weight=3.0, **said) for data in ("logits", "soft-logits")]
        like_sklearn = "log_loss(target, 1 / (1 + np.exp(-pred)), labels=[0, 1], sample_weight=weight)"
        found.append(
            case(
                loss,
                "logits",
                like("sklearn", sklearn(like_sklearn), weight="weight"),
                rows=torch(LOGITS),
                pos_weight=1.0,
                **said,
            )
        )
    return found


def balanced() -> list[Case]:
    """Class-balanced sigmoid cross-entropy: no library has it; torch with weights, and loops."""
    level = "torch.where(target == 1, {beta}, 1 - {beta})"
    call = f"F.binary_cross_entropy_with_logits(pred, target, weight={level}, reduction='none')"
    share = "(1 - target).mean()"
    by_row = "(1 - target).mean(1, keepdim=True)"
    loss = "balanced-sigmoid-ce"
    fixed = call.format(beta="torch.tensor(beta)")
    found = [
        pointwise(loss, data, call.format(beta=share)) for data in ("logits", "one-class-logits", "other-class-logits")
    ]
    found += [
        pointwise(loss, "multilabel-logits", call.format(beta=share), wide=True),
        pointwise(loss, "multilabel-logits", call.format(beta=by_row), wide=True, balance="row"),
        # The share of negatives of a row with one element is all or nothing.
        pointwise(loss, "logits", call.format(beta="(1 - target)"), balance="row"),
    ]
    for beta in (0.75, 0.0, 1.0):
        found.append(pointwise(loss, "logits", fixed, beta=beta))
    found += [
        pointwise(loss, "multilabel-logits", fixed, wide=True, beta=0.3),
        case(
            loss,
            "multilabel-logits",
            value(naive("mean(balanced_columns(pred, target, beta))")),
            rows=naive("balanced_columns(pred, target, beta)"),
            beta=0.9,
        ),
        case(
            loss,
            "multilabel-logits",
            value(naive("mean(balanced_columns(pred, target, None))")),
            value(naive("mean(rows, weight)"), weight="weight"),
            rows=naive("balanced_columns(pred, target, None)"),
            beta="auto",
            balance="row",
        ),
        case(
            loss,
            "logits",
            value(naive("mean(balanced_rows(pred, target, negatives(target)))")),
            # The weights of rows weigh the loss, not the share of negatives.
            value(naive("mean(rows, weight)"), weight="weight"),
            rows=naive("balanced_rows(pred, target, negatives(target))"),
            beta="auto",
            balance="dataset",
        ),
    ]
    return found


def labels() -> list[Case]:
    """zero-one: labels, label sets, words, probabilities and logits."""
    each = sklearn("[zero_one_loss(target[i : i + 1], pred[i : i + 1]) for i in range(len(target))]")
    words = sklearn("[zero_one_loss([t], [p]) for t, p in zip(target, pred)]")
    reduced = [
        value(sklearn("zero_one_loss(target, pred)")),
        value(sklearn("zero_one_loss(target, pred, normalize=False)"), reduction="sum"),
        value(sklearn("zero_one_loss(target, pred, sample_weight=weight)"), weight="weight"),
        like("sklearn", sklearn("zero_one_loss(target, pred, sample_weight=weight)"), weight="weight"),
        like("sklearn", sklearn("zero_one_loss(target, pred)")),
    ]
    found = [case("zero-one", data, *reduced, rows=each) for data in ("labels", "label-sets")]
    found.append(case("zero-one", "words", *reduced, rows=words))

    def decided(decision: str) -> list[Reduced]:
        return [
            value(sklearn(f"zero_one_loss(target, {decision})")),
            value(sklearn(f"zero_one_loss(target, {decision}, sample_weight=weight)"), weight="weight"),
        ]

    def wrong(decision: str) -> str:
        return f"[zero_one_loss([t], [p]) for t, p in zip(target, {decision})]"

    for data, form, decision, params in (
        ("probabilities", "probs", "(pred >= 0.5).astype(float)", {}),
        ("threshold-edges", "probs", "(pred >= 0.5).astype(float)", {}),
        ("probabilities", "probs", "(pred >= 0.3).astype(float)", {"threshold": 0.3}),
        ("logits", "logits", "(pred >= 0).astype(float)", {}),
        ("logits", "logits", "(pred >= 1.5).astype(float)", {"threshold": 1.5}),
        ("class-probabilities", "probs", "pred.argmax(1)", {}),
        ("tied-scores", "probs", "pred.argmax(1)", {}),
        ("classes", "logits", "pred.argmax(1)", {}),
        ("class-edges", "logits", "pred.argmax(1)", {}),
    ):
        found.append(case("zero-one", data, *decided(decision), rows=sklearn(wrong(decision)), input=form, **params))
    for data, form, level in (("multilabel", "probs", 0.5), ("multilabel-logits", "logits", 0)):
        decision = f"(pred >= {level}).astype(float)"
        rows = sklearn(f"[zero_one_loss(t[None], p[None]) for t, p in zip(target, {decision})]")
        found.append(case("zero-one", data, *decided(decision), rows=rows, input=form))
    return found


def likelihood() -> list[Case]:
    """Products of probabilities: no library has them; exact fractions and mpmath."""
    reduced = [
        value(naive("product(pred, target)")),
        value(naive("geometric_mean(pred, target)"), reduction="mean"),
        value(naive("product(pred, target, weight)"), weight="weight"),
        value(naive("geometric_mean(pred, target, weight)"), weight="weight", reduction="mean"),
        value(naive("min(true_probabilities(pred, target))"), reduction="min"),
    ]
    return [
        case("likelihood", data, *reduced, rows=naive("true_probabilities(pred, target)"))
        for data in ("probabilities", "class-probabilities", "hard-probability-edges")
    ]


def multiclass() -> list[Case]:
    """cross-entropy of logits: class weights, smoothing, ignored rows, soft targets."""
    weight = [0.5, 1.0, 2.0, 0.25]
    found = []
    keras_logits = "losses.SparseCategoricalCrossentropy(from_logits=True)"
    plain = [
        like("torch", torch("F.cross_entropy(pred, target)")),
        like("keras", keras(f"{keras_logits}(target, pred)")),
        like("keras", keras(f"{keras_logits}(target, pred, sample_weight=weight)"), weight="weight"),
        value(
            keras(
                "losses.SparseCategoricalCrossentropy(from_logits=True, reduction='mean_with_sample_weight')"
                "(target, pred, sample_weight=weight)"
            ),
            weight="weight",
        ),
        like("optax", optax("softmax_cross_entropy_with_integer_labels(pred, target).mean()")),
    ]
    call = "F.cross_entropy(pred, target, reduction='none'{more})"
    for params, more in (
        ({}, ""),
        ({"class_weight": weight}, ", weight=class_weight"),
        ({"label_smoothing": 0.1}, ", label_smoothing=0.1"),
        ({"class_weight": weight, "label_smoothing": 0.3}, ", weight=class_weight, label_smoothing=0.3"),
        ({"label_smoothing": 1.0}, ", label_smoothing=1.0"),
        ({"class_weight": [0.0, 1.0, 1.0, 0.0]}, ", weight=class_weight"),
    ):
        rows = call.format(more=more)
        found.append(
            case(
                "cross-entropy",
                "classes",
                *index_values(rows, params),
                *([] if more else plain),
                rows=torch(rows),
                **params,
            )
        )
        found.append(case("cross-entropy", "ignored", *index_values(rows, params), rows=torch(rows), **params))
    for data, index in (("ignored-255", 255), ("ignored-2", 2)):
        for params, more in (
            ({}, ""),
            ({"class_weight": weight}, ", weight=class_weight"),
            ({"class_weight": weight, "label_smoothing": 0.1}, ", weight=class_weight, label_smoothing=0.1"),
        ):
            rows = call.format(more=f"{more}, ignore_index={index}")
            said = {**params, "ignore_index": index}
            keep = f"target != {index}"
            keras_call = f"losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class={index})"
            same = [like("keras", keras(f"{keras_call}(target, pred)"))]
            found.append(
                case(
                    "cross-entropy",
                    data,
                    *index_values(rows, said, keep),
                    *([] if more else same),
                    rows=torch(rows),
                    **said,
                )
            )
    for smoothing, heavy in ((0.1, None), (1.0, None), (0.3, weight)):
        rows = exact(f"smoothed(pred, target, {smoothing}, 'C-1', {heavy})")
        said = {"label_smoothing": smoothing, "uniform": "C-1", **({} if heavy is None else {"class_weight": heavy})}
        mean = value(naive(f"plain_mean(rows, [1.0] * len(rows), shares(target, {heavy}))"))
        weighted = value(naive(f"plain_mean(rows, weight, shares(target, {heavy}, weight))"), weight="weight")
        found.append(case("cross-entropy", "classes", mean, weighted, rows=rows, **said))
    # Nothing is ignored where ignore_index is none.
    found.append(
        case(
            "cross-entropy",
            "classes",
            value(torch("F.cross_entropy(pred, target)")),
            rows=torch(call.format(more="")),
            ignore_index=None,
        )
    )
    return [*found, *soft_targets(weight), *forms(weight), *class_edges()]


def index_values(rows: str, params: dict[str, object], keep: str = "target != -100") -> list[Reduced]:
    """mean, sum and weighted mean of index targets: the divisor is the summed weight of the true classes."""
    own = f"torch.tensor({params['class_weight']})[target.clamp(0, 3)]" if "class_weight" in params else "1.0"
    return [
        value(torch(rows.replace("reduction='none'", "reduction='mean'"))),
        value(torch(rows.replace("reduction='none'", "reduction='sum'")), reduction="sum"),
        value(torch(f"(weight * rows).sum() / (weight * {own} * ({keep})).sum()"), weight="weight"),
        value(torch("(weight * rows).sum()"), weight="weight", reduction="sum"),
        value(torch(f"rows[{keep}].max()"), reduction="max"),
    ]


def soft_targets(weight: list[float]) -> list[Case]:
    found = []
    for params, more in (
        ({}, ""),
        ({"class_weight": weight}, ", weight=class_weight"),
        ({"label_smoothing": 0.1}, ", label_smoothing=0.1"),
        ({"class_weight": weight, "label_smoothing": 0.1}, ", weight=class_weight, label_smoothing=0.1"),
    ):
        rows = f"F.cross_entropy(pred, target, reduction='none'{more})"
        reduced = [
            value(torch(rows.replace("reduction='none'", "reduction='mean'"))),
            value(torch(rows.replace("reduction='none'", "reduction='sum'")), reduction="sum"),
            value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
            like("torch", torch(rows.replace("reduction='none'", "reduction='mean'"))),
        ]
        if "class_weight" not in params:
            smoothing = params.get("label_smoothing", 0.0)
            keras_call = f"losses.CategoricalCrossentropy(from_logits=True, label_smoothing={smoothing})"
            reduced.append(like("keras", keras(f"{keras_call}(target, pred, sample_weight=weight)"), weight="weight"))
        if not params:
            reduced.append(like("optax", optax("softmax_cross_entropy(pred, target).mean()")))
        found.append(case("cross-entropy", "soft-classes", *reduced, rows=torch(rows), **params))
    return found


def forms(weight: list[float]) -> list[Case]:
    """cross-entropy of probabilities and of log-probabilities, clipped in every way there is."""
    found = []
    for data, form, log in (
        ("class-probabilities", "probs", "torch.log(pred)"),
        ("class-log-probabilities", "log-probs", "pred"),
    ):
        for params, more in (({}, ""), ({"class_weight": weight}, ", weight=class_weight")):
            rows = f"F.nll_loss({log}, target, reduction='none'{more})"
            found.append(
                case("cross-entropy", data, *index_values(rows, params), rows=torch(rows), input=form, **params)
            )
        # Of rows that sum to one the log-softmax of the logarithm is the logarithm.
        rows = f"F.cross_entropy({log}, target, reduction='none', weight=class_weight, label_smoothing=0.2)"
        params = {"class_weight": weight, "label_smoothing": 0.2}
        found.append(case("cross-entropy", data, *index_values(rows, params), rows=torch(rows), input=form, **params))
    keras_probs = "losses.SparseCategoricalCrossentropy()"
    like_values = [
        like("keras", keras(f"{keras_probs}(target, pred)")),
        like("keras", keras(f"{keras_probs}(target, pred, sample_weight=weight)"), weight="weight"),
    ]
    for data, count in (("class-probabilities", 4), ("class-probability-edges", 3)):
        metric = f"log_loss(target, pred, labels=range({count})"
        each = f"[log_loss([t], [p], labels=range({count})) for t, p in zip(target, pred)]"
        found += [
            case(
                "cross-entropy",
                data,
                value(sklearn(f"{metric})")),
                value(sklearn(f"{metric}, sample_weight=weight)"), weight="weight"),
                value(sklearn(f"{metric}, normalize=False)"), reduction="sum"),
                rows=sklearn(each),
                input="probs",
                clip="sklearn",
            ),
            case(
                "cross-entropy",
                data,
                value(keras(f"{keras_probs}(target, pred)")),
                *like_values,
                rows=keras("losses.sparse_categorical_crossentropy(target, pred)"),
                input="probs",
                clip="keras",
            ),
            # --like sklearn brings input=probs and its clipping along.
            case(
                "cross-entropy",
                data,
                like("sklearn", sklearn(f"{metric})")),
                like("sklearn", sklearn(f"{metric}, sample_weight=weight)"), weight="weight"),
                rows=None,
            ),
        ]
        for clip, log in (
            ("torch", "torch.log(pred).clamp(min=-100.0)"),
            ("none", "torch.log(pred)"),
            (0.05, "torch.log(pred.clamp(0.05, 0.95))"),
        ):
            rows = f"F.nll_loss({log}, target, reduction='none')"
            mean = value(torch(rows.replace("'none'", "'mean'")))
            found.append(case("cross-entropy", data, mean, rows=torch(rows), input="probs", clip=clip))
    rows = torch("-torch.xlogy(target, pred).sum(1)")
    mean = value(torch("rows.mean()"))
    found.append(case("cross-entropy", "sparse-targets", mean, rows=rows, input="probs"))
    found.append(
        case(
            "cross-entropy",
            "sparse-targets",
            value(keras("losses.CategoricalCrossentropy()(target, pred)")),
            rows=keras("losses.categorical_crossentropy(target, pred)"),
            input="probs",
            clip="keras",
        )
    )
    return found


def class_edges() -> list[Case]:
    rows = "F.cross_entropy(pred, target, reduction='none')"
    found = [
        case("cross-entropy", data, value(torch(rows.replace("'none'", "'mean'"))), rows=torch(rows))
        for data in ("class-edges", "masked-truth", "tied-scores")
    ]
    # Whole numbers in the shape of the scores are a distribution (torch wants them as floats).
    soft = "F.cross_entropy(pred, target.double(), reduction='none')"
    found.append(case("cross-entropy", "one-hot", value(torch("rows.mean()")), rows=torch(soft)))
    heavy = "F.cross_entropy(pred, target, weight=class_weight, reduction='none')"
    params = {"class_weight": [1.0, 0.5, 2.0]}
    found.append(
        case(
            "cross-entropy", "class-edges", value(torch(heavy.replace("'none'", "'mean'"))), rows=torch(heavy), **params
        )
    )
    return found


def likelihoods() -> list[Case]:
    """nll of log-probabilities."""
    weight = [0.5, 1.0, 2.0, 0.25]
    found = []
    for data in ("class-log-probabilities", "ignored-log-probabilities"):
        for params, more in (({}, ""), ({"class_weight": weight}, ", weight=class_weight")):
            rows = f"F.nll_loss(pred, target, reduction='none'{more})"
            same = like("torch", torch(rows.replace("'none'", "'mean'")))
            found.append(case("nll", data, *index_values(rows, params), same, rows=torch(rows), **params))
    for params, more in (({}, ""), ({"class_weight": weight}, ", weight=class_weight")):
        rows = f"F.nll_loss(pred, target, reduction='none', ignore_index=2{more})"
        said = {**params, "ignore_index": 2}
        found.append(
            case("nll", "class-log-probabilities", *index_values(rows, said, "target != 2"), rows=torch(rows), **said)
        )
    return found


def cases() -> list[Case]:
    return [*binary(), *balanced(), *labels(), *likelihood(), *multiclass(), *likelihoods()]


HEAVY_BY_CLASS = [0.5, 1.0, 2.0, 0.25]

SUITS = {
    ("bce", "torch"): [
        [Suit("multilabel"), Suit("probabilities"), Suit("probability-edges")],
        [
            Suit("multilabel-logits", {"input": "logits", "pos_weight": 3.0}),
            Suit("logit-edges", {"input": "logits"}),
        ],
    ],
    ("bce", "keras"): [
        [
            Suit("multilabel"),
            Suit("hard-probability-edges", {}, {"like": "keras"}),
            Suit("hard-probability-edges", differs=True),
        ]
    ],
    ("bce", "sklearn"): [
        [
            Suit("probabilities"),
            Suit("hard-probability-edges", {}, {"like": "sklearn"}),
            Suit("hard-probability-edges", differs=True),
        ]
    ],
    ("bce", "optax"): [[Suit("multilabel-logits", {"input": "logits"})]],
    ("balanced-sigmoid-ce", "torch"): [[Suit("logits", {"beta": 0.75}), Suit("multilabel-logits", {"beta": 0.1})]],
    ("likelihood", "sklearn"): [
        [Suit(data, {}, {"reduction": "mean"}) for data in ("probabilities", "class-probabilities")]
    ],
    ("zero-one", "sklearn"): [[Suit("labels"), Suit("label-sets"), Suit("words")]],
    ("zero-one", "torchmetrics"): [[Suit("eight-labels")], [Suit("label-pairs")]],
    ("cross-entropy", "torch"): [
        [
            Suit("classes"),
            Suit("ignored", {"class_weight": HEAVY_BY_CLASS, "label_smoothing": 0.1}),
            Suit("soft-classes", {"class_weight": HEAVY_BY_CLASS}),
        ]
    ],
    ("cross-entropy", "keras"): [
        [Suit("classes")],
        [
            Suit("class-probabilities", {"input": "probs", "ignore_index": 2}),
            Suit("class-probability-edges", {"input": "probs", "ignore_index": 2}, {"like": "keras"}),
            Suit("class-probability-edges", {"input": "probs", "ignore_index": 2}, differs=True),
        ],
        [Suit("soft-classes", {"label_smoothing": 0.1})],
    ],
    ("cross-entropy", "optax"): [[Suit("classes")], [Suit("soft-classes")]],
    ("cross-entropy", "sklearn"): [
        [Suit("class-probabilities", {"input": "probs"}), Suit("class-probabilities", {}, {"like": "sklearn"})]
    ],
    ("cross-entropy", "torchmetrics"): [[Suit("classes"), Suit("ignored")]],
    ("nll", "torch"): [
        [Suit("class-log-probabilities"), Suit("ignored-log-probabilities", {"class_weight": HEAVY_BY_CLASS})]
    ],
}
