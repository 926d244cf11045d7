"""Which reader for which file: by ``--input-format``, by extension, by the first bytes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from lossctl.errors import DataError, UsageError

if TYPE_CHECKING:
    from lossctl.data.opening import Input
    from lossctl.data.source import Source

__all__ = ["FORMATS", "format_named", "open_source"]

FORMATS = ("csv", "tsv", "text", "lines", "kaldi", "trn", "jsonl", "parquet", "arrow", "npy", "npz")

_TEXT = ("csv", "tsv", "text", "lines", "kaldi", "trn", "jsonl")
_PROSE = ("txt", "ref", "hyp")  # lines, where a loss compares text
_JSONL, _ARROW = ("jsonl", "ndjson", "json"), ("arrow", "feather", "ipc", "arrows")
# Other extensions, which --input-format takes as well.
_NAMES = {"txt": "text", **dict.fromkeys(_JSONL, "jsonl"), **dict.fromkeys(_ARROW, "arrow")}
_MAGIC = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"\xff\xff\xff\xff": "arrow",  # a stream of record batches
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "npz",
    b"PK\x05\x06": "npz",
}
_JSON = re.compile(rb'(\xef\xbb\xbf)?\s*(\{\s*"|\[\s*\{)')
_STRANGERS = {  # first bytes of what is told from its extension otherwise
    b"\x89HDF\r\n\x1a\n": ".h5",
    b"\x80\x02": ".pkl",
    b"\x80\x03": ".pkl",
    b"\x80\x04\x95": ".pkl",
    b"\x80\x05\x95": ".pkl",
}

_TORCH = "import numpy, torch; numpy.save('{new}.npy', torch.load('{old}', weights_only=True).numpy())"
_PICKLE = "import pandas; pandas.read_pickle('{old}').to_parquet('{new}.parquet')"
_HDF5 = "import h5py, numpy; numpy.savez('{new}.npz', **{{k: v[()] for k, v in h5py.File('{old}').items()}})"
_FEATHER = "import pyarrow.feather; pyarrow.feather.read_feather('{old}').to_parquet('{new}.parquet')"
_REFUSED = {
    ".pt": ("PyTorch files", _TORCH),
    ".pth": ("PyTorch files", _TORCH),
    ".pkl": ("pickles, which can run code,", _PICKLE),
    ".pickle": ("pickles, which can run code,", _PICKLE),
    ".joblib": (
        "joblib files, which can run code,",
        "import joblib, numpy; numpy.save('{new}.npy', joblib.load('{old}'))",
    ),
    ".h5": ("HDF5 files", _HDF5),
    ".hdf5": ("HDF5 files", _HDF5),
    ".safetensors": (
        "safetensors files",
        "import numpy, safetensors.numpy as s; numpy.savez('{new}.npz', **s.load_file('{old}'))",
    ),
    "FEA1": ("Feather files of version 1", _FEATHER),
    ".xlsx": ("Excel files", "import pandas; pandas.read_excel('{old}').to_csv('{new}.csv', index=False)"),
}


def open_source(
    path: str | os.PathLike[str],
    *,
    input_format: str | None = None,
    delimiter: str | None = None,
    no_header: bool = False,
    null_values: Sequence[str] | None = None,
    stdin: IO[bytes] | None = None,
    prose: bool = False,
    endpoint_url: str | None = None,
) -> Source:
    """The source behind a path; ``-`` is stdin, CSV unless ``input_format`` or its bytes say otherwise.

    ``delimiter`` and ``no_header`` are for CSV, TSV and text, ``null_values`` for JSONL as well. With ``prose``
    each line of a file is a row of text, unless its name, its bytes or an option tell of a table. The path may be a
    URI; ``endpoint_url`` is where an S3 server listens that is not Amazon's. Raises
    ``UsageError`` for an unknown format; ``DataError``: ``not-found``, ``is-a-directory``, ``unreadable``, ``empty``,
    ``unsupported-format``, ``wrong-format``, and what the reader of that format raises.
    """
    if input_format is not None:
        input_format = _NAMES.get(input_format, input_format)
    if input_format is not None and input_format not in FORMATS:
        known = ", ".join(FORMATS)
        raise UsageError(f"--input-format {input_format}: unknown format", hint=f"one of {known}")
    from lossctl.data.opening import Input

    data = Input(path, stdin, endpoint_url)
    if input_format is None and data.suffix in _REFUSED:
        raise _refusal(data, data.suffix)
    head = data.head()
    if not head:
        raise DataError(f"{data.name} is empty", code="empty", file=data.name)
    if head.startswith(b"FEA1"):
        raise _refusal(data, "FEA1")
    kind = input_format or _kind(data, head, prose=prose and delimiter is None and not no_header)

    if kind == "npy":
        from lossctl.data.arrays.npy import NpySource

        return NpySource(data)
    if kind == "npz":
        from lossctl.data.arrays.npz import NpzSource

        return NpzSource(data)
    if kind == "parquet":
        from lossctl.data.arrow.parquet import ParquetSource

        return ParquetSource(data)
    if kind == "arrow":
        from lossctl.data.arrow.ipc import IpcSource

        return IpcSource(data)
    if kind == "jsonl":
        from lossctl.data.json.source import JsonlSource

        return JsonlSource(data, null_values=null_values or ())
    if kind == "lines":
        from lossctl.data.text.lines import LinesSource

        return LinesSource(data)
    if kind in {"kaldi", "trn"}:
        from lossctl.data.text.transcripts import KaldiSource, TrnSource

        return KaldiSource(data) if kind == "kaldi" else TrnSource(data)
    if kind == "text":
        from lossctl.data.text.bare import text_source

        return text_source(data, delimiter=delimiter, no_header=no_header, null_values=null_values or ())
    from lossctl.data.text.csv import CsvSource

    return CsvSource(data, format=kind, delimiter=delimiter, no_header=no_header, null_values=null_values or ())


def format_named(path: str, *, prose: bool) -> tuple[str, bool]:
    """The format that the extension of a path names, or the extension itself, and whether it names one."""
    from lossctl.data.opening import extension

    word = extension(path)[1:]
    named = "lines" if prose and word in _PROSE else _NAMES.get(word, word)
    return named, named in FORMATS


def _kind(data: Input, head: bytes, *, prose: bool) -> str:
    """The format by extension, which the first bytes must not contradict, or by the first bytes alone.

    ``.txt`` is numbers, and with ``prose`` lines of text; so is then what nothing else can be told of.
    """
    word, known = format_named(data.name, prose=prose)
    named = word if known else None
    for magic, suffix in _STRANGERS.items():
        if head.startswith(magic) and named in (None, *_TEXT):
            raise _refusal(data, suffix)
    held = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)
    if named in _TEXT and held:
        message = f"the name says {named}, but this is {'an' if held == 'arrow' else 'a'} {held} file"
        raise DataError(message, code="wrong-format", file=data.name, hint=f"--input-format {held}")
    if named or held:
        return named or str(held)
    return "jsonl" if _JSON.match(head) else "lines" if prose else "csv"


def _refusal(data: Input, suffix: str) -> DataError:
    what, line = _REFUSED[suffix]
    plain = re.fullmatch(r"[\w./+-]+", data.name, re.ASCII)
    old = data.name if plain else "FILE"
    code = line.format(old=old, new=os.path.splitext(old)[0])
    message = f"{what} are not supported"
    return DataError(message, code="unsupported-format", file=data.name, hint=f'python -c "{code}"')
