"""The files of a source as workers will open them, and how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lossctl.data import places
from lossctl.data.shards.source import ShardedSource
from lossctl.errors import UsageError

__all__ = ["files_of", "sizes_of"]


def files_of(source: Any, endpoint_url: str | None) -> Sequence[str]:
    """The files of a source. Raises ``UsageError`` for one that workers cannot open."""
    files: Sequence[str] = getattr(source, "files", (source.name,))
    if isinstance(source, ShardedSource) or places.is_file(source.name, endpoint_url):
        return files
    raise UsageError(
        f"{source.name} is no file that workers could open",
        code="bad-option",
        hint="save it as a file, or leave --engine out",
    )


def sizes_of(files: Sequence[str], endpoint_url: str | None) -> NDArray[np.int64]:
    """(files,) bytes, -1 where nobody tells."""
    known: NDArray[np.int64] | None = getattr(files, "sizes", None)
    if known is not None:
        return known
    sizes = [places.size(path, endpoint_url) for path in files]
    return np.array([-1 if size is None else size for size in sizes], np.int64)
