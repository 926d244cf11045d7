"""Which columns may be predictions and targets where their names do not tell. A guess is said to be one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from lossctl.data.roles import columns as cols
from lossctl.report.survey import Facts, Survey

__all__ = ["Guess", "guesses", "is_label", "is_sentence"]

LABELS = 20  # whole numbers of so few kinds may be labels
OFTEN = 3  # if each occurs so often
PAIRS = ({0.0, 1.0}, {-1.0, 1.0})


class Guess(NamedTuple):
    """Columns to name for each role, and what is assumed by it."""

    roles: Mapping[str, str]
    notes: tuple[str, ...]


def is_label(facts: Facts) -> bool:
    """Text, two numbers that stand for yes and no, or whole numbers of few kinds that come back often."""
    if facts.kind != "number" or facts.seen is None:
        return facts.kind == "text"
    kinds = len(facts.seen)
    return facts.seen in PAIRS or (facts.whole and kinds <= LABELS and OFTEN * kinds <= facts.rows)


def is_sentence(facts: Facts) -> bool:
    """Text that hardly ever comes twice."""
    return facts.kind == "text" and (facts.distinct is None or OFTEN * facts.distinct > 2 * facts.rows)


def guesses(surveys: Sequence[Survey], roles: Mapping[tuple[int, str], Sequence[str]]) -> Iterator[Guess]:
    """Predictions and targets among the columns of one table, or of two files; the likelier first."""
    if not 1 <= len(surveys) <= 2:
        return
    last = len(surveys) - 1
    preds = found(roles, 0, "pred") or list(families(surveys[0], roles, 0)) + list(singles(surveys[0], roles, 0))
    targets = found(roles, last, "target") or list(singles(surveys[last], roles, last))
    pairs = [(p, t) for p in preds for t in targets if p != t]
    # A label is rather what is true, a fraction what was predicted.
    pairs.sort(key=lambda pair: label(surveys[0], pair[0]) - label(surveys[last], pair[1]))
    for pred, target in pairs[:LABELS]:
        said = {"pred": pred, "target": target}
        named = {role: text for role, text in said.items() if not found(roles, 0 if role == "pred" else last, role)}
        words = " and ".join(f'"{text}" holds the {WORDS[role]}' for role, text in named.items())
        yield Guess(named, (f"assumed, as no name says so: {words}",) if named else ())


WORDS = {"pred": "predictions", "target": "targets"}


def found(roles: Mapping[tuple[int, str], Sequence[str]], place: int, role: str) -> list[str]:
    """The column that plays the role by its name, or the first of several."""
    return [column for (where, column), parts in roles.items() if where == place and role in parts][:1]


def singles(survey: Survey, roles: Mapping[tuple[int, str], Sequence[str]], place: int) -> Iterator[str]:
    """Columns without a part, and neither keys nor weights by their names."""
    taken = {*cols.key_columns(survey.source), *cols.weight_columns(survey.source)}
    for facts in survey.facts:
        name = facts.column.name
        if facts.kind != "other" and name not in taken and (place, name) not in roles:
            yield name


def families(survey: Survey, roles: Mapping[tuple[int, str], Sequence[str]], place: int) -> Iterator[str]:
    """Patterns for two and more columns of numbers with one prefix: scores, one for each class."""
    groups: dict[str, int] = {}
    facts_of = survey.facts_of
    for name in singles(survey, roles, place):
        prefix = name[: name.rfind("_") + 1]
        if prefix and facts_of[name].kind == "number":
            groups[prefix] = groups.get(prefix, 0) + 1
    yield from (f"{prefix}*" for prefix, count in groups.items() if count > 1)


def label(survey: Survey, name: str) -> int:
    """1 for a column of labels, 0 for any other and for a pattern."""
    return int(any(facts.column.name == name and is_label(facts) for facts in survey.facts))
