"""Draw table.svg, the picture in the project's README: a real run on the data beside this script.

pip install . && python sample_data/picture.py
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

HERE = Path(__file__).parent
CALL = "compute mae,huber:delta=10 --by age_band --worst 4 --key patient_id --stats diabetes_ridge.csv"
CELL = 12.2  # width of a character in the picture


def main() -> None:
    """Run the command with colours and set its output as vector text."""
    command = [sys.executable, "-m", "lossctl", *CALL.split(), "-q", "-f", "table", "--color", "always"]
    shown = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=True).stdout
    width = max(len(Text.from_ansi(line)) for line in shown.splitlines())
    console = Console(record=True, width=width, file=open("/dev/null", "w"), force_terminal=True)  # noqa: SIM115
    console.print(Text(f"$ lossctl {CALL}", style="bold"), "", Text.from_ansi(shown), sep="\n")
    svg = console.export_svg(title="lossctl", theme=MONOKAI, unique_id="lossctl")
    # The fonts are the reader's own: nothing is fetched from elsewhere.
    svg = re.sub(r"@font-face \{.*?\}\s*|<!-- .*? -->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"([^>]*)>((?:&#160;)+)', unindented, svg)
    (HERE / "table.svg").write_text(svg, encoding="utf-8")


def unindented(match: re.Match[str]) -> str:
    """Leading blanks as a shift to the right: some viewers drop them."""
    x, y, length = (float(match[i]) for i in (1, 2, 3))
    shift = CELL * match[5].count("&#160;")
    return f'x="{x + shift:.1f}" y="{y:g}" textLength="{length - shift:.1f}"{match[4]}>'


if __name__ == "__main__":
    main()
