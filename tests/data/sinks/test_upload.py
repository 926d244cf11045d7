"""An output on a store is the old object or the new one, whatever fails while it is sent."""

from __future__ import annotations

import errno
import gc
import io
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from lossctl.data.sinks import upload
from lossctl.data.sinks.sink import SINKS, SinkColumn, open_sink, sink_format
from lossctl.data.sinks.target import output_file
from lossctl.data.sinks.upload import Upload, put
from lossctl.data.stores.store import Entry
from lossctl.errors import OutputError, UsageError
from lossctl.report.output import output_format, write_atomically

OLD = b"the old object\n"
BIG = 11 << 20  # more than what goes in one request
ROOT = Path(__file__).parent.parent.parent.parent
COLUMNS = (SinkColumn("row", "int"), SinkColumn("status", "text"), SinkColumn("x", "float"))


def send(uri, size):
    file = output_file(uri)
    try:
        file.write(b"x" * size)
        file.commit()
    finally:
        file.abort()


def fill(path):
    with open_sink(path, COLUMNS) as sink:
        for i in range(3):
            values = np.arange(20) / 7 + i
            sink.write([np.arange(20) + i * 20, (np.arange(20) % 3 - 1, ["ok", "nan"]), (values, None)])
        sink.commit()


@pytest.mark.parametrize("extension", SINKS)
def test_a_sink_has_the_bytes_of_one_on_disk(bucket, tmp_path, extension) -> None:
    fill(tmp_path / f"a{extension}")
    fill(f"{bucket.uri}/deep/a{extension}")
    assert bucket.get(f"deep/a{extension}") == (tmp_path / f"a{extension}").read_bytes()
    assert list(bucket.sizes()) == [f"deep/a{extension}"]


def test_a_report_goes_in_one_request(bucket) -> None:
    bucket.put("a.json", OLD)
    with bucket.failing(lambda *_: None) as requests:
        write_atomically(f"{bucket.uri}/a.json", ["{", "}\n"])
    assert bucket.get("a.json") == b"{}\n"
    assert [method for method, _ in requests] == ["HEAD", "PUT"]


def test_the_endpoint_may_be_given(bucket, monkeypatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    write_atomically(f"{bucket.uri}/a.json", ["{}"], bucket.door.url)
    assert bucket.sizes() == {"a.json": 2}


def test_a_big_file_goes_in_pieces(bucket, monkeypatch) -> None:
    monkeypatch.setattr(upload, "_PIECE", 6 << 20)
    data = random.Random(1).randbytes(20 << 20)
    file = output_file(f"{bucket.uri}/a")
    file.write(data)
    file.overwrite(b"head")
    assert (file.size, bucket.sizes()) == (len(data), {})
    file.commit()
    assert bucket.get("a") == b"head" + data[4:]


def test_abort_and_what_is_forgotten_leave_nothing(bucket) -> None:
    bucket.put("a", OLD)
    file = output_file(f"{bucket.uri}/a")
    file.write(b"new")
    file.abort()
    file.abort()
    with pytest.raises(ValueError, match="no longer"):
        file.write(b"new")
    with pytest.raises(ValueError, match="no longer"):
        file.commit()
    other = output_file(f"{bucket.uri}/a")
    other.write(b"new")
    del other
    gc.collect()
    assert bucket.get("a") == OLD


@pytest.mark.parametrize("failure", [500, 404, "reset"])
@pytest.mark.parametrize("size", [3, BIG])
def test_every_request_fails_once_until_all_pass(bucket, size, failure) -> None:
    bucket.put("a", OLD)
    for when in range(1, 20):
        left = iter([None] * (when - 1))
        with bucket.failing(lambda *_, left=left: next(left, failure)) as requests:
            try:
                send(f"{bucket.uri}/a", size)
            except OutputError as error:
                failed = error
            else:
                failed = None
        gc.collect()
        if failed:
            assert failed.exit == 4
            assert failed.message.startswith(f"cannot write {bucket.uri}/a: ")
            assert bucket.door.url in f"{failed.message} {failed.hint}" or "there is no" in failed.message
        assert bucket.sizes() == {"a": len(OLD) if failed else size}
        if not failed and len(requests) < when:
            break
        bucket.put("a", OLD)
    assert when >= (3 if size == 3 else 5)


def test_a_server_that_stumbles_is_asked_again(bucket, monkeypatch) -> None:
    monkeypatch.setattr("lossctl.data.stores.arrow.TRIES", 3)
    seen = []

    def rule(method, path):
        seen.append(method)
        return 503 if seen.count("PUT") == 1 and method == "PUT" else None

    with bucket.failing(rule):
        send(f"{bucket.uri}/a", 3)
    assert (seen.count("PUT"), bucket.sizes()) == (2, {"a": 3})


def test_failures_say_what_and_where(bucket, client) -> None:
    with pytest.raises(OutputError, match=r"cannot write s3://nowhere/a: there is no s3://nowhere/"):
        output_file("s3://nowhere/a")
    with bucket.failing(lambda method, _: 403 if method == "PUT" else None), pytest.raises(OutputError) as caught:
        send(f"{bucket.uri}/a", 3)
    assert "denies access" in caught.value.message
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(OutputError) as caught:
            output_file(f"{bucket.uri}/a", url)
    assert url in caught.value.message
    assert caught.value.file == f"{bucket.uri}/a"


def test_who_may_not_look_may_write(bucket) -> None:
    with bucket.failing(lambda method, _: 403 if method == "HEAD" else None):
        send(f"{bucket.uri}/a", 3)
    assert bucket.sizes() == {"a": 3}


def test_a_full_disk_for_what_waits(bucket, monkeypatch) -> None:
    def refuse(**options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(OutputError, match=rf"cannot write {bucket.uri}/a: No space left.*temporary") as caught:
        output_file(f"{bucket.uri}/a")
    assert "TMPDIR" in caught.value.hint


@pytest.mark.parametrize("name", ["http://host/a.json", "https://host/a.csv", "hf://datasets/who/a.csv"])
def test_what_is_read_only_is_refused_at_once(name) -> None:
    for ask in (output_format, sink_format, output_file):
        with pytest.raises(UsageError, match="for reading") as caught:
            ask(name)
        assert (caught.value.exit, caught.value.code) == (2, "read-only")


def test_a_file_uri_is_a_path(tmp_path) -> None:
    write_atomically(f"file://{tmp_path}/a.json", ["{}"])
    assert (tmp_path / "a.json").read_text() == "{}"
    assert os.listdir(tmp_path) == ["a.json"]


CODE = """
import signal, sys
from lossctl.data.sinks.target import output_file
def stop(number, frame):
    raise SystemExit(143)
if sys.argv[3] == "handled":
    signal.signal(signal.SIGTERM, stop)
file = output_file(sys.argv[1])
file.write(b"x" * int(sys.argv[2]))
print("sending", flush=True)
try:
    file.commit()
except KeyboardInterrupt:
    sys.exit(130)
print("done", flush=True)
"""


def child(uri, size, how=""):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CODE, uri, str(size), how]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize(
    ("sign", "how", "status"),
    [
        (signal.SIGINT, "", {130}),
        (signal.SIGTERM, "handled", {143}),
        (signal.SIGTERM, "", {-signal.SIGTERM}),
        (signal.SIGKILL, "", {-signal.SIGKILL}),
    ],
    ids=["int", "term", "term-unhandled", "kill"],
)
@pytest.mark.parametrize("size", [3, BIG])
def test_a_signal_in_mid_upload_leaves_the_old_object(bucket, sign, how, status, size) -> None:
    bucket.put("a", OLD)
    held, reached = threading.Event(), threading.Event()

    def rule(method, path):
        if method != "PUT":
            return None
        reached.set()
        return held, None if size == BIG else 404  # a small object is whole once the server has it

    with bucket.failing(rule), child(f"{bucket.uri}/a", size, how) as process:
        assert reached.wait(30)
        process.send_signal(sign)
        threading.Timer(0.3, held.set).start()
        output, error = process.communicate(timeout=60)
    assert (process.returncode in status, output) == (True, b"sending\n"), error
    assert bucket.get("a") == OLD
    assert list(bucket.sizes()) == ["a"]


def test_a_kill_at_any_moment_leaves_the_old_object_or_the_new(bucket) -> None:
    chance = random.Random(7)
    for _ in range(6):
        bucket.put("a", OLD)
        with child(f"{bucket.uri}/a", BIG) as process:
            assert process.stdout.readline() == b"sending\n"
            time.sleep(chance.uniform(0, 0.25))
            process.kill()
            process.communicate(timeout=60)
        assert bucket.sizes() in ({"a": len(OLD)}, {"a": BIG})


def test_an_exception_leaves_the_object_and_the_process_can_end(bucket) -> None:
    """A stream that is left must neither complete its upload nor hold up the end of the process."""
    code = f"""
from lossctl.data.sinks import upload
upload._PIECE = {6 << 20}
file = upload.Upload("{bucket.uri}/a")
file.write(b"x" * {BIG})
read = file._file.read
pieces = iter([b"x" * {6 << 20}])
class Failing:
    def __getattr__(self, name): return getattr(real, name)
    def read(self, count): return next(pieces)
real, file._file = file._file, Failing()
try:
    file.commit()
except BaseException as error:
    print(type(error).__name__)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"StopIteration\n", b"")
    assert bucket.sizes() == {}


class Folder:
    """A store that shows files while they grow, as Hadoop does."""

    def __init__(self, fail=""):
        self.files, self.fail = {"hdfs://h/d/a": OLD}, fail

    def entry(self, uri):
        return Entry(uri, None, "", folder=False) if uri in self.files else None

    def create(self, uri):
        self.files[uri] = b""
        return Growing(self, uri)

    def move(self, uri, to):
        if self.fail == "move":
            raise OSError(errno.EIO, "move")
        assert to not in self.files
        self.files[to] = self.files.pop(uri)

    def remove(self, uri):
        del self.files[uri]


class Growing:
    def __init__(self, store, uri):
        self.store, self.uri = store, uri

    def write(self, data):
        if self.store.fail == "write":
            raise OSError(errno.EIO, "write")
        self.store.files[self.uri] += data

    def close(self):
        assert self.store.files["hdfs://h/d/a"] == OLD


def test_where_files_show_while_they_grow_they_are_renamed() -> None:
    store = Folder()
    put(store, "hdfs://h/d/a", io.BytesIO(b"new"), 3)
    assert store.files == {"hdfs://h/d/a": b"new"}
    store = Folder("write")
    with pytest.raises(OutputError, match="write"):
        put(store, "hdfs://h/d/a", io.BytesIO(b"new"), 3)
    assert store.files == {"hdfs://h/d/a": OLD}


def test_a_short_temporary_file_is_no_upload(bucket) -> None:
    file = Upload(f"{bucket.uri}/a")
    file.write(b"abc")
    file._file.truncate(1)
    with pytest.raises(OutputError, match="shorter"):
        file.commit()
    assert bucket.sizes() == {}
