"""A file of per-sample values is whole or not there, whatever fails and wherever it goes."""

import builtins
import errno
import gc
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

from lossctl.atomic import AtomicFile
from lossctl.data.sinks import parquet
from lossctl.data.sinks.sink import SINKS, SinkColumn, open_sink
from lossctl.errors import OutputError

COLUMNS = (SinkColumn("row", "int"), SinkColumn("status", "text"), SinkColumn("x", "float"))
OLD = b"the old file\n"
ROOT = Path(__file__).parent.parent.parent


def fill(sink, runs=3, rows=20):
    for i in range(runs):
        values = np.arange(rows) / 7 + i
        sink.write([np.arange(rows) + i * rows, (np.arange(rows) % 3 - 1, ["ok", "nan"]), (values, None)])


def put(path):
    with open_sink(path, COLUMNS) as sink:
        fill(sink)
        sink.commit()


@pytest.fixture(params=SINKS)
def path(request, tmp_path):
    target = tmp_path / f"a{request.param}"
    target.write_bytes(OLD)
    return target


@pytest.fixture
def content(path, tmp_path):
    """What the whole file is."""
    other = tmp_path / f"whole{path.suffix}"
    put(other)
    data = other.read_bytes()
    other.unlink()
    return data


@pytest.fixture(autouse=True)
def small_groups(monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", 16)


def untouched(path) -> None:
    assert path.read_bytes() == OLD
    assert os.listdir(path.parent) == [path.name]


class Faults:
    """Every call that a disk can refuse; the one whose turn it is fails once."""

    def __init__(self, monkeypatch, when, error):
        self.when, self.error, self.names = when, error, []
        real = builtins.open
        monkeypatch.setattr("lossctl.atomic.open", lambda *a: File(self, self.call("open", real, *a)), raising=False)
        for name in ("fsync", "replace", "chmod", "stat"):
            call = getattr(os, name)
            monkeypatch.setattr(f"lossctl.atomic.os.{name}", lambda *a, n=name, c=call, **k: self.call(n, c, *a, **k))

    def call(self, name, real, *arguments, **options):
        self.names.append(name)
        if len(self.names) == self.when:
            raise self.error
        return real(*arguments, **options)


class File:
    def __init__(self, faults, file):
        self.faults, self.file = faults, file

    def __getattr__(self, name):
        real = getattr(self.file, name)
        if name not in {"write", "flush", "seek", "close"}:
            return real
        return lambda *arguments: self.faults.call(name, real, *arguments)


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), SystemExit(143)], ids=repr
)
def test_every_call_fails_once_until_all_pass(path, content, error) -> None:
    expected = OutputError if isinstance(error, OSError) else type(error)
    seen, told = set(), set()
    for when in range(1, 300):
        with pytest.MonkeyPatch.context() as patch:
            faults = Faults(patch, when, error)
            try:
                put(path)
            except expected as caught:
                seen.add(faults.names[when - 1])
                told.add(str(caught))
            else:
                break
        untouched(path)
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]
    assert told == {f"cannot write {path}: No space left on device" if expected is OutputError else str(error)}
    seek = {"seek"} if path.suffix == ".npy" else set()
    assert seen == {"stat", "open", "chmod", "write", "flush", "fsync", "close", "replace"} | seek


def test_the_old_file_stands_until_the_end(path, content) -> None:
    with open_sink(path, COLUMNS) as sink:
        fill(sink)
        assert path.read_bytes() == OLD
        (hidden,) = set(os.listdir(path.parent)) - {path.name}
        assert hidden.startswith(".")
        sink.commit()
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


def test_a_block_that_ends_early_leaves_nothing(path) -> None:
    with open_sink(path, COLUMNS) as sink:
        fill(sink)
    untouched(path)


def test_an_interrupted_block_leaves_nothing(path) -> None:
    def interrupted():
        with open_sink(path, COLUMNS) as sink:
            fill(sink)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    untouched(path)


def test_abort_and_commit_may_be_followed_by_abort(path, content) -> None:
    sink = open_sink(path, COLUMNS)
    fill(sink)
    sink.abort()
    sink.abort()
    untouched(path)
    sink = open_sink(path, COLUMNS)
    fill(sink)
    sink.commit()
    sink.abort()
    assert path.read_bytes() == content


def test_after_abort_nothing_is_written(path) -> None:
    sink = open_sink(path, COLUMNS)
    sink.abort()
    with pytest.raises(ValueError, match="no longer"):
        fill(sink)
    with pytest.raises(ValueError, match="no longer"):
        sink.commit()
    untouched(path)
    put(path)
    with pytest.raises(ValueError, match="no longer"):
        sink.commit()


def test_a_forgotten_sink_leaves_nothing(path) -> None:
    sink = open_sink(path, COLUMNS)
    fill(sink)
    del sink
    gc.collect()
    untouched(path)


def test_a_process_that_ends_leaves_nothing(path) -> None:
    code = """
import sys
from lossctl.data.sinks.sink import SinkColumn, open_sink
import numpy as np
sink = open_sink(sys.argv[1], [SinkColumn("x", "float")])
sink.write([(np.zeros(300_000), None)])
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, str(path)], env=environment, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    untouched(path)


def test_after_a_kill_the_old_file_is_whole(path) -> None:
    code = """
import sys
from lossctl.data.sinks.sink import SinkColumn, open_sink
import numpy as np
sink = open_sink(sys.argv[1], [SinkColumn("x", "float")])
while True:
    sink.write([(np.arange(100_000) / 7, None)])
    print(sink.rows, flush=True)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"100000\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_bytes() == OLD


def test_a_child_does_not_remove_the_file_of_its_parent(path, content) -> None:
    sink = open_sink(path, COLUMNS)
    fill(sink)
    child = os.fork()
    if not child:
        os.close(sink._file._file.fileno())  # what is buffered belongs to the parent
        sink.abort()
        os._exit(0)
    os.waitpid(child, 0)
    sink.commit()
    assert path.read_bytes() == content


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660])
def test_the_mode_of_the_old_file_stays_from_the_first_byte_on(path, mode) -> None:
    path.chmod(mode)
    with open_sink(path, COLUMNS) as sink:
        (hidden,) = set(os.listdir(path.parent)) - {path.name}
        assert stat.S_IMODE((path.parent / hidden).stat().st_mode) == mode
        fill(sink)
        sink.commit()
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_obeys_the_umask(path) -> None:
    path.unlink()
    before = os.umask(0o027)
    try:
        put(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_link_stays_a_link(path, content, tmp_path) -> None:
    (tmp_path / "far").mkdir()
    far = tmp_path / "far" / path.name
    for missing in (False, True):
        path.unlink()
        if not missing:
            far.write_bytes(OLD)
        path.symlink_to(Path("far") / path.name)
        put(path)
        assert path.is_symlink()
        assert far.read_bytes() == content
        assert os.listdir(far.parent) == [far.name]
        far.unlink()


@pytest.mark.parametrize("place", ["missing/a", "a.txt/a", "x" * 300])
def test_places_that_cannot_be(path, place) -> None:
    (path.parent / "a.txt").write_text("")
    target = path.parent / f"{place}{path.suffix}"
    with pytest.raises(OutputError) as caught:
        open_sink(target, COLUMNS)
    assert caught.value.exit == 4
    assert caught.value.file == str(target)
    assert caught.value.message.startswith(f"cannot write {target}: ")
    assert sorted(os.listdir(path.parent)) == ["a.txt", path.name] or path.name < "a.txt"


def test_a_folder_in_the_way(path) -> None:
    path.unlink()
    path.mkdir()
    with pytest.raises(OutputError, match="Is a directory"):
        open_sink(path, COLUMNS)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_is_closed(path) -> None:
    path.parent.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            open_sink(path, COLUMNS)
    finally:
        path.parent.chmod(0o700)
    untouched(path)


def test_pipes_are_written_through(path, content) -> None:
    path.unlink()
    os.mkfifo(path)
    seen = []
    reader = threading.Thread(target=lambda: seen.append(path.read_bytes()))
    reader.start()
    put(path)
    reader.join(5)
    assert seen == [content]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_pipe_that_closes_is_named(path) -> None:
    path.unlink()
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: path.open("rb").close())
    reader.start()
    sink = open_sink(path, COLUMNS)
    reader.join(5)

    def finish():
        fill(sink, runs=400)
        sink.commit()

    with pytest.raises(OutputError, match="Broken pipe"):
        finish()


def test_null_is_written_to_and_full_is_full(path) -> None:
    path.unlink()
    path.symlink_to("/dev/null")
    put(path)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    if os.path.exists("/dev/full"):
        path.unlink()
        path.symlink_to("/dev/full")
        with pytest.raises(OutputError, match="No space left on device"):
            put(path)
    assert path.is_symlink()


def test_the_file_behind_standard_output_is_not_replaced(path, content) -> None:
    """A link to /dev/stdout goes where the shell has sent it, behind what stands there."""
    out = path.parent / "out"
    path.unlink()
    path.symlink_to("/dev/stdout")
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import numpy as np
from lossctl.data.sinks.sink import SinkColumn, open_sink
with open_sink(sys.argv[1], [SinkColumn("x", "float")]) as sink:
    sink.write([(np.zeros(1), None)])
    sink.commit()
print("after")
"""
    with out.open("wb") as file:
        file.write(b"before\n")
        file.flush()
        subprocess.run([sys.executable, "-c", code, str(path)], stdout=file, check=True, timeout=60)
    found = out.read_bytes()
    assert found.startswith(b"before\n")
    assert found.endswith(b"after\n")
    middle = found[7:-6]
    assert middle.startswith(
        {".parquet": b"PAR1", ".csv": b"x\n0.0\n", ".jsonl": b'{"x": 0.0}\n', ".npy": b"\x93NUMPY"}[path.suffix]
    )
    assert sorted(os.listdir(path.parent)) == sorted([path.name, "out"])


def test_links_in_a_circle(tmp_path) -> None:
    (tmp_path / "a.csv").symlink_to("b.csv")
    (tmp_path / "b.csv").symlink_to("a.csv")
    with pytest.raises(OutputError, match="symbolic links"):
        open_sink(tmp_path / "a.csv", COLUMNS)
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "b.csv"]


def test_a_full_disk_for_what_waits(path, monkeypatch) -> None:
    """An array for a pipe waits in a temporary file; what fails there is said of the target too."""
    if path.suffix != ".npy":
        return

    def refuse(**options):
        raise OSError(errno.ENOSPC, "No space left on device")

    path.unlink()
    path.symlink_to("/dev/null")
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    with pytest.raises(OutputError, match=rf"cannot write {path}: No space left"):
        open_sink(path, COLUMNS)


def test_an_atomic_file_counts_its_bytes(tmp_path) -> None:
    file = AtomicFile(tmp_path / "a")
    assert file.write(b"abc") == 3
    assert file.write(memoryview(b"de")) == 2
    file.overwrite(b"X")
    file.write(b"f")
    assert file.size == 6
    file.commit()
    assert (tmp_path / "a").read_bytes() == b"Xbcdef"
