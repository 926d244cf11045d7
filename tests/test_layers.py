"""Who may import whom, read off the source: also imports inside functions and those only for types."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "lossctl"
FILES = sorted(PACKAGE.rglob("*.py"))

# Bottom to top: a room may import itself and what stands below it. Rooms of one floor never meet.
FLOORS = (
    {"errors", "_index", "lossctl", "spelling"},  # lossctl itself: __version__
    {"index", "atomic"},
    {"exact", "scratch"},
    {"numerics", "sums", "vectors"},
    {"gaps", "quantiles", "sequences", "tiles"},
    {"model"},
    {"losses", "data"},
    {"engine"},
    {"report", "api"},
    {"cli"},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
LIBRARIES = {
    "click": ("cli/",),
    "rich": ("report/table.py", "report/progress.py"),
    "pyarrow": ("data/", "sequences/"),
    "pandas": ("engine/result.py", "engine/scores.py"),
    "scipy": ("gaps.py", "losses/distribution/crps.py", "losses/segmentation/shapes.py"),
    "rapidfuzz": ("sequences/",),
    "dask": ("engine/cluster/",),
    "distributed": ("engine/cluster/",),
    "fsspec": ("data/stores/",),
    "aiohttp": ("data/stores/",),
    "huggingface_hub": ("data/stores/",),
}
# The packages that hand on what stands above them, when it is asked for.
HANDED_ON = {"__init__.py": {"api", "index"}, "__main__.py": {"cli"}}


def place(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def imports(source: str) -> Iterator[tuple[str, str | None, bool]]:
    """(module, name, at the top) of every import statement; names of ``from lossctl import x`` one by one."""
    tree = ast.parse(source)
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None, id(node) not in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide who is meant"
            yield from ((node.module or "", alias.name, id(node) not in inside) for alias in node.names)


def room(module: str, name: str | None) -> str:
    """The room an import of lossctl enters."""
    parts = module.split(".")
    if len(parts) > 1:
        return parts[1]
    return name if name in FLOOR else "lossctl"


def trespasses(file: str, source: str) -> list[str]:
    found = []
    mine = file.split("/")[0].removesuffix(".py")
    for module, name, top in imports(source):
        library = module.split(".")[0]
        if library == "lossctl":
            theirs = room(module, name)
            handed_on = theirs in HANDED_ON.get(file, set())
            below = mine not in {"__init__", "__main__"} and FLOOR[theirs] < FLOOR[mine]
            if not (theirs == mine or below or handed_on):
                found.append(f"{file}: {mine} imports {theirs}")
        elif library in LIBRARIES and not any(file.startswith(home) for home in LIBRARIES[library]):
            found.append(f"{file} imports {library}")
        elif library == "pandas" and top:
            found.append(f"{file} imports pandas before anyone asks")
    return found


@pytest.mark.parametrize("file", FILES, ids=place)
def test_nobody_looks_up(file):
    assert trespasses(place(file), file.read_text(encoding="utf-8")) == []


def test_every_room_has_a_floor():
    rooms = {place(file).split("/")[0].removesuffix(".py") for file in FILES} - {"__init__", "__main__"}
    assert rooms <= set(FLOOR)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("model/kinds.py", "from lossctl.data.roles.bind import bind"),
        ("losses/margin/binary.py", "import lossctl.data.text.csv"),
        ("data/roles/bind.py", "from lossctl.losses import huber"),
        ("sums.py", "from lossctl import numerics"),
        ("errors.py", "from lossctl import index"),
        ("engine/run.py", "def f():\n    from lossctl.report.render import render"),
        ("report/table.py", "from lossctl import cli"),
        ("api.py", "from lossctl.cli.main import main"),
        ("engine/run.py", "import click"),
        ("report/layout.py", "def f():\n    from rich.text import Text"),
        ("engine/run.py", "import pyarrow.csv"),
        ("engine/result.py", "import pandas as pd"),
        ("cli/run.py", "def f():\n    import pandas"),
    ],
)
def test_trespassers_are_seen(file, line):
    assert trespasses(file, line)
