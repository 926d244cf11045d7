"""Tallies as trees: only groups that hold something, only sums that are not zero."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from lossctl.engine.bits import bins_of, middles
from lossctl.engine.hoard import Hoard
from lossctl.engine.parts import Part, joined
from lossctl.engine.tally import Kept, Tally
from lossctl.engine.wire.damage import Ints, array_of, count_of, damaged, item
from lossctl.sums import Sums

__all__ = ["sums_in", "sums_out", "tally_in", "tally_out"]

Tree: TypeAlias = dict[str, Any]
Renamed: TypeAlias = Callable[[str], str]

DIGIT = 2**39
LIMBS = 256  # more than any sum has
ODD = ("nan", "neginf", "posinf")
LARGEST = 2**62  # more than any count


def sums_out(sums: Sums, at: Ints | None = None) -> Tree | None:
    """The sums of the groups ``at`` (default all), which are those that are not zero; ``None`` if all are."""
    state = sums.state()
    if len(state) == 2 and not len(state["limbs"]):
        return None
    if at is not None:
        state = {name: array if name == "limbs" else array[..., at] for name, array in state.items()}
    return dict(state)


def sums_in(tree: Tree | None, groups: int, at: Ints | None = None) -> Sums:
    """Sums of ``groups`` groups."""
    if tree is None:
        return Sums(groups)
    n = groups if at is None else len(at)
    limbs = array_of(tree, "limbs", "i8", (None,), 0, LIMBS)
    digits = array_of(tree, "digits", "i8", (len(limbs), n), -DIGIT, DIGIT - 1)
    if (np.diff(limbs) <= 0).any():
        raise damaged("its sums are out of order")
    state = {"limbs": limbs, "digits": spread(digits, groups, at)}
    for kind in ODD:
        if kind in tree:
            state[kind] = spread(array_of(tree, kind, "i8", (n,), 0, LARGEST), groups, at)
    return Sums.from_state(state)


def spread(values: Any, groups: int, at: Ints | None, fill: float = 0) -> Any:
    """The values (..., n) of the groups ``at``, among all groups."""
    if at is None:
        return values
    every = np.full((*values.shape[:-1], groups), fill, values.dtype)
    every[..., at] = values
    return every


def tally_out(tally: Tally, renamed: Renamed) -> Tree:
    """All that merging a tally adds to another; ``renamed`` gives the wire's names of terms."""
    n = tally.groups
    rows, dropped = tally.rows[:n], tally.dropped[:, :n]
    there = (rows > 0) | dropped.any(axis=0)
    at = None if there.all() or n == 1 else np.flatnonzero(there).astype(np.int64)
    some: Any = slice(None) if at is None else at
    tree: Tree = {"groups": n, "rows": rows[some]}
    if at is not None:
        tree["at"] = at
    if dropped.any():
        tree["dropped"] = dropped[:, some]
    if tally.width != 1:
        tree["width"] = tally.width
    tree["sums"] = {renamed(name): sums_out(sums, at) for name, sums in tally.sums.items()}
    for name in ("weight", "first", "second"):
        found = sums_out(getattr(tally, name), at)
        if found is not None:
            tree[name] = found
    if tally.counted[:n].any():
        tree["counted"] = tally.counted[:n][some]
    if tally.spread:
        tree["low"], tree["high"] = tally.low[:n][some], tally.high[:n][some]
    if tally.kept:
        tree["kept"] = kept_out(tally.all_kept())
    if tally.hoard is not None:
        tree["hoard"] = hoard_out(tally.hoard)
    return tree


def tally_in(tree: Tree, tally: Tally, most: int, renamed: Renamed) -> Tally:
    """Fill a fresh tally, which gets ``most`` groups at most."""
    n = count_of(tree, "groups")
    at = array_of(tree, "at", "i8", (None,), 0, n - 1) if "at" in tree else None
    if not 1 <= n <= most or (at is not None and (np.diff(at) <= 0).any()):
        raise damaged(f"its groups are out of range ({n:,} of {most:,})")
    if (tally.hoard is not None) != ("hoard" in tree) or tally.spread != ("low" in tree):
        raise damaged("its statistics are not those that were asked for")
    k = n if at is None else len(at)
    tally.grow(n)
    where: Any = slice(0, n) if at is None else at
    tally.rows[where] = array_of(tree, "rows", "i8", (k,), 0, LARGEST)
    if "dropped" in tree:
        tally.dropped[:, where] = array_of(tree, "dropped", "i8", (2, k), 0, LARGEST)
    tally.width = count_of(tree, "width") if "width" in tree else 1
    terms = item(tree, "sums", dict)
    tally.sums = {renamed(name): sums_in(terms[name], n, at) for name in terms}
    if len(tally.sums) != len(terms):
        raise damaged("a term stands twice")
    tally.weight, tally.first, tally.second = (sums_in(tree.get(x), n, at) for x in ("weight", "first", "second"))
    for sums in (*tally.sums.values(), tally.weight, tally.first, tally.second):
        sums.grow(tally.groups)  # which may have been more before
    if "counted" in tree:
        tally.counted[where] = array_of(tree, "counted", "i8", (k,), 0, LARGEST)
    if tally.spread:
        tally.low[where] = array_of(tree, "low", "f8", (k,))
        tally.high[where] = array_of(tree, "high", "f8", (k,))
    if "kept" in tree:
        kept = kept_in(item(tree, "kept", dict), n)
        tally.room.take(*kept.arrays.values(), kept.weight, kept.codes)
        tally.kept = [kept]
    if tally.hoard is not None:
        hoard_in(item(tree, "hoard", dict), tally.hoard, n)
    return tally


def kept_out(kept: Kept) -> Tree:
    codes = kept.codes.astype(np.int64) if kept.codes.any() else None
    return {"arrays": kept.arrays, "n": len(kept.codes), "weight": kept.weight, "codes": codes}


def kept_in(tree: Tree, groups: int) -> Kept:
    arrays, n = item(tree, "arrays", dict), count_of(tree, "n")
    found = {name: array_of(arrays, name, "f8", (n, None)) for name in arrays}
    if not found:
        raise damaged("it keeps nothing of some rows")
    codes = np.zeros(n, np.intp) if tree.get("codes") is None else array_of(tree, "codes", "i8", (n,), 0, groups - 1)
    weight = None if tree.get("weight") is None else array_of(tree, "weight", "f8", (n,))
    return Kept(found, weight, codes.astype(np.intp))


def hoard_out(hoard: Hoard) -> Tree:
    """Values as they are; or bins and how many are in each, where there are too many of them."""
    part, rounded = joined(list(hoard.contents())), hoard.approximate
    values: Mapping[str, Any] = {"bins": bins_of(part.values)} if rounded else {"values": part.values}
    return {"taken": hoard.taken, "rounded": rounded, **values, "codes": part.codes, "counts": part.counts}


def hoard_in(tree: Tree, hoard: Hoard, groups: int) -> None:
    rounded, name = item(tree, "rounded", bool), "bins" if "bins" in tree else "values"
    if rounded != (name == "bins") or (rounded and hoard.exact):
        raise damaged("its values are rounded, and are to be exact")
    found = array_of(tree, name, "i8" if rounded else "f8", (None,), *((-(2**18), 2**18 - 1) if rounded else ()))
    n = len(found)
    codes = None if tree.get("codes") is None else array_of(tree, "codes", "i4", (n,), 0, groups - 1)
    counts = None if tree.get("counts") is None else array_of(tree, "counts", "i8", (n,), 1, LARGEST)
    hoard.restore(Part(middles(found) if rounded else found, codes, counts), count_of(tree, "taken"), rounded=rounded)
