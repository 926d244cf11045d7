"""Preferences from tables: which columns are found, and what is refused with a way out."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import lossctl
import lossctl.losses
from lossctl.errors import DataError, UsageError

FOUR = {"policy_chosen": [-10.0, -8.0], "policy_rejected": [-12.0, -9.0]}
FOUR |= {"ref_chosen": [-11.0, -8.0], "ref_rejected": [-11.5, -10.0]}
LENGTHS = {"chosen_length": [5.0, 4.0], "rejected_length": [6.0, 7.0]}


def written(path: Path, columns: dict[str, list[object]]) -> Path:
    rows = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join([",".join(columns), *rows]) + "\n")
    return path


def test_the_columns_are_named_as_the_inputs(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", {"prompt_id": [1, 2], **FOUR})
    assert lossctl.compute("dpo", path).value == lossctl.compute("dpo", *FOUR.values()).value
    several = lossctl.compute("dpo,dpo-hinge,simpo,orpo", path)
    assert [r.n for r in several.results] == [2, 2, 2, 2]


def test_lengths_are_needed_where_they_divide(tmp_path: Path) -> None:
    path = written(tmp_path / "p.csv", dict(FOUR))
    for way in (lambda: lossctl.compute("ipo", path), lambda: lossctl.losses.ipo(*FOUR.values())):
        with pytest.raises(UsageError) as caught:
            way()
        assert (caught.value.code, caught.value.exit) == ("no-lengths", 2)
        assert "--no-length-normalize" in str(caught.value.hint)
    assert lossctl.compute("ipo", path, length_normalize=False).value > 0
    beside = written(tmp_path / "l.csv", {**FOUR, **LENGTHS})
    by_hand = [(1 / 5 + 0.5 / 6 - 5) ** 2, (0 - 1 / 7 - 5) ** 2]
    assert lossctl.compute("ipo", beside).value == pytest.approx(sum(by_hand) / 2, rel=1e-14)
    for bad in (0.0, 2.5, -3.0):
        with pytest.raises(DataError) as caught_data:
            lossctl.losses.ipo(*FOUR.values(), chosen_length=[5.0, bad], rejected_length=[6.0, 7.0])
        assert caught_data.value.code == "not-a-length"


@pytest.mark.parametrize("names", [("ref", "label"), ("reference", "label"), ("ref", "desirable"), ("ref", "target")])
def test_kto_finds_its_reference_and_its_labels(tmp_path: Path, names: tuple[str, str]) -> None:
    columns = {"policy": [-10.0, -12.0], names[0]: [-11.0, -11.5], names[1]: [1, 0]}
    found = lossctl.compute("kto", written(tmp_path / "k.csv", columns))
    assert found.value == lossctl.compute("kto", *columns.values()).value


def test_what_a_model_rules_out() -> None:
    """One log-probability of -inf has its value; two that meet have none."""
    assert lossctl.losses.dpo([-5.0], [-math.inf], [-5.0], [-5.0])[0] == 0.0
    assert lossctl.losses.dpo([-math.inf], [-5.0], [-5.0], [-5.0])[0] == math.inf
    nothing = [-math.inf]
    for loss, inputs in (
        ("dpo", (nothing, nothing, [-5.0], [-5.0])),
        ("ipo", (nothing, [-5.0], nothing, [-5.0], [3.0], [3.0])),
        ("dpo-hinge", (nothing, [-5.0], nothing, [-5.0])),
        ("simpo", (nothing, nothing)),
        ("orpo", ([0.0], [0.0])),
        ("kto", (nothing, nothing, [1.0])),
    ):
        with pytest.raises(DataError) as caught:
            lossctl.compute(loss, *inputs)
        assert (caught.value.code, caught.value.row) == ("no-ratio", 1)


def test_probabilities_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        lossctl.compute("dpo", *np.exp(list(FOUR.values())))
    assert caught.value.code == "positive-log-prob"
    rounded = lossctl.compute("orpo", [1e-7], [-1.0]).value  # what float32 sums leave
    assert rounded == 0.0
