"""Many files as one data set: the same rows as a single file gives, whatever the cut; and what is refused."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.data.formats import open_source
from lossctl.data.inputs import open_inputs
from lossctl.data.shards.paths import shards_of
from lossctl.data.shards.source import ShardedSource
from lossctl.data.source import placed
from lossctl.errors import DataError

ROWS = (1, 7, 1000)
LAYOUTS = [(30,), (1, 29), (7, 7, 7, 7, 2), (10, 0, 3, 17), (0, 13, 0, 0, 17, 0), (1,) * 30]


def table(start=0, stop=30):
    """Rows of every kind: numbers with gaps, words, lists of three, texts, lists of any length."""
    rows = range(start, stop)
    return {
        "n": [None if i % 11 == 5 else i / 7 for i in rows],
        "t": [f"word{i % 4}" for i in rows],
        "l": [[float(i), 2.0, -i] for i in rows],
        "s": [f"ein Satz {i} ü" * (i % 3) for i in rows],
        "r": [list(range(i % 5)) for i in rows],
    }


def write_csv(path, rows):
    names = ("n", "t", "s")
    lines = [
        ",".join("" if cell is None else str(cell) for cell in row) for row in zip(*map(rows.get, names), strict=True)
    ]
    path.write_text("\n".join([",".join(names), *lines]) + "\n")


def write_parquet(path, rows):
    types = {
        "n": pa.float64(),
        "t": pa.string(),
        "l": pa.list_(pa.float64()),
        "s": pa.string(),
        "r": pa.list_(pa.int64()),
    }
    pq.write_table(pa.table({name: pa.array(rows[name], kind) for name, kind in types.items()}), path, row_group_size=4)


def write_jsonl(path, rows):
    cells = zip(*rows.values(), strict=True)
    path.write_text("".join(json.dumps(dict(zip(rows, row, strict=True))) + "\n" for row in cells) or "\n")


def write_npy(path, rows):
    np.save(path, np.array(rows["l"], np.float64).reshape(-1, 3))


def write_npz(path, rows):
    arrays = {"n": np.array(rows["n"], np.float64), "t": np.array(rows["t"], "U8")}
    np.savez(path, l=np.array(rows["l"], np.float32).reshape(-1, 3), **arrays)


def write_text(path, rows):
    path.write_text("".join(f"{i} {i / 3!r}\n" for i, *_ in rows["l"]))


def write_lines(path, rows):
    path.write_text("".join(f"{line}\n" for line in rows["s"]))


# format: how to write it, columns of numbers, of words, of sequences, of texts
KINDS = {
    "csv": (write_csv, ["n"], ["t"], [], ["s", "t"]),
    "parquet": (write_parquet, ["n", "l"], ["t"], ["r", "l"], ["s"]),
    "jsonl": (write_jsonl, ["n", "l"], ["t"], ["r"], ["s"]),
    "npy": (write_npy, ["array"], [], ["array"], []),
    "npz": (write_npz, ["n", "l"], ["t"], ["l"], ["t"]),
    "txt": (write_text, ["1", "2"], ["1"], [], ["2"]),
    "lines": (write_lines, [], ["text"], [], ["text"]),
}


def written(folder, kind, layout):
    """Files of so many rows each, those that cannot be empty left out; and one file with all rows."""
    write = KINDS[kind][0]
    folder.mkdir()
    start = 0
    for place, rows in enumerate(layout):
        if rows or kind in {"csv", "parquet", "npy", "npz"}:
            write(folder / f"part-{place:02}.{kind}", table(start, start + rows))
        start += rows
    write(folder.parent / f"whole.{kind}", table())
    return opened(folder), open_source(folder.parent / f"whole.{kind}")


def opened(path, **options):
    (source,), _, _ = open_inputs([str(path)], {}, **options)
    assert isinstance(source, ShardedSource)
    return source


def ragged(rows):
    return [None if rows.missing is not None and rows.missing[n] else rows.row(n).tolist() for n in range(len(rows))]


def contents(blocks, numeric, text, sequences, texts):
    """All that blocks give, as plain lists, and the dtypes of the numbers."""
    blocks = list(blocks)
    found = {"first": [block.first for block in blocks], "rows": [block.rows for block in blocks]}
    for name in numeric:
        found["numbers", name] = [block.numbers(name) for block in blocks]
        found["dtype", name] = {run.dtype for run in found["numbers", name]}
        found["numbers", name] = [repr(x) for run in found["numbers", name] for x in run.tolist()]
    for name in text:
        found["labels", name] = [(codes.tolist(), words) for codes, words in (b.labels(name) for b in blocks)]
        coded = [(codes.tolist(), words) for codes, words in (b.coded(name) for b in blocks if hasattr(b, "coded"))]
        assert [[words[code] for code in codes] for codes, words in coded] in (
            [],
            [[words[code] for code in codes] for codes, words in found["labels", name]],
        )
        found["texts", name] = [cell for block in blocks for cell in block.texts(name)]
    for name in sequences:
        found["sequences", name] = [row for block in blocks for row in ragged(block.sequences(name))]
    for name in texts:
        found["strings", name] = [bytes(row) for block in blocks for row in ragged(block.strings(name))]
    return found


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_files_are_one_file(tmp_path, kind, layout):
    many, one = written(tmp_path / "d", kind, layout)
    assert (many.format, many.name) == (one.format, str(tmp_path / "d"))
    assert [column[:2] for column in many.columns] == [column[:2] for column in one.columns]
    _, numeric, text, sequences, texts = KINDS[kind]
    wanted = list(dict.fromkeys([*sequences, *texts]))
    for rows in ROWS:
        found = contents(many.blocks(numeric, text, rows, wanted), *KINDS[kind][1:])
        assert found == contents(one.blocks(numeric, text, rows, wanted), *KINDS[kind][1:])
        assert found["first"] == list(range(0, 30, rows))


@pytest.mark.parametrize("kind", KINDS)
def test_place(tmp_path, kind):
    many, _ = written(tmp_path / "d", kind, (10, 0, 3, 17))
    _, numeric, text, _, texts = KINDS[kind]
    assert placed(many, 3) == (many.name, 3)  # nothing is read yet
    for _ in many.blocks(numeric, text, 7, texts):
        pass
    for row, file, its in ((0, 0, 0), (9, 0, 9), (10, 2, 0), (12, 2, 2), (13, 3, 0), (29, 3, 16)):
        assert placed(many, row) == (str(tmp_path / "d" / f"part-{file:02}.{kind}"), its)


def test_a_part_is_read_without_the_rest(tmp_path):
    """Cells behind those asked for are not looked at: an error comes with its own block."""
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.csv").write_text("n\n1\n2\n3\n")
    (tmp_path / "d" / "b.csv").write_text("n\n4\nx\n")
    blocks = opened(tmp_path / "d").blocks(["n"], [], 4)
    assert next(blocks).numbers("n").tolist() == [1, 2, 3, 4]
    with pytest.raises(DataError) as caught:
        next(blocks).numbers("n")
    assert (caught.value.file, caught.value.row) == (str(tmp_path / "d" / "b.csv"), 2)
    (whole,) = opened(tmp_path / "d").blocks(["n"], [], 10)
    assert whole.part(0, 4).numbers("n").tolist() == [1, 2, 3, 4]
    with pytest.raises(DataError, match="'x' is not a number"):
        whole.numbers("n")


def test_rows_before_a_flaw_come_first(tmp_path):
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "a.csv").write_text("n\n1\n2\n3\n")
    (folder / "b.csv").write_text("m\n4\n")
    blocks = opened(folder).blocks(["n"], [], 2)
    assert [next(blocks).numbers("n").tolist() for _ in range(2)] == [[1, 2], [3]]
    with pytest.raises(DataError, match='no column "n"'):
        next(blocks)


@pytest.mark.parametrize("kind", ["parquet", "npy"])
def test_widths_of_numbers(tmp_path, kind):
    """float32 beside float64 is float64; whole numbers beside fractions are numbers."""
    folder = tmp_path / "d"
    folder.mkdir()
    parts = [np.array([1.5], np.float32), np.array([2, 3]), np.array([0.1])]
    for place, values in enumerate(parts):
        if kind == "npy":
            np.save(folder / f"{place}.npy", values)
        else:
            pq.write_table(pa.table({"array": values}), folder / f"{place}.parquet")
    (block,) = opened(folder).blocks(["array"], [], 10)
    assert block.numbers("array").tolist() == [1.5, 2.0, 3.0, 0.1]
    assert block.numbers("array").dtype == np.float64


def test_columns_in_another_order(tmp_path, read):
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "a.csv").write_text("n,t,x\n1,a,0\n")
    (folder / "b.csv").write_text("t,other,n\nb,9,2\n")  # a column more, and one less that nobody wants
    source = opened(folder)
    assert read.numbers(source, "n").tolist() == [1, 2]
    assert read.texts(source, "t") == ["a", "b"]
    assert read.failure(source, ["x"]).file == str(folder / "b.csv")


def parquet_of(folder, **files):
    folder.mkdir()
    for name, columns in files.items():
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    return opened(folder)


LISTS = {
    "number and text": ([1.0], ["x"], "string here, and double in"),
    "text and number": (["x"], [1.0], "double here, and string in"),
    "value and list": ([1.0], [[1.0]], "list<element: double> here, and double in"),
    "number and date": ([1.0], pa.array([0], pa.date32()), "date32[day] here, and double in"),
    "sizes": (
        pa.array([[1.0]], pa.list_(pa.float64(), 1)),
        pa.array([[1.0, 2.0]], pa.list_(pa.float64(), 2)),
        "[2] here",
    ),
}


@pytest.mark.parametrize("case", LISTS)
def test_types_that_differ(tmp_path, read, case):
    one, other, message = LISTS[case]
    source = parquet_of(tmp_path / "d", a={"x": one, "n": [1]}, b={"x": other, "n": [2]})
    assert read.numbers(source, "n").tolist() == [1, 2]
    as_text = case == "text and number"
    error = read.failure(source, *([[], ["x"]] if as_text else [["x"], []]))
    assert (error.code, error.exit, error.column) == ("columns-differ", 3, "x")
    assert error.file == str(tmp_path / "d" / "b.parquet")
    assert message in error.message
    assert "a.parquet" in error.message


def test_words_of_numbers(tmp_path, read):
    """1 and 1.0 are one number and two words: slices must not fall apart by file."""
    source = parquet_of(tmp_path / "d", a={"g": [1, 2]}, b={"g": [1.0, 2.0]})
    assert read.numbers(source, "g").tolist() == [1, 2, 1, 2]
    assert "double here, and int64" in read.failure(source, [], ["g"]).message


def test_a_column_of_nulls(tmp_path, read):
    """Writers give a column without values no type: it is missing."""
    source = parquet_of(tmp_path / "d", a={"n": [1.0], "t": ["x"]}, b={"n": pa.nulls(2), "t": pa.nulls(2)})
    assert np.isnan(read.numbers(source, "n")).tolist() == [False, True, True]
    assert read.texts(source, "t") == ["x", None, None]


LIST = pa.list_(pa.float64())


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_lengths_of_lists(tmp_path, read, suffix):
    """The first list of all says how long they are, wherever it stands."""

    def write(folder, *parts):
        folder.mkdir()
        for place, rows in enumerate(parts):
            path = folder / f"{place}.{suffix}"
            if suffix == "parquet":
                pq.write_table(pa.table({"x": pa.array(rows, LIST)}), path)
            else:
                path.write_text("".join(json.dumps({"x": row}) + "\n" for row in rows))
        return opened(folder)

    nulls = [] if suffix == "parquet" else [None, None]
    parts = (nulls, [[1.0, 2.0], [3.0, 4.0]], [None], [[5.0, 6.0]])
    source = write(tmp_path / "a", *(parts if suffix == "parquet" else parts[1:]))
    found = read.numbers(source, "x")
    assert found.shape == (4, 2)
    assert np.isnan(found[2]).all()
    source = write(tmp_path / "b", [[1.0, 2.0]], [[5.0, 6.0], [7.0]])
    error = read.failure(source, ["x"], rows=1000)
    assert (error.code, error.file, error.row) == ("ragged-list", str(tmp_path / "b" / f"1.{suffix}"), 2)
    source = write(tmp_path / "c", [[1.0, 2.0]], [[5.0, 6.0, 7.0]])
    assert read.failure(source, ["x"], rows=1).code == "ragged-list"


def test_lists_whose_first_files_tell_nothing(tmp_path, read):
    null, full = pa.array([None], LIST), pa.array([[1.0, 2.0]], LIST)
    source = parquet_of(tmp_path / "d", a={"x": null}, b={"x": null}, c={"x": full})
    assert read.numbers(source, "x", 2).shape == (3, 2)
    assert source.find("x.1")
    assert not source.find("x.2")
    assert np.isnan(read.numbers(source, "x.1")).tolist() == [True, True, False]


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_classes_by_name(tmp_path, suffix):
    """Labelled scores stand in the order of the first file, also where a file has another one."""
    folder = tmp_path / "d"
    folder.mkdir()
    for place, names in enumerate(["ab", "ba"]):
        rows = [[{"label": name, "prob": ord(name) / 100} for name in names]]
        if suffix == "parquet":
            pq.write_table(pa.table({"p": rows}), folder / f"{place}.parquet")
        else:
            (folder / f"{place}.jsonl").write_text(json.dumps({"p": rows[0]}) + "\n")
    for order in (("a", "b"), ("b", "a")):
        source = opened(folder)
        source.arrange("p", order)
        assert source.columns[0].classes == order
        (block,) = source.blocks(["p"], [], 9)
        assert block.numbers("p").tolist() == [[ord(name) / 100 for name in order]] * 2


def test_keys_of_some_rows(tmp_path, read):
    """A key that is in no row of one file is missing there, as it is in rows of a single file."""
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"n": 1}\n')
    (folder / "b.jsonl").write_text('{"n": 2, "deep": {"x": 5}}\n')
    (folder / "c.jsonl").write_text('{"n": 3}\n')
    source = opened(folder)
    assert source.find("deep.x")
    assert not source.find("deep.y")
    (block,) = source.blocks(["n", "deep.x"], [], 9)
    assert block.numbers("n").tolist() == [1, 2, 3]
    assert [repr(x) for x in block.numbers("deep.x").tolist()] == ["nan", "5.0", "nan"]
    (folder / "d.jsonl").write_text('{"config": 3}\n')
    error = read.failure(opened(folder), ["n"])
    assert (error.code, error.file) == ("columns-differ", str(folder / "d.jsonl"))


def test_layouts_of_arrays(tmp_path):
    """What is said of the first file holds for all: frames first, rows end to end."""
    folder = tmp_path / "d"
    folder.mkdir()
    arrays = [np.arange(24.0).reshape(4, 3, 2), 100 + np.arange(40.0).reshape(4, 5, 2)]
    for place, array in enumerate(arrays):
        np.savez(folder / f"{place}.npz", x=array, flat=np.arange(len(array)) + 10 * place, lengths=[1, 3])
    source = opened(folder)
    source.turn("x")
    (block,) = source.blocks([], [], 10, ["x"])
    assert ragged(block.sequences("x")) == [row.tolist() for array in arrays for row in array.swapaxes(0, 1)]
    source.cut("flat", "lengths")
    (block,) = source.blocks([], [], 10, ["flat"])
    assert ragged(block.sequences("flat")) == [[0], [1, 2, 3], [10], [11, 12, 13]]
    np.savez(folder / "2.npz", x=arrays[0])
    source = opened(folder)
    source.cut("flat", "lengths")
    with pytest.raises(DataError, match='no column "flat"'):
        list(source.blocks([], [], 10, ["flat"]))


def test_shapes_that_differ(tmp_path, read):
    for place, width in enumerate((3, 5)):
        np.save(tmp_path / f"{place}.npy", np.ones((2, width)))
    error = read.failure(opened(tmp_path), ["array"])
    assert (error.code, error.file) == ("columns-differ", str(tmp_path / "1.npy"))
    assert "float64 (5 values a row) here, and float64 (3 values a row) in" in error.message
    (block,) = opened(tmp_path).blocks([], [], 9, ["array"])
    assert [len(row) for row in ragged(block.sequences("array"))] == [3, 3, 5, 5]  # rows of any length


def test_ids(tmp_path):
    """Transcripts of several files are matched as those of one; an id in two of them is refused."""
    for side, order in (("hyp", (3, 1, 2)), ("ref", (1, 2, 3))):
        (tmp_path / side).mkdir()
        for place, n in enumerate(order):
            (tmp_path / side / f"{place}.kaldi").write_text(f"u{n} text {n}\n")
    paths = [str(tmp_path / side) for side in ("hyp", "ref")]
    sources, _, _ = open_inputs(paths, {})
    (block,) = sources[0].blocks([], ["text"], 9)
    assert block.texts("text") == ["text 1", "text 2", "text 3"]
    (tmp_path / "ref" / "9.kaldi").write_text("u7 text\nu2 again\n")
    with pytest.raises(DataError) as caught:
        open_inputs(paths, {})
    error = caught.value
    assert (error.code, error.file, error.row) == ("key-repeated", str(tmp_path / "ref" / "9.kaldi"), 2)
    assert "'u2' stands in row 1 of" in error.message


def test_names_without_a_header(tmp_path, read):
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "a.txt").write_text("1 2\n")
    (folder / "b.txt").write_text("1 2 3\n")
    error = read.failure(opened(folder), ["1"])
    assert (error.code, error.file) == ("columns-differ", str(folder / "b.txt"))
    assert "3 columns are here, and 2 in" in error.message


class TestPaths:
    """Which files a path stands for."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for name in ("a.csv", "b[1].csv", "b1.csv", "_SUCCESS", ".hidden.csv", "k=1/x.csv", "k=1/deep/y.csv"):
            self.write(name)
        for name in ("_temporary/0/z.csv", ".git/z.csv", "k=2/_SUCCESS"):
            self.write(name)

    def write(self, name):
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "w") as file:
            file.write("n\n1\n")

    @pytest.mark.parametrize(
        ("path", "files"),
        [
            ("a.csv", None),
            ("b[1].csv", None),  # there is such a file
            ("-", None),
            ("none.csv", None),
            (".", ["./a.csv", "./b1.csv", "./b[1].csv", "./k=1/deep/y.csv", "./k=1/x.csv"]),
            ("k=1/", ["k=1/deep/y.csv", "k=1/x.csv"]),
            ("*.csv", ["a.csv", "b1.csv", "b[1].csv"]),
            ("b[[]1].csv", ["b[1].csv"]),
            ("[!a].csv", "none"),
            ("b?.csv", ["b1.csv"]),
            ("b[0-9].csv", ["b1.csv"]),
            ("**/*.csv", ["a.csv", "b1.csv", "b[1].csv", "k=1/deep/y.csv", "k=1/x.csv"]),
            ("./**", ["./a.csv", "./b1.csv", "./b[1].csv", "./k=1/deep/y.csv", "./k=1/x.csv"]),
            ("k=*", ["k=1/deep/y.csv", "k=1/x.csv"]),
            ("k=*/*.csv", ["k=1/x.csv"]),
            ("k=*/**/y*", ["k=1/deep/y.csv"]),
            ("_*", ["_SUCCESS", "_temporary/0/z.csv"]),  # asked for by name
            (".h*", [".hidden.csv"]),
            ("k=2", "none"),
            ("k=2/*", "none"),
            ("nowhere/*.csv", "none"),
            ("a.csv/*", "none"),
        ],
    )
    def test_files(self, path, files):
        if files == "none":
            with pytest.raises(DataError) as caught:
                shards_of(path)
            assert (caught.value.code, caught.value.exit, caught.value.file) == ("not-found", 3, path)
            assert path in caught.value.message
            assert caught.value.hint
        else:
            assert shards_of(path) == files

    def test_from_the_root(self, tmp_path):
        assert shards_of(f"{tmp_path}/k=1/*.csv") == [f"{tmp_path}/k=1/x.csv"]

    def test_a_link_to_a_folder_above(self):
        os.symlink(".", "k=1/loop")
        os.symlink("../k=2", "k=1/other")
        os.symlink("../k=1", "k=2/back")
        assert shards_of("k=1") == ["k=1/deep/y.csv", "k=1/x.csv"]
        assert shards_of("k=1/**/*.csv") == ["k=1/deep/y.csv", "k=1/x.csv"]

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_folder_that_cannot_be_read(self):
        os.chmod("k=1/deep", 0)
        for path in ("k=1", "k=1/**/*.csv", "k=1/*/*.csv"):
            with pytest.raises(DataError, match="k=1/deep cannot be read: Permission denied"):
                shards_of(path)
        os.chmod("k=1/deep", 0o700)

    def test_a_pattern_is_read(self, read):
        assert read.numbers(opened("b[[]1].csv"), "n").tolist() == [1]
        (source,), _, _ = open_inputs(["b[1].csv"], {})
        assert source.name == "b[1].csv"
        assert not isinstance(source, ShardedSource)

    def test_of_a_role(self):
        sources, columns, elsewhere = open_inputs(["a.csv"], {"target": "k=*/*.csv:n", "pred": "n*"})
        assert [source.name for source in sources] == ["a.csv", "k=*/*.csv"]
        assert (columns, elsewhere) == ({"target": "n", "pred": "n*"}, {"target": 1})
        sources, columns, _ = open_inputs(["a.csv"], {"target": "k=1:n"})
        assert [source.name for source in sources] == ["a.csv", "k=1"]
        with pytest.raises(DataError, match="no file matches x"):
            open_inputs(["a.csv"], {"target": "x*.csv:n"})


def test_a_pattern_of_columns_is_none_of_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("Prob:Class=0,Prob:Class=1\n1,2\n")
    sources, columns, elsewhere = open_inputs(["t.csv"], {"pred": "P*:Class=*"})
    assert (len(sources), columns, elsewhere) == (1, {"pred": "P*:Class=*"}, {})


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("a.csv", "b.parquet"), ("a.csv", "b.parquet")),
        (("a.csv", "b.csv", "c.tsv"), ("a.csv", "c.tsv")),
        (("a.csv", "README.md"), ("README.md", "a.csv")),
        (("a.parquet", "dataset_info.json"), ("a.parquet", "dataset_info.json")),
    ],
)
def test_mixed_names(tmp_path, names, shown):
    for name in names:
        (tmp_path / name).write_text("n\n1\n")
    with pytest.raises(DataError) as caught:
        opened(tmp_path)
    assert caught.value.code == "mixed-formats"
    assert all(str(tmp_path / name) in caught.value.message for name in shown)
    assert f"'{tmp_path}/*." in str(caught.value.hint)


def test_mixed_contents(tmp_path, read):
    (tmp_path / "part-0").write_text("n\n1\n")
    (tmp_path / "part-1").write_text('{"n": 1}\n')
    error = read.failure(opened(tmp_path), ["n"])
    assert (error.code, error.file) == ("mixed-formats", str(tmp_path / "part-1"))
    assert "part-1 is jsonl, and" in error.message
    assert "part-0 is csv" in error.message


def test_names_that_tell_no_format(tmp_path, read):
    for place in range(3):
        (tmp_path / f"out.{place:04}").write_text(f"n\n{place}\n")
    assert read.numbers(opened(tmp_path), "n").tolist() == [0, 1, 2]


def test_packed_files_beside_others(tmp_path, read):
    (tmp_path / "a.csv").write_text("n\n1\n")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"n\n2\n"))
    source = opened(tmp_path)
    assert read.numbers(source, "n").tolist() == [1, 2]


def test_options_reach_every_file(tmp_path, read):
    for place in range(2):
        (tmp_path / f"{place}.dat").write_text(f"{place};none\n")
    source = opened(tmp_path, input_format="csv", delimiter=";", no_header=True, null_values=["none"])
    assert read.numbers(source, "1").tolist() == [0, 1]
    assert np.isnan(read.numbers(source, "2")).all()


class TestFlaws:
    """A file that cannot be read is named, when it is reached."""

    @pytest.fixture
    def folder(self, tmp_path):
        for place in range(3):
            (tmp_path / f"{place}.csv").write_text(f"n\n{place}\n")
        return tmp_path

    def fails(self, source, code, file):
        blocks = source.blocks(["n"], [], 1)
        assert next(blocks).numbers("n").tolist() == [0]
        with pytest.raises(DataError) as caught:
            np.concatenate([block.numbers("n") for block in blocks])
        assert (caught.value.code, caught.value.file) == (code, str(file))

    def test_empty(self, folder):
        (folder / "1.csv").write_text("")
        self.fails(opened(folder), "empty", folder / "1.csv")

    def test_header_only(self, folder, read):
        (folder / "1.csv").write_text("n\n")
        assert read.numbers(opened(folder), "n").tolist() == [0, 2]

    def test_removed(self, folder):
        source = opened(folder)
        (folder / "2.csv").unlink()
        self.fails(source, "not-found", folder / "2.csv")

    def test_removed_while_it_is_read(self, folder):
        source = opened(folder)
        blocks = source.blocks(["n"], [], 1)
        next(blocks)
        (folder / "1.csv").unlink()
        with pytest.raises(DataError, match="no such file"):
            next(blocks)

    def test_link_to_nothing(self, folder):
        (folder / "1.csv").unlink()
        (folder / "1.csv").symlink_to("nowhere")
        self.fails(opened(folder), "not-found", folder / "1.csv")

    def test_link_to_itself(self, folder):
        (folder / "1.csv").unlink()
        (folder / "1.csv").symlink_to("1.csv")
        with pytest.raises(DataError, match=r"1.csv cannot be read: Too many levels"):
            opened(folder)
        self.fails(opened(folder / "[01].csv"), "unreadable", folder / "1.csv")

    def test_changed_between_two_passes(self, folder):
        source = opened(folder)
        assert len(list(source.blocks(["n"], [], 1))) == 3
        (folder / "1.csv").write_text("n\n1\n1\n")
        self.fails(source, "changed", folder / "1.csv")

    def test_pipe(self, folder):
        (folder / "1.csv").unlink()
        os.mkfifo(folder / "1.csv")
        self.fails(opened(folder), "unreadable", folder / "1.csv")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_unreadable(self, folder):
        os.chmod(folder / "1.csv", 0)
        self.fails(opened(folder), "unreadable", folder / "1.csv")

    def test_corrupt(self, tmp_path):
        pq.write_table(pa.table({"n": [0.0]}), tmp_path / "0.parquet")
        (tmp_path / "1.parquet").write_bytes(b"PAR1 and nothing more")
        self.fails(opened(tmp_path), "corrupt", tmp_path / "1.parquet")


def test_thousands_of_files(tmp_path):
    """No more than a few are open at once, and only the first is opened for the columns."""
    for place in range(1500):
        (tmp_path / f"{place:04}.csv").write_text(f"n\n{place}\n")
    script = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from lossctl.data.inputs import open_inputs
(source,), _, _ = open_inputs([sys.argv[1]], {})
print(sum(block.numbers("n").sum() for block in source.blocks(["n"], [], 400)))
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert float(done.stdout) == 1499 * 1500 / 2
    reached = []

    def reader(path):
        reached.append(path)
        return open_source(path)

    files = [str(tmp_path / f"{place:04}.csv") for place in range(1500)]
    source = ShardedSource("many", files, reader)
    next(source.blocks(["n"], [], 2))
    assert reached == files[:2]


class Spanned:
    """A CSV source with the parts that a reader may offer: spans of two rows, cuts after each third one."""

    def __init__(self, path):
        self._source = open_source(path)
        self.name, self.format, self.columns, self.notes = (
            getattr(self._source, name) for name in ("name", "format", "columns", "notes")
        )
        self._rows = sum(block.rows for block in self._source.blocks([], [], 100))

    def blocks(self, *wanted):
        return self._source.blocks(*wanted)

    def between(self, start, stop, numeric, text, rows, sequences=()):
        for first in range(start, stop, rows):
            (whole,) = self._source.blocks(numeric, text, 1000, sequences)
            yield whole.part(first, min(first + rows, stop))

    def cuts(self):
        return [*range(0, self._rows, 3), self._rows]

    def spans(self, numeric, text, sequences):
        return (Rows(self, first, (numeric, text, sequences)) for first in range(0, self._rows, 2))


class Rows:
    def __init__(self, source, first, wanted):
        self._source, self._first, self._wanted = source, first, wanted

    def count(self):
        return min(2, self._source._rows - self._first)

    def blocks(self, first, rows):
        assert first == self._first
        numeric, text, sequences = self._wanted
        return self._source.between(first, first + self.count(), numeric, text, rows, sequences)


class TestParts:
    @pytest.fixture(params=["every", "some"])
    def source(self, request, tmp_path):
        """Files that can be read in parts, all, or but for one."""
        start = 0
        for place, rows in enumerate((5, 0, 1, 4)):
            (tmp_path / f"{place}.csv").write_text("n\n" + "".join(f"{start + i}\n" for i in range(rows)))
            start += rows
        plain = "3" if request.param == "some" else ""

        def reader(path):
            return open_source(path) if os.path.basename(path)[0] == plain else Spanned(path)

        return ShardedSource("many", [str(tmp_path / f"{place}.csv") for place in range(4)], reader)

    @pytest.mark.parametrize("rows", [1, 2, 9])
    def test_spans(self, source, rows, tmp_path):
        spans = list(source.spans(["n"], [], []))
        counts = [span.count() for span in spans]
        assert sum(counts) == 10
        firsts = np.cumsum([0, *counts])[:-1].tolist()
        for span, first, count in reversed(list(zip(spans, firsts, counts, strict=True))):
            found = list(span.blocks(first, rows))
            assert [block.first for block in found] == list(range(first, first + count, rows))
            assert [x for block in found for x in block.numbers("n").tolist()] == list(range(first, first + count))
        assert source.place(5) == (str(tmp_path / "2.csv"), 0)
        assert source.place(9) == (str(tmp_path / "3.csv"), 3)

    @pytest.mark.parametrize("rows", [1, 2, 3, 20])
    def test_between(self, source, rows):
        cuts = list(source.cuts())
        assert cuts[0] == 0
        assert cuts[-1] == 10
        assert cuts == sorted(set(cuts))
        assert {5, 6} <= set(cuts)  # where a file ends
        for start in range(11):
            for stop in range(start, 11):
                blocks = list(source.between(start, stop, ["n"], [], rows))
                assert [block.first for block in blocks] == list(range(start, stop, rows))
                assert [x for block in blocks for x in block.numbers("n").tolist()] == list(range(start, stop))
        assert source.place(8)[1] == 2


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_parts_of_files(tmp_path, kind, layout):
    """Spans, and rows between two cuts, hold what the blocks hold."""
    many, one = written(tmp_path / "d", kind, layout)
    _, numeric, text, sequences, texts = KINDS[kind]
    wanted = list(dict.fromkeys([*sequences, *texts]))
    if not hasattr(many, "spans"):
        pytest.skip(f"{kind} is read from its start")
    rows = 0
    for span in many.spans(numeric, text, wanted):
        count = span.count()
        for block in span.blocks(rows, 3):
            same = next(b for b in one.blocks(numeric, text, 1000, wanted)).part(block.first, block.first + block.rows)
            assert contents([block], *KINDS[kind][1:]) == contents([same], *KINDS[kind][1:])
        rows += count
    assert rows == 30
    for start, stop in pairwise(many.cuts()) if hasattr(many, "cuts") else ():
        found = contents(many.between(start, stop, numeric, text, 1000, wanted), *KINDS[kind][1:])
        same = next(b for b in one.blocks(numeric, text, 1000, wanted)).part(start, stop)
        assert found == contents([same], *KINDS[kind][1:])


def test_nothing_is_offered_that_the_files_have_not(tmp_path):
    (tmp_path / "a.txt").write_text("line\n")
    source = ShardedSource("x", [str(tmp_path / "a.txt")], partial(open_source, prose=True))
    for name in ("find", "arrange", "turn", "cut", "ids", "spans", "cuts", "between"):
        assert hasattr(source, name) == hasattr(open_source(tmp_path / "a.txt", prose=True), name)
