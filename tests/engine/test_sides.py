"""Sides of different lengths: files, arrays, cells that end early; what is missing, and what has no rows to go by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lossctl
import lossctl.losses
from lossctl.errors import DataError, UsageError

REAL = [2.0, -0.5, 1.25]
FAKE = [-1.0, 0.3, 0.7, -2.0, 0.1]
VALUE = lossctl.losses.wgan(REAL, FAKE)


def table(real: list[float | None], fake: list[float | None], **more: list[Any]) -> pa.Table:
    rows = max(len(real), len(fake))
    sides = {name: values + [None] * (rows - len(values)) for name, values in (("real", real), ("fake", fake))}
    return pa.table({**{n: pa.array(v, pa.float64()) for n, v in sides.items()}, **more})


def written(folder: Path, kind: str) -> list[Path]:
    if kind == "npy":
        for name, values in (("r", REAL), ("f", FAKE)):
            np.save(folder / f"{name}.npy", values)
        return [folder / "r.npy", folder / "f.npy"]
    if kind == "npz":
        np.savez(folder / "s.npz", fake=FAKE, real=REAL)
        return [folder / "s.npz"]
    if kind == "parquet":
        pq.write_table(table(REAL, FAKE), folder / "s.parquet", row_group_size=2)
        return [folder / "s.parquet"]
    if kind == "jsonl":
        lines = [f'{{"real": {r}, "fake": {f}}}' for r, f in zip([*REAL, "null", "null"], FAKE, strict=True)]
        (folder / "s.jsonl").write_text("\n".join(lines))
        return [folder / "s.jsonl"]
    if kind == "two csv":
        (folder / "r.csv").write_text("id,score\n" + "".join(f"{n},{v}\n" for n, v in enumerate(REAL)))
        (folder / "f.csv").write_text("id,score\n" + "".join(f"{n},{v}\n" for n, v in enumerate(FAKE)))
        return [folder / "r.csv", folder / "f.csv"]
    lines = [f"{r},{f}\n" for r, f in zip([*REAL, "", ""], FAKE, strict=True)]
    (folder / "s.csv").write_text("real,fake\n" + "".join(lines))
    return [folder / "s.csv"]


def test_the_function_takes_lists_of_any_length() -> None:
    assert pytest.approx(np.mean(FAKE) - np.mean(REAL), rel=1e-15) == VALUE
    assert lossctl.losses.wgan(FAKE, REAL) == -VALUE
    assert lossctl.compute("wgan", REAL, FAKE).value == VALUE


@pytest.mark.parametrize("kind", ["npy", "npz", "parquet", "jsonl", "two csv", "csv"])
@pytest.mark.parametrize(("rows", "threads"), [(1, 2), (2, 1), (4, 3), (None, 2)])
def test_files_of_every_kind(tmp_path: Path, kind: str, rows: int | None, threads: int) -> None:
    found = lossctl.compute("wgan", *written(tmp_path, kind), chunk_rows=rows, threads=threads)
    (result,) = found.results
    assert found.value == VALUE
    assert result.n == found.report.read == 5
    assert result.parts == {"real": -np.mean(REAL), "fake": np.mean(FAKE), "n_real": 3.0, "n_fake": 5.0}


def test_the_generator_needs_no_real_samples(tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", FAKE)
    expected = -np.mean(FAKE)
    assert lossctl.losses.wgan(FAKE, side="g") == expected
    assert lossctl.losses.wgan(fake=FAKE, side="g") == expected
    assert lossctl.losses.wgan(REAL, FAKE, side="g") == expected
    assert lossctl.compute("wgan", FAKE, side="g").value == expected
    assert lossctl.compute("wgan", tmp_path / "f.npy", side="g").value == expected
    for call in (lambda: lossctl.losses.wgan(FAKE), lambda: lossctl.compute("wgan", tmp_path / "f.npy")):
        with pytest.raises(UsageError) as caught:
            call()
        assert "--side g" in str(caught.value.hint)


def holed(folder: Path, real: list[float | None]) -> Path:
    path = folder / "h.parquet"
    pq.write_table(table(real, FAKE), path)
    return path


@pytest.mark.parametrize("rows", [1, 2, None])
def test_a_gap_between_values_is_missing(tmp_path: Path, rows: int | None) -> None:
    path = holed(tmp_path, [2.0, None, -0.5, None, 1.25])
    with pytest.raises(DataError) as caught:
        lossctl.compute("wgan", path, chunk_rows=rows)
    error = caught.value
    assert (error.code, error.column, error.row) == ("nan", "real", 2)
    assert "row 3" in error.message
    assert np.isnan(lossctl.compute("wgan", path, chunk_rows=rows, nan="propagate").value)
    skipped = lossctl.compute("wgan", path, chunk_rows=rows, nan="skip")
    assert skipped.value == VALUE
    assert [note.message for note in skipped.report.warnings] == ["real: missing values left out: 2"]


@pytest.mark.parametrize("rows", [1, 2, None])
def test_the_end_of_a_side_is_not_missing(tmp_path: Path, rows: int | None) -> None:
    for mode in ("error", "skip", "propagate"):
        found = lossctl.compute("wgan", holed(tmp_path, list(REAL)), chunk_rows=rows, nan=mode)
        assert found.value == VALUE
        assert found.report.warnings == []


def test_a_missing_value_at_the_end_of_an_array_is_missing(tmp_path: Path) -> None:
    bad = [*REAL, np.nan]
    np.save(tmp_path / "r.npy", bad)
    np.save(tmp_path / "f.npy", FAKE)
    for inputs in ((bad, FAKE), (tmp_path / "r.npy", tmp_path / "f.npy")):
        with pytest.raises(DataError) as caught:
            lossctl.compute("wgan", *inputs)
        assert (caught.value.code, caught.value.row) == ("nan", 4)
        assert lossctl.compute("wgan", *inputs, nan="skip").value == VALUE
        assert np.isnan(lossctl.compute("wgan", *inputs, nan="propagate").value)
    with pytest.raises(DataError):
        lossctl.losses.wgan(bad, FAKE)


def test_infinite_scores_are_refused() -> None:
    for bad in (np.inf, -np.inf):
        with pytest.raises(DataError) as caught:
            lossctl.compute("wgan", REAL, [*FAKE, bad])
        assert caught.value.code == "nan"


def test_a_side_without_values() -> None:
    with pytest.raises(DataError) as caught:
        lossctl.compute("wgan", [], FAKE)
    assert caught.value.code == "empty"
    assert "real" in caught.value.message


def test_slices_and_weights_of_a_table(tmp_path: Path) -> None:
    """A row says which slice its cells are in, and how much they weigh."""
    more = {"epoch": ["a", "a", "b", "b", "b"], "w": [1.0, 3.0, 2.0, 0.5, 1.0]}
    path = tmp_path / "s.csv"
    table(list(REAL), list(FAKE), **more).to_pandas().to_csv(path, index=False)
    groups = [r for r in lossctl.compute("wgan", path, by="epoch").results if r.slice == "group"]
    expected = [np.mean(FAKE[:2]) - np.mean(REAL[:2]), np.mean(FAKE[2:]) - np.mean(REAL[2:])]
    assert [r.value for r in groups] == pytest.approx(expected, rel=1e-14)
    weighted = lossctl.compute("wgan", path, weight="w").value
    fake, real = np.average(FAKE, weights=more["w"]), np.average(REAL, weights=more["w"][:3])
    assert weighted == pytest.approx(fake - real, rel=1e-14)


def test_arrays_of_different_lengths_have_no_rows_to_weigh(tmp_path: Path) -> None:
    for options in ({"weight": [1.0] * 5}, {"mask": [1] * 5}, {"by": list("aabbb")}):
        with pytest.raises(UsageError) as caught:
            lossctl.compute("wgan", REAL, FAKE, **options)
        assert caught.value.code == "lengths-differ"
        assert "--" + next(iter(options)) in caught.value.message


def test_no_key_pairs_them(tmp_path: Path) -> None:
    """Two files with an id column each are not matched by it, and none can be asked for."""
    files = written(tmp_path, "two csv")
    with pytest.raises(UsageError) as caught:
        lossctl.compute("wgan", *files, key="id")
    assert caught.value.code == "bad-option"


def test_no_row_has_a_value() -> None:
    with pytest.raises(UsageError):
        lossctl.compute("wgan", REAL, FAKE, reduction="none")
    with pytest.raises(UsageError):
        lossctl.compute("wgan", REAL, FAKE).per_sample  # noqa: B018


def test_a_limit_is_one_for_each_side(tmp_path: Path) -> None:
    for kind in ("npy", "csv"):
        found = lossctl.compute("wgan", *written(tmp_path, kind), limit=4)
        assert found.value == pytest.approx(np.mean(FAKE[:4]) - np.mean(REAL), rel=1e-14)


def test_beside_a_loss_of_pairs_lengths_must_agree() -> None:
    with pytest.raises(DataError):
        lossctl.compute("wgan,mse", REAL, FAKE)
