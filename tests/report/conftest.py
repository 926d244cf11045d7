"""Hand-made reports: small, and with every number chosen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from lossctl.engine.result import InputInfo, Note, Report, Result, Sample
from lossctl.report.render import render

STATS = {
    "sum": 250.0,
    "mean": 2.5,
    "std": 1.25,
    "min": 0.0625,
    "max": 97.5,
    "median": 2.25,
    "p90": 7.75,
    "p99": 31.5,
}


@dataclass
class ListSamples:
    """Samples in a list; counts how many were taken."""

    items: Sequence[Sample]
    labels: tuple[str, ...] = ("huber",)
    key_names: tuple[str, ...] = ()
    per: str = "row"
    order: str = "first"
    detail_names: tuple[str, ...] = ()
    total: int = 442
    taken: int = field(default=0, compare=False)

    def __iter__(self) -> Iterator[Sample]:
        for item in self.items:
            self.taken += 1
            yield item

    def __len__(self) -> int:
        return len(self.items)


def make_sample(row: int | None, *values: float | None, key: tuple[Any, ...] = (), status: str = "ok") -> Sample:
    return Sample(row, key, status, values)


def make_samples(*items: Sample, **changes: Any) -> ListSamples:
    return ListSamples(items, **changes)


def make_result(value: float | None = 0.137512, loss: str = "huber", **changes: Any) -> Result:
    fields: dict[str, Any] = {
        "loss": loss,
        "label": loss,
        "slice": "total",
        "params": {"delta": 1.0},
        "reduction": "mean",
        "value": value,
        "n": 442,
        "weight_sum": 442.0,
        "signature": f"{loss}:delta=1.0|red:mean|w:none|nan:error|n:442|v:0.1.0",
        "direction": "minimise",
        "unit": "target units",
        "per": "row",
        "divisor": 442.0,
        "dropped": {"nan": 0},
    }
    return Result(**{**fields, **changes})


def make_group(value: float | None, group: dict[str, str | None], **changes: Any) -> Result:
    return make_result(value, slice="group", group=group, **changes)


def make_report(*results: Result, samples: ListSamples | None = None, **changes: Any) -> Report:
    columns = {"pred": ["y_pred"], "target": ["y_true"]}
    fields: dict[str, Any] = {
        "inputs": [InputInfo("preds.csv", "table", "csv", columns)],
        "read": 442,
        "scored": 442,
        "dropped": {},
        "results": results or (make_result(),),
        "samples": samples,
        "warnings": [],
        "partial": False,
    }
    return Report(**{**fields, **changes})


@pytest.fixture
def make() -> SimpleNamespace:
    """Builders: ``make.report(make.result(...), samples=make.samples(make.sample(1, 0.5)))``."""
    return SimpleNamespace(
        group=make_group,
        note=Note,
        input=InputInfo,
        report=make_report,
        result=make_result,
        sample=make_sample,
        samples=make_samples,
        stats=dict(STATS),
    )


@pytest.fixture
def text() -> Callable[..., str]:
    """The whole of ``render`` in one string."""

    def whole(report: Report, format: str, **options: Any) -> str:
        return "".join(render(report, format, **options))

    return whole


@pytest.fixture
def rich_report(make: SimpleNamespace) -> Report:
    """Several losses, statistics, samples of mixed sizes, dropped rows."""
    values = [(20.8199, 1880.16), (2064.0, 2.10827), (0.826966, 1.23457e8), (None, None), (1e-12, math.inf)]
    samples = make.samples(
        *(make.sample(i, *pair, status="nan" if pair[0] is None else "ok") for i, pair in enumerate(values, 1)),
        labels=("mse", "huber:delta=0.5"),
    )
    histogram = (9, 8, 5, 0, 2, 1)
    return make.report(
        make.result(3063.218231, "mse", unit="squared target units", stats=make.stats, histogram=histogram),
        make.result(43.6251, "huber", label="huber:delta=0.5", stats=make.stats, histogram=histogram, n=123456),
        samples=samples,
        scored=432,
        dropped={"nan": 9, "ignored": 1, "unmatched": 0},
    )
