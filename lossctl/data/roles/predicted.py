"""Which column holds the predictions: by the names that fit what a loss wants, and by the label they are for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from lossctl.data.roles import columns as cols
from lossctl.data.roles.columns import Found
from lossctl.data.source import Source
from lossctl.errors import DataError
from lossctl.model.kinds import Kind

__all__ = ["companion", "search_pred"]


def search_pred(kind: Kind, source: Source, given: Sequence[str]) -> Found | None:
    """Predictions: by the names that fit the kind, most telling first."""
    outputs = ("y_pred_", "pred_", "rawformulaval:dim=")
    if kind.columns == "one":
        hit = cols.by_name(source, "pred", (*cols.PRED, *cols.SCORE, *cols.RAW))
        return hit or companion(source, "pred", "pred", given)
    if kind.columns == "tokens":
        return token_scores(source)
    if kind.columns == "any":
        return (
            cols.by_name(source, "pred", cols.PRED)
            or cols.family(source, "pred", outputs)
            or companion(source, "pred", "pred", given)
            or (decided(source) if kind.decides else None)
            or (decision(source, given) if kind.decides else None)
            or cols.by_name(source, "pred", cols.RAW)
        )
    if kind.columns == "masks":
        hit = cols.by_name(source, "pred", (*cols.CLASS_LISTS, *cols.SCORE, *cols.PRED, ("predmask", "predmasks")))
        return hit or cols.family(source, "pred", outputs)
    if kind.columns == "score":
        hit = cols.by_name(source, "pred", (*cols.SCORE, *cols.RAW, *cols.PRED))
        hit = hit or cols.family(source, "pred", tuple(cols.FAMILIES)) or cols.family(source, "pred", outputs)
        return hit or companion(source, "pred", "probs", given)
    hit = cols.family(source, "pred", tuple(cols.FAMILIES))
    if hit is None:
        hit = cols.by_name(source, "pred", (*cols.CLASS_LISTS, *cols.SCORE, *cols.PRED))
        if hit is not None and cols.column_of(source, hit.columns[0]).width is None:
            hit = None
    hit = hit or companion(source, "pred", "probs", given) or cols.by_name(source, "pred", cols.RAW_LISTS)
    return hit or cols.family(source, "pred", outputs)


def token_scores(source: Source) -> Found | None:
    """Log-probabilities of tokens; other scores only where a row holds lists of them, as one list is of classes."""
    hit = cols.by_name(source, "pred", (("tokenlogprobs",),))
    if hit is None:
        hit = cols.by_name(source, "pred", (*cols.CLASS_LISTS, *cols.SCORE, *cols.PRED))
        if hit is not None and len(cols.column_of(source, hit.columns[0]).axes) < 2:
            hit = None
    return hit


def decision(source: Source, given: Sequence[str]) -> Found | None:
    """Scores that a label can be decided from, where no label is predicted."""
    hit = cols.by_name(source, "pred", (*cols.SCORE, *cols.CLASS_LISTS))
    hit = hit or cols.family(source, "pred", tuple(cols.FAMILIES))
    return hit or companion(source, "pred", "probs", given)


def decided(source: Source) -> Found | None:
    """CatBoost's column of predicted labels; in other tables a ``Class`` may as well be the truth."""
    names = {c.name for c in source.columns if c.type != "other"}
    return Found(("Class",)) if {"SampleId", "Class"} <= names else None


class Companion(NamedTuple):
    """What BigQuery ML adds for a label: ``predicted_<label>`` and ``predicted_<label>_probs``."""

    label: str | None
    pred: str | None
    probs: str | None


def companions(source: Source) -> list[Companion]:
    """Labels with a prediction beside them, and class scores whose label may be in another file."""
    usable = [c for c in source.columns if c.type != "other"]
    names = {cols.plain(c.name): c.name for c in usable if c.width is None}
    found: dict[str, Companion] = {}
    for column in usable:
        word = cols.plain(column.name)
        match = re.fullmatch("predicted(.+)probs" if column.width is not None else "predicted(.+)", word)
        if match is None:
            continue
        label = names.get(match[1])
        known = found.get(match[1], Companion(label, None, None))
        if column.width is not None:
            found[match[1]] = known._replace(probs=column.name)
        elif label is not None:
            found[match[1]] = known._replace(pred=column.name)
    return list(found.values())


def companion(source: Source, role: str, part: str, given: Sequence[str]) -> Found | None:
    """The label, the prediction or the class scores (``part``) of the one label that is predicted.

    It is the one that the caller names (``given``) or that a ranked name tells; two are an error naming both.
    """
    every = [c for c in companions(source) if getattr(c, part) is not None]
    if given:
        named = [c for c in every if set(given) & set(c)]
        every = named or (every if part == "label" else [])
    elif every and part != "label" and (ranked := cols.by_name(source, "target", cols.TARGET)) is not None:
        every = [c for c in every if c.label in ranked.columns]
    names = [str(getattr(c, part)) for c in every]
    if len(names) > 1:
        raise DataError(
            f"two columns could be the {role}: {' and '.join(names)}",
            code="ambiguous-column",
            file=source.name,
            hint=f"say which: --{role} {names[0]}",
        )
    return Found((names[0],), form=cols.implied_form(names[0])) if names else None
