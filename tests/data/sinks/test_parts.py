"""A directory of parts on disk is the old one or the new one, whole."""

from __future__ import annotations

import builtins
import errno
import gc
import os
import random
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from lossctl.data.sinks import folder
from lossctl.data.sinks.partnames import part_path
from lossctl.data.sinks.parts import Parts
from lossctl.data.sinks.sink import SINKS, SinkColumn, open_sink
from lossctl.errors import OutputError, UsageError

ROOT = Path(__file__).parent.parent.parent.parent
COLUMNS = (SinkColumn("x", "float"), SinkColumn("y", "float"))

FIRST, SECOND = b"x,y\n0.0,0.0\n1.0,0.0\n", b"x,y\n2.0,0.0\n3.0,0.0\n"


def work(staging, index, extension=".csv", run=0):
    """What a worker does."""
    with open_sink(part_path(staging, index, extension), COLUMNS) as sink:
        sink.write([(np.arange(2.0) + 2 * index, None), (np.full(2, float(run)), None)])
        sink.commit()


def put(path, count=3, run=0):
    parts = Parts(path)
    staging = parts.begin()
    for index in reversed(range(count)):
        work(staging, index, parts.extension, run)
    parts.commit(count)


def content(path):
    return {name: (path / name).read_bytes() for name in sorted(os.listdir(path))}


def left(path):
    return sorted(name for name in os.listdir(path.parent) if name != path.name)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.csv"


@pytest.fixture(params=["swapped", "renamed twice"])
def way(request, monkeypatch):
    """How an older directory is replaced."""
    if request.param == "renamed twice":
        monkeypatch.setattr(folder, "_exchange", lambda one, other: False)
    return request.param


def test_names_sort_as_the_indices_do() -> None:
    names = [part_path("s", index, ".csv") for index in (0, 9, 10, 999_999, 1_000_000, 99_999_999)]
    assert names[0] == "s/part-00000000.csv"
    assert names == sorted(names)
    for index in (-1, 100_000_000):
        with pytest.raises(ValueError, match="at most 100,000,000"):
            part_path("s", index, ".csv")


@pytest.mark.parametrize("ending", ["", "/"])
def test_parts_appear_together(path, ending) -> None:
    parts = Parts(f"{path}{ending}")
    staging = parts.begin()
    assert (os.path.dirname(staging), os.path.basename(staging)[:17]) == (str(path.parent), ".out.csv.lossctl-")
    for index in range(3):
        work(staging, index)
        assert not path.exists()
    parts.commit(3)
    assert list(content(path)) == ["_SUCCESS", *(f"part-{index:08d}.csv" for index in range(3))]
    assert content(path)["_SUCCESS"] == b""
    assert left(path) == []


@pytest.mark.parametrize("extension", SINKS)
def test_the_rows_come_back_in_order(lossctl, tmp_path, extension) -> None:
    put(tmp_path / f"out{extension}", 12)
    np.save(tmp_path / "zero.npy", np.zeros((24, 2)))  # beside an array of two columns: its row is their mean
    columns = ["zero.npy"] if extension == ".npy" else ["--pred", "x", "--target", "y"]
    arguments = [f"out{extension}/", *columns, "--per-sample", "back.csv"]
    done = lossctl("compute", "mae", *arguments, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "back.csv").read_text().splitlines()[1:]
    assert lines == [f"{row + 1},ok,{row / (2 if extension == '.npy' else 1)}" for row in range(24)]


def test_parts_without_a_byte_are_left_out(tmp_path) -> None:
    path = tmp_path / "out.jsonl"
    for filled in (1, 0):
        parts = Parts(path)
        staging = parts.begin()
        for index, rows in enumerate((0, 0, filled)):
            (Path(staging) / f"part-0000000{index}.jsonl").write_text("{}\n" * rows)
        parts.commit(3)
        kept = "part-00000002.jsonl" if filled else "part-00000000.jsonl"
        assert list(content(path)) == ["_SUCCESS", kept]


def test_an_older_directory_is_replaced(path, way) -> None:
    put(path, 5, run=1)
    path.chmod(0o750)
    put(path, 2)
    assert list(content(path)) == ["_SUCCESS", "part-00000000.csv", "part-00000001.csv"]
    assert content(path)["part-00000001.csv"] == SECOND
    assert stat.S_IMODE(path.stat().st_mode) == 0o750
    assert left(path) == []


def test_an_older_file_an_empty_directory_and_a_link_are_replaced(path, way, tmp_path) -> None:
    path.write_text("old")
    put(path)
    assert path.is_dir()
    other = tmp_path / "empty.csv"
    other.mkdir()
    put(other)
    assert len(content(other)) == 4
    link = tmp_path / "link.csv"
    link.symlink_to("far.csv")
    put(link, 1)
    put(link, 2)
    assert link.is_symlink()
    assert len(content(tmp_path / "far.csv")) == 3
    assert left(path) == ["empty.csv", "far.csv", "link.csv"]


@pytest.mark.parametrize("name", ["mine.txt", "part-00000000.parquet", "part-0.csv", ".hidden", "part-00000007.csv/"])
def test_what_else_stands_there_is_left_alone(path, name) -> None:
    put(path)
    (path / name).mkdir() if name.endswith("/") else (path / name).write_text("mine")
    with pytest.raises(OutputError, match=f"cannot write {path}: the directory holds {name}") as caught:
        Parts(path).begin()
    assert caught.value.exit == 4
    assert (path / name).exists()
    assert left(path) == []


def test_what_comes_in_the_way_meanwhile_is_left_alone(path) -> None:
    parts = Parts(path)
    work(parts.begin(), 0)
    path.mkdir()
    (path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds mine\.txt"):
        parts.commit(1)
    assert content(path) == {"mine.txt": b"mine"}
    assert left(path) == []


def test_places_that_cannot_be(path) -> None:
    os.mkfifo(path)
    with pytest.raises(OutputError, match="neither a file nor a directory"):
        Parts(path).begin()
    with pytest.raises(OutputError, match="No such file"):
        Parts(path.parent / "missing" / "out.csv").begin()
    with pytest.raises(UsageError, match="no extension"):
        Parts(path.parent / "out")
    with pytest.raises(UsageError, match="for reading"):
        Parts("https://host/out.csv")
    assert left(path) == []


@pytest.mark.parametrize(("made", "count", "said"), [((0, 2), 3, "1 of 3"), ((0, 1), 1, "part-00000001.csv is none")])
def test_the_set_must_be_whole(path, made, count, said) -> None:
    put(path, run=1)
    before = content(path)
    parts = Parts(path)
    staging = parts.begin()
    for index in made:
        work(staging, index)
    with pytest.raises(OutputError, match=said):
        parts.commit(count)
    assert content(path) == before
    assert left(path) == []
    with pytest.raises(ValueError, match="not being written"):
        parts.commit(count)


def test_abort_and_what_is_forgotten_leave_nothing(path) -> None:
    put(path, run=1)
    before = content(path)
    parts = Parts(path)
    work(parts.begin(), 0)
    with pytest.raises(ValueError, match="already"):
        parts.begin()
    parts.abort()
    parts.abort()
    with Parts(path) as parts:
        work(parts.begin(), 0)
    parts = Parts(path)
    work(parts.begin(), 0)
    del parts
    gc.collect()
    assert content(path) == before
    assert left(path) == []


def test_a_part_written_by_many_at_once_is_whole(path) -> None:
    parts = Parts(path)
    staging = parts.begin()
    doubles = [threading.Thread(target=work, args=(staging, index)) for index in (0, 1) for _ in range(8)]
    for thread in doubles:
        thread.start()
    for thread in doubles:
        thread.join()
    (Path(staging) / ".lossctl-0123456789abcdef.tmp").write_text("of a worker that was killed")
    late = open_sink(part_path(staging, 0, ".csv"), COLUMNS)
    parts.commit(2)
    with pytest.raises(OutputError, match="No such file"):
        late.commit()
    assert content(path) == {
        "_SUCCESS": b"",
        "part-00000000.csv": FIRST,
        "part-00000001.csv": SECOND,
    }
    assert left(path) == []


class Faults:
    """Every call that a disk can refuse, while ``armed``; the one whose turn it is fails once."""

    NAMES = ("mkdir", "stat", "listdir", "scandir", "chmod", "fsync", "rename", "open")

    def __init__(self, patch, when, error):
        self.when, self.error, self.names, self.armed = when, error, [], False
        for name in self.NAMES:
            patch.setattr(f"lossctl.data.sinks.folder.os.{name}", self.failing(name, getattr(os, name)))
        patch.setattr(folder, "open", self.failing("file", builtins.open), raising=False)
        patch.setattr(folder, "_exchange", self.failing("exchange", folder._exchange))

    def failing(self, name, call):
        def called(*arguments, **options):
            if self.armed:
                self.names.append(name)
                if len(self.names) == self.when:
                    self.armed = False
                    raise self.error
            return call(*arguments, **options)

        return called


def commit_one(path, faults):
    parts = Parts(path)
    faults.armed = True
    staging = parts.begin()
    faults.armed = False
    work(staging, 0)
    faults.armed = True
    try:
        parts.commit(1)
    finally:
        faults.armed = False


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), SystemExit(143)], ids=repr
)
def test_every_call_fails_once_until_all_pass(path, way, error) -> None:
    expected = OutputError if isinstance(error, OSError) else type(error)
    seen = []
    for when in range(1, 60):
        put(path, 4, run=1)
        before = content(path)
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, when, error)
            try:
                commit_one(path, faults)
            except expected:
                seen.append(faults.names[-1])
            else:
                break
        assert left(path) == []
        now = content(path)
        assert now == before or (
            "exchange" in faults.names[:-1] and now == {"_SUCCESS": b"", "part-00000000.csv": FIRST}
        )
    assert len(content(path)) == 2
    tidied = way == "swapped" and isinstance(error, OSError)  # renamed only to be removed: an error there is no matter
    assert set(seen) == {*Faults.NAMES, "file", "exchange"} - ({"rename"} if tidied else set())


CODE = """
import sys
sys.path.insert(0, sys.argv[2])
from lossctl.data.sinks.partnames import part_path
from lossctl.data.sinks.parts import Parts
for run in range(10_000):
    parts = Parts(sys.argv[1])
    staging = parts.begin()
    for index in range(8):
        with open(part_path(staging, index, parts.extension), "w") as file:
            file.write(str(run))
    parts.commit(8)
    if not run:
        print("begun", flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="two renames have a moment between them")
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_signal_at_any_moment_leaves_one_whole_run(path, sign) -> None:
    chance = random.Random(3)
    for _ in range(6):
        command = [sys.executable, "-c", CODE, str(path), str(ROOT)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            assert process.stdout.readline() == b"begun\n"
            time.sleep(chance.uniform(0, 0.05))
            process.send_signal(sign)
        assert len(set(content(path).values()) - {b""}) == 1
        assert len(content(path)) == 9
        assert all(name.startswith(".out.csv.lossctl-") for name in left(path))
        assert sign == signal.SIGKILL or left(path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="two renames have a moment between them")
def test_readers_always_see_a_whole_run(path) -> None:
    put(path, 4)
    seen, stop = [], threading.Event()

    def read():
        while not stop.is_set():
            seen.append((path / "part-00000003.csv").read_bytes().count(b"\n"))

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(20):
        put(path, 4, run=1)
    stop.set()
    reader.join()
    assert set(seen) == {3}
