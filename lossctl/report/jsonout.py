"""JSON, strict and the same on every run: the document ``lossctl.compute/1``, and JSON Lines."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from lossctl import __version__
from lossctl.engine.scores import Scores, best
from lossctl.report.records import places, records, sample_names, streams
from lossctl.report.text import chunked, nonfinite
from lossctl.spelling import inert_json

if TYPE_CHECKING:
    from lossctl.engine.result import InputInfo, Note, Report, Result, Samples
    from lossctl.engine.scores import FileReport
    from lossctl.errors import LossctlError

__all__ = ["document", "dumps", "error_members", "lines", "schema"]


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a document, by its name: ``lossctl.compute/1`` or ``compute-1``.

    A schema that refers to another one (``urn:lossctl:schema:compute:1``) brings it along, among its ``$defs``.
    """
    from pathlib import Path

    stem = name.removeprefix("lossctl.").replace("/", "-")
    path = Path(__file__).parent / "schemas" / f"{stem}.json"
    text = path.read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    for other in sorted(set(re.findall(r'"urn:lossctl:schema:([a-z]+:[0-9]+)#', text))):
        brought = other.replace(":", "-")
        found["$defs"][brought] = schema(brought)
    return found


def dumps(value: Any) -> str:
    """One line of strict JSON: readable letters, inert controls, ``null`` for what is not finite."""
    return inert_json(json.dumps(_strict(value), ensure_ascii=False, allow_nan=False))


def _strict(value: Any) -> Any:
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _strict(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_strict(inner) for inner in value]
    return value


def document(report: Report | Scores) -> Iterator[str]:
    """The whole report, one result and one sample on each line."""
    return chunked(_scores(report) if isinstance(report, Scores) else _document(report))


def _scores(scores: Scores) -> Iterator[str]:
    yield f'{{\n  "schema": "lossctl.score/1",\n  "lossctl": {dumps(__version__)},\n'
    yield from _listing("inputs", map(_file, scores.files))
    yield ",\n"
    results = (
        dumps({"input": file.name, **_result(result), "best": first})
        for file, marks in zip(scores.files, best(scores), strict=True)
        for result, first in zip(file.results, marks, strict=True)
    )
    yield from _listing("results", results)
    yield ",\n"
    yield from _listing("errors", (dumps({"input": name, **error_members(e)}) for name, e in scores.errors.items()))
    yield ",\n"
    said = (dumps({**_warning(note), "inputs": names}) for note, names in scores.warnings.items())
    yield from _listing("warnings", said)
    yield "\n}\n"


def _file(file: FileReport) -> str:
    """One row of the table: the files behind it, and what became of the rows."""
    report = file.report
    if report is None:
        return dumps({"input": file.name, "files": [], "rows": None, "partial": False})
    files = list(map(_input, report.inputs))
    return dumps({"input": file.name, "files": files, "rows": _rows(report), "partial": report.partial})


def _document(report: Report) -> Iterator[str]:
    yield f'{{\n  "schema": "lossctl.compute/1",\n  "lossctl": {dumps(__version__)},\n'
    yield from _listing("inputs", map(dumps, map(_input, report.inputs)))
    yield f',\n  "rows": {dumps(_rows(report))},\n  "partial": {dumps(report.partial)},\n'
    yield from _listing("results", map(dumps, map(_result, report.results)))
    if report.samples is not None:
        yield ",\n"
        yield from _listing("samples", _samples(report.samples))
    yield ",\n"
    yield from _listing("warnings", map(dumps, map(_warning, report.warnings)))
    yield "\n}\n"


def _listing(name: str, items: Iterable[str]) -> Iterator[str]:
    """A named array with one item on each line."""
    before = f'  "{name}": [\n    '
    empty = True
    for item in items:
        yield before + item
        before, empty = ",\n    ", False
    yield f'  "{name}": []' if empty else "\n  ]"


def _rows(report: Report) -> dict[str, Any]:
    return {"read": report.read, "scored": report.scored, "dropped": report.dropped}


def _input(source: InputInfo) -> dict[str, Any]:
    return {
        "name": source.name,
        "role": source.role,
        "format": source.format,
        "columns": {role: list(names) for role, names in source.columns.items()},
        "classes": None if source.classes is None else list(source.classes),
    }


def _result(result: Result) -> dict[str, Any]:
    return {
        "loss": result.loss,
        "label": result.label,
        "slice": result.slice,
        "params": {name: nonfinite(v) or v if isinstance(v, float) else v for name, v in result.params.items()},
        "resolved": result.resolved,
        "reduction": result.reduction,
        "group": result.group,
        "column": result.column,
        "class": result.of_class,
        "n": result.n,
        "n_elements": result.n_elements,
        "weight_sum": float(result.weight_sum),
        "value": result.value,
        "log_value": result.log_value,
        "nonfinite": nonfinite(result.value),
        "divisor": result.divisor,
        "sample_mean": result.sample_mean,
        "parts": result.parts or None,
        "like": result.like,
        "dropped": result.dropped,
        "stats": result.stats,
        "ci": None if result.ci is None else result.ci._asdict(),
        "signature": result.signature,
    }


def _warning(note: Note) -> dict[str, Any]:
    return {"code": note.code, "message": note.message}


def error_members(error: LossctlError) -> dict[str, Any]:
    """What a document says of an error."""
    return {
        "code": error.code,
        "exit": error.exit,
        "message": error.message,
        "file": error.file,
        "row": error.row,
        "column": error.column,
        "hint": error.hint,
    }


def _samples(samples: Samples, *, always_status: bool = False) -> Iterator[str]:
    """One object for each sample. Millions may come, so the keys are spelled once."""
    keys = [f"{dumps(name)}: " for name in sample_names(samples)]
    labels = [(f"{dumps(label)}: ", f"{dumps(f'{label}.nonfinite')}: ") for label in samples.labels]
    for sample in samples:
        members = [key + _place(place) for key, place in zip(keys, places(sample), strict=True)]
        if always_status or sample.status != "ok":
            members.append(f'"status": "{sample.status}"')
        for (label, note), value in zip(labels, sample.values, strict=True):
            if value is None:
                members.append(f"{label}null")
            elif math.isfinite(value):
                members.append(f"{label}{float(value)!r}")
            else:
                members.append(f'{label}null, {note}"{nonfinite(value)}"')
        members += [f"{dumps(n)}: {dumps(d)}" for n, d in zip(samples.detail_names, sample.details, strict=True)]
        yield "{" + ", ".join(members) + "}"


def _place(place: str | int | None) -> str:
    return str(place) if isinstance(place, int) else dumps(place)


def lines(report: Report | Scores) -> Iterator[str]:
    """One object on each line: a record for each reduced result, or for each sample."""
    samples = streams(report)
    objects = _records(report) if samples is None else _samples(samples, always_status=True)
    return chunked(item + "\n" for item in objects)


def _records(report: Report | Scores) -> Iterator[str]:
    names, rows = records(report)
    for row in rows:
        record = dict(zip(names, row, strict=True))
        value = record["value"]
        kind = nonfinite(value) if isinstance(value, float) else None
        yield dumps({**record, "nonfinite": kind} if kind else record)
