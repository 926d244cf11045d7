"""An S3 server on the loopback: files, folders, faults, and how many requests it takes."""

from __future__ import annotations

import concurrent.futures
import gzip

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from lossctl.data.formats import open_source
from lossctl.data.inputs import open_inputs
from lossctl.data.opening import Input
from lossctl.data.shards.paths import shards_of
from lossctl.data.stores import store as stores
from lossctl.data.stores.remote import BLOCK, HEAD
from lossctl.data.stores.store import Entry, store_of
from lossctl.errors import DataError, UsageError

DATA = bytes(range(256)) * 40_000  # three blocks


def gets(bucket, key):
    return [asked for method, path, asked in bucket.server.log if method == "GET" and path.endswith(key) and asked]


def heads(bucket, key):
    return [path for method, path, _ in bucket.server.log if method == "HEAD" and path.endswith(key)]


def whole(path):
    source = open_source(path)
    name = source.columns[0].name
    return [block.numbers(name) for block in source.blocks([name], [], 100)]


def test_entries(s3_bucket):
    for key in ("a/x.csv", "a/b/y.csv", "z.csv"):
        s3_bucket.put(key, key.encode())
    store = store_of(s3_bucket.uri())
    one = store.entry(s3_bucket.uri("a/x.csv"))
    assert one is not None
    assert one == Entry(s3_bucket.uri("a/x.csv"), 7, one.mark, False)
    assert store.entry(s3_bucket.uri("a")).folder
    assert store.entry(s3_bucket.uri("a/")).folder
    assert store.entry(s3_bucket.uri()).folder
    assert store.entry(s3_bucket.uri("a/x.csv/")) is None
    assert store.entry(s3_bucket.uri("no")) is None
    assert sorted(store.entries(s3_bucket.uri("a"), below=False))[1] == one
    assert {each.path: each.folder for each in store.entries(s3_bucket.uri("a/"), below=False)} == {
        s3_bucket.uri("a/b"): True,
        s3_bucket.uri("a/x.csv"): False,
    }
    below = sorted(each.path for each in store.entries(s3_bucket.uri(), below=True))
    assert below == [s3_bucket.uri(key) for key in ("a/b/y.csv", "a/x.csv", "z.csv")]
    assert list(store.entries(s3_bucket.uri("no"), below=True)) == []


def test_the_mark_changes_with_the_content(s3_bucket):
    store = store_of(s3_bucket.put("x", b"one"))
    first = store.entry(s3_bucket.uri("x"))
    assert store.entry(s3_bucket.uri("x")) == first
    s3_bucket.put("x", b"other")
    assert store.entry(s3_bucket.uri("x")).mark != first.mark


def test_writing(s3_bucket):
    store = store_of(s3_bucket.uri())
    file = store.create(s3_bucket.uri("out/x.tmp"))
    file.write(b"some ")
    file.write(DATA)
    assert s3_bucket.keys() == []
    file.close()
    store.move(s3_bucket.uri("out/x.tmp"), s3_bucket.uri("out/x"))
    assert s3_bucket.get("out/x") == b"some " + DATA
    store.remove(s3_bucket.uri("out/x"))
    assert s3_bucket.keys() in ([], ["out/"])


def test_bytes_at_any_place_in_few_requests(s3_bucket):
    stored = Input(s3_bucket.put("x", DATA)).stored()
    assert stored.size() == len(DATA)
    places = [0, 5, HEAD - 1, HEAD, BLOCK - 3, BLOCK, 2 * BLOCK + 17, len(DATA) - 1, len(DATA), len(DATA) + 9]
    for place in places:
        view = memoryview(bytearray(10))
        count = stored.at(place, view)
        assert count or place >= len(DATA)
        assert bytes(view[:count]) == DATA[place : place + count]
    assert len(gets(s3_bucket, "x")) == 4  # the first bytes, and three blocks


def test_from_start_to_end_in_few_requests(s3_bucket):
    stream = Input(s3_bucket.put("x", DATA)).stream()
    found = b"".join(iter(lambda: stream.read(1 << 16), b""))
    assert found == DATA
    assert len(gets(s3_bucket, "x")) == 4


def test_a_small_file_is_one_request(s3_bucket):
    rows = "pred,target\n" + "1,2\n" * 1000
    source = open_source(s3_bucket.put("x.csv", rows.encode()))
    assert sum(block.rows for block in source.blocks(["pred"], [], 300)) == 1000
    assert len(gets(s3_bucket, "x.csv")) == 1


def test_several_threads_fetch_a_block_once(s3_bucket):
    data = Input(s3_bucket.put("x", DATA))
    stored = data.stored()

    def some(place):
        view = memoryview(bytearray(1000))
        assert stored.at(place, view) == 1000
        return bytes(view) == DATA[place : place + 1000]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(some, [BLOCK + 5000 * i for i in range(200)]))
    assert len(gets(s3_bucket, "x")) == 2


def test_parquet_is_read_in_few_ranges(s3_bucket, tmp_path):
    rng = np.random.default_rng(1)
    table = pa.table({f"c{i}": rng.normal(size=200_000) for i in range(8)})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=50_000)
    source = open_source(s3_bucket.put("x.parquet", tmp_path / "x.parquet"))
    s3_bucket.server.log.clear()
    values = np.concatenate([block.numbers("c3") for block in source.blocks(["c3"], [], 1 << 16)])
    assert (values == table["c3"].to_numpy()).all()
    asked = [list(map(int, each.removeprefix("bytes=").split("-"))) for each in gets(s3_bucket, "x.parquet")]
    assert len(asked) <= 4  # row groups
    assert sum(stop - start for start, stop in asked) < 2.2e6  # 1.6 MB of 12.8


def test_rows_of_npy_in_parts(s3_bucket, tmp_path):
    values = np.random.default_rng(1).normal(size=(300_000, 4))
    np.save(tmp_path / "x.npy", values)
    source = open_source(s3_bucket.put("x.npy", tmp_path / "x.npy"))
    assert len(source.cuts()) > 2
    found = np.concatenate([block.numbers("array") for block in source.between(1000, 250_000, ["array"], [], 4096)])
    assert (found == values[1000:250_000]).all()
    assert len(gets(s3_bucket, "x.npy")) <= 5


@pytest.mark.parametrize("what", [500, 503, 429, "reset"])
def test_what_may_pass_is_tried_again(s3_bucket, what):
    uri = s3_bucket.put("x.csv", b"pred,target\n1,2\n")
    s3_bucket.server.faults += [("x.csv", what)] * 2
    assert Input(uri).head(4) == b"pred"
    s3_bucket.server.faults += [(s3_bucket.name + "/", what)] * 2
    s3_bucket.server.faults += [(s3_bucket.name, what)] * 2
    assert shards_of(s3_bucket.uri()) == [uri]
    s3_bucket.server.faults.clear()


def test_reset_in_the_middle_of_a_body(s3_bucket):
    data = Input(s3_bucket.put("x", DATA))
    s3_bucket.server.faults += [("x", "reset")] * 2
    view = memoryview(bytearray(100))
    assert data.stored().at(BLOCK + 7, view) == 100
    assert bytes(view) == DATA[BLOCK + 7 : BLOCK + 107]
    assert len(gets(s3_bucket, "x")) >= 3


def test_what_does_not_pass_is_said_at_once(s3_bucket):
    uri = s3_bucket.put("x.csv", b"pred\n1\n")
    s3_bucket.server.log.clear()
    s3_bucket.server.faults += [("x.csv", 403)] * 9
    with pytest.raises(DataError, match="denies access") as caught:
        Input(uri)
    s3_bucket.server.faults.clear()
    assert caught.value.code == "unreadable"
    assert s3_bucket.server.url in str(caught.value)
    assert "us-east-1" in str(caught.value)
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint
    assert len(heads(s3_bucket, "x.csv")) == 1


def test_a_server_that_never_recovers(s3_bucket):
    uri = s3_bucket.put("x.csv", b"pred\n1\n")
    s3_bucket.server.faults += [("x.csv", 500)] * 9
    with pytest.raises(DataError, match="after 5 tries") as caught:
        Input(uri)
    s3_bucket.server.faults.clear()
    assert caught.value.code == "unreadable"


def test_no_server(s3_bucket):
    with pytest.raises(DataError, match=r"http://127\.0\.0\.1:9 \(region us-east-1\) does not answer") as caught:
        Input("s3://bucket/x.csv", endpoint_url="http://127.0.0.1:9")
    assert caught.value.code == "unreadable"
    assert "--endpoint-url" in caught.value.hint


def test_nothing_there(s3_bucket):
    with pytest.raises(DataError, match="no such file") as caught:
        Input(s3_bucket.uri("no.csv"))
    assert caught.value.code == "not-found"
    assert s3_bucket.server.url in caught.value.hint
    s3_bucket.put("a/x", b"1")
    with pytest.raises(DataError, match="is a directory"):
        Input(s3_bucket.uri("a"))
    with pytest.raises(DataError, match="no such file"):
        open_inputs(["s3://no-such-bucket/x.csv"], {})


def test_no_endpoint_that_is_none():
    with pytest.raises(UsageError, match="no address of a server"):
        store_of("s3://bucket/x", "127.0.0.1:9000")


@pytest.mark.parametrize("same_size", [False, True])
def test_a_file_that_changes_while_it_is_read(s3_bucket, same_size):
    data = Input(s3_bucket.put("x", DATA))
    stored, view = data.stored(), memoryview(bytearray(10))
    stored.at(0, view)
    s3_bucket.put("x", DATA[::-1] if same_size else DATA + b"more")
    with pytest.raises(DataError, match="changed") as caught:
        stored.at(len(DATA) - 10, view)
    assert caught.value.code == "changed"


def test_a_file_that_shrinks_while_it_is_read(s3_bucket):
    stored, view = Input(s3_bucket.put("x", DATA)).stored(), memoryview(bytearray(10))
    s3_bucket.put("x", DATA[: BLOCK + 10])
    with pytest.raises(DataError) as caught:
        stored.at(BLOCK + 100, view)
    assert caught.value.code in {"changed", "shrank"}


@pytest.mark.parametrize("name", ["x.parquet", "x.arrow", "x.npy", "x.npz", "x.csv.gz"])
def test_a_file_that_was_cut_off(s3_bucket, tmp_path, name):
    """The same error as on disk."""
    table = pa.table({"pred": np.arange(1000.0), "target": np.arange(1000.0)})
    path = tmp_path / name
    if name.endswith("parquet"):
        pq.write_table(table, path)
    elif name.endswith("arrow"):
        feather.write_feather(table, path)
    elif name.endswith("npy"):
        np.save(path, table["pred"])
    elif name.endswith("npz"):
        np.savez(path, pred=table["pred"])
    else:
        path.write_bytes(gzip.compress(b"pred,target\n" + b"1,2\n" * 1000))
    path.write_bytes(path.read_bytes()[:-20])
    codes = []
    for each in (str(path), s3_bucket.put(name, path)):
        with pytest.raises(DataError) as caught:
            whole(each)
        codes.append((caught.value.code, caught.value.message.replace(each, "X")))
    assert codes[0] == codes[1]


def test_folders_and_patterns(s3_bucket):
    for key in ("p/k=1/part-0.csv", "p/k=1/part-1.csv", "p/k=2/part-0.csv", "p/k=2/x.csv", "p/_SUCCESS", "p/.x.csv"):
        s3_bucket.put(key, b"pred\n1\n")
    s3_bucket.put("p/_old/part-9.csv", b"pred\n1\n")
    parts = [s3_bucket.uri(f"p/k={k}/{name}") for k, name in ((1, "part-0.csv"), (1, "part-1.csv"), (2, "part-0.csv"))]
    extra = s3_bucket.uri("p/k=2/x.csv")

    def found(pattern):
        return shards_of(s3_bucket.uri(pattern))

    assert found("p") == found("p/") == found("") == [*parts, extra]
    assert found("p/").sizes.tolist() == [7] * 4
    assert found("p/*") == found("p/k=*") == found("p/**") == found("**") == [*parts, extra]
    assert found("p/k=?/part-*.csv") == found("p/**/part-*.csv") == found("**/part-*.csv") == parts
    assert found("**/k=1") == found("p/k=[1]") == parts[:2]
    assert found("p/k=*/x.csv") == [extra]
    assert found("p/_old/*") == found("**/_old/*.csv") == [s3_bucket.uri("p/_old/part-9.csv")]
    assert found("p/_*/part*") == [s3_bucket.uri("p/_old/part-9.csv")]
    assert found("p/k=2/x.csv") is None
    assert found("none.csv") is None
    with pytest.raises(DataError, match="no file matches"):
        found("p/k=3/*")


def test_patterns_mean_what_they_mean_on_disk(s3_bucket, tmp_path):
    for key in ("a/x.csv", "a/b/x.csv", "a/b/c/x.csv", "a/_b/x.csv", "a/b/.h/y.csv", "x.csv", "b/a/x.csv"):
        s3_bucket.put(key, b"1")
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(b"1")
    for pattern in ("**", "*", "**/x.csv", "a/**", "a/**/b", "**/b/*", "*/*/x.csv", "a/*", "**/a/**/x.csv", "?/[ab]/*"):
        here = [path.removeprefix(f"{tmp_path}/") for path in shards_of(f"{tmp_path}/{pattern}")]
        there = [path.removeprefix(s3_bucket.uri()) for path in shards_of(s3_bucket.uri(pattern))]
        assert here == there, pattern


def test_a_name_with_signs_is_what_it_is(s3_bucket):
    uri = s3_bucket.put("odd [1]*.csv", b"pred\n1\n")
    assert shards_of(uri) is None
    assert Input(uri).head() == b"pred\n1\n"


def test_endpoint_and_region(s3_server, monkeypatch):
    asked = []
    monkeypatch.setattr(stores, "_s3", lambda *place: asked.append(place))
    monkeypatch.setattr("pyarrow.fs.resolve_s3_region", lambda bucket: f"of-{bucket}")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    store_of("s3://b/x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://one")
    store_of("s3://b/x")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://two")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "there")
    store_of("s3://b/x")
    monkeypatch.setenv("AWS_REGION", "here")
    store_of("s3://b/x", "http://three")
    assert asked == [
        ("b", None, None),
        ("b", "http://one", "us-east-1"),
        ("b", "http://two", "there"),
        ("b", "http://three", "here"),
    ]


def test_the_region_is_looked_up_at_amazon(monkeypatch):
    from lossctl.data.stores.arrow import s3_store

    monkeypatch.setattr("pyarrow.fs.resolve_s3_region", lambda bucket: "eu-north-1")
    assert s3_store("bucket", None, None).files.region == "eu-north-1"
    assert s3_store("bucket", None, "us-west-2").files.region == "us-west-2"
