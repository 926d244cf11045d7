"""Parquet: types, nulls, lists, row groups, and files that are damaged."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.data.arrow import parquet as parquet_module
from lossctl.data.formats import open_source
from lossctl.errors import DataError

N = 50


@pytest.fixture
def save(tmp_path):
    """Writes columns in row groups of a few rows and opens the file."""

    def write(columns=None, table=None, **options):
        table = pa.table(columns) if table is None else table
        options = {"row_group_size": 16, **options}
        pq.write_table(table, tmp_path / "x.parquet", **options)
        return open_source(tmp_path / "x.parquet")

    return write


NUMBERS = [
    *(getattr(pa, f"{kind}{bits}")() for kind in ("int", "uint") for bits in (8, 16, 32, 64)),
    pa.float16(),
    pa.float32(),
    pa.float64(),
    pa.bool_(),
    pa.decimal128(9, 2),
    pa.decimal256(40, 3),
    pa.dictionary(pa.int8(), pa.int64()),
]


@pytest.mark.parametrize("kind", NUMBERS, ids=str)
@pytest.mark.parametrize("nulls", [False, True])
def test_numbers(save, read, rows, kind, nulls):
    values = [i % 2 == 0 if pa.types.is_boolean(kind) else i % 100 for i in range(N)]
    if nulls:
        values[3::5] = [None] * len(values[3::5])
    cells = [Decimal(v) if pa.types.is_decimal(kind) and v is not None else v for v in values]
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_float16(kind):
        cells = [None if v is None else np.float16(v) for v in values]
    array = pa.array(cells, plain)
    source = save({"a": array.dictionary_encode() if pa.types.is_dictionary(kind) else array})
    small = pa.types.is_float16(kind) or pa.types.is_float32(kind)
    found = read.numbers(source, "a", rows)
    assert found.dtype == (np.float32 if small else np.float64)
    np.testing.assert_array_equal(found, [np.nan if v is None else float(v) for v in values])
    (column,) = source.columns
    assert (column.width, column.rows) == (None, N)
    words = {"i": "int", "u": "int", "b": "bool", "f": "real", "d": "int"}
    expected = "real" if str(kind).startswith(("decimal", "double", "half")) else words[str(kind)[0]]
    assert column.type == expected


def test_schema_words(save):
    columns = {
        "text": ["a"] * N,
        "words": pa.array(["a"] * N).dictionary_encode(),
        "view": pa.array(["a"] * N, pa.string_view()),
        "when": pa.array([0] * N, pa.timestamp("us")),
        "day": [dt.date(2020, 1, 1)] * N,
        "raw": [b"x"] * N,
        "struct": [{"x": 1}] * N,
        "nothing": pa.nulls(N),
        "lists": [[1.0, 2.0]] * N,
        "pairs": pa.array([[1, 2]] * N, pa.list_(pa.int64(), 2)),
        "tokens": [["a"]] * N,
        "deep": [[[1.0]]] * N,
        "a.b": [1] * N,
    }
    source = save(columns)
    found = {c.name: (c.type, c.width) for c in source.columns}
    assert found == {
        "text": ("text", None),
        "words": ("text", None),
        "view": ("text", None),
        "when": ("other", None),
        "day": ("other", None),
        "raw": ("other", None),
        "struct.x": ("int", None),
        "nothing": ("real", None),
        "lists": ("real", 0),
        "pairs": ("int", 2),
        "tokens": ("text", 0),
        "deep": ("real", 0),
        "a.b": ("int", None),
    }
    assert (source.format, source.notes) == ("parquet", ())


def test_only_what_is_asked_for_is_read(save, read):
    source = save({"struct": [{"a": 1.0, "b": 2}] * N, "a": np.arange(float(N)), "a.b": np.zeros(N)})
    (block,) = source.blocks(["a"], [], 1000)
    assert list(block._pieces[0][0].arrays) == ["a"]
    assert read.numbers(source, "a").tolist() == list(range(N))
    assert read.numbers(source, "a.b").tolist() == [0] * N
    assert sum(block.rows for block in source.blocks([], [], 7)) == N


def test_all_null_and_infinite(save, read):
    source = save({"n": pa.nulls(N), "x": [np.inf, -np.inf, np.nan, None, -0.0] * (N // 5)})
    assert np.isnan(read.numbers(source, "n")).all()
    np.testing.assert_array_equal(read.numbers(source, "x"), [np.inf, -np.inf, np.nan, np.nan, -0.0] * 10)
    assert read.texts(source, "n") == [None] * N


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())], ids=str
)
@pytest.mark.parametrize("coded", [True, False])
def test_text(save, read, rows, kind, coded):
    cells = [None if i % 11 == 5 else ["cat", "007", "", "NA", "é日", "None"][i % 6] for i in range(N)]
    array = pa.array(cells)
    source = save(
        {"t": array.dictionary_encode() if pa.types.is_dictionary(kind) else array.cast(kind)},
        use_dictionary=coded,
    )
    assert read.texts(source, "t", rows) == cells
    assert read.failure(source, ["t"], rows=rows).code == "dtype"


def test_labels_of_numbers(save, read, rows):
    source = save(
        {
            "i": [3, None, -1, 2**63 - 1, 3] * 10,
            "f": [1.5, None, 1.0, float("nan"), 1e300] * 10,
            "b": [True, None, False, True, True] * 10,
            "d": [Decimal("1.10"), None, Decimal("2.00"), Decimal("1.10"), Decimal("0.01")] * 10,
            "h": pa.array([0.1] * N, pa.float32()),
        }
    )
    assert read.texts(source, "i", rows) == ["3", None, "-1", str(2**63 - 1), "3"] * 10
    assert read.texts(source, "f", rows) == ["1.5", None, "1.0", None, "1e+300"] * 10
    assert read.texts(source, "b", rows) == ["true", None, "false", "true", "true"] * 10
    assert read.texts(source, "d", rows) == ["1.10", None, "2.00", "1.10", "0.01"] * 10
    assert read.texts(source, "h", rows) == ["0.1"] * N


def test_a_column_wanted_both_ways(save):
    (block,) = save({"y": [1, 2, 1]}).blocks(["y"], ["y"], 10)
    assert block.numbers("y").tolist() == [1, 2, 1]
    assert block.texts("y") == ["1", "2", "1"]


@pytest.mark.parametrize("bad", [2**53 + 1, -(2**53) - 1])
@pytest.mark.parametrize(
    "kind", [pa.int64(), pa.decimal128(30, 0), pa.list_(pa.int64()), pa.list_(pa.int64(), 2)], ids=str
)
def test_integers_too_large(save, read, rows, kind, bad):
    values = [2**53, -(2**53), None, 0, 1] * 10
    values[33] = bad
    if pa.types.is_decimal(kind):
        values = [None if v is None else Decimal(v) for v in values]
    elif not pa.types.is_integer(kind):
        values = [None if v is None else [1, v] for v in values]
    error = read.failure(save({"a": pa.array(values, kind)}), ["a"], rows=rows)
    assert (error.code, error.row, error.column) == ("integer-too-large", 34, "a")
    assert str(bad) in error.message
    assert error.file.endswith("x.parquet")


def test_decimals_are_the_nearest_floats(save, read):
    cells = [Decimal(text) for text in ("0.1", "123456789.12", "0.3", "-99999.97", "0.07")]
    source = save({"d": pa.array(cells, pa.decimal128(20, 2))})
    assert read.numbers(source, "d").tolist() == [float(str(cell)) for cell in cells]


@pytest.mark.parametrize(
    "kind",
    [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float64(), 3), pa.list_(pa.int8())],
    ids=str,
)
@pytest.mark.parametrize("nulls", [False, True])
def test_lists(save, read, rows, kind, nulls):
    cells = [[i % 50, 2.0, i % 3] for i in range(N)]
    if nulls:
        cells[0] = cells[30] = None
        cells[7] = [None, 1.0, None]
    source = save({"a": pa.array(cells, kind)})
    expected = [[np.nan] * 3 if c is None else [np.nan if x is None else x for x in c] for c in cells]
    found = read.numbers(source, "a", rows)
    assert found.shape == (N, 3)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == (np.float32 if kind == pa.large_list(pa.float32()) else np.float64)


def test_lists_all_null_or_empty(save, read):
    assert np.isnan(read.numbers(save({"a": pa.array([None] * 5, pa.list_(pa.float64()))}), "a")).all()
    assert read.numbers(save({"a": pa.array([[]] * 5, pa.list_(pa.float64()))}), "a").shape == (5, 0)


@pytest.mark.parametrize("bad", [[1.0], [], [1.0, 2.0, 3.0]])
@pytest.mark.parametrize("at", [1, 29])
def test_ragged_lists(save, read, rows, bad, at):
    cells = [None, *[[1.0, 2.0]] * (N - 1)]
    cells[at] = bad
    cells[2] = [3.0, 4.0]
    if at == 1:
        cells[1], cells[20] = [5.0, 6.0], bad
        at = 20
    error = read.failure(save({"a": pa.array(cells)}), ["a"], rows=rows)
    assert (error.code, error.row, error.column) == ("ragged-list", at + 1, "a")
    assert error.message.startswith(f"{len(bad)} value")
    assert "expected 2" in error.message


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.list_(pa.float64(), 30)], ids=str)
def test_long_lists_make_small_batches(save, read, monkeypatch, kind):
    monkeypatch.setattr(parquet_module, "_BATCH_BYTES", 800)
    source = save({"a": pa.array([[0.0] * 30] * N, kind)})
    assert read.numbers(source, "a").shape == (N, 30)
    assert all(part.rows <= 3 for part in source._parts(["a"], set()))


def test_rows_beyond_the_cap(save, read, monkeypatch):
    monkeypatch.setattr(parquet_module, "ROW_CAP", 10_000)
    source = save({"a": np.arange(5.0), "t": [f"{i}" * 100_000 for i in range(5)]}, compression="zstd")
    assert read.numbers(source, "a").tolist() == [0, 1, 2, 3, 4]
    assert read.failure(source, [], ["t"]).code == "too-large"


@pytest.mark.parametrize("distinct", [3, 40_000])
def test_text_columns_with_many_words(tmp_path, read, distinct):
    """A dictionary comes with each batch: a large one is not asked for. Both ways give the same cells."""
    cells = [None if i % 1000 == 999 else f"number {i % distinct if i > 70_000 else 5}" for i in range(180_000)]
    pq.write_table(pa.table({"t": cells, "n": range(180_000)}), tmp_path / "x.parquet", row_group_size=100_000)
    source = open_source(tmp_path / "x.parquet")
    kinds = [pa.types.is_dictionary(part.arrays["t"].type) for part in source._parts(["t"], {"t"})]
    assert kinds[0]
    assert kinds[-1] == (distinct == 3)
    for rows in (7000, 200_000):
        blocks = read.blocks(source, ["n"], ["t"], rows)
        assert [text for block in blocks for text in block.texts("t")] == cells
        assert [n for block in blocks for n in block.numbers("n").tolist()] == list(range(180_000))


def test_duplicate_names(tmp_path, read):
    table = pa.Table.from_arrays([pa.array([1.0]), pa.array([2.0]), pa.array([3.0])], names=["a", "b", "a"])
    pq.write_table(table, tmp_path / "x.parquet")
    source = open_source(tmp_path / "x.parquet")
    assert read.numbers(source, "b").tolist() == [2]
    assert read.failure(source, ["a"]).code == "duplicate-column"


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "brotli"])
def test_compressions(save, read, compression):
    assert read.numbers(save({"a": np.arange(float(N))}, compression=compression), "a").tolist() == list(range(N))


def test_no_rows(save, read):
    source = save({"a": pa.array([], pa.float64()), "l": pa.array([], pa.list_(pa.float64()))})
    assert read.blocks(source, ["a", "l"]) == []


def test_from_a_pipe(save, read, tmp_path):
    save({"a": np.arange(float(N))})
    data = (tmp_path / "x.parquet").read_bytes()
    source = open_source("-", stdin=io.BytesIO(data))
    assert source.format == "parquet"
    assert read.numbers(source, "a").tolist() == list(range(N))


@pytest.mark.parametrize("keep", [4, 8, 0.3, 0.9, -1, -4])
def test_truncated_files(save, tmp_path, keep):
    save({"a": np.arange(float(N))})
    path = tmp_path / "x.parquet"
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(DataError) as caught:
        open_source(path)
    assert (caught.value.code, caught.value.file) == ("corrupt", str(path))


def test_damaged_pages(save, tmp_path, read):
    save({"a": np.random.default_rng(0).normal(size=5000)}, row_group_size=5000, compression="zstd")
    path = tmp_path / "x.parquet"
    data = bytearray(path.read_bytes())
    data[4:24] = bytes(20)
    path.write_bytes(data)
    assert read.failure(open_source(path), ["a"]).code == "corrupt"


def test_text_that_is_not_utf8(tmp_path, read, rows):
    raw = pa.array([b"ok"] * 9 + [b"\xff\xfe"] + [b"ok"] * 5)
    bad = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())
    pq.write_table(pa.table({"t": bad}), tmp_path / "x.parquet")
    error = read.failure(open_source(tmp_path / "x.parquet"), [], ["t"], rows)
    assert (error.code, error.row, error.column) == ("encoding", 10, "t")


def test_extension_types_are_not_run(tmp_path, read):
    class Evil(pa.ExtensionType):
        ran = False

        def __init__(self):
            super().__init__(pa.float64(), "test.evil")

        def __arrow_ext_serialize__(self):
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage, serialized):
            cls.ran = True
            return cls()

    column = pa.ExtensionArray.from_storage(Evil(), pa.array([1.0, 2.0]))
    pq.write_table(pa.table({"e": column, "a": [1.0, 2.0]}), tmp_path / "x.parquet")
    source = open_source(tmp_path / "x.parquet")
    assert not Evil.ran
    assert read.numbers(source, "a").tolist() == [1, 2]
    assert read.numbers(source, "e").tolist() == [1, 2]


def test_memory_stays_bounded(tmp_path):
    """One large row group is read in pieces, not at once."""
    values = np.random.default_rng(0).normal(size=2_000_000)
    pq.write_table(pa.table({"a": values}), tmp_path / "x.parquet", row_group_size=2_000_000, compression="none")
    del values
    base, most = pa.total_allocated_bytes(), 0
    for block in open_source(tmp_path / "x.parquet").blocks(["a"], [], 10_000):
        block.numbers("a")
        most = max(most, pa.total_allocated_bytes() - base)
    assert most < 8_000_000
