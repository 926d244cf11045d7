"""Output files are whole or not there, whatever fails."""

import builtins
import errno
import json
import os
import stat
import threading

import pytest

from lossctl.errors import DataError, OutputError, UsageError
from lossctl.report.output import output_format, write_atomically, write_output

OLD = "the old report\n"


@pytest.fixture
def path(tmp_path):
    target = tmp_path / "report.json"
    target.write_text(OLD)
    return target


@pytest.fixture
def report(make):
    return make.report(samples=make.samples(*(make.sample(i, i / 3) for i in range(3000))))


def untouched(path) -> None:
    assert path.read_text() == OLD
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("name", "format"),
    [("a.json", "json"), ("a.jsonl", "jsonl"), ("a.csv", "csv"), ("a.md", "markdown"), ("A.B.JSON", "json")],
)
def test_the_extension_is_the_format(tmp_path, make, text, name, format) -> None:
    report = make.report(make.result(1 / 3), make.group(1.0, {"g": "=1"}), by=("g",))
    assert output_format(name) == format
    write_output(report, tmp_path / name, digits=3, csv_safe=True)
    assert (tmp_path / name).read_bytes().decode() == text(report, format, digits=3, csv_safe=True)
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["a.xml", "a.txt", "a", "json", "a.json.gz", ".json"])
def test_other_extensions_are_refused_before_anything_is_written(tmp_path, make, name) -> None:
    with pytest.raises(UsageError) as caught:
        write_output(make.report(), tmp_path / name)
    assert caught.value.exit == 2
    assert name in caught.value.message
    assert all(extension in (caught.value.hint or "") for extension in (".json", ".jsonl", ".csv", ".md"))
    assert os.listdir(tmp_path) == []


def test_a_refused_extension_is_named(make) -> None:
    with pytest.raises(UsageError, match=r"^\.xml is no report: a\.xml$"):
        output_format("a.xml")
    with pytest.raises(UsageError, match=r"^report has no extension of a report$"):
        output_format("report")


def test_digits_and_safety_are_those_of_render(tmp_path, make, text) -> None:
    report = make.report(make.result(1 / 3), make.group(1.0, {"g": "=1"}), by=("g",))
    for name, format in (("a.md", "markdown"), ("a.csv", "csv")):
        write_output(report, tmp_path / name)
        assert (tmp_path / name).read_text() == text(report, format)


@pytest.mark.parametrize(
    ("error", "cause"),
    [(OSError(errno.EIO, "Bad disk"), "Bad disk"), (OSError("odd"), "odd"), (BlockingIOError(), "BlockingIOError")],
)
def test_the_cause_is_always_named(path, report, monkeypatch, error, cause) -> None:
    def fail(*args):
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError) as caught:
        write_output(report, path)
    assert caught.value.message == f"cannot write {path}: {cause}"
    assert caught.value.__cause__ is error


def test_an_old_report_is_replaced_and_keeps_its_mode(path, report) -> None:
    path.chmod(0o640)
    inode = path.stat().st_ino
    write_output(report, path)
    assert len(json.loads(path.read_text())["samples"]) == 3000
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_ino != inode  # renamed into place, not written over
    assert os.listdir(path.parent) == [path.name]


def test_a_new_report_obeys_the_umask(tmp_path, make) -> None:
    before = os.umask(0o027)
    try:
        write_output(make.report(), tmp_path / "new.csv")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new.csv").stat().st_mode) == 0o640


def test_a_reader_sees_the_old_report_until_the_new_one_is_whole(path) -> None:
    def chunks():
        for i in range(100):
            assert path.read_text() == OLD
            yield f"{i}\n"

    write_atomically(str(path), chunks())
    assert path.read_text() == "".join(f"{i}\n" for i in range(100))


def test_the_text_is_on_the_disk_before_the_name(path, report, monkeypatch) -> None:
    calls = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, name=name, real=real: (calls.append(name), real(*a)))
    write_output(report, path)
    assert calls == ["fsync", "replace"]


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
@pytest.mark.parametrize("cause", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_a_failing_call_leaves_the_old_report(path, report, monkeypatch, call, cause) -> None:
    def fail(*args):
        raise OSError(cause, os.strerror(cause))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OutputError) as caught:
        write_output(report, path)
    assert caught.value.exit == 4
    assert caught.value.file == str(path)
    assert str(path) in caught.value.message
    assert os.strerror(cause) in caught.value.message
    untouched(path)


class Failing:
    """A file whose Nth write, or whose flush or close, fails once."""

    def __init__(self, file, when, error):
        self.file, self.when, self.error = file, when, error

    def step(self, name):
        self.when -= 1
        if self.when == 0:
            raise self.error

    def write(self, data):
        self.step("write")
        return self.file.write(data)

    def flush(self):
        self.step("flush")
        self.file.flush()

    def close(self):
        self.file.close()
        self.step("close")

    def fileno(self):
        return self.file.fileno()


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), SystemExit(143)]
)
def test_every_write_fails_once_until_all_pass(path, report, monkeypatch, error) -> None:
    expected = OutputError if isinstance(error, OSError) else type(error)
    real = builtins.open
    for when in range(1, 100):
        monkeypatch.setattr("lossctl.atomic.open", lambda *a, when=when: Failing(real(*a), when, error), raising=False)
        try:
            write_output(report, path)
        except expected:
            untouched(path)
        else:
            break
    assert when > 5  # several chunks, the flush and the close came to fail
    assert len(json.loads(path.read_text())["samples"]) == 3000


def test_an_open_that_fails(path, report, monkeypatch) -> None:
    def fail(*args):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("lossctl.atomic.open", fail, raising=False)
    with pytest.raises(OutputError, match="Permission denied"):
        write_output(report, path)
    untouched(path)


def test_an_interrupt_while_the_file_is_opened(path, report, monkeypatch) -> None:
    real = builtins.open

    def interrupted(*args):
        real(*args).close()
        raise KeyboardInterrupt

    monkeypatch.setattr("lossctl.atomic.open", interrupted, raising=False)
    with pytest.raises(KeyboardInterrupt):
        write_output(report, path)
    untouched(path)


@pytest.mark.parametrize(
    "error", [DataError("row 7 is bad"), OSError("a read failed"), KeyboardInterrupt(), MemoryError()]
)
def test_an_error_of_the_content_stays_what_it_is(path, error) -> None:
    def chunks():
        yield "half\n"
        raise error

    with pytest.raises(type(error)) as caught:
        write_atomically(str(path), chunks())
    assert caught.value is error
    untouched(path)


def test_a_folder_in_the_way(tmp_path, make) -> None:
    (tmp_path / "out.json").mkdir()
    with pytest.raises(OutputError, match="Is a directory"):
        write_output(make.report(), tmp_path / "out.json")
    assert os.listdir(tmp_path) == ["out.json"]


@pytest.mark.parametrize("place", ["missing/out.json", "file.txt/out.json", "x" * 300 + ".json"])
def test_places_that_cannot_be(tmp_path, make, place) -> None:
    (tmp_path / "file.txt").write_text("")
    with pytest.raises(OutputError) as caught:
        write_output(make.report(), tmp_path / place)
    assert caught.value.file == str(tmp_path / place)
    assert os.listdir(tmp_path) == ["file.txt"]


def test_a_long_name_that_can_be(tmp_path, make) -> None:
    name = "\N{PEACH}" * 62 + ".json"  # 253 bytes of the 255 that a file system takes
    write_output(make.report(), tmp_path / name)
    assert os.listdir(tmp_path) == [name]


def test_a_link_stays_a_link(tmp_path, path, report) -> None:
    link = tmp_path / "latest.json"
    link.symlink_to(path.name)
    write_output(report, link)
    assert link.is_symlink()
    assert len(json.loads(path.read_text())["samples"]) == 3000


def test_devices_and_pipes_are_written_through(tmp_path, make, text) -> None:
    device = tmp_path / "null.json"
    device.symlink_to("/dev/null")
    write_output(make.report(), device)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    seen = []
    reader = threading.Thread(target=lambda: seen.append(pipe.read_text()))
    reader.start()
    write_output(make.report(), pipe)
    reader.join(5)
    assert seen == [text(make.report(), "csv")]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_device(tmp_path, make) -> None:
    full = tmp_path / "full.json"
    full.symlink_to("/dev/full")
    with pytest.raises(OutputError, match="No space left on device"):
        write_output(make.report(), full)
    assert full.is_symlink()


def test_names_that_are_no_text(tmp_path, make) -> None:
    samples = make.samples(make.sample(1, 0.5, key=("\udcff",)), key_names=("id",))
    report = make.report(make.result(None, reduction="none"), samples=samples)
    for name in ("a.json", "a.csv", "a.md", "a.jsonl"):
        write_output(report, tmp_path / name)
        assert b"udcff" in (tmp_path / name).read_bytes()
