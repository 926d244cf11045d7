"""Golden cases of tokens under a language model: torch's cross-entropy, and torchmetrics' perplexity."""

from __future__ import annotations

import numpy as np
from cases import Case, Suit
from declare import case, torch, value
from inputs import Arrays, Rng, weights

VOCABULARY = 6
PLACES = 5
CLASS_WEIGHT = (0.5, 1.0, 2.0, 0.0, 1.5, 3.0)


def tokens(form: str = "logits", ignored: int | None = -100):  # type: ignore[no-untyped-def]
    def make(rng: Rng, rows: int) -> Arrays:
        logits = 2 * rng.normal(size=(rows, PLACES, VOCABULARY))
        target = rng.integers(0, VOCABULARY, size=(rows, PLACES))
        if ignored is not None:
            target[rng.random(size=target.shape) < 0.3] = ignored
            target[:, 1] = (np.arange(rows) * 2 + 1) % VOCABULARY  # in every row there is one that counts
        prob = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
        pred = {"logits": logits, "probs": prob, "log-probs": np.log(prob), "log2": np.log2(prob)}[form]
        return {"pred": pred, "target": target, "weight": weights(rng, rows)}

    return make


def spelled(make, counted: bool = False):  # type: ignore[no-untyped-def]
    """With the text, and counts that go before it."""

    def whole(rng: Rng, rows: int) -> Arrays:
        text = np.array(["née " * (1 + n % 3) for n in range(rows)])
        counts = {"units": rng.integers(1, 9, size=rows)} if counted else {}
        return {**make(rng, rows), "text": text, **counts}

    return whole


def by_time(make):  # type: ignore[no-untyped-def]
    """The same with places before rows in the scores."""

    def turned(rng: Rng, rows: int) -> Arrays:
        arrays = make(rng, rows)
        return {**arrays, "pred": np.ascontiguousarray(np.swapaxes(arrays["pred"], 0, 1))}

    return turned


RANDOM = {
    "tokens": tokens(),
    "all-tokens": tokens(ignored=None),
    "tokens-but-2": tokens(ignored=2),
    "log-prob-tokens": tokens("log-probs"),
    "log2-tokens": tokens("log2"),
    "prob-tokens": tokens("probs"),
    "tokens-by-time": by_time(tokens()),
    "spelled-tokens": spelled(tokens()),
    "spelled-all-tokens": spelled(tokens(ignored=None)),
    "spelled-tokens-but-2": spelled(tokens(ignored=2)),
    "spelled-log-prob-tokens": spelled(tokens("log-probs")),
    "spelled-log2-tokens": spelled(tokens("log2")),
    "spelled-prob-tokens": spelled(tokens("probs")),
    "spelled-tokens-by-time": spelled(by_time(tokens())),
    "counted-tokens": spelled(tokens(), counted=True),
}

CE = "F.cross_entropy(pred.transpose(1, 2), target, reduction='none'{more})"
SHIFTED = "F.cross_entropy(pred[:, :-1].transpose(1, 2), target[:, 1:], reduction='none'{more})"
FORMS = {
    "log-prob-tokens": "F.nll_loss(pred.transpose(1, 2), target, reduction='none')",
    "log2-tokens": "F.nll_loss(pred.transpose(1, 2) * math.log(2), target, reduction='none')",
    "prob-tokens": "F.nll_loss(pred.log().transpose(1, 2), target, reduction='none')",
}
FORM_PARAMS = {
    "log-prob-tokens": {"input": "log-probs"},
    "log2-tokens": {"input": "log-probs", "base": "2"},
    "prob-tokens": {"input": "probs"},
}


def settings():  # type: ignore[no-untyped-def]
    """Data, parameters, the losses of tokens (0 where none counts), and what each counts as."""
    counts = "(target != -100).double()"
    yield "tokens", {}, CE.format(more=""), counts
    yield "all-tokens", {"ignore_index": None}, CE.format(more=""), "torch.ones_like(target).double()"
    yield "tokens-but-2", {"ignore_index": 2}, CE.format(more=", ignore_index=2"), "(target != 2).double()"
    turned = "pred.transpose(0, 1).transpose(1, 2)"
    yield "tokens-by-time", {"layout": "TNC"}, CE.format(more="").replace("pred.transpose(1, 2)", turned), counts
    yield "tokens", {"shift": True}, SHIFTED.format(more=""), "(target[:, 1:] != -100).double()"
    for data, call in FORMS.items():
        yield data, FORM_PARAMS[data], call, counts


def smoothed():  # type: ignore[no-untyped-def]
    weight = "torch.tensor(" + repr(list(CLASS_WEIGHT)) + ")"
    counts = "(target != -100).double()"
    weighted = f"torch.where(target >= 0, {weight}[target.clamp(min=0)], 0.0)"
    for smoothing in (0.1, 1.0):
        yield {"label_smoothing": smoothing}, CE.format(more=f", label_smoothing={smoothing}"), counts
    yield {"class_weight": CLASS_WEIGHT}, CE.format(more=f", weight={weight}"), weighted
    more = f", weight={weight}, label_smoothing=0.2"
    yield {"class_weight": CLASS_WEIGHT, "label_smoothing": 0.2}, CE.format(more=more), weighted


def nll(data: str, params: dict[str, object], losses: str, counts: str) -> Case:
    mean = torch(f"({losses}).sum() / ({counts}).sum()")
    weighted = torch(f"(weight * ({losses}).sum(1)).sum() / (weight * ({counts}).sum(1)).sum()")
    return case(
        "token-nll",
        data,
        value(mean),
        value(torch(f"({losses}).sum()"), reduction="sum"),
        value(weighted, weight="weight"),
        value(torch("rows.max()"), reduction="max"),
        rows=torch(f"({losses}).sum(1)"),
        **params,
    )


def by_sequence(data: str, params: dict[str, object], losses: str, counts: str) -> Case:
    return case(
        "token-nll",
        data,
        value(torch("rows.mean()")),
        value(torch("(weight * rows).sum() / weight.sum()"), weight="weight"),
        rows=torch(f"({losses}).sum(1) / ({counts}).sum(1)"),
        average="sequence",
        **params,
    )


def ppl(data: str, params: dict[str, object], losses: str, counts: str) -> Case:
    return case(
        "perplexity",
        data,
        value(torch(f"torch.exp(({losses}).sum() / ({counts}).sum())")),
        value(
            torch(f"torch.exp((weight * ({losses}).sum(1)).sum() / (weight * ({counts}).sum(1)).sum())"),
            weight="weight",
        ),
        value(
            torch("rows.median() if len(rows) % 2 else rows.sort()[0][len(rows) // 2 - 1:][:2].mean()"),
            reduction="median",
        ),
        rows=torch(f"torch.exp(({losses}).sum(1) / ({counts}).sum(1))"),
        **params,
    )


def bits() -> list[Case]:
    """The e with its accent is two bytes, so that a word and its space are five bytes and four characters."""
    found = []
    for data, params, losses, _ in settings():
        for loss, size in (("bits-per-byte", 5), ("bits-per-char", 4)):
            amounts = f"torch.tensor([{size}.0 * (1 + n % 3) for n in range(len(target))])"
            found.append(bits_case(loss, f"spelled-{data}", losses, amounts, params))
            if loss == "bits-per-char" and not params:
                found.append(bits_case("bits-per-byte", f"spelled-{data}", losses, amounts, {"unit": "char"}))
    return [*found, bits_case("bits-per-byte", "counted-tokens", CE.format(more=""), "units.double()", {})]


def bits_case(loss: str, data: str, losses: str, amounts: str, params: dict[str, object]) -> Case:
    own = f"({losses}).sum(1) / math.log(2)"
    return case(
        loss,
        data,
        value(torch(f"({own}).sum() / ({amounts}).sum()")),
        value(torch(f"({own}).sum()"), reduction="sum"),
        value(torch(f"(weight * {own}).sum() / (weight * {amounts}).sum()"), weight="weight"),
        rows=torch(f"({own}) / {amounts}"),
        **params,
    )


def cases() -> list[Case]:
    found = [nll(*setting) for setting in settings()]
    found += [nll("tokens", *setting) for setting in smoothed()]
    found += [by_sequence("tokens", {}, CE.format(more=""), "(target != -100).double()")]
    found += [ppl(*setting) for setting in settings()]
    return found + bits()


SUITS = {
    ("token-nll", "torch"): [
        [
            Suit("tokens"),
            Suit("tokens-but-2", {"ignore_index": 2}),
            Suit("tokens", {"class_weight": CLASS_WEIGHT, "label_smoothing": 0.1}),
        ],
        [Suit("tokens", {"shift": True})],
    ],
    ("token-nll", "keras"): [[Suit("tokens-but-2", {"ignore_index": 2})]],
    ("token-nll", "optax"): [[Suit("all-tokens")]],
    ("perplexity", "torchmetrics"): [[Suit("tokens")]],
    ("perplexity", "torch"): [[Suit("tokens"), Suit("tokens-but-2", {"ignore_index": 2})]],
}
