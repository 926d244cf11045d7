"""Stores that no test can reach: that the right file system is made, and what it is told; and the hub's face."""

from __future__ import annotations

import pytest
from pyarrow import fs

from lossctl.data.stores.arrow import ArrowStore, other_store
from lossctl.data.stores.hub import HubStore
from lossctl.data.stores.retry import may_pass
from lossctl.data.stores.store import Entry, store_of
from lossctl.errors import DataError, UsageError


@pytest.fixture
def made(monkeypatch):
    """What the file systems of pyarrow were asked for."""
    calls = []

    def instead(name):
        return lambda *args, **kwargs: calls.append((name, args, kwargs)) or name

    for name in ("GcsFileSystem", "AzureFileSystem", "HadoopFileSystem"):
        monkeypatch.setattr(fs, name, instead(name))
    for name in (
        "AZURE_STORAGE_ACCOUNT_NAME",
        "AZURE_STORAGE_ACCOUNT",
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    return calls


def test_google(made):
    store = other_store("gs", "bucket")
    assert made == [("GcsFileSystem", (), {})]
    assert store._inner("gs://bucket/a/x.csv") == "bucket/a/x.csv"
    assert store._outer("bucket/a/x.csv") == "gs://bucket/a/x.csv"


def test_hadoop(made):
    assert other_store("hdfs", "node:8020")._inner("hdfs://node:8020/a/x") == "/a/x"
    assert other_store("hdfs", "")._outer("/a/x") == "hdfs:///a/x"
    assert [args for _, args, _ in made] == [("node", 8020), ("default", 0)]


def test_azure(made, monkeypatch):
    store = other_store("abfss", "box@mine.dfs.core.windows.net")
    assert store._inner("abfss://box@mine.dfs.core.windows.net/a/x") == "box/a/x"
    assert store._outer("box/a/x") == "abfss://box@mine.dfs.core.windows.net/a/x"
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "other")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "secret")
    other_store("abfs", "box")
    assert [(args, kwargs) for _, args, kwargs in made] == [
        (("mine",), {"account_key": None}),
        (("other",), {"account_key": "secret"}),
    ]


def test_azure_without_an_account(made):
    with pytest.raises(DataError, match="names no storage account") as caught:
        store_of("abfs://box/x")
    assert "abfs://box@ACCOUNT.dfs" in caught.value.hint


def test_no_hadoop_here(monkeypatch):
    def fails(*_):
        raise OSError("Unable to load libjvm")

    monkeypatch.setattr(fs, "HadoopFileSystem", fails)
    with pytest.raises(DataError, match="libjvm") as caught:
        other_store("hdfs", "somewhere")
    assert "JAVA_HOME" in caught.value.hint


def test_any_file_system_of_arrow(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.csv").write_bytes(b"pred\n1\n")
    files = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    store = ArrowStore(files, "hdfs://h/", "", "a test", "nothing")
    entry = store.entry("hdfs://h/a/x.csv")
    assert (entry.size, entry.folder) == (7, False)
    assert list(store.entries("hdfs://h/", below=True)) == [entry]
    assert [each.folder for each in store.entries("hdfs://h/", below=False)] == [True]
    view = memoryview(bytearray(10))
    assert store.stored(entry).at(0, view) == 7
    stored = store.stored(entry)
    (tmp_path / "a" / "x.csv").write_bytes(b"pred\n22\n")
    with pytest.raises(DataError, match="changed"):
        stored.at(0, view)
    with pytest.raises(DataError, match="changed"):
        store.stored(entry)


def test_the_hub_by_way_of_another_file_system():
    memory = pytest.importorskip("fsspec").filesystem("memory")
    memory.pipe_file("/datasets/me/set/a.csv", b"pred\n1\n")
    memory.pipe_file("/datasets/me/set/deep/b.csv", b"pred\n2\n")
    store = HubStore(memory)
    try:
        root = "hf://datasets/me/set"
        entry = store.entry(f"{root}/a.csv")
        assert (entry.size, entry.folder) == (7, False)
        assert store.entry(root).folder
        assert store.entry(f"{root}/none") is None
        assert sorted(each.path for each in store.entries(root, below=True)) == [f"{root}/a.csv", f"{root}/deep/b.csv"]
        assert sorted(each.folder for each in store.entries(root, below=False)) == [False, True]
        assert list(store.entries(f"{root}/none", below=True)) == []
        view = memoryview(bytearray(9))
        assert store.stored(entry).at(5, view) == 2
        with pytest.raises(UsageError, match="read only"):
            store.create(f"{root}/c.csv")
    finally:
        memory.rm("/datasets", recursive=True)


def test_the_hub_itself():
    hub = pytest.importorskip("huggingface_hub")
    assert isinstance(store_of("hf://datasets/me/set/x.csv").files, hub.HfFileSystem)


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (OSError("AWS Error NETWORK_CONNECTION during HeadObject operation: curlCode: 28, Timeout was reached"), True),
        (OSError("AWS Error SLOW_DOWN during GetObject operation: Please reduce your request rate"), True),
        (OSError("AWS Error UNKNOWN (HTTP status 503) during GetObject operation"), True),
        (OSError("AWS Error UNKNOWN (HTTP status 429) during GetObject operation"), True),
        (OSError("AWS Error UNKNOWN (HTTP status 400) during HeadObject operation"), False),
        (OSError("AWS Error ACCESS_DENIED during HeadObject operation: No response body."), False),
        (OSError("AWS Error NO_SUCH_BUCKET during ListObjectsV2 operation"), False),
        (ConnectionResetError("reset"), True),
        (TimeoutError(), True),
        (PermissionError("no"), False),
        (FileNotFoundError("no"), False),
        (ValueError("bad"), False),
        (KeyError("a bug"), False),
    ],
)
def test_what_may_pass(error, again):
    assert may_pass(error) is again


def test_an_entry_is_plain():
    assert Entry("s3://b/x", 1, "1@2", folder=False)[1:] == (1, "1@2", False)
