"""A stream of bytes to a store of pyarrow, whose errors are told as those of reading are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Sending"]


class Sending:
    """What is written is there once it is closed; a stream that is dropped instead closes itself."""

    def __init__(self, stream: Any, once: Callable[[Callable[[], object]], object]) -> None:
        self._stream = stream
        self._once = once

    def write(self, data: bytes, /) -> None:
        """All of the bytes."""
        self._once(lambda: self._stream.write(data))

    def close(self) -> None:
        """The file is complete."""
        self._once(self._stream.close)
