"""What a golden case is, and how it is stored. Only the standard library: tests read it without the others."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

VALUES = Path(__file__).with_name("values")
SPECIAL = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


@dataclass(frozen=True)
class Oracle:
    """Where a number comes from: a library, and the expression that is evaluated there."""

    library: str
    call: str


@dataclass(frozen=True)
class Reduced:
    """One reduced value. ``options`` are lossctl's; ``weight`` names the weights among the inputs."""

    oracle: Oracle
    options: Mapping[str, Any] = field(default_factory=dict)
    value: float | None = None


@dataclass(frozen=True)
class Case:
    """A loss with parameters over some inputs: its values by row (where it has any), and reduced."""

    loss: str
    data: str
    params: Mapping[str, Any]
    rows: Oracle | None
    reduced: tuple[Reduced, ...]
    values: tuple[float, ...] | None = None

    @property
    def name(self) -> str:
        said = [f"{key}={value}" for key, value in self.params.items()]
        return "/".join([self.loss, self.data, *said])


@dataclass(frozen=True)
class Suit:
    """Inputs and parameters that suit a line of the registry; ``options`` where lossctl needs them for its number.

    ``differs``: here the two numbers are not the same, and the line's note must say why.
    """

    data: str
    params: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    differs: bool = False


@dataclass(frozen=True)
class Same:
    """A line of the registry ("the same number elsewhere"), run, and the lossctl call that gives that number.

    ``differs``: the lossctl call gives another number, for the reason that the line's note states.
    """

    loss: str
    library: str
    call: str
    data: str
    params: Mapping[str, Any]
    options: Mapping[str, Any]
    value: float
    differs: bool


@dataclass(frozen=True)
class Golden:
    """Everything in values/, or what one family has there."""

    versions: Mapping[str, str]
    data: Mapping[str, Mapping[str, Any]]
    cases: tuple[Case, ...]
    equivalents: tuple[Same, ...]


def load(folder: Path = VALUES) -> Golden:
    """All families in one."""
    parts = [_read(path) for path in sorted(folder.glob("*.json"))]
    versions: dict[str, str] = {}
    for part in parts:
        for name, number in part.versions.items():
            if versions.setdefault(name, number) != number:
                raise ValueError(f"{name} {number} and {versions[name]}: generate all families with one environment")
    data: dict[str, Mapping[str, Any]] = {}
    for part in parts:
        for name, arrays in part.data.items():
            if data.setdefault(name, arrays) != arrays and repr(data[name]) != repr(arrays):
                raise ValueError(f"inputs {name}: two families have different ones")
    return Golden(
        versions,
        data,
        tuple(case for part in parts for case in part.cases),
        tuple(line for part in parts for line in part.equivalents),
    )


def _read(path: Path) -> Golden:
    stored = _decoded(json.loads(path.read_text(encoding="utf-8")))
    cases = tuple(_case(entry) for entry in stored["cases"])
    return Golden(stored["versions"], stored["data"], cases, tuple(Same(**entry) for entry in stored["equivalents"]))


def _case(entry: dict[str, Any]) -> Case:
    rows = None if entry["rows"] is None else Oracle(**entry["rows"])
    reduced = tuple(Reduced(Oracle(**r["oracle"]), r["options"], r["value"]) for r in entry["reduced"])
    values = None if entry["values"] is None else tuple(entry["values"])
    return Case(entry["loss"], entry["data"], entry["params"], rows, reduced, values)


def save(golden: Golden, path: Path) -> None:
    """Strict JSON, one case a line, floats in their shortest form."""
    parts = asdict(golden)
    lines = [f'"versions": {_text(parts["versions"])}']
    data = ",\n".join(f"{_text(name)}: {_text(arrays)}" for name, arrays in parts["data"].items())
    lines.append(f'"data": {{\n{data}\n}}')
    for name in ("cases", "equivalents"):
        entries = ",\n".join(_text(entry) for entry in parts[name])
        lines.append(f'"{name}": [\n{entries}\n]')
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _text(value: Any) -> str:
    return json.dumps(_encoded(value), allow_nan=False)


def _encoded(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {key: _encoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encoded(item) for item in value]
    return value


def _decoded(value: Any) -> Any:
    if isinstance(value, str):
        return SPECIAL.get(value, value)
    if isinstance(value, dict):
        return {key: _decoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    return value
