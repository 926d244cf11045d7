"""NPZ: one column per array, streamed, checked against what the archive announces."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from lossctl.data.formats import open_source
from lossctl.errors import DataError

N = 31
ARRAYS = {
    "logits": np.random.default_rng(2).normal(size=(N, 4)).astype("f4"),
    "y": np.arange(N) % 4,
    "spectra": np.asfortranarray(np.random.default_rng(3).normal(size=(N, 3, 2))),
    "word": np.array([f"w{i % 3}" for i in range(N)]),
}


@pytest.fixture(params=[np.savez, np.savez_compressed], ids=["stored", "deflated"])
def path(request, tmp_path):
    request.param(tmp_path / "x.npz", **ARRAYS)
    return tmp_path / "x.npz"


def test_columns(path):
    source = open_source(path)
    found = {c.name: (c.type, c.width, c.axes, c.rows) for c in source.columns}
    assert found == {
        "logits": ("real", 4, (), N),
        "y": ("int", None, (), N),
        "spectra": ("real", 6, (3, 2), N),
        "word": ("text", None, (), N),
    }
    assert (source.format, source.notes) == ("npz", ())


def test_several_arrays_in_step(path, read, rows):
    source = open_source(path)
    blocks = read.blocks(source, ["logits", "y", "spectra"], ["word", "y"], rows)
    assert sum(block.rows for block in blocks) == N
    for block in blocks:
        part = slice(block.first, block.first + block.rows)
        assert block.numbers("logits").dtype == np.float32
        np.testing.assert_array_equal(block.numbers("logits"), ARRAYS["logits"][part])
        np.testing.assert_array_equal(block.numbers("y"), ARRAYS["y"][part])
        np.testing.assert_array_equal(block.numbers("spectra"), ARRAYS["spectra"][part])
        assert block.texts("word") == ARRAYS["word"][part].tolist()
        assert block.texts("y") == [str(y) for y in ARRAYS["y"][part]]


def test_from_a_pipe(path, read):
    source = open_source("-", stdin=io.BytesIO(path.read_bytes()))
    assert source.format == "npz"
    assert read.numbers(source, "y").tolist() == ARRAYS["y"].tolist()


def test_lengths_may_differ_but_not_in_one_call(tmp_path, read):
    np.savez(tmp_path / "x.npz", real=np.zeros((5, 2)), fake=np.ones(7))
    source = open_source(tmp_path / "x.npz")
    assert read.numbers(source, "real").shape == (5, 2)
    assert read.numbers(source, "fake").shape == (7,)
    error = read.failure(source, ["real", "fake"])
    assert error.code == "lengths-differ"
    assert '"real" (5, 2)' in error.message
    assert '"fake" (7,)' in error.message


def test_what_is_no_column(tmp_path, read):
    """Scalars and objects do no harm until somebody asks for them; other files are told of."""
    np.savez(tmp_path / "x.npz", y=np.arange(3), epoch=np.array(7), meta=np.array([{}], object))
    with zipfile.ZipFile(tmp_path / "x.npz", "a") as archive:
        archive.writestr("readme.txt", "hello")
    source = open_source(tmp_path / "x.npz")
    assert {c.name: c.type for c in source.columns} == {"y": "int", "epoch": "other", "meta": "other"}
    assert source.notes == ('"readme.txt" is no array and is left out',)
    assert read.numbers(source, "y").tolist() == [0, 1, 2]
    for name in ("epoch", "meta"):
        assert read.failure(source, [name]).code == "dtype"


def member(shape, data, descr="<f8"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue() + data


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (member((2**60,), bytes(80)), "truncated"),
        (member((11,), bytes(80)), "truncated"),
        (member((9,), bytes(80)), "trailing-bytes"),
        (member((2**31, 2**31), bytes(80)), "too-large"),
        (b"nothing", "corrupt"),
    ],
)
def test_members_that_lie(tmp_path, content, code):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.npy", member((10,), bytes(80)))
        archive.writestr("bad.npy", content)
    with pytest.raises(DataError) as caught:
        open_source(path)
    assert caught.value.code == code


def test_a_directory_that_announces_more_than_the_member_holds(tmp_path, read):
    """zipfile believes the directory; the array's own header does not."""
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", member((1000,), bytes(80)))
    data = bytearray(path.read_bytes())
    size = (len(member((1000,), bytes(8000)))).to_bytes(4, "little")
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = size
    path.write_bytes(data)
    assert read.failure(open_source(path), ["a"]).code in ("truncated", "corrupt")


def test_damage_is_found(path, read):
    data = bytearray(path.read_bytes())
    at = data.index(b"NUMPY") if b"NUMPY" in data else len(data) // 4
    data[at + 200] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        read.numbers(open_source(path), "logits")
    assert caught.value.code in ("corrupt", "truncated")


@pytest.mark.parametrize("keep", [4, 100, 0.5, 0.9, -1])
def test_truncated_archives(path, keep):
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data)) if isinstance(keep, float) else keep])
    with pytest.raises(DataError) as caught:
        open_source(path)
    assert caught.value.code == "corrupt"


def test_an_archive_without_arrays(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(DataError) as caught:
        open_source(tmp_path / "x.npz")
    assert caught.value.code == "empty"


def test_two_members_of_one_name(tmp_path, read):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", member((1,), bytes(8)))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.npy", member((1,), bytes(8)))
    assert read.failure(open_source(path), ["a"]).code == "duplicate-column"
