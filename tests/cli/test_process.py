"""lossctl as a process among others: pipes, signals, full disks, exit statuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]
LOSSCTL = [sys.executable, "-m", "lossctl"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "preds.csv"
    path.write_text("id,y_true,y_pred\na,1,2\nb,2,2.5\nc,3,3\n")
    return path


def test_results_on_stdout_and_talk_on_stderr(lossctl: Run, table: Path) -> None:
    done = lossctl("compute", "mse", table)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "loss\treduction\tn\tweight_sum\tvalue"
    assert done.stdout.splitlines()[1] == f"mse\tmean\t3\t3.0\t{1.25 / 3!r}"
    assert "pred=y_pred, target=y_true" in done.stderr
    assert lossctl("compute", "mse", table, "-q").stderr == ""


def test_stdin(lossctl: Run, table: Path) -> None:
    done = lossctl("compute", "mae", "-", "-f", "value", input=table.read_text())
    assert done.stdout == "0.5\n"


def test_stdin_twice_is_refused(lossctl: Run) -> None:
    done = lossctl("compute", "mae", "-", "-", input="")
    assert done.returncode == 2
    assert "standard input" in done.stderr


def test_fifo_with_a_second_pass(tmp_path: Path) -> None:
    """A pipe cannot be read twice; a loss that needs two passes works all the same."""
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    rows = "".join(f"{i % 2},{i / 10 - 2}\n" for i in range(40))
    command = [*LOSSCTL, "compute", "balanced-sigmoid-ce", str(fifo), "-f", "json", "-q", "--input-format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        fifo.write_text("y_true,logit\n" + rows)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert json.loads(out)["results"][0]["resolved"] == {"beta": 0.5}


def test_closed_pipe_is_quiet(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.arange(200_000.0))
    command = f"{sys.executable} -m lossctl compute mse p.npy p.npy --reduction none -f csv"
    line = f"{command} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ["row,status,mse", "141"]
    assert done.stderr == ""


def test_small_output_into_a_pipe_nobody_reads(table: Path) -> None:
    line = f"{sys.executable} -m lossctl compute mse {table} -q | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", f"sleep 0.1; {line}"], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() in {"0", "141"}
    assert done.stderr == ""


def test_closed_stdout(table: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m lossctl compute mse {table} >&-"], capture_output=True, text=True
    )
    assert done.returncode == 4
    assert "standard output is closed" in done.stderr


def test_full_device(table: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*LOSSCTL, "compute", "mse", str(table)], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 4
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("sign", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals(tmp_path: Path, sign: signal.Signals, status: int) -> None:
    """A run that waits for input is stopped: the right status, no traceback."""
    command = [*LOSSCTL, "compute", "mse", "-"]
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)

    def heed() -> None:
        """A background job inherits that interrupts are ignored; a person's shell does not hand that on."""
        signal.signal(sign, signal.SIG_DFL)

    with subprocess.Popen(command, preexec_fn=heed, **pipes) as process:
        assert process.stdin is not None
        # More than a pipe holds: once this returns, lossctl is reading, and waits for more.
        process.stdin.write(b"y_true,y_pred\n" + b"1,2\n" * 100_000)
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(sign)
        out, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert out == b""
    assert b"Traceback" not in err


@pytest.mark.parametrize("value", ["3000", "1e9"])
def test_verdict(lossctl: Run, data: Path, value: str) -> None:
    done = lossctl("compute", "mse", data / "diabetes_ridge.csv", "--fail-above", value, "-q")
    beyond = float(value) < 3021
    assert done.returncode == int(beyond)
    assert ("FAIL mse" in done.stderr) == beyond
    assert "3021.47" in done.stdout


def test_any_group_beyond_the_bound_fails(lossctl: Run, data: Path) -> None:
    done = lossctl("compute", "mse", data / "diabetes_ridge.csv", "--by", "age_band", "--fail-above", "3200", "-q")
    assert done.returncode == 1
    assert "[age_band=40-54]" in done.stderr
    assert done.stderr.count("FAIL") == 1


def test_nan_fails_every_bound(lossctl: Run, tmp_path: Path) -> None:
    (tmp_path / "n.csv").write_text("y_true,y_pred\n1,\n")
    for option in ("--fail-above", "--fail-below"):
        done = lossctl("compute", "mse", "n.csv", "--nan", "propagate", option, "0", "-q")
        assert done.returncode == 1


def test_bound_needs_a_loss_where_there_are_several(lossctl: Run, table: Path) -> None:
    assert lossctl("compute", "mse,mae", table, "--fail-above", "1").returncode == 2
    assert lossctl("compute", "mse,mae", table, "--fail-above", "mae=1", "-q").returncode == 0
    assert lossctl("compute", "mse,mae", table, "--fail-below", "mae=1", "-q").returncode == 1


def strict(text: str) -> Any:
    def refuse(token: str) -> None:
        raise AssertionError(token)

    return json.loads(text, parse_constant=refuse)


def test_json_is_valid_and_the_same_every_time(lossctl: Run, data: Path) -> None:
    import jsonschema

    from lossctl.report.jsonout import schema

    arguments = (
        "compute",
        "mse,huber:delta=2",
        data / "diabetes_ridge.csv",
        "--by",
        "age_band",
        "-f",
        "json",
        "--stats",
    )
    first = lossctl(*arguments)
    again = lossctl(*arguments, "--chunk-rows", "7", env={**os.environ, "PYTHONHASHSEED": "5", "TZ": "Asia/Tokyo"})
    assert first.stdout == again.stdout
    jsonschema.validate(strict(first.stdout), schema("compute-1"))


def test_output_files(lossctl: Run, data: Path, tmp_path: Path) -> None:
    names = ("r.json", "r.jsonl", "r.csv", "r.md")
    done = lossctl("compute", "mae", data / "diabetes_ridge.csv", "-q", *(x for n in names for x in ("-o", n)))
    assert done.returncode == 0
    value = strict((tmp_path / "r.json").read_text())["results"][0]["value"]
    assert value == pytest.approx(44.5957957013575, rel=1e-12)
    assert strict((tmp_path / "r.jsonl").read_text())["value"] == value
    assert (tmp_path / "r.csv").read_text().splitlines()[1].endswith(repr(value))
    assert "44.5958" in (tmp_path / "r.md").read_text()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)


def test_an_output_is_never_an_input(lossctl: Run, table: Path) -> None:
    before = table.read_text()
    done = lossctl("compute", "mse", table, "-o", table)
    assert done.returncode == 2
    assert table.read_text() == before
    assert lossctl("compute", "mse", table, "-o", "report.xml").returncode == 2


def test_unwritable_output(lossctl: Run, table: Path) -> None:
    done = lossctl("compute", "mse", table, "-o", "no/such/folder/r.json")
    assert done.returncode == 4
    assert "no/such/folder/r.json" in done.stderr


def test_color(lossctl: Run, table: Path) -> None:
    def escapes(*options: str, **env: str) -> bool:
        done = lossctl("compute", "mse", table, "-f", "table", *options, env={**os.environ, "NO_COLOR": "", **env})
        assert done.returncode == 0, done.stderr
        return "\x1b[" in done.stdout

    assert not escapes()
    assert escapes("--color", "always")
    assert escapes(FORCE_COLOR="1")
    assert not escapes(FORCE_COLOR="1", NO_COLOR="1")
    assert not escapes("--color", "never", FORCE_COLOR="1")
    assert escapes("--color", "always", NO_COLOR="1")


def test_common_options_before_and_after(lossctl: Run, table: Path) -> None:
    assert lossctl("-q", "compute", "mse", table).stderr == ""
    assert lossctl("compute", "-q", "mse", table).stderr == ""
    verbose = lossctl("-v", "compute", "mse", table).stderr
    assert "3 rows in" in verbose


def test_text_from_data_is_inert(lossctl: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("y_true,y_pred,who\n1,2,[red]x[/red]\n1,3,\x1b[31mred\n")
    for form in ("table", "plain", "markdown"):
        out = lossctl("compute", "mse", "t.csv", "--by", "who", "--key", "who", "-f", form).stdout
        plain = out.replace("\\[", "[").replace("\\]", "]").replace("\\\\", "\\")  # Markdown guards brackets
        assert "[red]x[/red]" in plain
        assert "\x1b" not in out
        assert "\\x1b[31mred" in plain
