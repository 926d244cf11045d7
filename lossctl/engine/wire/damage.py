"""The one error for bytes that are no state, and for states that do not go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lossctl.errors import DataError, LossctlError

__all__ = ["MOST", "Ints", "array_of", "count_of", "damaged", "item", "reading"]

MOST = 2**63  # where counts and rows end
Ints = NDArray[np.int64]
Kind = TypeVar("Kind")


def damaged(why: str) -> DataError:
    return DataError(
        f"the state of a worker cannot be merged: {why}",
        code="state",
        hint="run the same lossctl everywhere, and the task once more",
    )


@contextmanager
def reading() -> Iterator[None]:
    """Whatever goes wrong inside is for the bytes to answer for."""
    try:
        yield
    except LossctlError:
        raise
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        raise damaged(f"it is not as states are ({type(error).__name__}: {error})") from None


def item(tree: Mapping[str, Any], name: str, *kinds: type[Kind]) -> Kind:
    """An entry of a mapping that has to be there, of one of these types."""
    found = tree.get(name)
    if not isinstance(found, kinds) or (isinstance(found, bool) and bool not in kinds):
        raise damaged(f"{name!r} is missing, or {type(found).__name__}")
    return found


def count_of(tree: Mapping[str, Any], name: str) -> int:
    """An entry that counts something."""
    found = item(tree, name, int)
    if not 0 <= found < MOST:
        raise damaged(f"{name!r} is out of range")
    return found


def array_of(
    tree: Mapping[str, Any],
    name: str,
    kind: str,
    shape: tuple[int | None, ...],
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """An array of this dtype and shape (``None``: any length), all of it from ``least`` to ``most``."""
    found = item(tree, name, np.ndarray)
    fits = len(found.shape) == len(shape) and all(n in (None, m) for n, m in zip(shape, found.shape, strict=True))
    if found.dtype != np.dtype(kind) or not fits:
        raise damaged(f"{name!r} is {found.dtype} of shape {found.shape}")
    if found.size and ((least is not None and found.min() < least) or (most is not None and found.max() > most)):
        raise damaged(f"{name!r} is out of range")
    return found
