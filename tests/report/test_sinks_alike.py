"""Files of per-sample values read as what ``--reduction none`` prints, to the byte."""

import math

import numpy as np
import pytest

from lossctl.data.sinks.sink import SinkColumn, open_sink

VALUES = (
    0.0,
    -0.0,
    1.0,
    0.1,
    1e-5,
    1.5e-7,
    123456789.125,
    1e15,
    1.5e15,
    1e16,
    5e-324,
    math.nan,
    math.inf,
    -math.inf,
    None,
)
NAMES = (
    "ok",
    "",
    None,
    "a,b",
    'say "hi"',
    "line\nbreak",
    "=1+1",
    "-",
    "\x1b[2J",
    "\x85\u2028\u202e",
    "\u00fc\N{PEACH}",
    "\udcff",
)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.parametrize("safe", [False, True])
@pytest.mark.parametrize("keyed", [False, True])
def test_both_ways_give_the_same_bytes(tmp_path, make, text, form, safe, keyed) -> None:
    n = max(len(VALUES), len(NAMES))
    values = [VALUES[i % len(VALUES)] for i in range(n)]
    names = [NAMES[i % len(NAMES)] for i in range(n)]
    samples = [
        make.sample(i + 1, value, status="nan" if value is None else "ok", key=(name,) if keyed else ())
        for i, (name, value) in enumerate(zip(names, values, strict=True))
    ]
    report = make.report(
        make.result(None, reduction="none"), samples=make.samples(*samples, key_names=("@id",) if keyed else ())
    )
    missing = np.array([value is None for value in values])
    words = [name for name in names if name is not None]
    keys = np.array([-1 if name is None else words.index(name) for name in names])
    place = (keys, words) if keyed else np.arange(n) + 1
    columns = [SinkColumn("@id", "text") if keyed else SinkColumn("row", "int")]
    columns += [SinkColumn("status", "text"), SinkColumn("huber", "float")]
    path = tmp_path / f"a.{form}"
    with open_sink(path, columns, csv_safe=safe) as sink:
        floats = np.array([0.0 if value is None else value for value in values])
        sink.write([place, (missing.astype(np.int64), ["ok", "nan"]), (floats, missing)])
        sink.commit()
    shown = text(report, form, csv_safe=True) if safe else text(report, form)
    assert path.read_bytes() == shown.encode("utf-8", "backslashreplace")
