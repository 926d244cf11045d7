"""CTC in probabilities instead of logarithms: a forward recursion in which every label has an exponent of its own.

With r the probability of a label divided by that of the blank, b and l the sums over paths that end in the blank
before label i and in label i, a frame is

    b_i <- b_i + l_(i-1)        l_i <- (l_i + b_i + [label i differs from label i-1] l_(i-1)) r_i

where all on the right is from the frame before: two or three sums and a product instead of logarithms. A pair of
cells is stored divided by a power of two, anew each ``WINDOW`` frames, which rounds nothing. What can be lost is what
falls below the least float, and a result is used only where that is known to be nothing:

- Where P, the sum over all paths, is large. Powers of two are such that a cell's unit is at most about T in true
  probability, and what a path has lost could at most have gone on with probability 1. Less than 10 T (S + 1) times
  something has been lost, at most 2^-970 T each (scores that are not normalised: times how far they add up to more
  than 1, for either end of a path). If P is 2^60 times all of this, nothing is missing.
- Where no cell has come near the least float: the blanks, which only grow within a window, stand above 2^-400 in
  their units at the end of each, and no r is below 2^-37, sixteen of which new labels go through in one window.

Infinities and NaN stay to the end. Everything else is left to logarithms.
"""

from __future__ import annotations

import numpy as np

from lossctl.sequences.ctc_emissions import EXCESS, NEARLY_ONE, Emissions, emissions
from lossctl.sequences.ctc_walks import Flags, Floats, Ints, Walks
from lossctl.sequences.ragged import Ragged

__all__ = ["scaled"]

WINDOW = 16  # frames between two changes of exponents
SPAN = 512  # frames at most whose emissions are made at once
BUFFER = 1 << 15  # emissions at once, as far as WINDOW allows
SLOPE = 25  # an exponent is at most this much below that of the label before: 2^(16 x 25) is far from overflow
STEEP = -500  # and where it is more than this above, the label before could be lost on the way
FLOOR = 2.0**-400
LEAST = 2.0**-37
ROOM = -970 + 60
UNREACHED = -(1 << 43)
ROW = 1 << 44  # more than exponents differ by, so that none passes from row to row


def scaled(frames: Ragged, walks: Walks, form: str, blank: int) -> tuple[Floats, Flags]:
    """(N,) minus the log-probability of all paths of ``halves``, and where that is known to be right."""
    rows, cells = walks.active()
    state = State(walks)
    width = len(walks.owner)
    span = WINDOW * max(1, min(BUFFER // (width * WINDOW), SPAN // WINDOW, -(-len(rows) // WINDOW)))
    emission = emissions(frames, walks, form, blank, span)
    buffer = np.empty(span * width)
    with np.errstate(all="ignore"):
        for start in range(0, len(rows), span):
            stop = min(start + span, len(rows))
            size = int(cells[start])
            ratios = buffer[: (stop - start) * size].reshape(stop - start, size)
            state.divide(emission.window(start, stop, int(rows[start]), ratios), start)
            np.minimum(state.least[:size], ratios.min(axis=0), out=state.least[:size])
            for at in range(start, stop, WINDOW):
                upto = min(at + WINDOW, stop)
                state.advance(ratios[at - start : upto - start], cells[at:upto])
                state.rescale(int(cells[upto]) if upto < len(rows) else width)
        return meet(state, emission)


class State:
    """The cells of all rows. ``label`` has one in front, so that the label before a cell is a shifted view."""

    def __init__(self, walks: Walks) -> None:
        rows, cells = len(walks.lengths), len(walks.owner)
        self.walks = walks
        self.blank, self.label = np.zeros(cells), np.zeros(cells + 1)
        self.blank[walks.starts] = 1.0
        self.level = np.zeros(cells, np.int64)  # exponents
        self.inner = np.ones(cells)
        self.inner[walks.starts] = 0.0
        self.gain = self.inner.copy()  # from the unit of the cell before to this one's
        self.fresh = 1.0 - walks.repeats
        self.repeats = bool(walks.repeats.any())
        self.ramp = (np.arange(cells) - walks.starts[walks.owner]) * SLOPE + walks.owner * ROW
        self.moved, self.total = np.empty(cells), np.empty(cells)
        self.fall, self.shift = np.zeros(cells, np.int64), np.empty(cells, np.int64)
        self.low = np.zeros(cells, bool)
        self.least = np.full(cells, np.inf)
        self.unit, self.power = np.ones(rows), np.zeros(rows, np.int64)  # 1 / product of the blanks of all frames

    def advance(self, ratios: Floats, counts: Ints) -> None:
        """Some frames on; ``counts`` says how many cells still walk at each."""
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

    def rescale(self, size: int) -> None:
        """New exponents for the first cells: each its own, but at most SLOPE below that of the cell before."""
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

    def divide(self, unit: Floats, start: int) -> None:
        """Take in what ratios are relative to; products in pairs, in an order that no other row changes."""
        frames, rows = unit.shape
        bits = unit.view(np.int64)
        power = (bits >> 52) - 1023
        bits &= (1 << 52) - 1
        bits |= 1023 << 52
        over = ~self.walks.walking(start, start + frames, rows)
        unit[over], power[over] = 1.0, 0
        self.power[:rows] += power.sum(axis=0)
        unit = np.concatenate([unit, np.ones((-frames % WINDOW, rows))]).reshape(-1, WINDOW, rows)
        while unit.shape[1] > 1:
            unit = unit[:, ::2] * unit[:, 1::2]
        for part in unit[:, 0]:
            self.unit[:rows] *= part
        self.unit[:rows], more = np.frexp(self.unit[:rows])
        self.power[:rows] += more


def power_of_two(exponent: Ints, least: int, most: int) -> Floats:
    """2 to the exponents, as far as they go, in the memory of these."""
    np.maximum(exponent, least, out=exponent)
    np.minimum(exponent, most, out=exponent)
    exponent += 1023
    exponent <<= 52
    return exponent.view(np.float64)


def meet(state: State, emission: Emissions) -> tuple[Floats, Flags]:
    """The sum over all cells of paths to the middle from either side, and whether it is sure.

    A path goes on from the first half into the second as it does between any two frames, so the rows of the second
    take one more step, without its emission.
    """
    walks = state.walks
    front, back, owner, mine, facing = walks.meeting()
    moved = state.label[:-1] * state.gain
    onto_label = state.label[1:] + (moved * state.fresh + state.blank)
    before = facing - 1  # the label i of the first half faces that of the cell before the blank i
    begin = np.flatnonzero(state.inner[mine] == 0)
    inside = np.append(state.inner[mine][1:], 0.0)
    blanks = state.blank[mine] * (state.blank + moved)[facing]
    labels = state.label[1:][mine] * onto_label[before] * inside
    both = np.stack([blanks, labels])
    power = state.level[mine] + np.stack([state.level[facing], state.level[before]])
    power = np.where(both > 0, power, -(1 << 60))
    top = np.maximum.reduceat(power.max(axis=0), begin)
    both *= power_of_two(power - top[owner], -1023, 0)
    mass, extra = np.frexp(np.add.reduceat(both[0] + both[1], begin) / (state.unit[front] * state.unit[back]))
    bits = extra + top - state.power[front] - state.power[back]
    whole = np.maximum(bits, -1000)
    found = np.where(bits < -1000, -(np.log(mass) + bits * np.log(2.0)), -np.log(np.ldexp(mass, whole)))
    lost = walks.any((state.fall < STEEP) & (state.inner > 0)) | emission.unusable
    near = walks.any(state.low) | ~(np.minimum.reduceat(state.least, walks.starts) >= LEAST)
    frames = (walks.lengths[front] + walks.lengths[back]).astype(np.float64)
    excess = (emission.excess[front] + emission.excess[back]) / EXCESS
    excess += frames * (NEARLY_ONE - 1) * 1.5
    room = ROOM + np.log2(10 * (frames + 1) ** 2 * walks.widths[front]) + 2 * excess
    sure = (bits > room) | ~(near[front] | near[back])
    return found, np.isfinite(found) & ~(lost[front] | lost[back]) & sure
