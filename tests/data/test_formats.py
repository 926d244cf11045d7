"""Which reader for which file, and what is refused at the door."""

from __future__ import annotations

import errno
import gzip
import os
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from lossctl.data import opening
from lossctl.data.formats import FORMATS, open_source
from lossctl.errors import DataError, UsageError

TABLES = [format for format in FORMATS if format not in ("lines", "kaldi", "trn")]  # which hold numbers
VALUES = np.array([0.1, -2.0, 1e300, 5.0, 0.0])


@pytest.fixture
def files(tmp_path):
    """The same column in every format, by format."""
    lines = "".join(f"{x!r}\n" for x in VALUES.tolist())
    (tmp_path / "x.csv").write_text("a\n" + lines)
    (tmp_path / "x.tsv").write_text("a\tb\n" + lines.replace("\n", "\t1\n"))
    np.save(tmp_path / "x.npy", VALUES)
    np.savez(tmp_path / "x.npz", a=VALUES)
    (tmp_path / "x.text").write_text(lines)
    (tmp_path / "x.jsonl").write_text("".join(f'{{"a": {x!r}}}\n' for x in VALUES.tolist()))
    pq.write_table(pa.table({"a": VALUES}), tmp_path / "x.parquet")
    pa.feather.write_feather(pa.table({"a": VALUES}), tmp_path / "x.arrow")
    for format in ("lines", "kaldi", "trn"):
        (tmp_path / f"x.{format}").write_text("u1 (u1)\n")
    return {format: tmp_path / f"x.{format}" for format in FORMATS}


def packed(path, kind):
    data = path.read_bytes()
    out = gzip.compress(data) if kind == "gz" else pa.compress(data, codec="zstd", asbytes=True)
    target = path.with_name(f"{path.name}.{kind}")
    target.write_bytes(out)
    return target


@pytest.mark.parametrize("format", TABLES)
@pytest.mark.parametrize("kind", [None, "gz", "zst"])
@pytest.mark.parametrize("upper", [False, True])
def test_by_extension(files, read, format, kind, upper):
    path = files[format] if kind is None else packed(files[format], kind)
    if upper:
        path = path.rename(path.with_name(path.name.upper()))
    source = open_source(path)
    assert (source.format, source.name) == (format, str(path))
    name = source.columns[0].name
    for _ in range(2):
        assert read.numbers(source, name, 2).tolist() == VALUES.tolist()


OTHERS = [("text", "txt"), *(("jsonl", s) for s in ("ndjson", "json")), *(("arrow", s) for s in ("feather", "ipc"))]


@pytest.mark.parametrize(("format", "suffix"), OTHERS)
@pytest.mark.parametrize("kind", [None, "gz"])
def test_other_names_of_a_format(files, read, format, suffix, kind):
    path = files[format].rename(files[format].with_suffix(f".{suffix}"))
    path = path if kind is None else packed(path, kind)
    for source in (open_source(path), open_source(path, input_format=suffix), open_source(path, input_format=format)):
        assert source.format == format
        assert read.numbers(source, source.columns[0].name).tolist() == VALUES.tolist()


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet", "arrow", "npy", "npz"])
@pytest.mark.parametrize("kind", [None, "gz", "zst"])
@pytest.mark.parametrize("name", ["data", "data.bin", "data.v2"])
def test_by_first_bytes(files, format, kind, name):
    path = files[format] if kind is None else packed(files[format], kind)
    assert open_source(path.rename(path.with_name(name))).format == format


def test_by_option(files, read):
    path = files["tsv"].rename(files["tsv"].with_name("x.npy"))
    source = open_source(path, input_format="tsv")
    assert read.numbers(source, "a").tolist() == VALUES.tolist()
    with pytest.raises(DataError):
        open_source(path)


def test_an_unknown_format_is_a_usage_error(files):
    with pytest.raises(UsageError, match="xml") as caught:
        open_source(files["csv"], input_format="xml")
    assert "parquet" in caught.value.hint


@pytest.mark.parametrize("format", ["parquet", "arrow"])
@pytest.mark.parametrize("suffix", ["csv", "txt", "jsonl"])
def test_names_and_content_that_disagree(files, format, suffix):
    path = files[format].rename(files[format].with_name(f"y.{suffix}"))
    with pytest.raises(DataError) as caught:
        open_source(path)
    assert (caught.value.code, caught.value.hint) == ("wrong-format", f"--input-format {format}")


REFUSED = ["pt", "pth", "pkl", "pickle", "joblib", "h5", "hdf5", "safetensors", "xlsx"]


@pytest.mark.parametrize("suffix", [*REFUSED, "pkl.gz", "PT"])
def test_refused_with_a_line_that_converts(put, suffix, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(f"x.{suffix}", gzip.compress(b"whatever") if suffix.endswith("gz") else b"whatever")
    with pytest.raises(DataError) as caught:
        open_source(f"x.{suffix}")
    error = caught.value
    assert (error.code, error.exit) == ("unsupported-format", 3)
    assert "not supported" in error.message
    assert error.hint.startswith('python -c "import ')
    assert f"x.{suffix}" in error.hint
    assert "\n" not in error.hint
    compile(error.hint.removeprefix('python -c "').removesuffix('"'), "hint", "exec")


def test_hints_do_not_carry_strange_names(put, tmp_path):
    path = put("$(rm x)'\".pkl", b"whatever")
    with pytest.raises(DataError) as caught:
        open_source(path)
    assert "rm" not in caught.value.hint
    assert "'FILE'" in caught.value.hint


@pytest.mark.parametrize("options", [{}, {"input_format": "arrow"}])
def test_a_hint_does_what_it_says(tmp_path, monkeypatch, read, options):
    """Feather files of version 1 are another format."""
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of pyarrow advise against it
        pa.feather.write_feather(pa.table({"a": VALUES}), "x.feather", version=1)
    with pytest.raises(DataError, match="version 1") as caught:
        open_source("x.feather", **options)
    assert caught.value.code == "unsupported-format"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(caught.value.hint.removeprefix('python -c "').removesuffix('"'))
    assert read.numbers(open_source("x.parquet"), "a").tolist() == VALUES.tolist()


@pytest.mark.parametrize(
    ("magic", "word"), [(b"FEA1\0\0", "Feather"), (b"\x89HDF\r\n\x1a\n", "HDF5"), (b"\x80\x04\x95\0\0", "pickle")]
)
@pytest.mark.parametrize("name", ["x", "x.csv"])
def test_refused_by_first_bytes(put, magic, word, name):
    with pytest.raises(DataError, match=word) as caught:
        open_source(put(name, magic + bytes(100)))
    assert caught.value.code == "unsupported-format"


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kind", ["", ".gz"])
def test_empty_files(put, format, kind):
    with pytest.raises(DataError, match="empty") as caught:
        open_source(put(f"x.{format}{kind}", b""))
    assert caught.value.code == "empty"
    with pytest.raises(DataError) as caught:
        open_source(put(f"y.{format}.gz", gzip.compress(b"")))
    assert caught.value.code == "empty"


def test_dev_null():
    with pytest.raises(DataError) as caught:
        open_source("/dev/null")
    assert caught.value.code == "empty"


def test_missing_files(tmp_path):
    for path in (tmp_path / "no.csv", "no\0.csv", tmp_path / "no" / "x.npy"):
        with pytest.raises(DataError, match="no such file") as caught:
            open_source(path)
        assert (caught.value.code, caught.value.file) == ("not-found", str(path))
        assert str(path) in caught.value.message


def test_directories(tmp_path):
    with pytest.raises(DataError, match="directory") as caught:
        open_source(tmp_path)
    assert (caught.value.code, caught.value.file) == ("is-a-directory", str(tmp_path))


@pytest.mark.parametrize("format", FORMATS)
def test_no_permission(files, monkeypatch, format):
    def refuse(*args):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(opening.os, "open", refuse)
    with pytest.raises(DataError, match=r"[Pp]ermission denied") as caught:
        open_source(files[format])
    assert (caught.value.code, caught.value.file) == ("unreadable", str(files[format]))
    assert str(files[format]) in caught.value.message


def test_a_loop_of_links(tmp_path):
    os.symlink(tmp_path / "a.csv", tmp_path / "b.csv")
    os.symlink(tmp_path / "b.csv", tmp_path / "a.csv")
    with pytest.raises(DataError) as caught:
        open_source(tmp_path / "a.csv")
    assert caught.value.code == "unreadable"


def test_every_error_has_one_line(put, read):
    for name, content in {"x.npy": b"\x93NUMPY\x01\0", "x.parquet": b"PAR1xxxx", "x.npz": b"PK\x03\x04"}.items():
        with pytest.raises(DataError) as caught:
            open_source(put(name, content))
        assert "\n" not in caught.value.message
        assert caught.value.file.endswith(name)
