"""A directory of parts on a store: never parts of two runs, and ``_SUCCESS`` only beside a whole one."""

from __future__ import annotations

import gc
import json
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from lossctl.data.sinks.partnames import part_path
from lossctl.data.sinks.parts import Parts
from lossctl.data.sinks.sink import SinkColumn, open_sink
from lossctl.data.stores.store import Entry
from lossctl.errors import DataError, OutputError

ROOT = Path(__file__).parent.parent.parent.parent
COLUMNS = (SinkColumn("x", "float"),)
NEW = {"deep/out.csv/_SUCCESS": 0, "deep/out.csv/part-00000000.csv": 10, "deep/out.csv/part-00000001.csv": 10}


def work(staging, index, rows=2):
    with open_sink(part_path(staging, index, ".csv"), COLUMNS) as sink:
        sink.write([(np.arange(float(rows)), None)])
        sink.commit()


def older(bucket, count=3):
    """What an earlier run has left."""
    for index in range(count):
        bucket.put(f"deep/out.csv/part-{index:08d}.csv", b"x\n")
    bucket.put("deep/out.csv/_SUCCESS", b"")
    return bucket.sizes()


@pytest.fixture
def uri(bucket):
    return f"{bucket.uri}/deep/out.csv"


def put(uri, count=2):
    with Parts(uri) as parts:
        staging = parts.begin()
        for index in range(count):
            work(staging, index)
        parts.commit(count)


@pytest.mark.parametrize("ending", ["", "/"])
def test_parts_appear_under_their_names(bucket, uri, ending) -> None:
    parts = Parts(uri + ending)
    staging = parts.begin()
    assert staging.startswith(f"{uri}/_lossctl-")
    assert json.loads(json.dumps(staging)) == staging
    work(staging, 1)
    work(staging, 0)
    work(staging, 0)
    assert all(key.startswith("deep/out.csv/_lossctl-") for key in bucket.sizes())
    parts.commit(2)
    assert bucket.sizes() == NEW


def test_parts_without_a_byte_are_left_out(bucket) -> None:
    for filled in (1, 0):
        parts = Parts(f"{bucket.uri}/out.jsonl")
        staging = parts.begin()
        for index, rows in enumerate((0, 0, filled)):
            with open_sink(part_path(staging, index, ".jsonl"), COLUMNS) as sink:
                sink.write([(np.arange(float(rows)), None)])
                sink.commit()
        parts.commit(3)
        kept = "part-00000002.jsonl" if filled else "part-00000000.jsonl"
        assert list(bucket.sizes()) == ["out.jsonl/_SUCCESS", f"out.jsonl/{kept}"]


def test_an_older_run_and_an_object_of_that_name_are_replaced(bucket, uri) -> None:
    older(bucket)
    put(uri)
    assert bucket.sizes() == NEW
    bucket.put("deep/file.csv", b"old")
    put(f"{bucket.uri}/deep/file.csv", 1)
    assert set(bucket.sizes()) - set(NEW) == {"deep/file.csv/_SUCCESS", "deep/file.csv/part-00000000.csv"}


@pytest.mark.parametrize("name", ["mine.txt", "part-00000000.parquet", "inner/a.csv", "_delta_log"])
def test_what_else_stands_there_is_left_alone(bucket, uri, name) -> None:
    bucket.put(f"deep/out.csv/{name}", b"mine")
    with pytest.raises(OutputError, match=f"holds {name.partition('/')[0]}") as caught:
        Parts(uri).begin()
    assert caught.value.exit == 4
    assert bucket.sizes() == {f"deep/out.csv/{name}": 4}


def test_no_bucket(bucket) -> None:
    with pytest.raises(OutputError, match="there is no s3://nowhere/"):
        Parts("s3://nowhere/out.csv").begin()


def test_a_missing_part_and_abort_leave_the_older_run(bucket, uri) -> None:
    before = older(bucket)
    parts = Parts(uri)
    work(parts.begin(), 1)
    with pytest.raises(OutputError, match=r"1 of 2 parts are missing, the first is part-00000000\.csv"):
        parts.commit(2)
    assert bucket.sizes() == before
    work(parts.begin(), 0)
    parts.abort()
    assert bucket.sizes() == before
    parts.begin()
    del parts
    gc.collect()
    assert bucket.sizes() == before


def mixed(keys):
    """Whether parts of two runs stand side by side, or fewer than all beside ``_SUCCESS``."""
    sizes = [size for key, size in keys.items() if key.startswith("deep/out.csv/part-")]
    return len(set(sizes)) > 1 or ("deep/out.csv/_SUCCESS" in keys and sizes not in ([2, 2, 2], [10, 10]))


class Memory:
    """A store in memory, of which the call whose turn it is fails: before or after it is done."""

    def __init__(self):
        self.sizes, self.left, self.how, self.error, self.mixed = {}, 0, "", None, False

    def keys(self):
        return dict(sorted(self.sizes.items()))

    def call(self, work):
        self.left -= 1
        if self.left == 0 and self.how == "before":
            raise self.error
        done = work()
        self.mixed |= mixed(self.keys())
        if self.left == 0:
            raise self.error
        return done

    def key(self, uri):
        return uri.removeprefix("s3://b/").rstrip("/")

    def entry(self, uri):
        key = self.key(uri)
        return self.call(lambda: Entry(uri, 0, "", folder=not key) if not key or key in self.sizes else None)

    def entries(self, uri, below):
        def found():
            start = self.key(uri) + "/"
            names = {key[len(start) :].partition("/")[::2] for key in self.sizes if key.startswith(start)}
            at = self.key(uri)
            return [
                Entry(f"{uri}/{name}", self.sizes.get(f"{at}/{name}"), "", bool(rest)) for name, rest in sorted(names)
            ]

        return iter({entry.path: entry for entry in self.call(found)}.values())

    def create(self, uri):
        return Stream(self, self.key(uri))

    def move(self, uri, to):
        def work():
            if self.key(uri) not in self.sizes:
                raise DataError(f"{uri}: no such file", code="not-found", file=uri)
            self.sizes[self.key(to)] = self.sizes.pop(self.key(uri))

        self.call(work)

    def remove(self, uri):
        self.call(lambda: self.sizes.pop(self.key(uri)))

    def clear(self, uri):
        def work():
            for key in [key for key in self.sizes if key.startswith(self.key(uri) + "/")]:
                del self.sizes[key]

        self.call(work)


class Stream:
    def __init__(self, memory, key):
        self.memory, self.key = memory, key

    def close(self):
        self.memory.call(lambda: self.memory.sizes.update({self.key: 0}))


def commit_two(memory, count, when):
    """Parts for an older run of ``count``, committed while one call fails; what stood there before."""
    memory.sizes = {f"deep/out.csv/part-{index:08d}.csv": 2 for index in range(count)}
    if count:
        memory.sizes["deep/out.csv/_SUCCESS"] = 0
    before = memory.keys()
    parts = Parts("s3://b/deep/out.csv")
    staging = parts.begin().removeprefix("s3://b/")
    memory.sizes.update({f"{staging}/part-{index:08d}.csv": 10 for index in range(2)})
    memory.left = when
    try:
        parts.commit(2)
    finally:
        memory.left, before["left"] = 0, memory.left
    return before


@pytest.mark.parametrize("count", [0, 3])
@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("error", [DataError("denied", code="unreadable"), KeyboardInterrupt()], ids=repr)
def test_every_call_of_a_commit_fails_once_until_all_pass(monkeypatch, count, how, error) -> None:
    memory = Memory()
    monkeypatch.setattr("lossctl.data.sinks.prefix.store_of", lambda uri, endpoint: memory)
    memory.how, memory.error = how, error
    expected = OutputError if isinstance(error, DataError) else KeyboardInterrupt
    failures = 0
    for when in range(1, 60):
        try:
            left = commit_two(memory, count, when)["left"]
        except expected:
            failures += 1
            visible = {key: size for key, size in memory.sizes.items() if "/_lossctl-" not in key}
            whole = {f"deep/out.csv/part-{index:08d}.csv": 2 for index in range(count)}
            assert visible == (whole | {"deep/out.csv/_SUCCESS": 0} if count else {}) or visible == NEW
            assert not any("/older/" in key for key in memory.sizes)
        else:
            assert {key: size for key, size in memory.sizes.items() if "/_lossctl-" not in key} == NEW
            if left > 0:
                break
    assert not memory.mixed
    assert failures >= (5 if not count else 9)


@pytest.mark.parametrize("failure", [403, "reset"])
@pytest.mark.parametrize("when", [1, 7, 16])
def test_a_request_of_a_commit_fails(bucket, uri, failure, when) -> None:
    before = older(bucket)
    parts = Parts(uri)
    staging = parts.begin()
    work(staging, 0)
    work(staging, 1)
    left = iter([None] * (when - 1) + [failure])
    with bucket.failing(lambda *_: next(left, None)):
        try:
            parts.commit(2)
        except OutputError as error:
            said, after = str(error), before
        else:
            said, after = "", NEW
    assert bucket.sizes() == after
    assert said.startswith(f"cannot write {uri}") or failure == "reset"  # what only looks is tried again


def test_a_store_that_is_gone_in_mid_commit_loses_nothing(bucket, uri) -> None:
    older(bucket)
    parts = Parts(uri)
    work(parts.begin(), 0)
    moves = iter(range(100))
    with (
        bucket.failing(lambda method, _: 403 if method == "DELETE" and next(moves) > 1 else None),
        pytest.raises(OutputError, match="could not be put back") as caught,
    ):
        parts.commit(1)
    assert "/older/: move it to" in caught.value.hint
    names = {Path(key).name for key in bucket.sizes() if "/older/" in key or "/_lossctl-" not in key}
    assert names >= {"_SUCCESS", *(f"part-{index:08d}.csv" for index in range(3))}
    assert not mixed(bucket.sizes())


CODE = """
import sys
from lossctl.data.sinks.partnames import part_path
from lossctl.data.sinks.parts import Parts
from lossctl.data.sinks.target import output_file
parts = Parts(sys.argv[1])
staging = parts.begin()
for index in range(2):
    file = output_file(part_path(staging, index, ".csv"))
    file.write(b"x" * 10)
    file.commit()
print("commit", flush=True)
parts.commit(2)
"""


def test_a_kill_at_any_moment_mixes_and_loses_nothing(bucket, uri) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    chance = random.Random(5)
    for _ in range(3):
        for key in bucket.sizes():
            bucket.client.delete_object(Bucket=bucket.name, Key=key)
        older(bucket)
        command = [sys.executable, "-c", CODE, uri]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"commit\n", process.stderr.read()
            time.sleep(chance.uniform(0, 0.3))
            process.kill()
            process.communicate()
        keys = bucket.sizes()
        assert not mixed(keys)
        old = {Path(key).name for key in keys if "/older/" in key or ("/_lossctl-" not in key and keys[key] in {0, 2})}
        assert "part-00000000.csv" in old or set(NEW) <= set(keys)
        put(uri)
        assert {key: size for key, size in bucket.sizes().items() if "/_lossctl-" not in key} == NEW


def test_an_interrupt_in_mid_commit_takes_everything_back(bucket, uri, monkeypatch) -> None:
    before = older(bucket)
    parts = Parts(uri)
    work(parts.begin(), 0)
    real = parts._place._put

    def interrupted(name):
        real(name)
        raise KeyboardInterrupt

    monkeypatch.setattr(parts._place, "_put", interrupted)
    with pytest.raises(KeyboardInterrupt):
        parts.commit(1)
    assert bucket.sizes() == before


def test_the_end_of_the_process_leaves_nothing(bucket, uri) -> None:
    code = CODE.replace("parts.commit(2)", "")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, uri], env=environment, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bucket.sizes() == {}


def test_a_part_written_by_many_at_once_is_whole(bucket, uri) -> None:
    parts = Parts(uri)
    staging = parts.begin()
    doubles = [threading.Thread(target=work, args=(staging, index)) for index in (0, 1) for _ in range(6)]
    for thread in doubles:
        thread.start()
    for thread in doubles:
        thread.join()
    parts.commit(2)
    assert bucket.sizes() == NEW
