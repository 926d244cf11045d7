"""Which column is what: names by rank, families of columns, and the messages when that fails."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from lossctl.data.source import Column, Source
from lossctl.errors import DataError

__all__ = ["Found", "by_name", "explicit", "family", "implied_form", "key_columns", "plain"]

# Names by rank: the first rank with a hit wins, two hits in one rank are an error.
TARGET = (
    ("ytrue",),
    ("target", "targets"),
    ("label", "labels", "labelids"),
    ("groundtruth", "truth", "gold", "reference", "references", "ref", "expected", "actual", "observed", "text", "y"),
)
PRED = (
    ("ypred",),
    ("prediction", "predictions", "pred", "preds", "predicted"),
    ("predict", "yhat", ".pred", "response", "output", "hypothesis", "hyp", "predtext", "generatedtext"),
)
SCORE = (
    ("yprob", "yproba", "yscore", "prob", "proba", "probability", "score"),
    ("logit", "logits", "ylogit"),
)
RAW = (("rawformulaval",),)  # CatBoost: a logit, or the value of a regression
RAW_LISTS = (("rawprediction",),)  # Spark ML: margins, votes or logits, as the model has it
MASKS = (("truemask", "truemasks", "gtmask", "gtmasks"), ("mask", "masks"))
CLASS_LISTS = (("probs", "probas", "probabilities", "logits", "logprobs"),)
ALSO = {
    "group": (("group",), ("qid", "queryid")),
    "features": (("features",), ("embedding", "embeddings", "emb")),
    "reference": (("reference",), ("ref",)),
    "var": (("var", "variance", "sigma2"),),
    "sigma": (("sigma",), ("std", "stddev", "standarddeviation", "predstd", "ystd")),
    "input-lengths": (("inputlengths", "predlengths"), ("logitlengths", "framelengths"), ("logitpaddings",)),
    "target-lengths": (("targetlengths",), ("labellengths",), ("labelpaddings",)),
}
PROSE = (("text",), ("transcript", "transcription"))  # in a file of transcripts alone, whichever side it is on
RANKING_TARGET = (("relevance", "rel"),)
WEIGHT = ("weight", "weights", "sampleweight", "w")
_CAMEL_ID = re.compile(r"[a-z0-9]I[dD]$")  # PassengerId, imageID; not "paid"
KEY = ("id", "rowid", "sampleid", "exampleid", "docid", "uttid", "uid", "ids", "key")

# Prefixes of one column a class, and what they say about the numbers (None: nothing).
PREFIXES = {
    "y_pred_proba_": "probs",
    "log_prob_": "log-probs",
    "logit_": "logits",
    "proba_": "probs",
    "prob_": "probs",
    ".pred_": None,
    "p_": None,
}
CATBOOST = {"logprobability:class=": "log-probs", "rawformulaval:class=": "logits", "probability:class=": "probs"}
FAMILIES = {**CATBOOST, **PREFIXES}
FORMS = {
    "probs": {"yprob", "yproba", "prob", "proba", "probability", "probs", "probas", "probabilities"},
    "logits": {"logit", "logits", "ylogit", "rawformulaval"},
    "log-probs": {"logprob", "logprobs", "logprobability", "tokenlogprobs"},
}


class Found(NamedTuple):
    """Columns of one role. ``suffixes`` name the members of a family (classes, outputs)."""

    columns: tuple[str, ...]
    suffixes: tuple[str, ...] | None = None
    form: str | None = None


@lru_cache(maxsize=1 << 14)
def plain(name: str) -> str:
    """A name without case, ``_``, ``-``, spaces and byte-order mark."""
    return re.sub(r"[\s_\-\ufeff]", "", name).lower()


def by_name(source: Source, role: str, ranks: Sequence[Sequence[str]]) -> Found | None:
    """The column whose name is first in rank order; two of one rank are an error naming both."""
    members = family_members(source)  # prob_a beside prob_b is a class called a, not "proba"
    for rank in ranks:
        hits = [c.name for c in source.columns if plain(c.name) in rank and c.type != "other" and c.name not in members]
        if len(hits) > 1:
            raise DataError(
                f"two columns could be the {role}: {' and '.join(hits)}",
                code="ambiguous-column",
                file=source.name,
                hint=f"say which: --{role} {hits[0]}",
            )
        if hits:
            return Found((hits[0],), form=implied_form(hits[0]))
    return None


def family_members(source: Source) -> set[str]:
    """Columns that stand in a family of two or more."""
    families: dict[str, set[str]] = {}
    for column in source.columns:
        for prefix in FAMILIES:
            if column.name.lower().startswith(prefix) and len(column.name) > len(prefix):
                families.setdefault(prefix, set()).add(column.name)
                break
    return {name for names in families.values() if len(names) > 1 for name in names}


def implied_form(name: str) -> str | None:
    """What a name says about the numbers: probs, logits, log-probs, or nothing.

    Of a dotted path the last part speaks that is no number: ``model.prob``, ``logits.1``.
    """
    name = re.sub(r"(\.\d+)+$", "", name)
    path, _, last = name.rpartition(".")
    name = last if path else name
    word = plain(name)
    if re.fullmatch("predicted.+probs", word):
        return "probs"
    for form, words in FORMS.items():
        if word in words:
            return form
    for prefix, said in FAMILIES.items():
        if name.lower().startswith(prefix):
            return said
    return None


def says_pred(name: str) -> bool:
    """Whether a name says that these are predictions."""
    word = plain(name)
    every = {word for rank in (*PRED, *SCORE, *RAW, *CLASS_LISTS, *RAW_LISTS) for word in rank}
    return word in every or any(name.lower().startswith(prefix) for prefix in (*FAMILIES, "predicted_", "pred_"))


def family(source: Source, role: str, prefixes: Sequence[str]) -> Found | None:
    """The one family ``<prefix><suffix>`` of two or more columns; two families are an error."""
    families: dict[str, list[str]] = {}
    for column in source.columns:
        for prefix in prefixes:  # longest first: y_pred_proba_ before ...
            if column.name.lower().startswith(prefix) and len(column.name) > len(prefix):
                if column.name.lower() != ".pred_class":
                    families.setdefault(prefix, []).append(column.name)
                break
    full = {prefix: names for prefix, names in families.items() if len(names) > 1}
    if len(full) > 1:
        written = {names[0][: len(prefix)]: len(names) for prefix, names in full.items()}
        shown = " and ".join(f"{prefix}* ({count} columns)" for prefix, count in written.items())
        raise DataError(
            f"two families of columns could be the {role}: {shown}",
            code="ambiguous-column",
            file=source.name,
            hint=f"say which: --{role} '{next(iter(written))}*'",
        )
    for prefix, names in full.items():
        return ordered(names, [name[len(prefix) :] for name in names], implied_form(names[0]))
    return None


def members(source: Source, prefixes: tuple[str, ...]) -> Found | None:
    """All columns that begin with one of the prefixes."""
    names = tuple(c.name for c in source.columns if c.name.startswith(prefixes))
    return Found(names) if names else None


def ordered(names: Sequence[str], suffixes: Sequence[str], form: str | None) -> Found:
    """Integer suffixes in numeric order, others in file order."""
    pairs = list(zip(suffixes, names, strict=True))
    if all(re.fullmatch(r"\d+", s) for s in suffixes):
        pairs.sort(key=lambda pair: int(pair[0]))
    return Found(tuple(n for _, n in pairs), tuple(s for s, _ in pairs), form)


def explicit(source: Source, role: str, text: str) -> Found:
    """Columns as named on the command line: a name, a comma list, or a pattern with ``*``."""
    names = [c.name for c in source.columns]
    chosen: list[str] = []
    sort = False
    for part in [text] if text in names else text.split(","):
        if part in names or has(source, part):
            chosen.append(part)
        elif any(sign in part for sign in "*?["):
            hits = fnmatch.filter(names, part)
            if not hits:
                raise missing(source, role, part)
            chosen += hits
            sort = True
        else:
            raise missing(source, role, part)
    if len(set(chosen)) < len(chosen):
        raise DataError(f"{role}: a column is named twice: {text}", code="bad-columns", file=source.name)
    forms = {implied_form(name) for name in chosen}
    form = forms.pop() if len(forms) == 1 else None
    suffixes = shared_suffixes(chosen)
    if suffixes is None:
        return Found(tuple(chosen), None, form)
    return ordered(chosen, suffixes, form) if sort else Found(tuple(chosen), tuple(suffixes), form)


def shared_suffixes(names: Sequence[str]) -> list[str] | None:
    """What stands behind a common prefix that ends in ``_``, or in ``:Class=``."""
    if len(names) < 2:
        return None
    common = names[0]
    while common and not all(name.startswith(common) for name in names):
        common = common[:-1]
    cut = common.find("=") + 1 or common.rfind("_") + 1
    return [name[cut:] for name in names] if cut and all(len(name) > cut for name in names) else None


def has(source: Source, name: str) -> bool:
    """Whether there is such a column, be it one that only a closer look at the data finds."""
    find = getattr(source, "find", None)
    return any(c.name == name for c in source.columns) or (find is not None and bool(find(name)))


def missing(source: Source, role: str, name: str) -> DataError:
    import difflib

    names = [c.name for c in source.columns]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    option = f"--{role} {near[0]}" if near else f"--{role} COLUMN"
    return DataError(
        f'there is no column "{name}" for {role}',
        code="column-not-found",
        file=source.name,
        column=name,
        details=(f"columns: {listed(names)}",),
        hint=f"use {option}",
    )


def listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12])
    return shown if len(names) <= 12 else f"{shown}, ... ({len(names)} in all)"


def undetected(source: Source, role: str, wanted: str) -> DataError:
    """No name says which column plays a role."""
    names = [f"{c.name} ({c.dtype})" if c.type == "other" else c.name for c in source.columns]
    wrong_cut = next((note for note in getattr(source, "notes", ()) if "--delimiter" in note), None)
    fit = likely(source, role)
    whole = f", or --{role} '*' for all columns" if source.format == "text" and len(names) > 1 else ""
    return DataError(
        f"no column is recognisable as the {role} ({wanted})",
        code="column-not-found",
        file=source.name,
        details=(f"columns: {listed(names)}",),
        hint=wrong_cut or f"say which: --{role} {fit}{whole}",
    )


def likely(source: Source, role: str) -> str:
    """A column to try for a role: none that plainly plays another part; numbers before text."""
    taken = {*WEIGHT, *(n for rank in (() if role == "target" else TARGET) for n in rank)}
    if role == "target":
        taken |= {name for rank in (*PRED, *SCORE) for name in rank}
    keys = {*key_columns(source), *family_members(source)}
    free = [c for c in source.columns if c.name not in keys and plain(c.name) not in taken and c.type != "other"]
    free.sort(key=lambda c: c.type == "text")
    return free[0].name if free else "COLUMN"


def key_columns(source: Source) -> list[str]:
    """Columns that look like a row key: a known name, or the only one like ``row_id`` or ``PassengerId``."""
    known = [c.name for c in source.columns if plain(c.name) in KEY]
    if known:
        return known
    ids = [c.name for c in source.columns if c.name.lower().endswith("_id") or _CAMEL_ID.search(c.name)]
    return ids if len(ids) == 1 else []


def class_names(source: Source, column: Column, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The classes that a column names by itself, in the order of ``--classes`` where that is given."""
    own = column.classes or ()
    if wanted is None:
        return own
    if sorted(wanted) != sorted(own):
        raise DataError(
            f"--classes names {listed(wanted)}, and the scores are for {listed(own)}",
            code="class-count" if len(wanted) != len(own) else "unknown-class",
            file=source.name,
            column=column.name,
            hint="leave --classes out, or bring the same names into another order",
        )
    source.arrange(column.name, tuple(wanted))  # type: ignore[attr-defined]
    return tuple(wanted)


def weight_columns(source: Source) -> list[str]:
    return [c.name for c in source.columns if plain(c.name) in WEIGHT]


def column_of(source: Source, name: str) -> Column:
    return next(c for c in source.columns if c.name == name)
