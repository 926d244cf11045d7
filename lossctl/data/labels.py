"""Labels as they are written in files: text or numbers, compared, coded, and held against class names."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.errors import DataError

__all__ = ["ClassNames", "Vocabulary", "canonical", "class_order"]

Label: TypeAlias = int | float | str

# As files write numbers: Python alone would also take 1_000 and other scripts' digits.
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
WHOLE = re.compile(r"\s*[+-]?\d{1,4000}\s*", re.ASCII)


def canonical(text: str) -> Label:
    """Numbers as numbers (``1`` is ``1.0``), everything else as text."""
    if not NUMBER.fullmatch(text):
        return text
    if WHOLE.fullmatch(text):
        return int(text)
    number = float(text)
    if math.isfinite(number):
        return int(number) if number == int(number) else number
    return text


def class_order(names: Sequence[str]) -> tuple[str, ...]:
    """Class names by number if all are whole numbers, else as text sorts.

    >>> class_order(["10", "9", "0"]), class_order(["b", "10", "a"])
    (('0', '9', '10'), ('10', 'a', 'b'))
    """
    if all(WHOLE.fullmatch(name) for name in names):
        return tuple(sorted(names, key=int))
    return tuple(sorted(names))


class Seen:
    """What one role's labels were like, with the first row (and its text) of each."""

    def __init__(self) -> None:
        self.text: tuple[int, str] | None = None
        self.number: tuple[int, str] | None = None
        self.fraction: tuple[int, str] | None = None


class Vocabulary:
    """One list of codes for the labels of several roles, so that equal labels have equal codes, in all threads.

    Which label has which code depends on who comes first; nothing else may.
    """

    def __init__(self) -> None:
        self.codes: dict[Label, int] = {}
        self.positive = False  # whether a label was the one that --positive names
        self.seen: dict[str, Seen] = {}
        self._lock = Lock()

    def clear(self) -> None:
        """Forget what was seen, before another pass; codes stay."""
        self.positive = False
        self.seen.clear()

    def forget(self) -> None:
        """Be as new."""
        self.clear()
        self.codes.clear()

    def encode(self, role: str, places: NDArray[np.int64], values: Sequence[str], first: int) -> NDArray[np.int64]:
        """(N,) codes, -1 for a missing label; ``first`` is the 0-based row of the block."""
        table = np.full(len(values) + 1, -1, np.int64)
        with self._lock:
            notes = self.seen.setdefault(role, Seen())
            for place, text in enumerate(values):
                if text == "":
                    continue
                label = canonical(text)
                table[place] = self.codes.setdefault(label, len(self.codes))
                name = "text" if isinstance(label, str) else "fraction" if isinstance(label, float) else "number"
                known = getattr(notes, name)
                if known is None or first < known[0]:
                    here = places == place
                    if here.any() and (known is None or first + int(np.argmax(here)) < known[0]):
                        setattr(notes, name, (first + int(np.argmax(here)), text))
        return table[places]

    def codes_of(self, labels: Sequence[Label]) -> list[int]:
        """The codes of some labels, which get one if they have none."""
        with self._lock:
            return [self.codes.setdefault(label, len(self.codes)) for label in labels]

    def note(self, role: str, kind: str, row: int, text: str) -> None:
        """A label of a kind that was seen elsewhere: the first row counts."""
        with self._lock:
            notes = self.seen.setdefault(role, Seen())
            known = getattr(notes, kind)
            if known is None or row < known[0]:
                setattr(notes, kind, (row, text))

    def words(self) -> dict[int, str]:
        """The labels by their codes, as text."""
        return {code: str(label) for label, code in self.codes.items()}

    def verdict(self, loss: str, where: Mapping[str, tuple[str, str]]) -> None:
        """Refuse a fractional prediction, and text on one side against numbers on the other.

        ``where`` gives file and column of each role.
        """
        pred, target = self.seen.get("pred", Seen()), self.seen.get("target", Seen())
        if pred.fraction is not None:
            row, text = pred.fraction
            raise DataError(
                f"{loss}: pred = {text} is no label",
                code="fractional-label",
                file=where["pred"][0],
                column=where["pred"][1],
                row=row + 1,
                hint="are these scores?  add --input probs or --input logits",
            )
        for one, other, names in ((pred, target, ("pred", "target")), (target, pred, ("target", "pred"))):
            if one.text is not None and other.text is None and other.number is not None:
                raise DataError(
                    f"{loss}: {names[0]} is text ({one.text[1]!r}, row {one.text[0] + 1:,}) and {names[1]} is numbers "
                    f"({other.number[1]}, row {other.number[0] + 1:,})",
                    code="labels-differ",
                    file=where[names[0]][0],
                    column=where[names[0]][1],
                    row=one.text[0] + 1,
                    hint="write both the same way",
                )


class ClassNames:
    """The classes in order, by name; ``None`` names are 0, 1, 2, ..."""

    def __init__(self, names: Sequence[str] | None, count: int | None) -> None:
        self.names = tuple(names) if names is not None else None
        self.count = len(names) if names is not None else count
        self.index: dict[Label, int] | None = None
        if self.names is not None:
            self.index = {}
            for place, name in enumerate(self.names):
                other = self.index.setdefault(canonical(name), place)
                if other != place:
                    raise DataError(
                        f"two classes are one label: {self.names[other]!r} and {name!r}",
                        code="ambiguous-class",
                        hint="--classes names every class once",
                    )

    def check_count(self, scores: int, file: str) -> None:
        """Refuse names that are not as many as there are scores in a row."""
        if self.names is not None and len(self.names) != scores:
            raise DataError(
                f"--classes names {len(self.names)} classes, and there are {scores} scores in a row",
                code="class-count",
                file=file,
                hint="--classes names every class, in the order of the scores",
            )

    @property
    def plain(self) -> bool:
        """Whether labels are the indices themselves."""
        return self.index is None or list(self.index) == list(range(len(self.index)))

    def place(self, label: Label, ignore: float | None) -> float | None:
        """The index of a label; itself if it is the one to ignore; ``None`` if it is unknown."""
        if ignore is not None and label == ignore:
            return float(ignore)
        if self.index is None:
            return float(label) if isinstance(label, int) else None
        found = self.index.get(label)
        return None if found is None else float(found)

    def encode(
        self, places: NDArray[np.int64], values: Sequence[str], ignore: float | None, where: tuple[str, str, int]
    ) -> NDArray[np.float64]:
        """(N,) class indices as floats, NaN for a missing label; unknown labels are a ``DataError``.

        ``where`` is file, column and the 0-based row of the block.
        """
        table = np.full(len(values) + 1, np.nan)
        for place, text in enumerate(values):
            if text == "":
                continue
            index = self.place(canonical(text), ignore)
            if index is None:
                raise self.unknown(text, (where[0], where[1], where[2] + int(np.argmax(places == place))))
            table[place] = index
        return table[places]

    def renumber(
        self, numbers: NDArray[np.float64], ignore: float | None, where: tuple[str, str, int]
    ) -> NDArray[np.float64]:
        """(N,) class indices of numeric labels; NaN stays NaN."""
        if self.plain:
            return numbers
        distinct, places = np.unique(numbers, return_inverse=True)
        table = np.full(len(distinct), np.nan)
        for place, number in enumerate(distinct):
            if math.isnan(number):
                continue
            label: Label = int(number) if number == int(number) else float(number)
            index = self.place(label, ignore)
            if index is None:
                raise self.unknown(repr(label), (where[0], where[1], where[2] + int(np.argmax(places == place))))
            table[place] = index
        return np.asarray(table[places])

    def renumber_lists(self, numbers: NDArray[np.float64], where: tuple[str, str, int]) -> NDArray[np.float64]:
        """(N, C) lists of class indices, each to its first -1, where the names of classes are other numbers."""
        if numbers.ndim != 2 or self.plain or all(isinstance(label, str) for label in self.index or ()):
            return numbers
        listed = np.where(np.logical_and.accumulate(numbers != -1, axis=1), numbers, -1.0)
        return np.column_stack([self.renumber(column, -1.0, where) for column in listed.T])

    def unknown(self, text: str, where: tuple[str, str, int]) -> DataError:
        file, column, row = where
        if self.names is None:
            return DataError(
                f"target = {text!r} is text, and nothing says the order of the classes",
                code="class-order",
                file=file,
                column=column,
                row=row + 1,
                hint="name them in the order of the scores: --classes a,b,c",
            )
        shown = ", ".join(self.names[:8]) + (", ..." if len(self.names) > 8 else "")
        return DataError(
            f"target = {text!r} is not one of the classes ({shown})",
            code="unknown-class",
            file=file,
            column=column,
            row=row + 1,
            hint="--classes names the classes in the order of the scores",
        )
