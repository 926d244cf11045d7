"""Engines of this process, for what must hold of any."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from lossctl.engine.cluster import worker


class Shuffled:
    """Tasks done in any order, some of them twice, and states merged in any company."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.states = 0
        self.largest = 0

    def run(
        self,
        partial: Callable[[bytes], bytes],
        merge: Callable[[Sequence[bytes]], bytes],
        tasks: Iterator[tuple[str, bytes]],
        told: Callable[[int], None],
    ) -> bytes | None:
        every = [(number, task) for number, (_, task) in enumerate(tasks)]
        again = self.random.sample(every, len(every) // 3)
        failures, states = {}, []
        for number, task in self.random.sample(every, len(every)):
            strangers()
            try:
                states.append(partial(task))
            except worker.TaskError as error:
                failures[number] = error
            told(number)
        if failures:
            raise failures[min(failures)]
        for _, task in again:
            partial(task)  # somebody else was faster
        self.states += len(states)
        self.largest = max([self.largest, *map(len, states)])
        while len(states) > 1:
            self.random.shuffle(states)
            few = self.random.randint(2, 5)
            strangers()
            states = [*states[few:], merge(states[:few])]
        return states[0] if states else None

    def close(self) -> None:
        pass


def strangers() -> None:
    """As if another process went on."""
    worker._done.__dict__.clear()
