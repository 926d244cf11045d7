"""Frames against a label sequence that nobody aligned with them: CTC, and the error rates of what frames decode to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from lossctl.errors import DataError, UsageError
from lossctl.losses.sequence.inputs import FrameScores, LabelSequence, PredLengths, TargetLengths, Terms
from lossctl.model.findings import Rule, Seen
from lossctl.model.params import Param, Value, When
from lossctl.model.pooled import Pooled
from lossctl.model.registry import loss
from lossctl.model.spec import Arrays, Detail, Equivalent, Paper
from lossctl.sequences.alignment import align
from lossctl.sequences.ctc import frames_needed, nll
from lossctl.sequences.decoding import beam, greedy
from lossctl.sequences.edits import levenshtein
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.symbols import spelled, symbols
from lossctl.sequences.units import shared, split

Params = Mapping[str, Value]

NLL = ("nll",)
INFEASIBLE = Rule("infeasible", "frames are too few for the target: the loss is inf", "warning")
DISCOUNTED = INFEASIBLE._replace(text="frames are too few for the target: the loss is 0, as zero-infinity says")
TORCH = (
    "F.ctc_loss(pred.transpose(0, 1), target, torch.full((pred.shape[0],), pred.shape[1]), "
    "torch.full((target.shape[0],), target.shape[1]), blank=blank, zero_infinity=zero_infinity, reduction={how!r})"
)


def settings(arrays: Arrays, params: Params) -> str | None:
    """What only shows once the classes are known."""
    classes, blank = arrays["pred"].values.shape[-1], int(str(params["blank"]))
    if not -classes <= blank < classes:
        raise DataError(
            f"ctc: blank = {blank} is not one of the {classes} classes: 0 to {classes - 1}",
            code="blank",
            hint="--blank -1 is the last class",
        )
    if params["score"] == "wer" and params["tokens"] is None:
        raise DataError(
            "ctc: score=wer counts words, and nothing says which labels make words",
            code="no-tokens",
            hint='--tokens FILE names the symbol of each class; a space, "|" or the mark of sentencepiece ends a word',
        )
    if params["tokens"] is not None and params["decode"] == "none" and not params["force_align"]:
        raise UsageError(
            "ctc: tokens name what is decoded or aligned, and nothing is",
            code="idle-parameter",
            hint="--decode greedy|beam or --force-align, or leave --tokens out",
        )
    if params["tokens"] is not None and len(symbols(str(params["tokens"]))) != classes:
        count = len(symbols(str(params["tokens"])))
        raise DataError(
            f"ctc: {count} symbols for {classes} classes",
            code="bad-tokens",
            file=str(params["tokens"]),
            hint="one symbol a line for each class, the blank among them",
        )
    return None


def infeasible(arrays: Arrays, params: Params) -> list[Seen]:
    """Rows with fewer frames than their target needs."""
    if params["score"] != "nll":
        return []
    frames = arrays["pred"].lengths
    return [(DISCOUNTED if params["zero_infinity"] else INFEASIBLE, frames < frames_needed(arrays["target"]), frames)]


def decode(pred: Ragged, params: Params) -> Ragged:
    form, blank = str(params["input"]), int(str(params["blank"]))
    if params["decode"] == "beam":
        return beam(pred, form, blank, int(str(params["beam_width"])))[0]
    return greedy(pred, form, blank)[0]


def decoded(arrays: Arrays, params: Params) -> list[Any]:
    """What frames say, as text where symbols are known, else as class indices."""
    labels = decode(arrays["pred"], params)
    if params["tokens"] is not None:
        return list(spelled(labels, str(params["tokens"])))
    return [labels.row(n).tolist() for n in range(len(labels))]


def aligned(arrays: Arrays, params: Params) -> list[Any]:
    """Where the labels of the target stand: each with its first and last frame, and the cost of these frames."""
    found, _ = align(arrays["pred"], arrays["target"], str(params["input"]), int(str(params["blank"])))
    names = None if params["tokens"] is None else symbols(str(params["tokens"]))
    return [
        None
        if segments is None
        else [{**one._asdict(), "label": one.label if names is None else names[one.label]} for one in segments]
        for segments in found
    ]


def costs(pred: Ragged, target: Ragged, params: Params) -> Terms:
    """Of the loss itself: what is summed over what, and the row's own value."""
    found = nll(pred, target, form=str(params["input"]), blank=int(str(params["blank"])))
    if params["zero_infinity"]:
        found = np.where(np.isinf(found), 0.0, found)
    one = np.ones(len(found))
    labels, frames = target.lengths.astype(np.float64), pred.lengths.astype(np.float64)
    over, under = {
        "target": (found / np.maximum(labels, 1), one),
        "batch": (found, one),
        "label": (found, labels),
        "frame": (found, frames),
    }[str(params["divisor"])]
    return {"row": found, "total": found, "over": over, "under": under, "labels": labels, "frames": frames}


def errors(pred: Ragged, target: Ragged, params: Params) -> Terms:
    """Of the decoded labels: edits over units of the target, of words or characters where symbols are known."""
    ref, hyp = target, decode(pred, params)
    if params["tokens"] is not None:
        unit = "word" if params["score"] == "wer" else "char"
        texts = (Ragged.texts(spelled(side, str(params["tokens"]))) for side in (ref, hyp))
        ref, hyp = shared(*(split(text, unit) for text in texts))
    edits, units = levenshtein(ref, hyp), ref.lengths.astype(np.float64)
    if params["score"] == "ser":
        wrong = (edits > 0).astype(np.float64)
        return {"row": wrong, "total": wrong, "over": wrong, "under": np.ones(len(wrong))}
    rate: NDArray[np.float64] = edits / np.where(units > 0, units, 1)
    return {"row": rate, "total": edits, "over": edits, "under": units, "errors": edits, "units": units}


@loss(
    title="Connectionist temporal classification (CTC)",
    reduce=Pooled(
        total="total",
        parts=("labels", "frames", "errors", "units"),
        ratio=("over", "under"),
    ),
    unit="nats",
    units={"score": {"cer": "errors a unit", "wer": "errors a unit", "ser": "1"}},
    range="0 to inf",
    aliases=("connectionist-temporal-classification",),
    paper=Paper(
        "A. Graves, S. Fernandez, F. Gomez, J. Schmidhuber",
        2006,
        "Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural networks",
        doi="10.1145/1143844.1143891",
    ),
    see=("rnn-t", "cer", "wer"),
    tasks=("speech recognition", "handwriting", "OCR", "unsegmented labels", "forced alignment", "CER", "WER"),
    like={
        "torch": {},
        "keras": {"input": "logits", "divisor": "batch"},
        "optax": {"input": "logits", "divisor": "batch"},
    },
    equivalents=(
        Equivalent("torch", TORCH.format(how="mean"), "lengths of frames and targets as tensors of their own"),
        Equivalent("torch", TORCH.format(how="sum") + " / len(pred)", "the mean over rows: --divisor batch"),
        Equivalent(
            "keras",
            "losses.CTC()(target, pred)",
            "logits; 0 is the blank and ends a target; the mean over rows: --input logits --divisor batch",
        ),
        Equivalent(
            "optax",
            "ctc_loss(pred, jnp.zeros(pred.shape[:2]), target, jnp.zeros(target.shape), blank_id=blank).mean()",
            "logits; log 0 is -1e5 there, so that what is impossible costs about 1e5 instead of inf",
        ),
    ),
    traps=(
        "the mean divides each row by the length of its target first, as torch's: --divisor batch|label|frame does not",
        "log-probabilities are expected, as in torch; --input logits for what TensorFlow, Keras and optax take",
        "the blank is class 0; it is the last one (--blank -1) in Keras' ctc_batch_cost and TensorFlow's older ops",
        "a target that needs more frames than there are costs inf: each label needs one, and one more stands between "
        "two that are the same; with zero-infinity it costs 0 and still counts in the mean",
        "rows of log-probabilities that add up to more than 1 (a warning says so) may cost less than 0",
        "padding is not looked at: give input-lengths and target-lengths, or end targets with negative numbers",
        "torch takes frames before rows (T x N x C): --layout TNC",
    ),
    align=settings,
    checks=infeasible,
    details=(
        Detail("decoded", decoded, lambda params: params["decode"] != "none"),
        Detail("alignment", aligned, lambda params: bool(params["force_align"])),
    ),
)
def ctc(
    pred: FrameScores,
    target: LabelSequence,
    input_lengths: PredLengths = None,
    target_lengths: TargetLengths = None,
    *,
    input: Annotated[str, Param("what the scores are", choices=("logits", "log-probs", "probs"))] = "log-probs",
    blank: Annotated[int, Param("the class that says nothing; -1 is the last one")] = 0,
    zero_infinity: Annotated[
        bool, Param("an infinite loss counts as 0, as in torch", when=When("score", NLL, False))
    ] = False,
    divisor: Annotated[
        str,
        Param(
            "what the mean divides by: each row by its target's length and then by the rows, or all by rows, labels "
            "or frames",
            choices=("target", "batch", "label", "frame"),
            when=When("score", NLL, "target"),
        ),
    ] = "target",
    score: Annotated[
        str,
        Param(
            "the loss, or how often decoded labels are wrong: by label (or character), word or sequence",
            choices=("nll", "cer", "wer", "ser"),
            when=When("decode", ("greedy", "beam"), "nll"),
        ),
    ] = "nll",
    decode: Annotated[
        str, Param("labels of the best path, or of a prefix beam search", choices=("none", "greedy", "beam"))
    ] = "none",
    beam_width: Annotated[
        int, Param("prefixes that a beam search keeps", ge=1, when=When("decode", ("beam",), 10))
    ] = 10,
    force_align: Annotated[bool, Param("say where the labels of the target stand on the best path")] = False,
    tokens: Annotated[
        str | None, Param("a file of what each class stands for: one symbol a line, or a JSON list", file=True)
    ] = None,
) -> Terms:
    """Negative log-probability of a label sequence, over all ways to spread it over the frames.

    With y(t, k) the probability of class k at frame t, z the target with a blank before, between and behind its
    labels, and paths that may stand still, move on, or pass over a blank between two labels that differ:

        a(t, s) = (a(t-1, s) + a(t-1, s-1) + [z_s is no blank and not z_(s-2)] a(t-1, s-2)) y(t, z_s)
        -log(a(T, 2S) + a(T, 2S-1))

    >>> ctc(np.zeros((1, 2, 3)), [[1]], input="logits")
    array([1.09861229])
    """
    params: dict[str, Value] = {
        "input": input,
        "blank": blank,
        "zero_infinity": zero_infinity,
        "divisor": divisor,
        "score": score,
        "decode": decode,
        "beam_width": beam_width,
        "tokens": tokens,
    }
    return costs(pred, target, params) if score == "nll" else errors(pred, target, params)
