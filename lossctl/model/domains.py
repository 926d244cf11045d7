"""Kinds of numbers that live on a part of the line: counts, rates, variances."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from lossctl.model.findings import Rule, Seen
from lossctl.model.kinds import Array, Kind, Params, Rng, Sizes, broken, put
from lossctl.model.params import Value

__all__ = ["Domain", "HalfLine"]


class Domain(NamedTuple):
    """The numbers from zero on, with zero or (``zero=False``) without it.

    ``refusal`` follows the value in a message: ``-1.0`` + ``is not a count (>= 0)``.
    """

    phrase: str
    refusal: str
    hint: str | None = None
    zero: bool = True

    @property
    def code(self) -> str:
        return "negative" if self.zero else "not-positive"

    def outside(self, array: Array) -> Array:
        return np.asarray(array < 0 if self.zero else array <= 0)


class HalfLine(Kind):
    """Numbers of a domain, which may hang on the value of one parameter (``by``): ``None`` is the whole line.

    ``sparse``: good samples hold zeros, where the domain does (a rate of zero costs inf, a count of zero nothing).
    """

    name: str = "half-line"

    def __init__(
        self,
        domain: Domain | Callable[[Value], Domain | None],
        *,
        by: str = "",
        phrase: str = "",
        sparse: bool = False,
    ) -> None:
        self._domain = domain
        self.by = by
        self.sparse = sparse
        if isinstance(domain, Domain):
            self.phrase = domain.phrase
        else:
            self.phrase = phrase

    def domain(self, params: Params) -> Domain | None:
        return self._domain if isinstance(self._domain, Domain) else self._domain(params[self.by])

    def describe(self, fixed: Params) -> str:
        if self.by and self.by not in fixed:
            return self.phrase
        domain = self.domain(fixed)
        return Kind.phrase if domain is None else domain.phrase

    def check(self, array: Array, params: Params, classes: int | None = None) -> Iterator[Seen]:
        domain = self.domain(params)
        if domain is not None:
            yield broken(Rule(domain.code, domain.refusal, hint=domain.hint), array, domain.outside(array))

    def sample(self, rng: Rng, sizes: Sizes, params: Params) -> Array:
        domain = self.domain(params)
        if domain is None:
            return super().sample(rng, sizes, params)
        if domain.zero and self.sparse:  # in halves, so that ties occur too
            return np.asarray(rng.integers(0, 7, size=sizes.shape) / 2)
        return np.asarray(np.exp(rng.normal(size=sizes.shape)))

    def spoil(self, array: Array, params: Params) -> Iterator[tuple[str, Array]]:
        yield from super().spoil(array, params)
        domain = self.domain(params)
        if domain is not None:
            yield domain.code, put(array, -1.0)
            if not domain.zero:
                yield domain.code, put(array, 0.0)
