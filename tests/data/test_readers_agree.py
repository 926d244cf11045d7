"""The same table gives the same numbers, labels and errors from every format, for any cut."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.formats import open_source
from lossctl.data.opening import Input
from lossctl.data.text.csv import CsvSource


def sources(folder, numbers, words):
    """One table as CSV (whole and in tiny chunks), TSV, JSONL, Parquet, Arrow (file and stream), NPZ and in memory."""
    folder.mkdir(exist_ok=True)
    np.savez(folder / "x.npz", n=np.array(numbers), t=np.array(words))
    pq.write_table(pa.table({"n": pa.array(numbers), "t": pa.array(words)}), folder / "x.parquet", row_group_size=5)
    table = pa.table({"n": pa.array(numbers), "t": pa.array(words)})
    pa.feather.write_feather(table, folder / "x.feather", chunksize=5)
    with pa.OSFile(str(folder / "x.arrows"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=5)
    rows = (json.dumps({"n": n, "t": t}) for n, t in zip(numbers, words, strict=True))
    (folder / "x.jsonl").write_text("\n".join(rows))
    for suffix, mark in (("csv", ","), ("tsv", "\t")):
        lines = [f"n{mark}t", *(f"{n!r}{mark}{t}" for n, t in zip(numbers, words, strict=True))]
        (folder / f"x.{suffix}").write_bytes(("\n".join(lines) + "\n").encode())
    return [
        open_source(folder / "x.csv"),
        CsvSource(Input(folder / "x.csv"), _sizes=(5, 40, 30)),
        open_source(folder / "x.tsv"),
        open_source(folder / "x.parquet"),
        open_source(folder / "x.feather"),
        open_source(folder / "x.arrows"),
        open_source(folder / "x.jsonl"),
        open_source(folder / "x.npz"),
        MemorySource({"n": numbers, "t": words}),
        MemorySource({"n": pa.array(numbers), "t": pa.array(words)}),
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.floats(), st.sampled_from(["cat", "dog", "", "NA", "007", "1.0"])), min_size=1, max_size=40),
    st.sampled_from([1, 7, 1000]),
)
def test_numbers_and_words(tmp_path_factory, table, rows):
    numbers, words = (list(column) for column in zip(*table, strict=True))
    for source in sources(tmp_path_factory.mktemp("agree"), numbers, words):
        blocks = list(source.blocks(["n"], ["t"], rows))
        assert [block.first for block in blocks] == list(range(0, len(numbers), rows))
        found = np.concatenate([block.numbers("n") for block in blocks])
        assert found.dtype == np.float64
        assert [repr(x) for x in found.tolist()] == [repr(x) for x in numbers]
        assert [text for block in blocks for text in block.texts("t")] == words
        for block in blocks:
            codes, labels = block.labels("t")
            part = words[block.first : block.first + rows]
            assert labels == list(dict.fromkeys(part))
            assert [labels[code] for code in codes] == part


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_errors(tmp_path, read, rows):
    numbers = [*range(29), 2**53 + 1, 5]
    for source in sources(tmp_path / "t", numbers, ["a"] * 31):
        error = read.failure(source, ["n"], rows=rows)
        assert (error.code, error.row, error.column) == ("integer-too-large", 30, "n"), source.format
        assert "9007199254740993" in error.message
        assert error.file == source.name
