"""A command that runs for every loss, found by trying the sample data.

The first sample that a loss binds to and scores without a warning is its example; where none fits, one
NPY file for each role is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from lossctl.data.inputs import open_inputs
from lossctl.data.roles.binding import Request
from lossctl.data.source import Source
from lossctl.engine.options import Options
from lossctl.engine.run import run
from lossctl.errors import LossctlError, UsageError
from lossctl.model.batch import settle
from lossctl.model.call import LossCall
from lossctl.model.params import Value, value_text
from lossctl.model.registry import Entry
from lossctl.model.spec import Input

__all__ = ["example"]

ROOT = Path(__file__).parent.parent.parent
FOLDER = "sample_data"
SAMPLES = (
    ("diabetes_ridge.csv",),
    ("breast_cancer.parquet",),
    ("iris_probs.csv",),
    ("digits_ranking.csv",),
    ("digits_triplets.npz",),
    ("digits_logits.npy", "digits_labels.npy"),
    ("digits_boxes.csv",),
    ("digits_masks.npz",),
    ("digits_embeddings.npz",),
    ("diabetes_ridge_weights.npy",),
    ("lines.csv",),
    ("lines_ctc.npz",),
    ("lines_logprobs.jsonl",),
)
HARMLESS = {"weight-unused", "underflow"}
SENSIBLE = 1e6  # a larger value means that the data are of another kind: exp of a blood sugar


def example(entry: Entry) -> str:
    """``lossctl compute NAME [--PARAMETER VALUE] FILE...``."""
    given, names = next(ways(entry), (first_number(entry), None))
    own = [own_file(i) for i in own_inputs(entry)]
    files = [f"{FOLDER}/{name}" for name in names] if names else own
    options = [
        option if value is True else f"{option} {value_text(value)}"
        for option, value in ((entry.spec.params[key].option, value) for key, value in given.items())
    ]
    return " ".join(["lossctl compute", entry.name, *options, *files])


def ways(entry: Entry) -> Iterator[tuple[dict[str, Value], tuple[str, ...]]]:
    """Settings and samples that go together; for texts, which no array holds, also with one of the flags set."""
    settings = [first_number(entry)]
    if any(i.kind.name == "text" for i in entry.spec.inputs):
        settings += [{key: True} for key in entry.spec.kernel_params if entry.spec.params[key].default is False]
    for given in settings:
        for names in SAMPLES:
            if fits(entry, given, names):
                yield given, names


def own_inputs(entry: Entry) -> list[Input]:
    """The inputs that are needed; and the others as well, where the loss as it stands asks for them."""
    needed = [i for i in entry.spec.inputs if not i.optional]
    params = settle(entry, {})
    if len(needed) < len(entry.spec.inputs) and entry.spec.align is not None:
        try:
            entry.spec.align({i.role: np.ones((2, 2)) for i in needed}, params)
        except UsageError:
            return list(entry.spec.inputs)
        except Exception:  # shapes that these are not
            return needed
    return needed


def own_file(entry: Input) -> str:
    """A file for one input: an array, several by their names, or lines of text."""
    form = "txt" if entry.kind.name == "text" else "npz" if entry.kind.mapping else "npy"
    return f"{entry.role}.{form}"


def first_number(entry: Entry) -> dict[str, Value]:
    """The first parameter that is a number by default and acts whatever the others are, to show how it is set."""
    for key in entry.spec.kernel_params:
        param = entry.spec.params[key]
        number = isinstance(param.default, (int, float)) and not isinstance(param.default, bool)
        if number and param.default and param.when is None and key not in entry.fixed:
            return {key: param.default}
    return {}


def fits(entry: Entry, given: dict[str, Value], names: tuple[str, ...]) -> bool:
    """Whether the loss takes the files as they are, without a warning, and makes a sensible number of them."""
    call = LossCall(entry, given, settle(entry, given), of_set="@sample")  # so that numbers do not pass for text
    sources = list(opened(names))
    try:
        report = run([call], sources, Request(), Options(rows=0))
    except LossctlError:
        return False
    value = report.results[0].value
    good = value is not None and math.isfinite(value) and abs(value) < SENSIBLE
    return good and all(note.code in HARMLESS for note in report.warnings)


@cache
def opened(names: tuple[str, ...]) -> tuple[Source, ...]:
    return tuple(open_inputs([str(ROOT / FOLDER / name) for name in names], {})[0])
