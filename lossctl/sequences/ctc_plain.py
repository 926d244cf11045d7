"""CTC in probabilities with one exponent a row, for all that is not too unlikely: the least work a frame can take.

With r the probability of a label divided by that of the blank, b and l the sums over paths that end in the blank
before label i and in label i, a frame is

    b_i <- b_i + l_(i-1)        l_i <- (l_i + b_i + [label i differs from label i-1] l_(i-1)) r_i

where all on the right is from the frame before: two or three sums and a product instead of logarithms. A row is
stored times a power of two, anew each window, such that its greatest cell is 2^LIFT; this rounds nothing.

What can be lost is what falls below the least float. Whatever is lost in a row is at most L = n 2^-(1022 + LIFT) in
true probability, n counting all that is done to all cells: no cell is likelier than 1, so its unit is no more than
2^-LIFT. Every path through what is lost in one half goes on in the other, so of P, the sum over all paths, no more is
missing than L (A + B + L), where A and B are the greatest cells of both halves in the middle. A result is used only
where P is 2^60 times that; and either 2^60 times all that ratios could have lost, or none of them was small.
"""

from __future__ import annotations

import numpy as np

from lossctl.sequences.ctc_emissions import Emissions
from lossctl.sequences.ctc_states import WINDOW, State, chances, minus_log, power_of_two, walk
from lossctl.sequences.ctc_walks import Flags, Floats, Ints, Walks
from lossctl.sequences.ragged import Ragged

__all__ = ["plain"]

LIFT = 500  # as much is left for growth within a window
LOST = -(1022 + LIFT)
SURE = 60
REACH = LOST + SURE + 30  # a half less likely than this is of no use
LEAST = 2.0**-100
ROOM = -970 + SURE


def plain(frames: Ragged, walks: Walks, form: str, blank: int) -> tuple[Floats, Flags]:
    """(N,) minus the log-probability of all paths of ``halves``, and where that is known to be right."""
    state = Plain(walks)
    with np.errstate(all="ignore"):
        return meet(state, walk(state, frames, form, blank))


class Plain(State):
    def __init__(self, walks: Walks) -> None:
        super().__init__(walks)
        self.level = np.zeros(len(walks.lengths), np.int64)  # exponents
        self.last = walks.starts + walks.widths - 1  # leads nowhere
        self.probed = False  # after the first window, for rows that will end far below what can be sure
        self._lift(len(self.level), len(walks.owner), LIFT)

    def look(self, ratios: Floats, unit: Floats, growth: Floats, start: int) -> None:
        super().look(ratios, unit, growth, start)
        ratios[:, self.last[: unit.shape[1]]] = 0.0

    def advance(self, ratios: Floats, counts: Ints) -> None:
        multiply, add = np.multiply, np.add
        size = -1
        for ratio, count in zip(ratios, counts.tolist(), strict=True):
            if count != size:
                size = count
                blank, label, before = self.blank[:size], self.label[1 : size + 1], self.label[:size]
                fresh, total = self.fresh[:size], self.total[:size]
            if self.repeats:
                multiply(before, fresh, total)
                add(total, blank, total)
                add(blank, before, blank)
                add(label, total, label)
            else:
                add(blank, before, blank)
                add(label, blank, label)
            multiply(label, ratio if len(ratio) == size else ratio[:size], label)

    def rescale(self, rows: int, size: int) -> None:
        self._lift(rows, size, LIFT)
        if not self.probed:
            lengths, reached = self.walks.lengths[:rows], (self.level - self.power)[:rows] + LIFT
            self.wild[:rows] |= (lengths > WINDOW) & (2 * reached * lengths < 3 * REACH * WINDOW)
            self.probed = True

    def finish(self) -> None:
        self._lift(len(self.level), len(self.blank), 0)

    def _lift(self, rows: int, size: int, to: int) -> None:
        """The greatest cell of each row to 2^to."""
        blank, label, moved = self.blank[:size], self.label[1 : size + 1], self.moved[:size]
        if not rows:
            return
        top = np.maximum.reduceat(np.maximum(blank, label, out=moved), self.walks.starts[:rows])
        shift = np.clip(to + 1023 - (top.view(np.int64) >> 52), -1022, 1022)
        self.level[:rows] -= shift
        factor = power_of_two(shift, -1022, 1022).take(self.walks.owner[:size], out=moved, mode="clip")
        blank *= factor
        label *= factor


def meet(state: Plain, emission: Emissions) -> tuple[Floats, Flags]:
    """The sum over all cells of paths to the middle from either side, and whether it is sure.

    A path goes on from the first half into the second as it does between any two frames, so the rows of the second
    take one more step, without its emission.
    """
    state.finish()
    walks, blank, label, before = state.walks, state.blank, state.label[1:], state.label[:-1]
    front, back, begin, mine, facing, previous = walks.meeting()
    both = blank.take(mine) * (blank + before).take(facing)
    both += label.take(mine) * (label + (before * state.fresh + blank)).take(previous)
    mass, extra = np.frexp(np.add.reduceat(both, begin) / (state.unit[front] * state.unit[back]))
    half = state.level - state.power
    bits = extra + half[front] + half[back]
    found = minus_log(mass, bits)
    count = chances(walks, emission, front, back)
    lost = count + LOST
    enough = bits > SURE + lost + np.maximum(np.maximum(half[front], half[back]) + 4, lost)
    near = ~(np.minimum.reduceat(state.least, walks.starts) >= LEAST)
    enough &= (bits > ROOM + count) | ~(near[front] | near[back])
    return found, enough & (extra > -900) & np.isfinite(found) & ~(state.wild[front] | state.wild[back])
