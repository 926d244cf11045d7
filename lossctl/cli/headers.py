"""Names of columns from the beginning of a file, for completion: no NumPy, no Arrow where it can be helped."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from typing import IO, Any

__all__ = ["column_names"]

LENGTH = 1 << 20  # of a header


def column_names(path: str, **reader: Any) -> list[str]:
    """The columns of a file in their order; none if it cannot be read, for nobody is there to be told.

    ``reader`` are the options of ``open_source``. Pipes and devices are left alone.
    """
    path = os.path.expanduser(path)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return []
        stem, extension = os.path.splitext(path.lower())
        kind = reader.get("input_format") or (os.path.splitext(stem)[1] if extension == ".gz" else extension)[1:]
        quick = QUICK.get(kind)
        if quick is None:
            from lossctl.data.formats import open_source

            return [column.name for column in open_source(path, **reader).columns]
        with open(path, "rb") as file:
            return list(quick(unpacked(file) if extension == ".gz" else file, kind, reader))
    except Exception:  # a half-typed command line is no place for complaints
        return []


def unpacked(file: IO[bytes]) -> IO[bytes]:
    import gzip

    plain: Any = gzip.GzipFile(fileobj=file)
    return plain  # type: ignore[no-any-return]


def table(file: IO[bytes], kind: str, reader: dict[str, Any]) -> Iterator[str]:
    """The first row that is not blank; without a header the numbers of its cells."""
    import csv
    import io

    delimiter = reader.get("delimiter") or ("\t" if kind == "tsv" else ",")
    delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    text = file.read(LENGTH).decode("utf-8-sig", "replace")
    row = next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row), [])
    if reader.get("no_header"):
        yield from (str(place) for place in range(1, len(row) + 1))
    else:
        yield from (cell for cell in row if cell.strip() and "\ufffd" not in cell)


def objects(file: IO[bytes], kind: str, reader: dict[str, Any]) -> Iterator[str]:
    """Keys of the first object, those of objects within it behind dots."""
    import json

    line = next((line for line in iter(lambda: file.readline(LENGTH), b"") if line.strip()), b"{}")
    yield from paths(json.loads(line.decode("utf-8-sig")), "")


def paths(value: dict[str, Any], before: str) -> Iterator[str]:
    """Keys, those within objects and within lists of objects too."""
    for key, inner in value.items():
        parts = inner if isinstance(inner, list) else [inner]
        if not parts or not all(isinstance(part, dict) for part in parts):
            yield before + key
            continue
        for place, part in enumerate(parts):
            yield from paths(part, f"{before}{key}.{place}." if parts is inner else f"{before}{key}.")


def archive(file: IO[bytes], kind: str, reader: dict[str, Any]) -> Iterator[str]:
    """Names of the arrays."""
    import zipfile

    with zipfile.ZipFile(file) as members:
        yield from (name.removesuffix(".npy") for name in members.namelist() if name.endswith(".npy"))


QUICK: dict[str, Callable[[IO[bytes], str, dict[str, Any]], Iterator[str]]] = {
    "csv": table,
    "tsv": table,
    "jsonl": objects,
    "ndjson": objects,
    "npz": archive,
}
