"""CTC in probabilities where one exponent a row is not enough: every label has one of its own.

The recursion is that of ``ctc_plain``. A pair of cells is stored divided by a power of two, anew each window, which
rounds nothing. What can be lost is what falls below the least float, and a result is used only where that is known
to be nothing:

- Where P, the sum over all paths, is large. Powers of two are such that a cell's unit is at most about T in true
  probability, and what a path has lost could at most have gone on with probability 1. Less than 10 T (S + 1) times
  something has been lost, at most 2^-970 T each (scores that are not normalised: times how far they add up to more
  than 1, for either end of a path). If P is 2^60 times all of this, nothing is missing.
- Where no cell has come near the least float: the blanks, which only grow within a window, stand above 2^-400 in
  their units at the end of each, and no r is below 2^-37, sixteen of which new labels go through in one window.

Infinities and NaN stay out. Everything else is left to logarithms.
"""

from __future__ import annotations

import numpy as np

from lossctl.sequences.ctc_emissions import Emissions
from lossctl.sequences.ctc_states import State, chances, minus_log, power_of_two, walk
from lossctl.sequences.ctc_walks import Flags, Floats, Ints, Walks
from lossctl.sequences.ragged import Ragged

__all__ = ["scaled"]

SLOPE = 25  # an exponent is at most this much below that of the label before: 2^(16 x 25) is far from overflow
STEEP = -500  # and where it is more than this above, the label before could be lost on the way
FLOOR = 2.0**-400
LEAST = 2.0**-37
ROOM = -970 + 60
UNREACHED = -(1 << 43)
ROW = 1 << 44  # more than exponents differ by, so that none passes from row to row


def scaled(frames: Ragged, walks: Walks, form: str, blank: int) -> tuple[Floats, Flags]:
    """(N,) minus the log-probability of all paths of ``halves``, and where that is known to be right."""
    state = Scaled(walks)
    with np.errstate(all="ignore"):
        return meet(state, walk(state, frames, form, blank))


class Scaled(State):
    def __init__(self, walks: Walks) -> None:
        super().__init__(walks)
        cells = len(walks.owner)
        self.level = np.zeros(cells, np.int64)  # exponents
        self.inner = np.ones(cells)
        self.inner[walks.starts] = 0.0
        self.gain = self.inner.copy()  # from the unit of the cell before to this one's
        self.ramp = (np.arange(cells) - walks.starts[walks.owner]) * SLOPE + walks.owner * ROW
        self.fall, self.shift = np.zeros(cells, np.int64), np.empty(cells, np.int64)
        self.low = np.zeros(cells, bool)

    def advance(self, ratios: Floats, counts: Ints) -> None:
        multiply, add = np.multiply, np.add
        size = -1
        for ratio, count in zip(ratios, counts.tolist(), strict=True):
            if count != size:
                size = count
                blank, label, before = self.blank[:size], self.label[1 : size + 1], self.label[:size]
                gain, fresh, moved, total = self.gain[:size], self.fresh[:size], self.moved[:size], self.total[:size]
            multiply(before, gain, moved)
            if self.repeats:
                multiply(moved, fresh, total)
                add(total, blank, total)
                add(blank, moved, blank)
                add(label, total, label)
            else:
                add(blank, moved, blank)
                add(label, blank, label)
            multiply(label, ratio if len(ratio) == size else ratio[:size], label)

    def rescale(self, rows: int, size: int) -> None:
        """Each cell gets its own exponent, but at most SLOPE below that of the cell before."""
        blank, label, level = self.blank[:size], self.label[1 : size + 1], self.level[:size]
        reached = blank > 0
        power = np.maximum(blank, label).view(np.int64) >> 52
        new = level + power
        np.putmask(new, power == 0, UNREACHED)
        new += self.ramp[:size]
        np.maximum.accumulate(new, out=new)
        new -= self.ramp[:size]
        new -= 1024
        factor = power_of_two(np.subtract(level, new, power), -1022, 1022)
        blank *= factor
        label *= factor
        reached &= blank < FLOOR
        self.low[:size] |= reached
        level[...] = new
        gap = np.subtract(new[:-1], new[1:], self.shift[1:size])
        np.minimum(self.fall[1:size], gap, out=self.fall[1:size])
        np.multiply(power_of_two(gap, STEEP, SLOPE), self.inner[1:size], self.gain[1:size])


def meet(state: Scaled, emission: Emissions) -> tuple[Floats, Flags]:
    """As in ``ctc_plain``, with exponents of both sides."""
    walks = state.walks
    front, back, begin, mine, facing, previous = walks.meeting()
    moved = state.label[:-1] * state.gain
    onto_label = state.label[1:] + (moved * state.fresh + state.blank)
    inside = np.append(state.inner[mine][1:], 0.0)
    blanks = state.blank[mine] * (state.blank + moved)[facing]
    labels = state.label[1:][mine] * onto_label[previous] * inside
    both = np.stack([blanks, labels])
    power = state.level[mine] + np.stack([state.level[facing], state.level[previous]])
    power = np.where(both > 0, power, -(1 << 60))
    top = np.maximum.reduceat(power.max(axis=0), begin)
    both *= power_of_two(power - np.repeat(top, walks.widths[front]), -1023, 0)
    mass, extra = np.frexp(np.add.reduceat(both[0] + both[1], begin) / (state.unit[front] * state.unit[back]))
    bits = extra + top - state.power[front] - state.power[back]
    found = minus_log(mass, bits)
    lost = walks.any((state.fall < STEEP) & (state.inner > 0)) | state.wild
    near = walks.any(state.low) | ~(np.minimum.reduceat(state.least, walks.starts) >= LEAST)
    sure = (bits > ROOM + chances(walks, emission, front, back)) | ~(near[front] | near[back])
    return found, np.isfinite(found) & ~(lost[front] | lost[back]) & sure
