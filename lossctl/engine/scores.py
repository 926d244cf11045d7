"""The same losses over many files, side by side: which value is the best of its kind, and in which order to show."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from lossctl import index
from lossctl.engine.result import Note

if TYPE_CHECKING:
    from lossctl.engine.result import Report, Result
    from lossctl.errors import LossctlError

__all__ = ["FileReport", "Scores", "best", "differing", "goal", "in_order"]

Place: TypeAlias = tuple[object, ...]  # what two results have in common that may be compared


class FileReport(NamedTuple):
    """One file under its name, with all that was found in it, or why it could not be scored."""

    name: str
    report: Report | None
    error: LossctlError | None = None

    @property
    def results(self) -> Sequence[Result]:
        return () if self.report is None else self.report.results

    def total(self, label: str) -> Result | None:
        """The value of a loss over the whole file."""
        return next((result for result in self.results if result.label == label and is_total(result)), None)


class Scores(NamedTuple):
    """Many files scored with the same losses."""

    files: Sequence[FileReport]
    notes: Sequence[Note] = ()
    kept_going: bool = False  # a file that could not be scored did not stop the others

    @property
    def results(self) -> dict[str, Sequence[Result]]:
        """Every loss and slice of each file, by the file's name."""
        return {file.name: file.results for file in self.files}

    @property
    def errors(self) -> dict[str, LossctlError]:
        """Why files could not be scored, by their names."""
        return {file.name: file.error for file in self.files if file.error is not None}

    @property
    def labels(self) -> list[str]:
        """The losses, in order of the calls."""
        return list(dict.fromkeys(result.label for result in self.every()))

    @property
    def by(self) -> tuple[str, ...]:
        return next((file.report.by for file in self.files if file.report is not None), ())

    @property
    def warnings(self) -> dict[Note, list[str]]:
        """What was said, and of which files; of none in particular where the list is empty."""
        said: dict[Note, list[str]] = {note: [] for note in self.notes}
        for file in self.files:
            for note in () if file.report is None else file.report.warnings:
                names = said.setdefault(note, [])
                if file.name not in names:
                    names.append(file.name)
        return said

    def every(self) -> list[Result]:
        """All results, file by file."""
        return [result for file in self.files for result in file.results]

    def to_pandas(self) -> Any:
        """Files x losses as a pandas DataFrame of totals; NaN where a file has no such value."""
        import pandas as pd

        totals = [[file.total(label) for label in self.labels] for file in self.files]
        values = [[math.nan if t is None or t.value is None else t.value for t in row] for row in totals]
        index = pd.Index([file.name for file in self.files], name="input")
        return pd.DataFrame(values, index=index, columns=self.labels, dtype="float64")

    def __repr__(self) -> str:
        return "\n".join(map(line, self.files))


def line(file: FileReport) -> str:
    """A file in one line."""
    if file.error is not None:
        return f"{file.name}: {file.error.message}"
    return f"{file.name}: " + ", ".join(f"{r.label} {r.value!r}" for r in file.results if is_total(r))


def is_total(result: Result) -> bool:
    return result.slice == "total" and result.column is None and result.of_class is None


def place(result: Result) -> Place:
    return result.label, tuple((result.group or {}).items()), result.column, result.of_class


def rank(result: Result | None) -> float | None:
    """A number that is the less the better; of an underflowed product the logarithm still tells."""
    value = None if result is None else result.value if result.log_value is None else result.log_value
    if result is None or value is None or math.isnan(value):
        return None
    return {"greatest": -value, "nearest to 0": abs(value)}.get(goal(result), value)


def goal(result: Result) -> str:
    """Which value is the best: the least, the greatest, or of errors with a sign the one nearest to 0."""
    if result.direction == "maximise":
        return "greatest"
    laws = {name for name, _ in index.record(result.loss)["laws"]}
    return "nearest to 0" if "zero-at-target" in laws and "nonnegative" not in laws else "least"


def best(scores: Scores) -> Iterator[list[bool]]:
    """For each file and each of its results whether no other file has a better one; all equals are the best.

    NaN is never the best, and neither is a file that is alone.
    """
    least: dict[Place, float] = {}
    for result in scores.every():
        found = rank(result)
        if found is not None:
            least[place(result)] = min(found, least.get(place(result), math.inf))
    for file in scores.files:
        yield [
            len(scores.files) > 1 and (found := rank(result)) is not None and found == least[place(result)]
            for result in file.results
        ]


def in_order(scores: Scores, label: str | None) -> Scores:
    """The files by the total of a loss, the best first, or by ``name``; those without a value come last."""
    if label is None:
        return scores
    if label == "name":
        return scores._replace(files=sorted(scores.files, key=lambda file: (file.error is not None, file.name)))
    ranks = [rank(file.total(label)) for file in scores.files]
    order = sorted(
        range(len(ranks)), key=lambda at: (scores.files[at].error is not None, (r := ranks[at]) is None, r or 0.0)
    )
    return scores._replace(files=[scores.files[at] for at in order])


def differing(files: Sequence[FileReport]) -> Iterator[Note]:
    """A note where the values of a column are not over equally many samples."""
    counts: dict[str, dict[int, str]] = {}
    for file in files:
        for result in filter(is_total, file.results):
            counts.setdefault(result.label, {}).setdefault(result.n, file.name)
    label, found = next(((label, found) for label, found in counts.items() if len(found) > 1), ("", {}))
    if found:
        said = ", ".join(f"{n:,} in {name}" for n, name in list(found.items())[:3])
        yield Note("rows-differ", f"{label} is over {said}: these values are not of the same rows")
