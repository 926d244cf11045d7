"""A million names."""

from __future__ import annotations

import random
import sys

import pytest

from lossctl.data.shards.files import Files
from lossctl.data.shards.paths import check_names, shards_of
from lossctl.errors import DataError


def test_names_in_order_each_once():
    files = Files.of("s3://b/", [("s3://b/b", 2), ("s3://b/a", 1), ("s3://b/b", 2), ("s3://b/ä", None)])
    assert files == ["s3://b/a", "s3://b/b", "s3://b/ä"]
    assert files.sizes.tolist() == [1, 2, -1]
    assert files[-1] == "s3://b/ä"
    assert files[1:] == ["s3://b/b", "s3://b/ä"]
    assert files[1:].sizes.tolist() == [2, -1]
    assert files[1:][0] == "s3://b/b"
    assert files[::2] == ["s3://b/a", "s3://b/ä"]
    assert files[3:1] == []
    assert "s3://b/b" in files
    with pytest.raises(IndexError):
        files[3]


def test_many_names_are_sorted_as_few_are():
    names = [f"x/{random.Random(1).random()}-{i % 19_999}" for i in range(21_000)]
    assert Files.of("x/", ((name, len(name)) for name in names)) == sorted(set(names))
    found = Files.of("x/", ((name, len(name)) for name in names))
    assert found.sizes.tolist() == [len(name) for name in found]


def test_local_sizes_are_looked_up_when_asked_for(tmp_path):
    for size in range(3):
        (tmp_path / f"{size}.csv").write_bytes(b"x" * size)
    files = shards_of(str(tmp_path))
    assert files == [str(tmp_path / f"{size}.csv") for size in range(3)]
    (tmp_path / "1.csv").write_bytes(b"12345")
    assert files.sizes.tolist() == [0, 5, 2]
    assert shards_of(f"file://{tmp_path}") == files


def test_a_million_names():
    base = "s3://some-bucket/predictions/run-17/"
    files = Files.of(base, ((f"{base}part-{i:07d}-of-1000000.parquet", i) for i in range(1_000_000)))
    assert sum(map(sys.getsizeof, (files._tails, files._edges, files._sizes))) <= 60e6
    assert len(files) == 1_000_000
    assert files[123_456].endswith("part-0123456-of-1000000.parquet")
    assert int(files.sizes.sum()) == 499_999_500_000
    check_names(base, files, prose=False)


def test_other_formats_are_seen_among_many():
    with pytest.raises(DataError, match="different formats"):
        check_names("x", Files.of("x/", [(f"x/{i}.csv", 0) for i in range(100)] + [("x/y.parquet", 0)]), prose=False)
    with pytest.raises(DataError, match="different formats"):
        check_names("x", ["x/a.csv.gz", "x/b.jsonl.gz"], prose=False)
    check_names("x", ["x.y/a", "x.y/b"], prose=False)
