"""Text to units: words, characters, graphemes or bytes, as rows of codes; words come with their vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.errors import DataError
from lossctl.sequences.graphemes import cluster_starts
from lossctl.sequences.normal import STEPS, normalized
from lossctl.sequences.ragged import Ragged, ends

__all__ = ["STEPS", "UNITS", "names", "remapped", "shared", "spaceless", "split"]

Array: TypeAlias = NDArray[Any]

UNITS = ("word", "char", "grapheme", "byte", "token")
MANY = 20_000  # words from which on Arrow's dictionary is worth its import

SPACES = bytes([*range(0x09, 0x0E), *range(0x1C, 0x21)])  # white space of one byte, as str.split() sees it
# Longer white space: U+0085, 00A0, 1680, 2000 to 200A, 2028, 2029, 202F, 205F, 3000.
LONG_SPACES = [
    chr(c).encode() for c in (0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
]


def split(text: Ragged, unit: str, normalize: Sequence[str] = ()) -> Ragged:
    """Rows of UTF-8 (uint8) as rows of codes, after the steps of ``normalize`` in their order.

    ``word`` and ``token`` are what ``str.split()`` gives, ``char`` are code points (white space counts),
    ``grapheme`` what a reader takes for one character, ``byte`` the bytes of UTF-8.
    Raises ``DataError`` with the row (from 1) for bytes that are no UTF-8.
    """
    text = text.packed()
    values = text.values
    if not ascii_only(values):
        check_utf8(text)
    if normalize:
        text = normalized(text, normalize)
    if unit in {"word", "token"}:
        return words(text)
    if unit == "byte":
        return text
    points = decoded(text)
    return points if unit == "char" else clusters(points)


def ascii_only(values: Array) -> bool:
    return bool(values.max(initial=0) < 0x80)


def check_utf8(text: Ragged) -> None:
    """All of it at once; a row that begins within a character was cut off from the one before it."""
    cut = (text.values[text.starts[text.lengths > 0]] & 0xC0) == 0x80
    if not cut.any() and is_utf8(text.values):
        return
    row = next(n for n in range(len(text)) if not is_utf8(text.row(n)))
    raise DataError("the text is not UTF-8", code="encoding", row=row + 1, hint="convert the file to UTF-8")


def is_utf8(values: Array) -> bool:
    try:
        values.tobytes().decode()
    except UnicodeDecodeError:
        return False
    return True


def white_space(values: Array) -> NDArray[np.bool_]:
    """The bytes that are white space, or part of it."""
    # Two runs of codes; unsigned differences wrap, so one comparison is for both ends of a run.
    space = values - np.uint8(0x09) < 5
    space |= values - np.uint8(0x1C) < 5
    if not ascii_only(values):
        for long in LONG_SPACES:
            at = np.flatnonzero(values[: len(values) - len(long) + 1] == long[0])
            for step in range(1, len(long)):
                at = at[values[at + step] == long[step]]
            for step in range(len(long)):
                space[at + step] = True
    return space


def without(units: Ragged, dropped: NDArray[np.bool_]) -> Ragged:
    """Rows without some of their elements; ``units`` are packed."""
    gone = np.concatenate([[0], np.cumsum(dropped)])
    stops = ends(units.lengths)
    lengths = units.lengths - (gone[stops] - gone[stops - units.lengths])
    return Ragged(units.values[~dropped], ends(lengths) - lengths, lengths, missing=units.missing, words=units.words)


def decoded(text: Ragged) -> Ragged:
    """Packed UTF-8 as code points; ASCII as it is."""
    values = text.values
    if ascii_only(values):
        return text
    points = np.frombuffer(values.tobytes().decode().encode("utf-32-le"), "<u4")
    # As many characters as bytes that do not go on with one.
    before = np.concatenate([[0], np.cumsum((values & 0xC0) != 0x80)])
    stops = before[ends(text.lengths)]
    starts = before[ends(text.lengths) - text.lengths]
    return Ragged(points, starts, stops - starts, missing=text.missing)


def words(text: Ragged) -> Ragged:
    """What stands between white space and the ends of rows."""
    space = white_space(text.values)
    spaces = np.flatnonzero(space)
    stops = ends(text.lengths)
    before = np.searchsorted(spaces, stops)
    # Pieces end at white space and with rows; counted without white space, as letters stand end to end.
    bounds = np.insert(spaces - np.arange(len(spaces)), before, stops - before)
    last = before + np.arange(1, len(text) + 1)  # how many pieces there are up to each row's end
    full = np.diff(bounds, prepend=0) > 0
    if not full.all():
        last = np.concatenate([[0], np.cumsum(full)])[last]
        bounds = bounds[full]
    one_byte = ascii_only(text.values)
    letters = text.values.tobytes().translate(None, SPACES) if one_byte else text.values[~space].tobytes()
    codes, vocabulary = coded(letters, np.concatenate([[0], bounds]))
    lengths = np.diff(last, prepend=0)
    return Ragged(codes, last - lengths, lengths, missing=text.missing, words=vocabulary)


def coded(letters: bytes, bounds: Array) -> tuple[Array, Sequence[str]]:
    """A number for each word, equal for equal ones; word k is ``letters[bounds[k] : bounds[k + 1]]``."""
    if len(bounds) - 1 >= MANY and len(letters) < 2**31:
        from lossctl.sequences.vocabulary import dictionary

        return dictionary(letters, bounds)
    codes, vocabulary = numbered(letters, bounds)
    return codes, [word.decode() for word in vocabulary]


def numbered(data: bytes, bounds: Array) -> tuple[Array, list[bytes]]:
    """Slices of data by their order of appearance."""
    numbers: dict[bytes, int] = {}
    codes = [numbers.setdefault(data[i:j], len(numbers)) for i, j in pairwise(bounds.tolist())]
    return np.array(codes, np.int64), list(numbers)


def clusters(points: Ragged) -> Ragged:
    """Code points as graphemes, with these as vocabulary."""
    starts = cluster_starts(points)
    data = points.values.astype("<u4").tobytes()
    codes, vocabulary = numbered(data, 4 * np.append(starts, len(points.values)))
    counted = np.searchsorted(starts, ends(points.lengths))
    lengths = np.diff(counted, prepend=0)
    spelled = [cluster.decode("utf-32-le") for cluster in vocabulary]
    return Ragged(codes, counted - lengths, lengths, missing=points.missing, words=spelled)


def shared(ref: Ragged, hyp: Ragged) -> tuple[Ragged, Ragged]:
    """Both sides with one vocabulary, so that equal words have equal codes; numbers stay as they are.

    Numbers beside numerals are compared as they are written. Raises ``DataError`` where they stand beside words.
    """
    if ref.words is None and hyp.words is None:
        return ref, hyp
    if ref.words is None:
        ref = spelled(ref, hyp.words or ())
    if hyp.words is None:
        hyp = spelled(hyp, ref.words or ())
    places, vocabulary = united(ref.words or (), hyp.words or ())
    moved = hyp.packed()
    values = places[moved.values] if len(places) else np.empty(0, np.int64)
    return (
        Ragged(ref.values, ref.starts, ref.lengths, step=ref.step, missing=ref.missing, words=vocabulary),
        Ragged(values, moved.starts, moved.lengths, missing=moved.missing, words=vocabulary),
    )


def spelled(numbers: Ragged, beside: Sequence[str]) -> Ragged:
    """Numbers as words, to stand beside numerals."""
    packed = numbers.packed()
    if len(packed.values) and not all(word.removeprefix("-").isdecimal() for word in beside):
        raise DataError("one side is text and the other numbers", code="units-differ", hint="compare like with like")
    distinct, codes = np.unique(packed.values, return_inverse=True)
    return Ragged(
        codes.astype(np.int64), packed.starts, packed.lengths, missing=packed.missing, words=list(map(str, distinct))
    )


def united(words: Sequence[str], others: Sequence[str]) -> tuple[Array, Sequence[str]]:
    """The places of the others in one vocabulary that begins with the words, and this vocabulary."""
    join = getattr(words, "join", None)
    if join is not None and type(others) is type(words):
        return join(others)  # type: ignore[no-any-return]
    numbers = dict(zip(words, range(len(words)), strict=True))
    places = np.array([numbers.setdefault(word, len(numbers)) for word in others], np.int64)
    return places, list(numbers)


def remapped(units: Ragged, meaning: Mapping[str, str | None], unit: str) -> Ragged:
    """Units as what they count as; those that count as nothing (``None``) are left out, others stay as they are."""
    packed = units.packed()
    vocabulary, codes = units.words, packed.values
    if vocabulary is None:
        distinct, codes = np.unique(codes, return_inverse=True)
        vocabulary = names(distinct, None, unit)
    numbers: dict[str, int] = {}
    places = []
    for name in vocabulary:
        counted = meaning.get(name, name)
        places.append(-1 if counted is None else numbers.setdefault(counted, len(numbers)))
    codes = np.array(places, np.int64)[codes] if places else codes
    moved = Ragged(codes, packed.starts, packed.lengths, missing=packed.missing, words=list(numbers))
    return without(moved, codes < 0)


def spaceless(units: Ragged, unit: str) -> Ragged:
    """Characters, graphemes or bytes without those that are white space; words and ids as they are."""
    packed = units.packed()
    if unit == "byte":
        return without(packed, white_space(packed.values))
    if unit not in {"char", "grapheme"}:
        return units
    distinct, places = np.unique(packed.values, return_inverse=True)
    blank = np.array([name.isspace() for name in names(distinct, units.words)], bool)
    return without(packed, blank[places]) if len(distinct) else packed


def names(codes: Array, words: Sequence[str] | None, unit: str = "char") -> list[str]:
    """Units as text: words, characters, two digits of a byte, or numbers."""
    if words is not None:
        return [words[code] for code in codes.tolist()]
    if unit == "char":
        return [chr(code) if 0 <= code < 0x110000 else str(code) for code in codes.tolist()]
    return [f"{code:02x}" if unit == "byte" else str(code) for code in codes.tolist()]
