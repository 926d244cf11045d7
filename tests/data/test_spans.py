"""Sources read in parts: by any thread, in any order, the rows and the errors are those of ``blocks``."""

from __future__ import annotations

import gzip
import random
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from lossctl.data.arrays import npy
from lossctl.data.arrow import parquet as parquet_reader
from lossctl.data.formats import open_source
from lossctl.data.opening import Input
from lossctl.data.text import csvtable
from lossctl.data.text.csv import CsvSource
from lossctl.errors import DataError

ROWS = (1, 7, 1000)
SIZES = [None, (8, 64, 48), (16, 16, 1 << 20), (1 << 9, 1 << 9, 300)]


class Outcome:
    """What blocks hold, cell by cell, and the error that they end with."""

    def __init__(self, blocks, first, rows, numeric=(), text=(), sequences=()):
        self.cells, self.count, self.error = {}, 0, None
        try:
            for block in blocks:
                assert block.first == first + self.count
                assert 0 < block.rows <= rows
                got = {("numbers", name): _bits(block.numbers(name)) for name in numeric}
                got |= {("texts", name): block.texts(name) for name in text}
                got |= {("labels", name): _coded(*block.labels(name)) for name in text}
                got |= {("sequences", name): _ragged(block, name) for name in sequences}
                assert all(len(cells) == block.rows for cells in got.values())
                for key, cells in got.items():
                    self.cells.setdefault(key, []).extend(cells)
                self.count += block.rows
        except DataError as error:
            self.error = vars(error)

    def then(self, other):
        """The rows of both; nothing stands behind an error."""
        if self.error is None:
            for key, cells in other.cells.items():
                self.cells.setdefault(key, []).extend(cells)
            self.count += other.count
            self.error = other.error
        return self


def _bits(values):
    return [(row.dtype.str, row.shape, row.tobytes()) for row in np.asarray(values)]


def _coded(codes, words):
    assert words == list(dict.fromkeys(words[code] for code in codes if code >= 0))
    return [None if code < 0 else words[code] for code in codes.tolist()]


def _ragged(block, name):
    try:
        rows = block.sequences(name)
    except DataError as error:
        if error.code != "dtype":
            raise
        rows = block.strings(name)
    cells = []
    for at in range(block.rows):
        one = rows[at : at + 1]
        missing = one.missing is not None and bool(one.missing[0])
        start, length = int(one.starts[0]), int(one.lengths[0])
        held = one.values[start : start + length * one.step : one.step].tolist()
        cells.append((missing, [one.words[code] for code in held] if one.words is not None else held))
    return cells


def whole(source, rows, **asked):
    return Outcome(source.blocks(*_names(asked, rows)), 0, rows, **asked)


def in_parts(source, rows, **asked):
    """All spans, counted and read by two threads in an order drawn by lot."""
    numeric, text, _, sequences = _names(asked, rows)
    spans = list(source.spans(numeric, text, sequences))
    order = list(range(len(spans)))
    random.Random(rows).shuffle(order)
    with ThreadPoolExecutor(2) as pool:
        counts = dict(zip(order, pool.map(lambda i: spans[i].count(), order), strict=True))
        firsts = [sum(counts[j] for j in range(i)) for i in range(len(spans))]

        def read(i):
            return Outcome(spans[i].blocks(firsts[i], rows), firsts[i], rows, **asked)

        found = dict(zip(order, pool.map(read, order), strict=True))
    joined = Outcome((), 0, rows)
    for i in range(len(spans)):
        assert found[i].error or found[i].count == counts[i]
        joined = joined.then(found[i])
    return joined, len(spans)


def _names(asked, rows):
    return asked.get("numeric", ()), asked.get("text", ()), rows, asked.get("sequences", ())


def check(source, *, least=0, **asked):
    """The rows in parts are those of ``blocks``; an error comes behind all rows before it."""
    for rows in ROWS:
        expected = whole(source, rows, **asked)
        found, spans = in_parts(source, rows, **asked)
        assert spans >= least
        assert found.error == expected.error
        if expected.error is None or rows == 1:
            assert (found.count, found.cells) == (expected.count, expected.cells)
    return found


def csv_source(content, sizes, **options):
    data = content if isinstance(content, bytes) else content.encode()
    return CsvSource(Input("-", BytesIO(data)), _sizes=sizes, **options)


LINES = "".join(f'{i / 8},{-i},x{i % 3},"q ""{i}"",\n{i}"\n' for i in range(60))


@pytest.fixture(params=SIZES, ids=str)
def sizes(request):
    return request.param


@pytest.fixture
def table(put):
    def make(content, sizes, **options):
        return CsvSource(Input(put("t.csv", content)), _sizes=sizes, **options)

    return make


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", [True, False])
def test_csv(table, sizes, newline, mark, end):
    content = mark + ("a,b,c,d\n" + LINES).replace("\n", newline)
    source = table(content if end else content.removesuffix(newline), sizes)
    least = 0 if sizes is None else 2
    found = check(source, numeric=["a", "b"], text=["c", "a"], sequences=["d"], least=least)
    assert (found.count, found.error) == (60, None)
    assert check(source, text=["d", "c"], numeric=["b"]).count == 60
    assert check(source).count == 60


@pytest.mark.parametrize(
    "content",
    [
        "a\n1\n\n3\nNA\n" + "5\n\n" * 20,
        "a,b\n" + "1,x\n\n,\nNA,NA\n\n nan , y\n" * 9,
        "a,b\n" + "1,x\n" * 30 + "true,1\n" + "2,5\n" * 30 + " 7 ,z\n" * 3,
        "a,b\n" + "-nan,1\n" * 20 + ",1\n" + "-NAN,1\n" * 20 + "true,1\n" + "-NAN,1\n" * 20,
        "a,b\n" + "1,x\n" * 12 + f"{'9' * 15},y\n" + f'3,"{"long " * 60}"\n' + "2,5\n" * 30,
        'a,b\n1,5" nails\n' + '2,"""a"""\n3,x"y\n' * 20,
        "a,b\n" + "-9,?\n1,x\n?,-9\n-9.0,NA\n" * 9,
        "a,b\n",
        "a,b\n1,2",
        f'{"a" * 200},"b\n{"b" * 100}"\n1,2\n3,4\n',
    ],
)
def test_csv_cells(table, sizes, content):
    source = table(content, sizes, null_values=("?",))
    names = [column.name for column in source.columns]
    found = check(source, numeric=names[:1], text=names)
    assert found.error is None
    assert check(source, text=names, sequences=names).count == found.count


def test_csv_without_header(table, sizes):
    source = table("1\t2\n3\t4\n" * 30, sizes, format="tsv", no_header=True)
    assert check(source, numeric=["1", "2"]).count == 60


@pytest.mark.parametrize(
    ("flaw", "code"),
    [
        ("1,2,3\n", "ragged"),
        ("1\n", "ragged"),
        ("x,2\n", "not-a-number"),
        ("9007199254740993,2\n", "integer-too-large"),
        ('1,"2\n', "unclosed-quote"),
        ('1,"2"x\n', "misquoted"),
    ],
)
@pytest.mark.parametrize("before", [0, 1, 37])
def test_csv_errors(table, sizes, flaw, code, before):
    source = table("a,b\n" + "1,x\n" * before + flaw + "3,y\n" * 23, sizes)
    found = check(source, numeric=["a"], text=["b"])
    assert (found.error["code"], found.error["row"]) == (code, before + 1)
    assert found.count == before or code in {"not-a-number", "integer-too-large"}


@pytest.mark.parametrize("before", [0, 37])
def test_csv_text_that_is_not_utf8(table, sizes, before):
    source = table(b"a,b\n" + b"1,\xc3\xa9\n" * before + b"1,\xe9\n" + b"3,y\n" * 23, sizes)
    for asked in ({"text": ["b"]}, {"sequences": ["b"]}):
        error = check(source, numeric=["a"], **asked).error
        assert error["code"] == "encoding"
        assert error["row"] == before + 1


def test_the_first_flaw_of_several_is_told(table, sizes):
    source = table("a,b\n" + "1,x\n" * 20 + "2\n" + "1,x\n" * 9 + "3\n" + '1,"y\n', sizes)
    assert check(source, numeric=["a"]).error["row"] == 21


def test_a_row_beyond_the_cap(table, monkeypatch):
    monkeypatch.setattr("lossctl.data.text.rowends.CAP", 1 << 10)
    source = table("a,b\n" + "1,x\n" * 30 + f"2,{'y' * 5000}\n", (64, 64, 64))
    error = check(source, numeric=["a"]).error
    assert (error["code"], error["row"]) == ("line-too-long", 31)


def test_csv_is_counted_in_parallel_with_what_was_learnt_elsewhere(table, monkeypatch):
    """A span learns that rows are longer than a piece while another stands before the same lesson."""
    source = table('a,b\n1,"' + "y" * 90 + '"\n2,"' + "z" * 400 + '"\n', (64, 64, 40))
    learn = csvtable.Tables._learn

    def late(self, *given, **named):
        self._piece = 1 << 20  # as another thread would leave it
        learn(self, *given, **named)

    monkeypatch.setattr(csvtable.Tables, "_learn", late)
    assert check(source, text=["b"], numeric=["a"]).error is None


def test_compressed_csv(put, read):
    content = "a,b\n" + "".join(f"{i},x{i % 9}\n" for i in range(60_000))
    path = put("t.csv.gz", gzip.compress(content.encode()))
    source = open_source(path)
    spans = list(source.spans(["a"], ["b"]))
    assert len(spans) > 2
    first, values = 0, []
    for span in spans:
        values += [x for block in span.blocks(first, 1000) for x in block.numbers("a").tolist()]
        first += span.count()
    assert values == list(range(60_000))

    packed = path.read_bytes()
    path.write_bytes(packed[: len(packed) // 2])
    found, _ = in_parts(open_source(path), 1000, numeric=["a"])
    assert found.error["code"] == "corrupt"
    assert found.count > 0
    assert found.error == whole(open_source(path), 1000, numeric=["a"]).error


def test_spans_of_a_pipe_wait_for_no_more_than_they_need():
    class Pipe(BytesIO):
        """Gives a line at a time, and counts how often it is asked."""

        asked = 0

        def read1(self, size=-1):
            self.asked += 1
            return self.readline(size)

    pipe = Pipe(b"a,b\n" + b"1,x\n" * 50)
    source = CsvSource(Input("-", pipe))
    spans = source.spans(["a"], [])
    for first in range(20):
        span = next(spans)
        assert pipe.asked <= first + 3
        assert span.count() == 1
        (block,) = span.blocks(first, 10)
        assert block.first == first
        assert block.numbers("a").tolist() == [1]


def test_csv_from_stdin(sizes):
    source = csv_source("a,b,c,d\n" + LINES, sizes)
    assert check(source, numeric=["a"], text=["d"]).count == 60


def stored(tmp_path, groups, **options):
    n = 60
    arrays = {
        "x": pa.array([None if i % 7 == 3 else i / 8 for i in range(n)]),
        "y": pa.array(np.arange(n) / 4),
        "i": pa.array(range(n), pa.int32()),
        "b": pa.array([i % 2 == 0 for i in range(n)]),
        "t": pa.array([None if i % 5 == 4 else f"w{i % 4}" for i in range(n)]),
        "k": pa.array([f"k{i}" for i in range(n)]),
        "l": pa.array([[i, i + 0.5] for i in range(n)], pa.list_(pa.float64())),
        "f": pa.array([[i, -i] for i in range(n)], pa.list_(pa.float32(), 2)),
        "r": pa.array([None if i % 9 == 8 else list(range(i % 4)) for i in range(n)], pa.list_(pa.int64())),
        "s": pa.array([[f"w{j}" for j in range(i % 3)] for i in range(n)], pa.list_(pa.string())),
        "m": pa.array([[[i, j] for j in range(i % 3)] for i in range(n)], pa.list_(pa.list_(pa.int64()))),
        "o": pa.array([{"p": i / 2, "q": f"q{i % 3}"} for i in range(n)]),
    }
    path = tmp_path / f"t{groups}.parquet"
    parquet.write_table(pa.table(arrays), path, row_group_size=groups, **options)
    return open_source(path)


@pytest.fixture(params=[1, 4, 13, 1000])
def groups(request):
    return request.param


@pytest.fixture(params=[1, 10, 1 << 19])
def least(request, monkeypatch):
    monkeypatch.setattr(parquet_reader, "_CUT_ROWS", request.param)
    return request.param


def test_parquet(tmp_path, groups, least):
    source = stored(tmp_path, groups)
    cuts = source.cuts()
    assert (cuts[0], cuts[-1], list(cuts)) == (0, 60, sorted(set(cuts) & {*range(0, 60, groups), 60}))
    spans = [span.count() for span in source.spans(["x"], [])]
    assert sum(spans) == 60
    assert all(count >= min(least, 60) for count in spans[:-1])
    assert all(count < least + groups for count in spans)
    found = check(source, numeric=["x", "y", "i", "b", "l", "f", "o.p"], text=["t", "k", "o.q"])
    assert (found.count, found.error) == (60, None)
    assert check(source, sequences=["r", "s", "m", "t", "l"]).count == 60
    assert check(source).count == 60


def test_parquet_with_many_words(tmp_path, groups, monkeypatch):
    monkeypatch.setattr(parquet_reader, "_CUT_ROWS", 1)
    monkeypatch.setattr(parquet_reader, "_MANY_WORDS", 2)
    assert check(stored(tmp_path, groups), text=["t", "k"]).error is None


def test_between_any_two_rows(tmp_path, groups, monkeypatch):
    monkeypatch.setattr(parquet_reader, "_BATCH_ROWS", 5)
    source = stored(tmp_path, groups)
    for start, stop in [(0, 60), (0, 0), (60, 60), (3, 4), (12, 52), (13, 26), (59, 60), (7, 7), (0, 13)]:
        found = Outcome(source.between(start, stop, ["y"], ["k"], 7, ["r"]), start, 7, numeric=["y"], text=["k"])
        assert found.error is None
        assert found.cells.get(("numbers", "y"), []) == _bits(np.arange(start, stop) / 4)
        assert found.cells.get(("texts", "k"), []) == [f"k{i}" for i in range(start, stop)]


def test_only_the_row_groups_that_are_asked_for_are_read(tmp_path, monkeypatch):
    source = stored(tmp_path, 10)
    seen = []
    run = type(source)._run
    monkeypatch.setattr(
        type(source), "_run", lambda self, groups, *more: seen.append(groups) or run(self, groups, *more)
    )
    list(source.between(20, 41, ["y"], [], 7))
    assert seen == [range(2, 5)]


@pytest.mark.parametrize("at", [0, 17, 59])
def test_parquet_errors(tmp_path, groups, least, at):
    path = tmp_path / "bad.parquet"
    large = pa.array([2**60 if i == at else i for i in range(60)])
    uneven = pa.array([[1.0, 2.0] if i != max(at, 1) else [1.0] for i in range(60)])
    parquet.write_table(pa.table({"large": large, "uneven": uneven}), path, row_group_size=groups)
    source = open_source(path)
    error = check(source, numeric=["large"]).error
    assert (error["code"], error["row"]) == ("integer-too-large", at + 1)
    error = check(source, numeric=["uneven"]).error
    assert (error["code"], error["row"]) == ("ragged-list", max(at, 1) + 1)


def test_parquet_damaged_in_a_later_group(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_reader, "_CUT_ROWS", 1)
    path = tmp_path / "bad.parquet"
    rng = np.random.default_rng(1)
    table = pa.table({"a": rng.standard_normal(4000)})
    parquet.write_table(table, path, row_group_size=1000, compression="zstd", use_dictionary=False)
    data = bytearray(path.read_bytes())
    start = parquet.read_metadata(path).row_group(2).column(0).data_page_offset
    data[start + 30 : start + 400] = bytes(370)
    path.write_bytes(data)
    found, _ = in_parts(open_source(path), 100, numeric=["a"])
    assert found.count == 2000
    assert found.error == whole(open_source(path), 100, numeric=["a"]).error
    assert found.error["code"] == "corrupt"


def test_parquet_with_fewer_rows_than_announced(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_reader, "_CUT_ROWS", 1)
    monkeypatch.setattr(parquet_reader, "_BATCH_ROWS", 4)
    source = stored(tmp_path, 20)
    run = type(source)._run
    monkeypatch.setattr(type(source), "_run", lambda *given: list(run(*given))[:-1])
    for error in (whole(source, 7, numeric=["y"]).error, in_parts(source, 7, numeric=["y"])[0].error):
        assert error["code"] == "corrupt"
        assert error["message"] == "the data do not hold the 60 rows that the footer announces"


def test_parquet_with_a_footer_at_odds_with_itself(tmp_path, put):
    stored(tmp_path, 20)
    content = (tmp_path / "t20.parquet").read_bytes()
    start = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    told = content.index(bytes([0x16, 2 * 60, 0x19]), start)  # num_rows, and then the list of row groups
    path = put("odd.parquet", content[: told + 1] + bytes([2 * 61]) + content[told + 2 :])
    with pytest.raises(DataError, match="announces 61 rows, its row groups 60") as caught:
        open_source(path)
    assert caught.value.code == "corrupt"


def test_parquet_packed_or_from_a_pipe(tmp_path):
    plain = stored(tmp_path, 13)
    data = (tmp_path / "t13.parquet").read_bytes()
    packed = tmp_path / "t.parquet.gz"
    packed.write_bytes(gzip.compress(data))
    for source in (open_source(packed), open_source("-", input_format="parquet", stdin=BytesIO(data))):
        assert list(source.cuts()) == list(plain.cuts())
        assert check(source, numeric=["y"], text=["t"]).cells == check(plain, numeric=["y"], text=["t"]).cells


def test_no_rows(tmp_path):
    parquet.write_table(pa.table({"a": pa.array([], pa.float64())}), tmp_path / "a.parquet")
    np.save(tmp_path / "a.npy", np.empty(0))
    for name, column in (("a.parquet", "a"), ("a.npy", "array")):
        source = open_source(tmp_path / name)
        assert list(source.cuts()) == [0]
        assert list(source.spans([column], [])) == []


@pytest.mark.parametrize(
    "array",
    [
        np.arange(61.0),
        np.arange(61, dtype="f4").reshape(61, 1),
        np.arange(183, dtype=">i4").reshape(61, 3),
        np.asfortranarray(np.arange(183.0).reshape(61, 3)),
        np.arange(61 * 6.0).reshape(61, 2, 3),
        np.arange(61) % 2 == 0,
        np.array(["b", "a", ""] * 7),
        np.empty((5, 0)),
    ],
)
@pytest.mark.parametrize("size", [1, 100, 1 << 30])
def test_npy(tmp_path, monkeypatch, array, size):
    monkeypatch.setattr(npy, "_SPAN_BYTES", size)
    monkeypatch.setattr(npy, "_LEAST_BYTES", 1)
    np.save(tmp_path / "a.npy", array)
    source = open_source(tmp_path / "a.npy")
    cuts = source.cuts()
    assert (cuts[0], cuts[-1], cuts) == (0, len(array), sorted(set(cuts)))
    assert array.size == 0 or len(cuts) > 3
    asked = {"text": ["array"]} if array.dtype.kind == "U" else {"numeric": ["array"]}
    assert check(source, least=len(cuts) - 1, **asked).count == len(array)
    if array.ndim > 1 and array.size:
        assert check(source, sequences=["array"]).error is None
        found = Outcome(source.between(5, 23, ["array"], [], 4), 5, 4, numeric=["array"])
        assert found.cells[("numbers", "array")] == _bits(array[5:23].astype("f4" if array.dtype == "f4" else "f8"))


def test_cuts_of_arrays_fit_each_other(tmp_path):
    """The cuts of wider rows are among those of single values, whatever their sizes."""
    np.save(tmp_path / "a.npy", np.zeros(3_000_000))
    np.save(tmp_path / "b.npy", np.zeros((3_000_000, 5), np.float32))
    narrow, wide = (open_source(tmp_path / name).cuts() for name in ("a.npy", "b.npy"))
    assert len(narrow) > 8
    assert len(wide) > 8
    shared = set(narrow) & set(wide)
    assert shared in (set(narrow), set(wide))


def test_npy_turned_packed_or_from_a_pipe(tmp_path):
    array = np.arange(120.0).reshape(4, 30)
    np.save(tmp_path / "a.npy", array)
    source = open_source(tmp_path / "a.npy")
    source.turn("array")
    assert check(source, numeric=["array"]).count == 30
    data = (tmp_path / "a.npy").read_bytes()
    (tmp_path / "a.npy.gz").write_bytes(gzip.compress(data))
    for source in (open_source(tmp_path / "a.npy.gz"), open_source("-", input_format="npy", stdin=BytesIO(data))):
        assert list(source.cuts()) == [0, 4]
        assert check(source, numeric=["array"]).count == 4


def test_integers_too_large_in_npy(tmp_path, monkeypatch):
    monkeypatch.setattr(npy, "_LEAST_BYTES", 1)
    array = np.arange(64)
    array[50] = 2**60
    np.save(tmp_path / "a.npy", array)
    error = check(open_source(tmp_path / "a.npy"), numeric=["array"], least=16).error
    assert (error["code"], error["row"]) == ("integer-too-large", 51)


@pytest.mark.parametrize("cell", ["-nan", "nan", "-NAN", "NA", "", " "])
@pytest.mark.parametrize("more", ["", ",1\n", "true,1\n"])
def test_what_is_no_number_has_no_sign(table, cell, more):
    """However a column is read: as plain numbers, as numbers with gaps, as text."""
    (block,) = table("a,b\n" + f"{cell},1\n" * 3 + more, None).blocks(["a"], [], 100)
    assert set(_bits(block.numbers("a")[:3])) == set(_bits(np.array([np.nan])))
