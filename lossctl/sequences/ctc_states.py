"""The walk of CTC in probabilities, window by window; how numbers are scaled is left to those who walk."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from lossctl.sequences.ctc_emissions import EXCESS, NEARLY_ONE, Emissions, emissions
from lossctl.sequences.ctc_walks import Floats, Ints, Walks
from lossctl.sequences.ragged import Ragged

__all__ = ["WINDOW", "State", "chances", "minus_log", "power_of_two", "walk"]

WINDOW = 16  # frames between two changes of exponents
SPAN = 512  # frames at most whose emissions are made at once
BUFFER = 1 << 15  # emissions at once, as far as WINDOW allows
TAME = 2.0**28  # sums of ratios below this cannot overflow in a window
HEADROOM = 460  # nor can a window in which the logarithms of these sums, base 2, add up to less
PLAIN = 2.0**60  # ``WINDOW`` factors of at most this are multiplied as they are


class State(ABC):
    """The cells of all rows. ``label`` has one in front, so that the label before a cell is a shifted view."""

    def __init__(self, walks: Walks) -> None:
        rows, cells = len(walks.lengths), len(walks.owner)
        self.walks = walks
        self.blank, self.label = np.zeros(cells), np.zeros(cells + 1)
        self.blank[walks.starts] = 1.0
        self.fresh = 1.0 - walks.repeats
        self.repeats = bool(walks.repeats.any())
        self.moved, self.total = np.empty(cells), np.empty(cells)
        self.least = np.full(cells, np.inf)  # of all ratios
        self.wild = np.zeros(rows, bool)  # of no use: infinite, NaN, or so great that numbers could overflow
        self.unit, self.power = np.ones(rows), np.zeros(rows, np.int64)  # 1 / product of the blanks of all frames

    @abstractmethod
    def advance(self, ratios: Floats, counts: Ints) -> None:
        """Some frames on; ``counts`` says how many cells still walk at each."""

    @abstractmethod
    def rescale(self, rows: int, size: int) -> None:
        """New exponents for the first cells, those of rows which go on."""

    def look(self, ratios: Floats, unit: Floats, growth: Floats, start: int) -> None:
        """At the emissions of some frames, before any is used: none may leave the range of floats, or the row."""
        frames, rows = unit.shape
        walks, size = self.walks, ratios.shape[1]
        np.minimum(self.least[:size], ratios.min(axis=0), out=self.least[:size])
        if int(walks.lengths[rows - 1]) < start + frames:
            done = ~walks.walking(start, start + frames, rows)
            unit[done] = growth[done] = 1.0
        if growth.max() < TAME:
            return
        power = np.maximum((growth.view(np.int64) >> 52 & 2047) - 1023, 0)  # of infinity and NaN 1024
        wild = (np.add.reduceat(power, np.arange(0, frames, WINDOW), axis=0) >= HEADROOM).any(axis=0)
        if wild.any():
            self.wild[:rows] |= wild
            unit[:, wild] = 1.0
            ratios[:, wild.take(walks.owner[:size])] = 0.0

    def divide(self, unit: Floats) -> None:
        """Take in what ratios are relative to; products in pairs within windows, whatever stands beside."""
        frames, rows = unit.shape
        if not (unit.max() < PLAIN and unit.min() > 1 / PLAIN):
            unit, power = np.frexp(unit)
            self.power[:rows] += power.sum(axis=0)
        if frames % WINDOW:
            unit = np.concatenate([unit, np.ones((-frames % WINDOW, rows))])
        unit = unit.reshape(-1, WINDOW, rows)
        while unit.shape[1] > 1:
            unit = unit[:, ::2] * unit[:, 1::2]
        unit, power = np.frexp(unit[:, 0])
        self.power[:rows] += power.sum(axis=0)
        for part in unit:
            self.unit[:rows] *= part
        self.unit[:rows], power = np.frexp(self.unit[:rows])
        self.power[:rows] += power


def walk(state: State, frames: Ragged, form: str, blank: int) -> Emissions:
    """All rows to their ends, unless nothing of this can be used any more."""
    walks = state.walks
    rows, cells = walks.active()
    width, longest = len(walks.owner), len(rows)
    rows, cells = np.append(rows, len(walks.lengths)), np.append(cells, width)
    span = WINDOW * max(1, min(BUFFER // (width * WINDOW), SPAN // WINDOW, -(-longest // WINDOW)))
    emission = emissions(frames, walks, form, blank, span)
    buffer = np.empty(span * width)
    start = 0
    while start < longest and not state.wild.all():
        stop = min(start + (span if start else WINDOW), longest)  # there may be no point in going on after the first
        size = int(cells[start])
        ratios = buffer[: (stop - start) * size].reshape(stop - start, size)
        unit, growth = emission.window(start, stop, int(rows[start]), ratios)
        state.look(ratios, unit, growth, start)
        state.divide(unit)
        for at in range(start, stop, WINDOW):
            upto = min(at + WINDOW, stop)
            state.advance(ratios[at - start : upto - start], cells[at:upto])
            state.rescale(int(rows[upto]), int(cells[upto]))
        start = stop
    return emission


def chances(walks: Walks, emission: Emissions, front: Ints, back: Ints) -> Floats:
    """log2 of how often something can be lost on the way, times how much more than 1 probabilities add up to."""
    frames = walks.lengths[front] + walks.lengths[back]
    excess = (emission.excess[front] + emission.excess[back]) / EXCESS + frames * (NEARLY_ONE - 1) * 1.5
    return np.asarray(np.log2(10.0 * (frames + 1.0) ** 2 * walks.widths[front]) + 2 * excess)


def minus_log(mass: Floats, bits: Ints) -> Floats:
    """-log(mass 2^bits), with one rounding where a float holds it."""
    near = -np.log(np.ldexp(mass, np.maximum(bits, -1000)))
    return np.asarray(np.where(bits < -1000, -(np.log(mass) + bits * np.log(2.0)), near))


def power_of_two(exponent: Ints, least: int, most: int) -> Floats:
    """2 to the exponents, as far as they go, in the memory of these."""
    np.maximum(exponent, least, out=exponent)
    np.minimum(exponent, most, out=exponent)
    exponent += 1023
    exponent <<= 52
    return exponent.view(np.float64)
