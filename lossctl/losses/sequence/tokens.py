"""What a language model thinks of the tokens that came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np

from lossctl import numerics
from lossctl.errors import DataError, UsageError
from lossctl.losses.classification.options import CLASS_WEIGHT
from lossctl.losses.sequence.inputs import Amount, Count, SharedLengths, Terms, TextScores, TokenIds, TokenScores
from lossctl.losses.types import Rows
from lossctl.model.findings import Rule, Seen
from lossctl.model.laws import NONNEGATIVE
from lossctl.model.params import Param, Value
from lossctl.model.perplexity import ExpPooled
from lossctl.model.pooled import Pooled, SampleMean
from lossctl.model.reduce import Switch
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Equivalent, Preset
from lossctl.model.tokens import BASE, natural, one_a_token
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.tokens import Costs, given_costs, token_costs

INPUT = Param("what the predictions are; never guessed", choices=("logits", "log-probs", "probs"))
SHIFT = Param("scores at one place are for the token at the next, as causal models of Hugging Face give them")
PAIRED = Rule("lengths-differ", "is not the number of tokens of its row", hint="--input-lengths says how many count")
WHOLE = ("shift", "class_weight", "label_smoothing")  # what only scores of the whole vocabulary can have


def one_score_a_token(arrays: Arrays, params: Mapping[str, Value]) -> list[Seen]:
    """Scores and tokens are as many."""
    if "target" not in arrays:
        return []
    return [(PAIRED, arrays["pred"].lengths != arrays["target"].lengths, arrays["pred"].lengths)]


def tokens_fit(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """Scores of a vocabulary stand beside tokens; a token's own number is a (log-)probability."""
    pred = arrays["pred"]
    if one_a_token(pred):
        for name in WHOLE:
            if params.get(name):
                raise UsageError(
                    f"{name} needs scores of the whole vocabulary, and pred has one number for each token",
                    code="idle-parameter",
                    hint=f"leave {name} out, or give N x T x V scores",
                )
        if params["input"] == "logits":
            raise DataError(
                "pred has one number for each token, which cannot be a logit",
                code="shape",
                hint="add --input log-probs, or give N x T x V scores",
            )
        return None
    if "target" not in arrays:
        raise DataError(
            "pred has scores of a whole vocabulary, and nothing says which tokens came",
            code="column-not-found",
            hint="name the token ids: --target",
        )
    weight = params.get("class_weight")
    classes = pred.values.shape[-1]
    if isinstance(weight, tuple) and len(weight) != classes:
        return f"class_weight has {len(weight)} values for {classes} tokens"
    return None


def costs_of(
    pred: Ragged,
    target: Ragged | None,
    form: str,
    base: str,
    *,
    shift: bool = False,
    weight: tuple[float, ...] | None = None,
    smoothing: float = 0.0,
) -> Costs:
    """What the tokens of each row cost, in nats."""
    scale = natural({"base": base})
    if target is None or one_a_token(pred):
        values = numerics.safe_log(pred.values) if form == "probs" else pred.values * scale
        logs = Ragged(values, pred.starts, pred.lengths, step=pred.step)
        return given_costs(logs, target)
    weights = None if weight is None else np.asarray(weight)
    found = token_costs(pred, target, form=form, shift=shift, weight=weights, smoothing=smoothing)
    return found if scale == 1.0 else found._replace(loss=found.loss * scale)


def over(a: Rows, b: Rows) -> Rows:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(a / b)


@loss(
    title="Negative log-likelihood of tokens",
    reduce=Switch(
        "average",
        {
            "token": Pooled(total="nll", parts=("tokens",), ratio=("nll", "divisor")),
            "sequence": SampleMean(parts=("tokens",)),
        },
    ),
    unit="nats",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("lm-loss", "sequence-ce", "sequence-cross-entropy"),
    see=("cross-entropy", "perplexity", "bits-per-byte"),
    tasks=("language model", "translation", "sequence to sequence"),
    equivalents=(
        Equivalent(
            "torch",
            "F.cross_entropy(pred.transpose(1, 2), target, weight=class_weight, ignore_index=ignore_index, "
            "label_smoothing=label_smoothing)",
            "classes on axis 1",
        ),
        Equivalent(
            "torch",
            "F.cross_entropy(pred[:, :-1].transpose(1, 2), target[:, 1:], ignore_index=ignore_index)",
            "shift, as causal models of Hugging Face do inside",
        ),
        Equivalent(
            "keras",
            "losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=ignore_index)(target, pred)",
            "nothing is ignored there unless ignore_class is given",
        ),
        Equivalent("optax", "softmax_cross_entropy_with_integer_labels(pred, target).mean()", "nothing is ignored"),
    ),
    traps=(
        "the mean is over all tokens, so that long sequences count for more: --average sequence weighs them alike",
        "a row's own value is the sum over its tokens (with --average sequence their mean)",
        "logits of causal models say what comes next: --shift, unless tokens were moved already",
        "token 0 is a token like others: padding is ignore_index, or lies beyond --input-lengths",
    ),
    align=tokens_fit,
    checks=one_score_a_token,
)
def token_nll(
    pred: TokenScores,
    target: TokenIds = None,
    input_lengths: SharedLengths = None,
    *,
    input: Annotated[str, INPUT] = "logits",
    shift: Annotated[bool, SHIFT] = False,
    average: Annotated[
        str, Param("whether every token counts the same, or every sequence", choices=("token", "sequence"))
    ] = "token",
    class_weight: Annotated[tuple[float, ...] | None, CLASS_WEIGHT] = None,
    label_smoothing: Annotated[
        float, Param("share of the target that is spread evenly over the vocabulary", ge=0, le=1)
    ] = 0.0,
    base: Annotated[str, BASE] = "e",
) -> Terms:
    """Negative log-probability of the tokens that came, per token.

    With lp the log-softmax of the scores at a place (or the log-probability given for it), y its token, w the class
    weights, s the label smoothing, V tokens in the vocabulary:

        l_t = -(1 - s) w_y lp_y - s / V sum_c w_c lp_c
        sum_t l_t                                          a row's own value
        sum over all rows of l_t / sum of w_y              the mean
        mean over rows of (sum_t l_t / sum_t w_y)          with average=sequence

    >>> token_nll([[-0.1, -0.2, -0.1]], input="log-probs")
    array([0.4])
    """
    found = costs_of(pred, target, input, base, shift=shift, weight=class_weight, smoothing=label_smoothing)
    own = found.loss if average == "token" else over(found.loss, found.divisor)
    return {"row": own, "nll": found.loss, "divisor": found.divisor, "tokens": found.tokens}


@loss(
    title="Perplexity",
    reduce=ExpPooled("nll", "tokens", parts=("tokens",)),
    unit="1",
    range="1 to inf",
    laws={NONNEGATIVE},
    aliases=("ppl",),
    see=("token-nll", "bits-per-byte"),
    tasks=("language model",),
    equivalents=(
        Equivalent("torchmetrics", "perplexity(pred, target, ignore_index=ignore_index)", "ignores nothing by default"),
        Equivalent(
            "torch",
            "torch.exp(F.cross_entropy(pred.transpose(1, 2), target, ignore_index=ignore_index))",
            "classes on axis 1",
        ),
    ),
    traps=(
        "the mean of perplexities is another number, and no perplexity: it stands beside the value as sample_mean",
        "perplexities under different vocabularies do not compare: bits-per-byte do",
        "logits of causal models say what comes next: --shift, unless tokens were moved already",
    ),
    align=tokens_fit,
    checks=one_score_a_token,
)
def perplexity(
    pred: TokenScores,
    target: TokenIds = None,
    input_lengths: SharedLengths = None,
    *,
    input: Annotated[str, INPUT] = "logits",
    shift: Annotated[bool, SHIFT] = False,
    base: Annotated[str, BASE] = "e",
) -> Terms:
    """The number of equally likely tokens that would be as hard to guess.

    With lp the log-probability of each token that came:

        exp(-mean over all tokens of lp)
        exp(-mean over its tokens of lp)      a row's own value

    >>> perplexity(np.log([[0.5, 0.25, 0.125]]), input="log-probs")
    array([4.])
    """
    found = costs_of(pred, target, input, base, shift=shift)
    with np.errstate(over="ignore"):
        return {"row": np.exp(over(found.loss, found.tokens)), "nll": found.loss, "tokens": found.tokens}


def something_to_count(arrays: Arrays, params: Mapping[str, Value]) -> str | None:
    """There is a text, or a count for each row."""
    if "text" not in arrays and "units" not in arrays:
        raise DataError(
            "nothing says how much text the tokens are",
            code="column-not-found",
            hint="name the text (--text) or a column of counts (--units)",
        )
    return tokens_fit(arrays, params)


def amount_of(text: Ragged, unit: str) -> Rows:
    """(N,) bytes of UTF-8, or characters (bytes that go on with one do not count)."""
    if unit == "byte":
        return text.lengths.astype(np.float64)
    begins = (text.flat() & 0xC0) != 0x80
    return np.bincount(text.owners()[begins], minlength=len(text)).astype(np.float64)


@loss(
    title="Bits per byte",
    reduce=Pooled(total="bits", parts=("tokens", "units"), ratio=("bits", "units")),
    unit="bits per byte",
    range="0 to inf",
    laws={NONNEGATIVE},
    aliases=("bpb",),
    presets=(
        Preset(
            "bits-per-char",
            "Bits per character",
            "Bits that the tokens cost for each character of their text.",
            {"unit": "char"},
            aliases=("bpc", "bits-per-character"),
        ),
    ),
    see=("perplexity", "token-nll"),
    tasks=("language model", "compression"),
    traps=(
        "one number a row is taken for the log-probability of all of its text (perplexity would need the tokens)",
        "all bytes of the text count, also those of a first token that nothing is said about",
        "per byte and per character differ in all text that is not plain ASCII",
    ),
    align=something_to_count,
    checks=one_score_a_token,
)
def bits_per_byte(
    pred: TextScores,
    target: TokenIds = None,
    text: Amount = None,
    units: Count = None,
    input_lengths: SharedLengths = None,
    *,
    unit: Annotated[
        str, Param("what is counted in the text: bytes of UTF-8, or characters (code points)", choices=("byte", "char"))
    ] = "byte",
    input: Annotated[str, INPUT] = "logits",
    shift: Annotated[bool, SHIFT] = False,
    base: Annotated[str, BASE] = "e",
) -> Terms:
    """Bits that the tokens cost for each byte of their text, whatever the vocabulary.

    With lp the natural log-probability of each token that came, B the bytes of their text, or the counts given
    (``units``, before the text where both are there):

        -sum over all tokens of lp / (log(2) sum of B)
        -sum_t lp_t / (log(2) B)                           a row's own value

    >>> bits_per_byte(np.log([[0.5, 0.25, 0.125]]), text=["ten bytes."], input="log-probs")
    array([0.6])
    """
    found = costs_of(pred, target, input, base, shift=shift)
    bits = found.loss / np.log(2.0)
    amount = amount_of(text, unit) if units is None and text is not None else np.asarray(units)
    own = np.where((bits == 0) & (amount == 0), 0.0, over(bits, amount))  # nothing costs nothing
    return {"row": own, "bits": bits, "units": amount, "tokens": found.tokens}
