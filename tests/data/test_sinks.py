"""Files of per-sample values: what is written reads back, in the same bytes however many rows came at a time."""

import csv
import json
import math
import os
import struct
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.data.sinks import lines, parquet
from lossctl.data.sinks.numbers import decimal, spelled
from lossctl.data.sinks.sink import SINKS, SinkColumn, open_sink, sink_format
from lossctl.errors import UsageError

COLUMNS = (
    SinkColumn("row", "int"),
    SinkColumn("status", "text"),
    SinkColumn("a.num", "float"),
    SinkColumn("b", "float"),
)
ROWS = [
    (1, "ok", 0.1, -0.0),
    (2, None, None, math.nan),
    (-(2**63), 'say "hi", \u00fcber', math.inf, -math.inf),
    (2**63 - 1, "=1+1\r\n\x1b[2J\u2028", 5e-324, 1.7976931348623157e308),
    (0, "", 1e-05, 1e20),
    (7, "\N{PEACH}\x00", 3.0, None),
]


def cells(rows, columns=COLUMNS):
    """The rows as a sink takes them; missing cells hold what must not show."""
    found = []
    for i, column in enumerate(columns):
        values = [row[i] for row in rows]
        missing = np.array([value is None for value in values], bool)
        if column.kind == "int":
            found.append(np.array(values, np.int64))
        elif column.kind == "float":
            numbers = np.array([12345.0 if value is None else value for value in values], np.float64)
            found.append((numbers, missing if missing.any() else None))
        else:
            words = list(dict.fromkeys(value for value in values if value is not None))
            found.append((np.array([-1 if v is None else words.index(v) for v in values], np.int64), words))
    return found


def put(path, rows=ROWS, columns=COLUMNS, cuts=(), **options):
    """The bytes of the file, written in runs that end at the cuts."""
    edges = [0, *sorted(cuts), len(rows)]
    with open_sink(path, columns, **options) as sink:
        for start, stop in pairwise(edges):
            sink.write(cells(rows[start:stop], columns))
        assert sink.rows == len(rows)
        sink.commit()
    return Path(path).read_bytes()


def same(left, right):
    if isinstance(left, float) and isinstance(right, float):
        return struct.pack("<d", left) == struct.pack("<d", right)
    return type(left) is type(right) and left == right


def test_parquet_keeps_every_value(tmp_path) -> None:
    put(tmp_path / "a.parquet")
    table = pq.read_table(tmp_path / "a.parquet")
    assert [str(kind) for kind in table.schema.types] == ["int64", "string", "double", "double"]
    assert table.schema.names == [column.name for column in COLUMNS]
    assert table.schema.metadata is None
    for i, column in enumerate(COLUMNS):
        for got, want in zip(table[column.name].to_pylist(), [row[i] for row in ROWS], strict=True):
            assert same(got, want)


def test_parquet_text_is_coded_and_numbers_are_not(tmp_path) -> None:
    put(tmp_path / "a.parquet")
    group = pq.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0)
    coded = {group.column(i).path_in_schema: "RLE_DICTIONARY" in group.column(i).encodings for i in range(4)}
    assert coded == {"row": False, "status": True, "a.num": False, "b": False}


def test_csv_is_rfc_4180(tmp_path) -> None:
    data = put(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == [column.name for column in COLUMNS]
    for got, want in zip(rows, ROWS, strict=True):
        assert got == ["" if v is None else repr(v) if isinstance(v, float) else str(v) for v in want]
    assert data.endswith(b"\n7,\xf0\x9f\x8d\x91\x00,3.0,\n")
    assert b'\n0,"",1e-05,1e+20\n' in data  # an empty text is not a missing one
    assert b"\n2,,,nan\n" in data


def test_csv_can_be_made_safe_for_spreadsheets(tmp_path) -> None:
    columns = (SinkColumn("@key", "text"), SinkColumn("-loss", "float"))
    rows = [(word, -1.0) for word in ("=1", "+1", "-1", "@a", "\ta", "\ra", "a=1", "'", "")]
    plain = put(tmp_path / "a.csv", rows, columns)
    assert plain.startswith(b"@key,-loss\n=1,-1.0\n+1,-1.0\n")
    safe = put(tmp_path / "a.csv", rows, columns, csv_safe=True).decode()
    expected = ["'=1", "'+1", "'-1", "'@a", "'\ta", '"\'\ra"', "a=1", "'", '""']
    assert safe == "'@key,'-loss\n" + "".join(f"{word},-1.0\n" for word in expected)


def test_jsonl_is_strict(tmp_path) -> None:
    def refuse(token):
        raise AssertionError(token)

    data = put(tmp_path / "a.jsonl").decode()
    found = [json.loads(line, parse_constant=refuse) for line in data.split("\n")[:-1]]
    for got, (row, status, first, second) in zip(found, ROWS, strict=True):
        want = {"row": row, "status": status}
        for name, value in (("a.num", first), ("b", second)):
            finite = value is None or math.isfinite(value)
            want |= {name: value} if finite else {name: None, f"{name}.nonfinite": repr(value)}
        assert got == want
        assert list(got) == list(want)
    assert data.startswith('{"row": 1, "status": "ok", "a.num": 0.1, "b": -0.0}\n')
    assert not {"\x1b", "\u2028", "\x00", "\r"} & set(data)


def test_npy_is_rows_by_losses(tmp_path) -> None:
    put(tmp_path / "a.npy")
    found = np.load(tmp_path / "a.npy")
    assert found.dtype == np.dtype("<f8")
    assert found.flags.c_contiguous
    want = [[math.nan if v is None else v for v in row[2:]] for row in ROWS]
    assert found.tobytes() == np.array(want).tobytes()


@pytest.mark.parametrize("extension", SINKS)
def test_no_rows(tmp_path, extension) -> None:
    path = tmp_path / f"a{extension}"
    data = put(path, [])
    assert data == put(path, [], cuts=(0, 0))
    if extension == ".npy":
        assert np.load(path).shape == (0, 2)
    elif extension == ".parquet":
        assert pq.read_table(path).shape == (0, 4)
    else:
        assert data == {".csv": b"row,status,a.num,b\n", ".jsonl": b""}[extension]


def test_all_missing_without_words(tmp_path) -> None:
    columns = (SinkColumn("key", "text"), SinkColumn("x", "float"))
    rows = [(None, None)] * 3
    assert put(tmp_path / "a.csv", rows, columns) == b"key,x\n,\n,\n,\n"
    assert put(tmp_path / "a.jsonl", rows, columns) == b'{"key": null, "x": null}\n' * 3
    put(tmp_path / "a.parquet", rows, columns)
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [{"key": None, "x": None}] * 3


TEXTS = st.one_of(
    st.none(), st.text(st.characters(codec="utf-8"), max_size=4), st.sampled_from(["ok", "=a", '"', "a,b"])
)
FLOATS = st.one_of(
    st.none(), st.floats(width=64).map(lambda x: math.nan if x != x else x), st.integers(-9, 9).map(float)
)
ANY_ROWS = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), TEXTS, FLOATS, FLOATS), max_size=40)


@given(data=st.data(), rows=ANY_ROWS, group=st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_any_cut_gives_the_same_bytes(tmp_path_factory, data, rows, group) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=8))
    folder = tmp_path_factory.mktemp("cut", numbered=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "GROUP_ROWS", group)
        for extension in SINKS:
            whole = put(folder / f"whole{extension}", rows)
            patch.setattr(lines, "_ROWS", group)
            assert put(folder / f"cut{extension}", rows, cuts=cuts) == whole


@pytest.mark.parametrize("extension", SINKS)
def test_row_groups_and_large_runs_do_not_show(tmp_path, extension) -> None:
    """Real sizes: the words of a run, in another order, or with ones that no row has, leave no trace."""
    n = parquet.GROUP_ROWS * 2 + 1000
    rng = np.random.default_rng(7)
    words = [f"g{i}" for i in range(50)]
    codes = rng.integers(-1, 40, n)
    values = rng.exponential(size=n) * 10.0 ** rng.integers(-12, 17, n)
    columns = (SinkColumn("row", "int"), SinkColumn("group", "text"), SinkColumn("x", "float"))
    found = set()
    for step, order in ((n, words), (70_001, words[::-1]), (999, words)):
        path = tmp_path / f"a{extension}"
        with open_sink(path, columns) as sink:
            for start in range(0, n, step):
                run = slice(start, start + step)
                places = codes[run] if order is words else np.where(codes[run] < 0, -1, 49 - codes[run])
                sink.write([np.arange(n)[run], (places, order), (values[run], None)])
            sink.commit()
        found.add(path.read_bytes())
    assert len(found) == 1
    if extension == ".parquet":
        metadata = pq.ParquetFile(path).metadata
        assert [metadata.row_group(i).num_rows for i in range(3)] == [parquet.GROUP_ROWS, parquet.GROUP_ROWS, 1000]
        assert metadata.created_by.startswith("parquet-cpp-arrow")


def test_arrays_may_be_used_again(tmp_path) -> None:
    numbers, missing, rows, places = np.zeros(3), np.zeros(3, bool), np.zeros(3, np.int64), np.zeros(3, np.int64)
    with open_sink(tmp_path / "a.parquet", COLUMNS) as sink:
        for i in range(3):
            numbers[:], missing[:], rows[:], places[:] = i, i == 1, i, i % 2
            sink.write([rows, (places, ["even", "odd"]), (numbers, missing), (numbers, None)])
        sink.commit()
    found = pq.read_table(tmp_path / "a.parquet").to_pydict()
    assert found["row"] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert found["status"] == ["even"] * 3 + ["odd"] * 3 + ["even"] * 3
    assert found["a.num"] == [0.0] * 3 + [None] * 3 + [2.0] * 3
    assert found["b"] == [0.0] * 3 + [1.0] * 3 + [2.0] * 3


@given(st.lists(st.floats(width=64), min_size=1, max_size=30))
@settings(max_examples=300, deadline=None)
def test_numbers_are_spelled_as_python_does(values) -> None:
    assert spelled(np.array(values), None).to_pylist() == [repr(value) for value in values]


def test_numbers_of_every_size_are_spelled_as_python_does() -> None:
    rng = np.random.default_rng(5)
    n = 4000
    sizes = 10.0 ** rng.uniform(-20, 25, n)
    edges = np.array([float(f"1e{power}") for power in range(-20, 25)])
    parts = [
        *(sizes, np.round(sizes), np.round(sizes, 3), rng.integers(0, 2**63, n).view(np.float64)),
        *(edges, np.nextafter(edges, 0), np.nextafter(edges, np.inf), 2.0 ** np.arange(-1074.0, 1024.0)),
        *(edges * 3, [0.0, 5e-324, 2**53 + 2.0, 9999999999999998.0, 1.5e-7, math.nan, math.inf]),
    ]
    values = np.concatenate([np.concatenate(parts), -np.concatenate(parts)])
    assert spelled(values, None).to_pylist() == [repr(value) for value in values.tolist()]
    some = rng.random(len(values)) < 0.5
    expected = [None if gone else repr(value) for value, gone in zip(values.tolist(), some, strict=True)]
    assert spelled(values, some).to_pylist() == expected
    plain = values[(np.abs(values) > 1e-4) & (np.abs(values) < 1e10)]
    plain = plain[plain != np.rint(plain)]
    assert spelled(plain, None).to_pylist() == [repr(value) for value in plain.tolist()]
    assert decimal(np.array([-(2**63), 0, 2**63 - 1])).to_pylist() == [str(-(2**63)), "0", str(2**63 - 1)]


def test_half_characters_are_spelled_out(tmp_path) -> None:
    columns = (SinkColumn("k\udcff", "text"), SinkColumn("x", "float"))
    for extension in (".csv", ".jsonl", ".parquet"):
        assert b"udcff" in put(tmp_path / f"a{extension}", [("a\udcff", 1.0)], columns)
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [{"k\\udcff": "a\\udcff", "x": 1.0}]
    assert (tmp_path / "a.csv").read_bytes() == b"k\\udcff,x\na\\udcff,1.0\n"


def test_the_extension_is_the_format() -> None:
    assert [sink_format(name) for name in ("a.parquet", "b.x.CSV", "c.jsonl", "d/e.NPY")] == [*SINKS.values()]


@pytest.mark.parametrize("name", ["a.txt", "a", "a.json", "a.csv.gz", ".npy"])
def test_other_extensions_are_refused_before_anything_is_made(tmp_path, name) -> None:
    with pytest.raises(UsageError) as caught:
        open_sink(tmp_path / name, COLUMNS)
    assert caught.value.exit == 2
    assert name in caught.value.message
    assert all(extension in (caught.value.hint or "") for extension in SINKS)
    assert os.listdir(tmp_path) == []


def test_columns_that_share_a_name_are_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match=r'two columns of .* would be named "b"'):
        open_sink(tmp_path / "a.csv", [*COLUMNS, SinkColumn("b", "float")])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("extension", SINKS)
def test_columns_of_different_length_are_refused(tmp_path, extension) -> None:
    with open_sink(tmp_path / f"a{extension}", COLUMNS) as sink, pytest.raises(ValueError, match="1 and 2 rows"):
        sink.write([np.arange(2), (np.zeros(2, np.int64), ["ok"]), (np.zeros(2), None), (np.zeros(1), None)])


@pytest.mark.parametrize("extension", ["", *SINKS])
def test_sinks_load_no_pandas_and_formats_no_arrow(tmp_path, extension) -> None:
    code = f"""
import sys
from lossctl.data.sinks.sink import SinkColumn, open_sink, sink_format
assert sink_format("a.npy") == "npy"
extension = {extension!r}
if extension:
    import numpy as np
    columns = [SinkColumn(kind, kind) for kind in ("int", "text", "float")]
    with open_sink("a" + extension, columns) as sink:
        for rows in (3, 200_000):
            numbers = np.arange(rows) / 3 * 10.0 ** (np.arange(rows) % 30 - 15)
            sink.write([np.arange(rows), (np.arange(rows) % 3 - 1, ["a", "\\u00fc"]), (numbers, np.arange(rows) == 1)])
        sink.commit()
names = {{"numpy", "pyarrow", "pandas", "pyarrow.compute", "pyarrow.parquet"}}
print(*sorted(names & set(sys.modules)))
"""
    root = Path(__file__).parent.parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == {"": [], ".npy": ["numpy"]}.get(extension, ["numpy", "pyarrow"])
