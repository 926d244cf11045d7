"""Helpers for the readers: write a small file, read it back in blocks of a chosen size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossctl.data.formats import open_source
from lossctl.data.opening import Input
from lossctl.data.source import Source
from lossctl.data.text.csv import CsvSource
from lossctl.errors import LossctlError

ROWS = (1, 7, 1000)
TINY = (8, 64, 48)  # CSV chunks and pieces of a few bytes, so that every row straddles something


class Read:
    """Whole columns of a source, put together from its blocks, which are checked on the way."""

    def blocks(self, source: Source, numeric: Any = (), text: Any = (), rows: int = 7) -> list[Any]:
        found = list(source.blocks(numeric, text, rows))
        assert [block.first for block in found] == [i * rows for i in range(len(found))]
        assert all(block.rows == rows for block in found[:-1])
        assert all(0 < block.rows <= rows for block in found[-1:])
        return found

    def numbers(self, source: Source, name: str, rows: int = 7) -> Any:
        runs = [block.numbers(name) for block in self.blocks(source, [name], (), rows)]
        assert all(run.dtype in (np.float64, np.float32) for run in runs)
        return np.concatenate(runs) if runs else np.empty(0)

    def texts(self, source: Source, name: str, rows: int = 7) -> list[str | None]:
        blocks = self.blocks(source, (), [name], rows)
        texts = [text for block in blocks for text in block.texts(name)]
        assert texts == self.labels(source, name, rows)
        return texts

    def labels(self, source: Source, name: str, rows: int = 7) -> list[str | None]:
        """The same by way of ``labels``; checks that the words stand in order of appearance."""
        cells: list[str | None] = []
        for block in self.blocks(source, (), [name], rows):
            codes, words = block.labels(name)
            assert codes.dtype == np.int64
            assert codes.shape == (block.rows,)
            mine = [None if code < 0 else words[code] for code in codes]
            assert words == list(dict.fromkeys(cell for cell in mine if cell is not None))
            cells += mine
        return cells

    def failure(self, source: Source, numeric: Any = (), text: Any = (), rows: int = 7) -> LossctlError:
        """The error that reading these columns ends with."""
        with pytest.raises(LossctlError) as caught:
            self._all(source, numeric, text, rows)
        return caught.value

    def _all(self, source: Source, numeric: Any, text: Any, rows: int) -> None:
        for block in source.blocks(numeric, text, rows):
            for name in numeric:
                block.numbers(name)
            for name in text:
                block.labels(name)


@pytest.fixture
def read() -> Read:
    return Read()


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Writes text or bytes to a file of that name."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def csv(put: Callable[..., Path]) -> Callable[..., Source]:
    """A CSV source from text; ``sizes`` shrinks the chunks it is cut into."""

    def make(content: str | bytes, *, sizes: Any = None, **options: Any) -> Source:
        path = put("table.csv", content)
        return CsvSource(Input(path), _sizes=sizes, **options) if sizes else open_source(path, **options)

    return make


@pytest.fixture(params=[None, TINY], ids=["usual", "tiny"])
def sizes(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=ROWS)
def rows(request: pytest.FixtureRequest) -> Any:
    return request.param
