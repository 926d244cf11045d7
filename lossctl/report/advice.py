"""What may be computed from files as they are, and the command to run next. Everything said has been tried."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lossctl.data.roles.bind import bind
from lossctl.data.roles.binding import Ref, Request
from lossctl.data.roles.columns import plain
from lossctl.data.roles.detect import search
from lossctl.data.roles.spans import refuse_numbers
from lossctl.data.source import Source
from lossctl.engine.options import Options
from lossctl.engine.run import run
from lossctl.errors import LossctlError
from lossctl.model.call import LossCall
from lossctl.model.registry import Entry, entries
from lossctl.report.guess import Guess, guesses, is_label, is_sentence
from lossctl.report.survey import Facts, First, Survey

__all__ = ["Advice", "advise"]

ROWS = 1000  # a command is tried on so many rows
# What predictions may be, the strongest claim first: probabilities would pass for logits as well.
FORMS = ("labels", "probs", "log-probs", "logits")
# The loss to begin with, by whether predictions and whether targets are labels; others follow by name.
FIRST = {
    (True, True): ("zero-one", "mse", "ndcg-loss"),
    (False, True): ("cross-entropy", "bce", "hinge", "zero-one", "mse", "ndcg-loss"),
    (False, False): ("mse", "cross-entropy", "ndcg-loss"),
    (True, False): ("mse", "ndcg-loss"),
}
OTHERWISE = ("ndcg-loss", "triplet-margin", "gan-minimax", "dpo")  # where the inputs are of another kind
SENTENCES = ("wer", "edit-distance")  # where text differs from row to row
SEQUENCES = ("ctc", "bits-per-byte", "perplexity")


class Attempt(NamedTuple):
    """A way to call a loss: what must be said beside its name and the files, and what is assumed thereby."""

    entry: Entry
    request: Request
    form: str | None = None  # --input
    nan: bool = False
    notes: tuple[str, ...] = ()

    def words(self) -> list[str]:
        """The options as they are typed."""
        said = ["--input", self.form] if self.form else []
        for role, text in self.request.roles.items():
            said += [f"--{role}", text]
        said += ["--positive", self.request.positive] if self.request.positive is not None else []
        said += ["--classes", ",".join(self.request.classes)] if self.request.classes else []
        return said + (["--nan", "skip"] if self.nan else [])


class Advice(NamedTuple):
    """``roles`` maps (place of the file, column) to the parts it would play."""

    roles: dict[tuple[int, str], list[str]]
    losses: list[str]
    command: str | None
    classes: list[str] | None
    notes: list[str]


class Known(NamedTuple):
    """The files, and what was seen in them."""

    surveys: Sequence[Survey]
    sources: list[Source]
    nan: bool  # whether values are missing where they would count
    rows: int | None  # on which a command is tried: at least up to the first cell that is not what it seems

    table: Mapping[tuple[int, str], Facts]

    def facts(self, ref: Ref) -> Facts:
        """What was seen of the first of some columns."""
        return self.table[ref.source, ref.columns[0]]


def advise(surveys: Sequence[Survey], paths: Sequence[str], reading: Sequence[str]) -> Advice:
    """Roles by the binding's own rules, the losses that take the data, the command for one of them.

    ``paths`` are the files as typed, and ``reading`` the options with which they were opened.
    """
    sources = [survey.source for survey in surveys]
    every = [entry for entry in entries() if entry.name == entry.spec.name or entry.name in SENTENCES]
    if len(surveys) == 2:  # of which the second holds targets
        every = [e for e in every if len(e.spec.inputs) == 1 or {i.side for i in e.spec.inputs} != {"P"}]
    every = [entry for entry in every if means(entry, sources)]
    roles, notes = roles_of(every, sources)
    table = {(place, facts.column.name): facts for place, survey in enumerate(surveys) for facts in survey.facts}
    holes = [table[where] for where in roles]
    nan = any(facts.missing or facts.infinite for facts in holes)
    rows = max([ROWS, *(facts.bad_row for facts in holes)])
    known = Known(surveys, [First(source, rows) for source in sources], nan, rows, table)
    ways = [way for entry in every if (way := working(entry, known, Guess({}, ()))) is not None]
    losses = [way.entry.name for way in ways if way._replace(nan=False) == Attempt(way.entry, Request())]
    best = min(ways, key=lambda way: rank(way, known)) if ways else next(renamed(every, known, roles), None)
    if best is None:
        return Advice(roles, losses, None, None, [*notes, *obstacle(known, roles)])
    if len({survey.rows for survey in surveys}) > 1:  # which the first rows do not tell
        error = failure(best, known._replace(sources=sources, rows=None))
        if error is not None:
            return Advice(roles, losses, None, None, [*notes, *words_of(error)])
    command = shlex.join(["lossctl", "compute", best.entry.name, *best.words(), *reading, *paths])
    if best.nan:
        notes.append("rows with missing or infinite values are left out, and counted: --nan skip")
    return Advice(roles, losses, command, classes_of(best, sources), [*best.notes, *notes])


def means(entry: Entry, sources: Sequence[Source]) -> bool:
    """Whether the loss may be meant: one whose inputs any column could be only where the names say so."""
    inputs = entry.spec.inputs
    if any(i.kind.unpaired for i in inputs):
        call = LossCall.make(entry.name, {})
        return all(any(search(call, i, source, ()) for source in sources) for i in inputs)
    return len(inputs) > 1


def likely_parts(column: str, parts: list[str]) -> list[str]:
    """Of the parts that a column may play those that its name says; else predictions and targets before others."""
    named = [role for role in parts if plain(role) == plain(column)]
    return named or [role for role in parts if role in {"pred", "target"}] or parts


def roles_of(every: Sequence[Entry], sources: list[Source]) -> tuple[dict[tuple[int, str], list[str]], list[str]]:
    """Which parts each column would play, role by role, as others may be missing; and what is ambiguous."""
    found: dict[tuple[int, str], list[str]] = {}
    notes: dict[str, None] = {}
    for entry in {likeness(entry): entry for entry in every}.values():
        for role in entry.spec.roles:
            for request in (Request(), Request(roles=said(entry, role, sources))):
                try:
                    (bound,) = bind([LossCall.make(entry.name, {})], sources, request, {}).calls
                except LossctlError as error:
                    if error.code == "ambiguous-column":
                        notes.setdefault(f"{error.message}: {error.hint}")
                    continue
                for place, column in (
                    (ref.source, c) for r, ref in bound.refs.items() if r == role for c in ref.columns
                ):
                    parts = found.setdefault((place, column), [])
                    parts += [] if role in parts else [role]
                break
    return {where: likely_parts(where[1], parts) for where, parts in found.items()}, list(notes)


def likeness(entry: Entry) -> Hashable:
    """The same for losses whose inputs are looked for in the same way."""
    kinds = tuple((type(i.kind), *vars(i.kind).items()) for i in entry.spec.inputs)
    plain = tuple(i._replace(kind=None) for i in entry.spec.inputs)  # type: ignore[arg-type]
    return entry.spec.family, plain, kinds, entry.spec.params.get("input")


def said(entry: Entry, role: str, sources: Sequence[Source]) -> dict[str, str]:
    """Some column for each other role, so that a role is found by itself."""
    places = {i.role: sources[0 if i.side == "P" else -1] for i in entry.spec.inputs if i.role != role}
    return {other: source.columns[0].name for other, source in places.items() if source.columns}


def working(entry: Entry, known: Known, guess: Guess) -> Attempt | None:
    """The first way to call the loss that runs on the first rows, if there is any."""
    request = Request(roles=guess.roles)
    param = entry.spec.params.get("input")
    try:
        (bound,) = bind([LossCall.make(entry.name, {})], known.sources, request, {}).calls
        refuse_numbers(bound, known.sources)
    except LossctlError:
        return None
    forms: list[str | None] = [None]
    if param is not None and not bound.call.settled:
        forms = [None if form == param.default else form for form in FORMS if form in param.choices]
    for form in forms:
        attempt = Attempt(entry, request, form, known.nan, guess.notes)
        error = failure(attempt, known)
        if error is not None and "target" in bound.refs:
            ref = bound.refs["target"]
            target = known.facts(ref)
            attempt = told(attempt, error, target, bound.width)
            error = failure(attempt, known)
        if error is None:
            return attempt
    return None


def failure(attempt: Attempt, known: Known) -> LossctlError | None:
    """What is wrong with a way to call a loss; rows of probabilities that are none count as wrong."""
    given = {"input": attempt.form} if attempt.form else {}
    options = Options(limit=known.rows, chunk_rows=known.rows, rows=0, nan="skip" if attempt.nan else "error")
    try:
        report = run([LossCall.make(attempt.entry.name, given)], known.sources, attempt.request, options)
    except LossctlError as error:
        return error
    note = next((note for note in report.warnings if note.code == "not-normalised"), None)
    return None if note is None else LossctlError(note.message, code=note.code)


def told(attempt: Attempt, error: LossctlError, target: Facts, width: int | None) -> Attempt:
    """The attempt with the names of the labels said, where the error asks for them."""
    labels = sorted(map(str, target.seen or ())) if target.text else []
    if "--positive" in (error.hint or "") and len(labels) == 2:
        note = f"assumed: {labels[1]!r} is the positive label, and {labels[0]!r} the other"
        return attempt._replace(request=attempt.request._replace(positive=labels[1]), notes=(*attempt.notes, note))
    if error.code == "class-order" and len(labels) == width:
        note = "assumed: the scores stand in alphabetical order of the classes"
        return attempt._replace(request=attempt.request._replace(classes=tuple(labels)), notes=(*attempt.notes, note))
    return attempt


def rank(attempt: Attempt, known: Known) -> tuple[int, int, str]:
    """Losses that use more of what is there come first, then the one to begin with for such data."""
    (bound,) = bind([LossCall.make(attempt.entry.name, {})], known.sources, attempt.request, {}).calls
    labels = {role: len(ref.columns) == 1 and is_label(known.facts(ref)) for role, ref in bound.refs.items()}
    order = FIRST[labels.get("pred", False), labels.get("target", False)]
    if all(map(is_sentence, (known.facts(ref) for ref in bound.refs.values()))):
        order = SENTENCES
    elif any(i.kind.decode(bound.call.params, None) == "sequence" for i in bound.call.entry.spec.inputs):
        order = SEQUENCES
    name, order = attempt.entry.name, (*order, *OTHERWISE)
    return -len(bound.refs), order.index(name) if name in order else len(order), name


def renamed(every: Sequence[Entry], known: Known, roles: dict[tuple[int, str], list[str]]) -> Iterator[Attempt]:
    """Ways to call a loss with the columns said, where their names do not tell."""
    usual = [entry for entry in every if entry.spec.roles == ("pred", "target")]
    for guess in guesses(known.surveys, roles):
        ways = [way for entry in usual if (way := working(entry, known, guess)) is not None]
        yield from sorted(ways, key=lambda way: rank(way, known))


def obstacle(known: Known, roles: Mapping[tuple[int, str], Sequence[str]]) -> list[str]:
    """Why nothing can be computed; else as the simplest of losses says it."""
    first, played = known.surveys[0], {part for parts in roles.values() for part in parts}
    if not any(survey.rows for survey in known.surveys):
        return ["there are no rows"]
    if len(known.surveys) == 1 and len({"pred", "target"} & played) == 1 and first.source.format != "npy":
        absent = "target" if "pred" in played else "pred"
        return [
            f"no column is the {absent}: name one with --{absent}, or give a second file (predictions, then targets)"
        ]
    entry = next(entry for entry in entries() if entry.name == FIRST[False, False][0])
    error = failure(Attempt(entry, Request()), known)
    return [] if error is None else words_of(error)


def words_of(error: LossctlError) -> list[str]:
    return [error.message, *([f"try: {error.hint}"] if error.hint else [])]


def classes_of(attempt: Attempt, sources: list[Source]) -> list[str] | None:
    """The classes in the order of the scores, where there are any."""
    (bound,) = bind([LossCall.make(attempt.entry.name, {})], sources, attempt.request, {}).calls
    return None if bound.classes.names is None else list(bound.classes.names)
