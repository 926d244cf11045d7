"""Many files, one after the other, with the same losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lossctl import index
from lossctl.data.roles.binding import Request
from lossctl.data.source import Source
from lossctl.engine.options import Options
from lossctl.engine.run import run
from lossctl.engine.scores import FileReport, Scores, differing, in_order
from lossctl.engine.watch import Pass, Tick, Watch
from lossctl.errors import DataError, UsageError
from lossctl.model.call import LossCall, labels

if TYPE_CHECKING:
    from lossctl.data.inputs import Inputs
    from lossctl.engine.cluster.engines import Engine

__all__ = ["Opened", "Opening", "check_names", "score_files", "sort_label"]


class Opened(NamedTuple):
    """A file that is open: its sources, which columns are asked for, where those of roles' own files are."""

    sources: list[Source]
    request: Request
    elsewhere: Mapping[str, int]
    inputs: Inputs | None = None  # for others to open the same


Opening: TypeAlias = Callable[[], Opened]


def score_files(
    calls: Sequence[LossCall],
    files: Mapping[str, Opening],
    options: Options,
    *,
    keep_going: bool = False,
    sort: str | None = None,
    watch: Watch | None = None,
) -> Scores:
    """Score every file with every call, in order; ``sort`` is a label, or ``name``; ``watch`` is told how it goes.

    Raises ``DataError`` for the first file that cannot be scored, unless ``keep_going``: then it is kept with the
    file. ``UsageError`` always.
    """
    found = []
    with working(options) as engine:
        for place, (name, opening) in enumerate(files.items(), 1):
            told = None if watch is None else partial(watch_file, watch, name, place, len(files))
            found.append(scored(calls, name, opening, options, keep_going=keep_going, watch=told, engine=engine))
    scores = Scores(found, tuple(differing(found)), keep_going)
    if sort not in {None, "name", *scores.labels} and len(scores.errors) < len(found):
        raise DataError(f"--sort {sort}: the loss was left out of every file", code="left-out")
    return in_order(scores, sort)


def working(options: Options) -> AbstractContextManager[Engine | None]:
    """One engine for all files."""
    if options.engine == "local":
        return nullcontext()
    from lossctl.engine.cluster.engines import hired

    return hired(options)


def watch_file(watch: Watch, name: str, place: int, files: int, one: Pass) -> Tick:
    return watch(one.of(name, place, files))


def scored(
    calls: Sequence[LossCall],
    name: str,
    opening: Opening,
    options: Options,
    *,
    keep_going: bool,
    watch: Watch | None = None,
    engine: Engine | None = None,
) -> FileReport:
    """One file, with its error if that is to be kept."""
    file = name
    try:
        found = opening()
        file = found.sources[0].name if found.sources else name
        options = options._replace(rows=0)
        return FileReport(
            name, run(calls, found.sources, found.request, options, found.elsewhere, watch, found.inputs, engine)
        )
    except DataError as error:
        error.file = error.file or file
        if not keep_going:
            raise
        return FileReport(name, None, error)


def check_names(names: Sequence[str], hint: str) -> None:
    """Every row has a name of its own."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two files are called {twice}", code="names-repeat", hint=hint)


def sort_label(text: str | None, calls: Sequence[LossCall]) -> str | None:
    """The label that is meant: as it stands, or by another name of a loss that occurs once."""
    if text is None or text == "name":
        return text
    known = labels(list(calls))
    if text in known:
        return text
    word = index.resolve(text) if index.normal(text) in {*index.names(), *index.aliases()} else text
    meant = [label for label, call in zip(known, calls, strict=True) if call.name == word]
    if len(meant) == 1:
        return meant[0]
    some = ", ".join([*known[:8], *(["..."] if len(known) > 8 else []), "name"])
    raise UsageError(f"--sort {text}: no such column in this call", code="bad-option", hint=f"one of {some}")
