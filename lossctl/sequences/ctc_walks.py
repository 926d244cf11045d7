"""The lattice of CTC as flat cells: every sample walked from both ends to its middle, none of them padded."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lossctl.sequences.ragged import Ragged, ends

__all__ = ["Flags", "Floats", "Ints", "Walks", "halves", "repeated", "wholes"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


class Walks(NamedTuple):
    """R rows, longest first; row r reads ``lengths[r]`` frames, from place ``first[r]`` on in steps of ``stride[r]``.

    A row of S labels has S + 1 cells, rows end to end: cell i is the blank before label i, and that label. The last
    cell's label is the blank once more; it leads nowhere, as nothing passes from one row to the next.
    """

    sample: Ints  # R
    lengths: Ints  # R
    first: Ints  # R
    stride: Ints  # R
    backward: Flags  # R: from the last frame on, against the reversed target
    starts: Ints  # R: the first cell
    widths: Ints  # R: cells
    owner: Ints  # cells: the row
    labels: Ints  # cells
    repeats: Flags  # cells: the label is that of the cell before

    def active(self) -> tuple[Ints, Ints]:
        """For each frame, how many rows still walk, and how many cells: it is always the first ones."""
        longest = int(self.lengths.max(initial=0))
        rows = np.searchsorted(-self.lengths, -np.arange(longest), side="left")
        return rows, ends(self.widths)[rows - 1]

    def places(self, start: int, stop: int, rows: int) -> Ints:
        """(frames, rows) where frames stand among all; a row that is over stays on its last one."""
        frame = np.minimum(np.arange(start, stop)[:, None], self.lengths[:rows] - 1)
        return np.asarray(self.first[:rows] + frame * self.stride[:rows])

    def walking(self, start: int, stop: int, rows: int) -> Flags:
        """(frames, rows) whether a row has such a frame."""
        return np.asarray(np.arange(start, stop)[:, None] < self.lengths[:rows])

    def any(self, flags: Flags) -> Flags:
        """(R,) rows in which the flag of a cell is set."""
        return np.asarray(np.logical_or.reduceat(flags, self.starts))

    def meeting(self) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
        """Where the two rows of each sample meet.

        The first and the second row of each sample; where the cells of a sample begin among all of these: for each cell
        of the first row itself, the cell of the second whose blank is the same, and the one whose label is (or, as the
        last cell has none, any of the same row).
        """
        forward, backward = np.flatnonzero(~self.backward), np.flatnonzero(self.backward)
        front, back = np.empty_like(forward), np.empty_like(forward)
        front[self.sample[forward]] = forward
        back[self.sample[backward]] = backward
        widths = self.widths[front]
        begin = ends(widths) - widths
        slot = np.arange(int(widths.sum()))
        mine = slot + np.repeat(self.starts[front] - begin, widths)
        first = self.starts[back]
        facing = np.repeat(first + begin + widths - 1, widths) - slot
        return front, back, begin, mine, facing, np.maximum(facing - 1, np.repeat(first, widths))


def halves(frames: Ragged, target: Ragged, blank: int) -> Walks:
    """Two rows a sample: the first half of its frames, and the second half backwards against the reversed target.

    Paths that meet in the middle are half as long, and twice as many cells share the cost of a call.
    """
    count = len(frames)
    ahead = (frames.lengths + 1) // 2
    last = frames.starts + np.maximum(frames.lengths - 1, 0) * frames.step
    lengths = np.concatenate([ahead, frames.lengths - ahead])
    first = np.concatenate([frames.starts, last])
    return _walks(target, lengths, first, np.repeat([False, True], count), frames.step, blank)


def wholes(frames: Ragged, target: Ragged, blank: int) -> Walks:
    """One row a sample, from its first frame to its last."""
    return _walks(target, frames.lengths, frames.starts, np.zeros(len(frames), bool), frames.step, blank)


def _walks(target: Ragged, lengths: Ints, first: Ints, backward: Flags, step: int, blank: int) -> Walks:
    order = np.argsort(-lengths, kind="stable")
    sample, lengths, first, backward = order % len(target), lengths[order], first[order], backward[order]
    sizes = target.lengths[sample]
    widths = sizes + 1
    starts = ends(widths) - widths
    owner = np.repeat(np.arange(len(widths)), widths)
    slot = np.arange(len(owner)) - np.repeat(starts, widths)
    inside = np.ones(len(owner), bool)
    inside[starts + sizes] = False
    towards = np.where(backward, -target.step, target.step)
    begin = target.starts[sample] + np.where(backward, (sizes - 1) * target.step, 0)
    place = np.repeat(begin, widths) + slot * np.repeat(towards, widths)
    labels = np.full(len(owner), blank, np.int64)
    labels[inside] = target.values[place[inside]]
    repeats = np.zeros(len(owner), bool)
    repeats[1:] = (labels[1:] == labels[:-1]) & (slot[1:] > 0) & inside[1:]
    stride = np.where(backward, -step, step)
    return Walks(sample, lengths, first, stride, backward, starts, widths, owner, labels, repeats)


def repeated(target: Ragged) -> Ints:
    """(N,) how many labels equal the one before: each of them needs a blank in between."""
    values, owner = target.flat(), target.owners()
    again: Any = (values[1:] == values[:-1]) & (owner[1:] == owner[:-1])
    return np.bincount(owner[1:][again], minlength=len(target))
