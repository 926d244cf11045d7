"""Golden cases of CTC: torch has it, mpmath has its digits."""

from __future__ import annotations

from typing import Any

import numpy as np
from cases import Case, Suit
from declare import case, exact, keras, like, naive, optax, torch, value
from inputs import Arrays, Rng, weights

FRAMES, LABELS, CLASSES = 9, 3, 4


def log_softmax(logits: Any) -> Any:
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


def frames(form: str, *, blank: int = 0, few: bool = False, cut: bool = False, by_time: bool = False) -> Any:
    """``few``: frames that are often too few for their targets; ``cut``: with lengths of both sides."""

    def make(rng: Rng, rows: int) -> Arrays:
        logits = 2 * rng.normal(size=(rows, LABELS if few else FRAMES, CLASSES))
        pred = {"logits": logits, "log-probs": log_softmax(logits), "probs": np.exp(log_softmax(logits))}[form]
        found = {"pred": pred, "target": (blank + rng.integers(1, CLASSES, size=(rows, LABELS))) % CLASSES}
        if cut:
            found["input-lengths"] = rng.integers(LABELS - 1, FRAMES + 1, size=rows)
            found["target-lengths"] = rng.integers(0, LABELS + 1, size=rows)
        if by_time:
            found["pred"] = np.ascontiguousarray(np.swapaxes(pred, 0, 1))
        return {**found, "weight": weights(rng, rows)}

    return make


def sure_frames() -> Arrays:
    """Models that are all but sure of the target, of blanks alone, and of something else."""
    labels = [[1, 2], [1, 1], [3, 3], [2, 1]]
    paths = [[1, 1, 0, 2, 2, 0], [1, 0, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0], [3, 3, 3, 3, 3, 3]]
    sizes = [12.0, 30.0, 25.0, 400.0]
    pred = np.zeros((4, 6, CLASSES))
    for n, (path, size) in enumerate(zip(paths, sizes, strict=True)):
        pred[n, np.arange(6), path] = size
    return {"pred": pred, "target": np.array(labels), "weight": np.array([1.0, 0.5, 2.0, 1.0])}


def masked_frames() -> Arrays:
    """Classes that cannot be at some frames; of the last row, a label that is needed."""
    logits = np.linspace(-2, 2, 3 * 5 * CLASSES).reshape(3, 5, CLASSES)
    logits[0, 2, 1] = logits[1, :, 3] = logits[2, :, 2] = -np.inf
    return {"pred": logits, "target": np.array([[1, 2], [1, 1], [2, 3]]), "weight": np.array([1.0, 0.5, 2.0])}


RANDOM = {
    "frames": frames("log-probs"),
    "logit-frames": frames("logits"),
    "prob-frames": frames("probs"),
    "few-frames": frames("log-probs", few=True),
    "few-logit-frames": frames("logits", few=True),
    "last-blank-frames": frames("log-probs", blank=CLASSES - 1),
    "cut-frames": frames("log-probs", cut=True),
    "frames-by-time": frames("log-probs", by_time=True),
}
EDGES = {"sure-frames": sure_frames(), "masked-frames": masked_frames()}

FORMS = {"log-probs": "pred", "logits": "pred.log_softmax(2)", "probs": "pred.log()"}


def call(how: str, *, form: str = "log-probs", cut: bool = False, by_time: bool = False, more: str = "") -> str:
    scores = FORMS[form] if by_time else f"{FORMS[form]}.transpose(0, 1)"
    lengths = "input_lengths, target_lengths"
    if not cut:
        count = f"pred.shape[{0 if by_time else 1}]"
        lengths = f"torch.full((len(target),), {count}), torch.full((len(target),), target.shape[1])"
    return f"F.ctc_loss({scores}, target, {lengths}{more}, reduction={how!r})"


def both(data: str, more: str = "", *, form: str = "log-probs", **params: Any) -> Case:
    """The loss with torch's mean, and weighted by arithmetic on its rows."""
    shape = {"form": form, "cut": data == "cut-frames", "by_time": data.endswith("time"), "more": more}
    rows = call("none", **shape)
    sizes = "target_lengths.clamp(min=1)" if shape["cut"] else "target.shape[1]"
    return case(
        "ctc",
        data,
        value(torch(call("mean", **shape))),
        value(torch(call("sum", **shape)), reduction="sum"),
        value(torch("rows.max()"), reduction="max"),
        value(torch(f"(weight * rows / {sizes}).sum() / weight.sum()"), weight="weight"),
        like("torch", torch(call("mean", **shape))),
        rows=torch(rows),
        **params,
    )


def divided(data: str, divisor: str, under: str, weighted: str) -> Case:
    rows = call("none", cut=data == "cut-frames")
    return case(
        "ctc",
        data,
        value(torch(f"rows.sum() / {under}")),
        value(torch(f"(weight * rows).sum() / {weighted}"), weight="weight"),
        rows=torch(rows),
        divisor=divisor,
    )


def rate(width: int | None, **params: Any) -> Case:
    edits = "decoded_edits(pred, target)" if width is None else f"decoded_edits(pred, target, {width})"
    return case(
        "ctc",
        "frames",
        value(naive(f"sum({edits}) / sum(map(len, target))")),
        value(naive(f"float(sum({edits}))"), reduction="sum"),
        rows=naive(f"[e / len(t) for e, t in zip({edits}, target)]"),
        score="cer",
        **params,
    )


def rates() -> list[Case]:
    wrong = "[float(e > 0) for e in decoded_edits(pred, target)]"
    mean = value(naive(f"sum({wrong}) / len(target)"))
    return [
        rate(None, decode="greedy"),
        rate(10, decode="beam"),
        rate(2, decode="beam", beam_width=2),
        case("ctc", "frames", mean, rows=naive(wrong), score="ser", decode="greedy"),
    ]


def cases() -> list[Case]:
    return [
        both("frames"),
        both("logit-frames", form="logits", input="logits"),
        both("prob-frames", form="probs", input="probs"),
        both("frames-by-time", layout="TNC"),
        case(
            "ctc",
            "few-frames",
            value(torch(call("mean"))),
            value(torch(call("sum")), reduction="sum"),
            rows=torch(call("none")),
        ),
        both("last-blank-frames", ", blank=3", blank=-1),
        both("last-blank-frames", ", blank=3", blank=3, force_align=True),
        both("few-frames", ", zero_infinity=True", zero_infinity=True),
        case("ctc", "cut-frames", rows=naive("ctc_rows(pred, target, 'log-probs', 0, input_lengths, target_lengths)")),
        both("cut-frames", ", zero_infinity=True", zero_infinity=True),
        divided("frames", "batch", "len(pred)", "weight.sum()"),
        divided("frames", "label", "target.numel()", "(weight.sum() * target.shape[1])"),
        divided("frames", "frame", "(pred.shape[0] * pred.shape[1])", "(weight.sum() * pred.shape[1])"),
        case(
            "ctc",
            "logit-frames",
            like("keras", keras("losses.CTC()(target, pred)")),
            like(
                "optax",
                optax("ctc_loss(pred, jnp.zeros(pred.shape[:2]), target, jnp.zeros(target.shape)).mean()"),
            ),
            rows=naive("ctc_rows(pred, target, 'logits')"),
            input="logits",
            divisor="batch",
        ),
        case("ctc", "sure-frames", rows=exact("ctc_rows(pred, target, 'logits')"), input="logits"),
        case("ctc", "masked-frames", rows=exact("ctc_rows(pred, target, 'logits')"), input="logits"),
        *rates(),
    ]


SUITS = {
    ("ctc", "torch"): [
        [Suit("frames"), Suit("few-frames", {"zero_infinity": True})],
        [Suit("frames", {"divisor": "batch"})],
    ],
    ("ctc", "keras"): [[Suit("logit-frames", {"input": "logits", "divisor": "batch"})]],
    ("ctc", "optax"): [[Suit("logit-frames", {"input": "logits", "divisor": "batch"})]],
}
