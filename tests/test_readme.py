"""Every command that README shows runs, and its claims hold."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if "lossctl" in line and "pip install" not in line]


def test_two_set_up_blocks() -> None:
    ups = [block for block in BLOCKS if "venv" in block]
    assert len(ups) == 2
    assert "lossctl compute huber" in ups[0]
    assert ups[1].strip().endswith("pytest -n auto")


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(command: str, tmp_path: Path) -> None:
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    program = f"{shlex.quote(sys.executable)} -m lossctl "
    line = re.sub(r"(^|\| )lossctl ", lambda m: m[1] + program, command)
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {line}"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "Traceback" not in done.stderr


def test_python_block(tmp_path: Path) -> None:
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    (block,) = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
    checked = 0
    lines = []
    for line in block.splitlines():
        code, mark, said = line.partition("  # ")
        lines.append(f"assert repr({code}) == {said.strip()!r}, repr({code})" if mark else line)
        checked += bool(mark)
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert checked == 2


def test_as_many_losses_as_it_says() -> None:
    from lossctl import index

    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"lossctl knows {len(index.names())} losses" in README
    assert f"- {len(index.names())} losses with" in changes


def test_columns_table_is_true() -> None:
    """The names that README promises are found."""
    from lossctl.data.roles import columns

    (table,) = re.findall(r"\| role \| found under the names \|\n\|.*?\n(.*?)\n\n", README, flags=re.DOTALL)
    rows = dict(line.strip("| ").split(" | ", 1) for line in table.splitlines())
    for role, ranks in (("target", columns.TARGET), ("pred", columns.PRED), ("one positive score", columns.SCORE)):
        names = {columns.plain(name) for name in re.findall(r"`([^`]+)`", rows[role])}
        assert names <= {name for rank in ranks for name in rank}
    prefixes = re.findall(r"`([^`]+_)<c>`", rows["class scores"])
    assert set(prefixes) == set(columns.PREFIXES)


def test_exit_codes_are_true() -> None:
    from lossctl import errors

    codes = re.findall(r"^\| ([\d, ]+) \|", README, flags=re.MULTILINE)
    said = {int(code) for cell in codes for code in cell.split(",")}
    kinds = {errors.UsageError.exit, errors.DataError.exit, errors.OutputError.exit}
    assert said == kinds | {0, 1, 143, errors.BUG, errors.INTERRUPTED, errors.CLOSED_PIPE}
