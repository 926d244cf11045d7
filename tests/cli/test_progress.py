"""Progress: a line on a terminal while a run is long, and no trace of it afterwards or anywhere else."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest

from lossctl.engine.watch import Pass
from lossctl.report.progress import Bar, sayings

LOSSCTL = [sys.executable, "-m", "lossctl"]
ROOT = Path(__file__).parent.parent.parent
ALONE = """
import sys, time
from lossctl.cli.common import Settings
from lossctl.cli.terminal import watching
from lossctl.engine.watch import Pass

settings = Settings()
settings.color = sys.argv[1] or None
with watching(settings) as watch:
    assert watch is not None
    tick = watch(Pass("", 1_000_000))
    assert "rich" not in sys.modules
    for rows in range(0, 1_000_000, 70_000):
        tick(rows)
        time.sleep(0.1)
"""
CONTROL = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")
DEADLINE = 60.0


class Slow:
    """A run that is fed as slowly as a test wants, with a terminal for standard error."""

    def __init__(self, *arguments: str, command: list[str], columns: int, **settings: str) -> None:
        self.mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        kept = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}}
        self.process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=theirs,
            env={**kept, "TERM": "xterm", "PYTHONPATH": str(ROOT), **settings},
        )
        os.close(theirs)
        self.seen = b""
        self.rows = 0

    def feed(self, text: str = "") -> None:
        assert self.process.stdin is not None
        if not self.rows:
            self.process.stdin.write(b"y_true,y_pred\n")
        self.rows += 1
        self.process.stdin.write(text.encode() or b"1,2\n")
        self.process.stdin.flush()

    def look(self, seconds: float) -> None:
        """Take what the terminal gets within some time."""
        while select.select([self.mine], [], [], seconds)[0]:
            try:
                data = os.read(self.mine, 1 << 16)
            except OSError:  # the other end is closed
                return
            if not data:
                return
            self.seen += data

    def until(self, what: bytes) -> None:
        """Feed rows until the terminal shows this."""
        end = time.monotonic() + DEADLINE
        while what not in self.seen:
            assert time.monotonic() < end, self.seen
            self.feed()
            self.look(0.02)

    def during(self, seconds: float) -> None:
        """Feed rows for some time from the first one that was taken."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.feed()
            self.look(0.02)

    def end(self) -> tuple[int, str, str]:
        """Exit status, standard output, and the screen that is left."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        out = self.process.stdout.read().decode()
        status = self.process.wait(DEADLINE)
        self.look(0.5)
        return status, out, screen(self.seen.decode())


@contextmanager
def slow(*arguments: str, command: list[str] = LOSSCTL, columns: int = 80, **settings: str) -> Iterator[Slow]:
    run = Slow(*arguments, command=command, columns=columns, **settings)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()
        for stream in (run.process.stdin, run.process.stdout):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                pass
        os.close(run.mine)


def screen(text: str) -> str:
    """What a terminal shows in the end: lines that were written, without those that were taken back."""
    lines, row, column, at = [""], 0, 0, 0
    while at < len(text):
        if control := CONTROL.match(text, at):
            number, letter = control.groups()
            at = control.end()
            if letter == "A":
                row = max(row - int(number or 1), 0)
            elif letter == "K":
                assert number == "2"
                lines[row] = ""
            else:
                assert letter in "mhl", control
            continue
        letter, at = text[at], at + 1
        if letter == "\r":
            column = 0
        elif letter == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        else:
            lines[row] = lines[row].ljust(column)[:column] + letter + lines[row][column + 1 :]
            column += 1
    return "\n".join(lines).rstrip()


CHOSEN = "lossctl: <stdin>: pred=y_pred, target=y_true"
COMPUTE = ("compute", "mse", "-", "--threads", "1", "-f", "value")


def test_a_long_run_shows_how_far_it_is() -> None:
    with slow(*COMPUTE) as run:
        run.until(b"rows/s")
        status, out, left = run.end()
        drawn = run.seen.decode()
    assert (status, out) == (0, "1.0\n")
    assert re.search(r"[\d,]+ rows, [\d,]+ rows/s", drawn)
    assert left == CHOSEN
    assert drawn.rindex("\x1b[?25h") > drawn.rindex("\x1b[?25l")  # the cursor is back


def test_gone_before_an_error_is_said() -> None:
    with slow(*COMPUTE) as run:
        run.until(b"rows/s")
        run.feed("oh,2\n")
        status, out, left = run.end()
    assert (status, out) == (3, "")
    assert left.startswith("lossctl: 'oh' is not a number\n")
    assert "rows/s" not in left


def test_gone_after_an_interrupt() -> None:
    with slow(*COMPUTE) as run:
        run.until(b"rows/s")
        run.process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        status, out, left = run.end()
    assert (status, out, left) == (130, "", "")


@pytest.mark.parametrize(
    ("more", "settings", "left"),
    [(("-q",), {}, ""), ((), {"TERM": "dumb"}, CHOSEN), ((), {"TERM": "unknown"}, CHOSEN)],
    ids=["quiet", "dumb", "unknown"],
)
def test_nothing_where_nothing_is_wanted(more: tuple[str, ...], settings: dict[str, str], left: str) -> None:
    with slow(*COMPUTE, *more, **settings) as run:
        run.during(3.0)
        assert run.seen == b""
        assert run.end() == (0, "1.0\n", left)
        assert b"\x1b" not in run.seen


def test_nothing_in_a_short_run() -> None:
    with slow(*COMPUTE) as run:
        run.feed()
        assert run.end() == (0, "1.0\n", CHOSEN)
        assert b"\x1b" not in run.seen


def test_nothing_in_a_pipe() -> None:
    command = [*LOSSCTL, *COMPUTE]
    with subprocess.Popen(
        command, stdin=-1, stdout=-1, stderr=-1, text=True, env={**os.environ, "TERM": "xterm"}
    ) as run:
        assert run.stdin is not None
        run.stdin.write("y_true,y_pred\n")
        for _ in range(60):
            run.stdin.write("1,2\n")
            run.stdin.flush()
            time.sleep(0.05)
        out, err = run.communicate(timeout=DEADLINE)
    assert (out, err) == ("1.0\n", CHOSEN + "\n")


def drawn(color: str, columns: int = 80, **settings: str) -> bytes:
    """What a terminal gets of a run over a million rows."""
    with slow(color, command=[sys.executable, "-c", ALONE], columns=columns, **settings) as run:
        run.look(DEADLINE)
        assert run.process.wait(DEADLINE) == 0
        assert screen(run.seen.decode()) == ""
        return run.seen


@pytest.mark.parametrize(("color", "settings"), [("", {"NO_COLOR": "1"}), ("never", {"FORCE_COLOR": "1"}), ("", {})])
def test_colour_is_a_choice(color: str, settings: dict[str, str]) -> None:
    seen = drawn(color, **settings)
    assert b" left" in seen
    assert (b"\x1b[36m" in seen) == (not color and not settings)


def test_a_terminal_of_ascii() -> None:
    seen = drawn("never", PYTHONIOENCODING="ascii")
    assert seen.isascii()
    assert b"----" in seen


@pytest.mark.parametrize("columns", [12, 30, 60, 100])
def test_lines_fit(columns: int) -> None:
    lines = [CONTROL.sub("", line) for line in re.split("[\r\n]", drawn("", columns).decode())]
    assert 0 < max(map(len, lines)) < columns
    assert any(share in line for line in lines for share in ("70%", "77%", "84%", "91%"))
    assert any("rows/s" in line for line in lines) == (columns > 60)


def test_several_files_are_counted(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("y_true,y_pred\n1,2\n")
    with slow("score", "mse", "new=-", str(tmp_path / "b.csv"), "--threads", "1", "-f", "value") as run:
        run.until(b"new (1 of 2), ")
        status, out, left = run.end()
    assert (status, out) == (0, "1.0\n1.0\n")
    assert "1 of 2" not in left


# The line itself


def test_ten_a_second_and_none_in_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    now, drawn = 0.0, []
    monkeypatch.setattr(Bar, "_draw", lambda self, one, rows, seconds: drawn.append((now, rows, seconds)))
    bar = Bar(color=False, clock=lambda: now)
    for name in ("first look", ""):
        begun, tick = now, bar.begin(Pass(name, 1000))
        for rows in range(1000):
            tick(rows)
            now += 0.002
        assert all(seconds <= now - begun for _, _, seconds in drawn)
    assert min(time for time, _, _ in drawn) >= 1
    assert 20 <= len(drawn) <= 30
    count = len(drawn)
    bar.close()
    tick(1000)
    assert len(drawn) == count


def test_a_terminal_that_goes_away_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(StringIO):
        tried = 0

        def write(self, text: str) -> int:
            self.tried += 1
            raise OSError(5, "gone")

    gone = Gone()
    monkeypatch.setattr(sys, "stderr", gone)
    now = 0.0
    bar = Bar(color=False, clock=lambda: now)
    tick = bar.begin(Pass("", 10))
    now = 5.0
    tick(3)
    now = 6.0
    tick(4)
    bar.close()
    assert gone.tried >= 1


def test_names_are_inert() -> None:
    assert "\x1b" not in sayings(Pass("", None).of("\x1b[2J.csv", 1, 2), 5, 1.0)[0]


def test_rows_beyond_what_the_header_tells() -> None:
    """Sources of unequal length end in an error; until then no share is above 100 %."""
    assert sayings(Pass("", 10), 30, 1.0)[0] == "100%, 30 of 10 rows, 30 rows/s, 0:00 left"
