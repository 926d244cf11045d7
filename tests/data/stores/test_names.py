"""URIs as text."""

from __future__ import annotations

import pytest

from lossctl.data.formats import format_named
from lossctl.data.opening import extension
from lossctl.data.places import may_hold, overwritten, same
from lossctl.data.stores.names import file_name, is_uri, local_path, split
from lossctl.errors import UsageError


@pytest.mark.parametrize(
    "path",
    ["s3://b/k", "gs://b", "abfs://c@a.dfs.core.windows.net/x", "hdfs:///x", "HTTPS://h/x", "hf://datasets/a/b/c"],
)
def test_uris(path):
    assert is_uri(path)


@pytest.mark.parametrize(
    "path", ["a.csv", "-", "s3:/b/k", "/s3://b", "file:///x", "ftp://h/x", "x/s3://y", "C:\\x", "a:b"]
)
def test_no_uris(path):
    assert not is_uri(path)


def test_file_uris_are_paths():
    assert local_path("file:///a/b%20c.csv") == "/a/b c.csv"
    assert local_path("file://localhost/a") == "/a"
    assert local_path("a/b.csv") == "a/b.csv"
    with pytest.raises(UsageError, match="absolute"):
        local_path("file://a/b.csv")


def test_parts():
    assert split("s3://b/k/x.csv") == ("s3", "b", "k/x.csv")
    assert split("http://h:80?q=1") == ("http", "h:80", "?q=1")
    assert split("hdfs:///x/y") == ("hdfs", "", "x/y")
    assert split("abfss://c@a.dfs.core.windows.net/x") == ("abfss", "c@a.dfs.core.windows.net", "x")
    assert file_name("https://h/a/b.csv.gz?x=1/2") == "b.csv.gz"


@pytest.mark.parametrize("uri", ["s3://key:secret@b/k", "https://me:pw@h/x", "s3://key@b/k", "abfs://c:pw@a/x"])
def test_credentials_are_refused_and_not_shown(uri):
    with pytest.raises(UsageError, match="credentials") as caught:
        split(uri)
    assert not any(word in str(caught.value) for word in ("secret", "pw", "key"))


@pytest.mark.parametrize("uri", ["s3://", "s3:///k", "http:///x"])
def test_no_host(uri):
    with pytest.raises(UsageError, match="names no"):
        split(uri)


def test_extension_is_without_the_query():
    assert extension("https://h/x.csv?sig=a.b") == ".csv"
    assert extension("https://h/x.csv.gz#part.1") == ".csv"
    assert extension("s3://b/what?.parquet") == ".parquet"
    assert format_named("https://h/x.ndjson?y", prose=False) == ("jsonl", True)


def test_same_places(tmp_path):
    assert same("s3://b/a//x", "s3://b/a/x")
    assert not same("s3://b/a/x", "s3://c/a/x")
    assert not same("s3://b/x", "x")
    assert not same("http://h/x?1", "http://h/x?2")
    assert same(f"file://{tmp_path}/x", str(tmp_path / "x"))
    assert overwritten("s3://b/x", ["x", "s3://b/y/x", "s3://b/x"]) == "s3://b/x"
    assert overwritten("s3://b/x", ["x", "s3://c/x"]) is None
    assert may_hold("s3://b/k", "s3://b/k/x.csv")
    assert may_hold("s3://b/k/x-*.csv", "s3://b/k/x-1.csv")
    assert not may_hold("s3://b/k/", "s3://b/l/x.csv")
