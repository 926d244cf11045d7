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

from lossctl.data.sinks.parts import Parts, part_path
from lossctl.data.sinks.sink import SinkColumn, open_sink
from lossctl.errors import OutputError

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
    return bucket.keys()


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
    assert all(key.startswith("deep/out.csv/_lossctl-") for key in bucket.keys())
    parts.commit(2)
    assert bucket.keys() == NEW


def test_an_older_run_and_an_object_of_that_name_are_replaced(bucket, uri) -> None:
    older(bucket)
    put(uri)
    assert bucket.keys() == NEW
    bucket.put("deep/file.csv", b"old")
    put(f"{bucket.uri}/deep/file.csv", 1)
    assert set(bucket.keys()) - set(NEW) == {"deep/file.csv/_SUCCESS", "deep/file.csv/part-00000000.csv"}


@pytest.mark.parametrize("name", ["mine.txt", "part-00000000.parquet", "inner/a.csv", "_delta_log"])
def test_what_else_stands_there_is_left_alone(bucket, uri, name) -> None:
    bucket.put(f"deep/out.csv/{name}", b"mine")
    with pytest.raises(OutputError, match=f"holds {name.partition('/')[0]}") as caught:
        Parts(uri).begin()
    assert caught.value.exit == 4
    assert bucket.keys() == {f"deep/out.csv/{name}": 4}


def test_no_bucket(bucket) -> None:
    with pytest.raises(OutputError, match="there is no s3://nowhere/"):
        Parts("s3://nowhere/out.csv").begin()


def test_a_missing_part_and_abort_leave_the_older_run(bucket, uri) -> None:
    before = older(bucket)
    parts = Parts(uri)
    work(parts.begin(), 1)
    with pytest.raises(OutputError, match=r"1 of 2 parts are missing, the first is part-00000000\.csv"):
        parts.commit(2)
    assert bucket.keys() == before
    work(parts.begin(), 0)
    parts.abort()
    assert bucket.keys() == before
    parts.begin()
    del parts
    gc.collect()
    assert bucket.keys() == before


def mixed(keys):
    """Whether parts of two runs stand side by side, or fewer than all beside ``_SUCCESS``."""
    sizes = [size for key, size in keys.items() if key.startswith("deep/out.csv/part-")]
    whole = sizes in ([2, 2, 2], [10, 10])
    return len(set(sizes)) > 1 or ("deep/out.csv/_SUCCESS" in keys and not whole)


@pytest.mark.parametrize("failure", [403, "reset", "lost"])
def test_every_request_of_a_commit_fails_once_until_all_pass(bucket, uri, failure, monkeypatch) -> None:
    monkeypatch.setattr("lossctl.data.sinks.prefix._THREADS", 1)
    passed = {True: 0, False: 0}
    for when in range(1, 80):
        for key in bucket.keys():
            bucket.client.delete_object(Bucket=bucket.name, Key=key)
        before = older(bucket)
        parts = Parts(uri)
        staging = parts.begin()
        work(staging, 0)
        work(staging, 1)
        left, seen = [when], []

        def rule(method, path, left=left, seen=seen):
            seen.append(mixed(bucket.keys()))
            left[0] -= 1
            return failure if left[0] == 0 else None

        with bucket.failing(rule):
            try:
                parts.commit(2)
            except OutputError as error:
                assert str(error).startswith(f"cannot write {uri}: ")
                done = False
            else:
                done = True
        assert not any(seen)
        keys = bucket.keys()
        visible = {key: size for key, size in keys.items() if "/_lossctl-" not in key}
        assert visible == (NEW if done else before)
        passed[done] += 1
        if left[0] > 0:
            break
        parts.abort()
        if done:
            continue
        assert not any("/older/" in key for key in keys), keys
    assert keys == NEW
    assert passed[False] > 10 or failure == "lost"


def test_a_store_that_is_gone_in_mid_commit_loses_nothing(bucket, uri) -> None:
    older(bucket)
    parts = Parts(uri)
    work(parts.begin(), 0)
    moves = iter(range(100))
    with (
        bucket.failing(lambda method, _: 500 if method == "DELETE" and next(moves) > 1 else None),
        pytest.raises(OutputError, match="could not be put back") as caught,
    ):
        parts.commit(1)
    assert "/older/: move it to" in caught.value.hint
    older_names = {Path(key).name for key in bucket.keys() if "/older/" in key or "/_lossctl-" not in key}
    assert older_names >= {"_SUCCESS", *(f"part-{index:08d}.csv" for index in range(3))}
    assert not mixed(bucket.keys())


CODE = """
import sys
from lossctl.data.sinks.parts import Parts, part_path
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
    for _ in range(5):
        for key in bucket.keys():
            bucket.client.delete_object(Bucket=bucket.name, Key=key)
        older(bucket)
        command = [sys.executable, "-c", CODE, uri]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"commit\n", process.stderr.read()
            time.sleep(chance.uniform(0, 0.3))
            process.kill()
            process.communicate()
        keys = bucket.keys()
        assert not mixed(keys)
        old = {Path(key).name for key in keys if "/older/" in key or ("/_lossctl-" not in key and keys[key] in {0, 2})}
        assert "part-00000000.csv" in old or set(NEW) <= set(keys)
        put(uri)
        assert {key: size for key, size in bucket.keys().items() if "/_lossctl-" not in key} == NEW


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
    assert bucket.keys() == before


def test_the_end_of_the_process_leaves_nothing(bucket, uri) -> None:
    code = CODE.replace("parts.commit(2)", "")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, uri], env=environment, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert bucket.keys() == {}


def test_a_part_written_by_many_at_once_is_whole(bucket, uri) -> None:
    parts = Parts(uri)
    staging = parts.begin()
    doubles = [threading.Thread(target=work, args=(staging, index)) for index in (0, 1) for _ in range(6)]
    for thread in doubles:
        thread.start()
    for thread in doubles:
        thread.join()
    parts.commit(2)
    assert bucket.keys() == NEW
