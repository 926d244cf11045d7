"""A web server on the loopback, with ranges and without."""

from __future__ import annotations

import sys

import pytest

from lossctl.data.formats import open_source
from lossctl.data.opening import Input
from lossctl.data.shards.paths import shards_of
from lossctl.data.stores import store as stores
from lossctl.data.stores.remote import BLOCK
from lossctl.data.stores.store import store_of
from lossctl.errors import DataError, UsageError

DATA = bytes(range(256)) * 40_000
CSV = b"pred,target\n1,2\n3,5\n"


def whole(stream):
    return b"".join(iter(lambda: stream.read(1 << 16), b""))


def test_ranges(web_server):
    data = Input(web_server.put("/x.bin", DATA))
    view = memoryview(bytearray(100))
    assert data.stored().at(BLOCK + 7, view) == 100
    assert bytes(view) == DATA[BLOCK + 7 : BLOCK + 107]
    assert whole(data.stream()) == DATA
    assert data.path is None
    assert len([asked for _, _, asked in web_server.log if not asked.startswith("bytes=0-0")]) == 4


def test_no_ranges(web_server):
    data = Input(web_server.put("/plain/x.bin", DATA))
    assert whole(data.stream()) == DATA
    assert whole(data.stream()) == DATA
    assert len(web_server.log) == 3  # is it there, are there ranges, all of it


def test_an_empty_file(web_server):
    for path in ("/x.csv", "/plain/x.csv"):
        with pytest.raises(DataError, match="is empty"):
            open_source(web_server.put(path, b""))


def test_the_query_is_no_part_of_the_name(web_server):
    uri = web_server.put("/x.csv", CSV) + "?version=1.parquet&a=*"
    source = open_source(uri)
    assert (source.format, source.name) == ("csv", uri)
    assert shards_of(uri) is None
    assert any(path == "/x.csv?version=1.parquet&a=*" for _, path, _ in web_server.log)


@pytest.mark.parametrize("path", ["/x.csv", "/plain/x.csv"])
@pytest.mark.parametrize("what", [500, 503, 429, "reset"])
def test_what_may_pass_is_tried_again(web_server, path, what):
    uri = web_server.put(path, CSV)
    web_server.faults += [("x.csv", what)] * 3
    assert whole(Input(uri).stream()) == CSV
    assert web_server.faults == []


def test_a_body_that_breaks_goes_on_where_it_was(web_server):
    uri = web_server.put("/plain/x.bin", DATA)
    data = Input(uri)
    web_server.faults += [("x.bin", "reset")] * 2
    assert whole(data.stream()) == DATA


@pytest.mark.parametrize(
    ("status", "code"), [(403, "unreadable"), (401, "unreadable"), (410, "not-found"), (404, "not-found")]
)
def test_what_does_not_pass_is_said_at_once(web_server, status, code):
    uri = web_server.put("/x.csv", CSV)
    web_server.faults += [("x.csv", status)]
    with pytest.raises(DataError) as caught:
        Input(uri)
    assert caught.value.code == code
    assert uri in str(caught.value)
    assert len(web_server.log) == 1


def test_nobody_listens():
    with pytest.raises(DataError, match="after 5 tries") as caught:
        Input("http://127.0.0.1:9/x.csv")
    assert caught.value.code == "unreadable"
    assert "http://127.0.0.1:9" in str(caught.value)


@pytest.mark.parametrize("other", [DATA[::-1], DATA + b"x", DATA[:BLOCK], b""])
def test_a_file_that_changes_while_it_is_read(web_server, other):
    data = Input(web_server.put("/x.bin", DATA))
    view = memoryview(bytearray(10))
    data.stored().at(0, view)
    web_server.put("/x.bin", other)
    with pytest.raises(DataError, match="changed") as caught:
        data.stored().at(BLOCK + 5, view)
    assert caught.value.code == "changed"


def test_no_listing(web_server):
    for ask in (shards_of, lambda uri: list(store_of(uri).entries(uri, below=True))):
        with pytest.raises(DataError, match="does not list") as caught:
            ask(f"{web_server.url}/preds/")
        assert caught.value.code == "not-found"
    with pytest.raises(DataError, match="no such file") as caught:
        open_source(f"{web_server.url}/preds/part-*.csv")
    assert "no pattern" in caught.value.hint


def test_nothing_is_written(web_server):
    store = store_of(web_server.url)
    for call in (store.create, store.remove, lambda uri: store.move(uri, uri)):
        with pytest.raises(UsageError, match="written"):
            call(f"{web_server.url}/x")


@pytest.mark.parametrize(
    ("uri", "library", "extra"),
    [("https://h/x", "fsspec", "http"), ("http://h/x", "aiohttp", "http"), ("hf://a/b", "huggingface_hub", "hf")],
)
def test_a_missing_library(monkeypatch, uri, library, extra):
    stores._web.cache_clear()
    stores._hub.cache_clear()
    monkeypatch.setitem(sys.modules, library, None)
    if library == "fsspec":
        monkeypatch.setitem(sys.modules, "fsspec.implementations.http", None)
    with pytest.raises(DataError, match=f"needs {library}") as caught:
        store_of(uri)
    assert caught.value.hint == f"pip install 'lossctl[{extra}]'"
