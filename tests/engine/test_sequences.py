"""Text, frames and lengths through whole runs: the same numbers from any file or array, in any chunks."""

from __future__ import annotations

import gzip
import io
import json
import math
import random
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

import lossctl
from lossctl.cli.main import main
from lossctl.report.render import render

DRAW = random.Random(7)
ROWS = 23
WORDS = ["the", "cat", "sat", "on", "mat", "naïve", "日本", "e\u0301te\u0301", "NA", "null"]
REF = [" ".join(DRAW.choices(WORDS, k=DRAW.randint(1, 7))) for _ in range(ROWS)]
HYP = [" ".join(w for w in ref.split() + DRAW.choices(WORDS, k=1) if DRAW.random() < 0.8) or "on" for ref in REF]
REF[4], HYP[9], REF[13], HYP[13] = "", "", "", ""
SITE = [DRAW.choice(["a", "b", "c"]) for _ in REF]
WEIGHT = [DRAW.choice([0.5, 1.0, 2.0, 3.25]) for _ in REF]
MASK = [float(DRAW.random() < 0.8) for _ in REF]
KEYS = [f"utt-{n:02d}" for n in range(ROWS)]
COLUMNS = {"utt_id": KEYS, "ref": REF, "hyp": HYP, "site": SITE, "share": WEIGHT, "m": MASK}


@lru_cache
def counts(ref: tuple[str, ...], hyp: tuple[str, ...]) -> tuple[int, int, int, int]:
    """(errors, substitutions, deletions, insertions): the fewest errors, and of these the fewest substitutions."""
    if not ref or not hyp:
        return len(ref) + len(hyp), 0, len(ref), len(hyp)
    e, s, d, i = counts(ref[:-1], hyp[:-1])
    differ = int(ref[-1] != hyp[-1])
    found = [(e + differ, s + differ, d, i)]
    e, s, d, i = counts(ref[:-1], hyp)
    found.append((e + 1, s, d + 1, i))
    e, s, d, i = counts(ref, hyp[:-1])
    return min(*found, (e + 1, s, d, i + 1))


EDITS = [counts(tuple(r.split()), tuple(h.split())) for r, h in zip(REF, HYP, strict=True)]
UNITS = [len(r.split()) for r in REF]
ERRORS = [e for e, *_ in EDITS]
RATES = [e / (u or 1) for e, u in zip(ERRORS, UNITS, strict=True)]
WER = sum(ERRORS) / sum(UNITS)


def json_of(*args: Any, **options: Any) -> str:
    """The document that a run prints, without what names its inputs."""
    found = json.loads("".join(render(lossctl.compute(*args, **options).report, "json")))
    return json.dumps({**found, "inputs": None}, sort_keys=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts")
    table = pd.DataFrame(COLUMNS)
    table.to_csv(path / "x.csv", index=False)
    table.to_csv(path / "x.tsv", index=False, sep="\t")
    table.to_parquet(path / "x.parquet", row_group_size=5)
    pyarrow.feather.write_feather(table, str(path / "x.arrow"))
    table.to_json(path / "x.jsonl", orient="records", lines=True, force_ascii=False)
    for name, texts in (("ref", REF), ("hyp", HYP)):
        lines = "".join(f"{text}\n" for text in texts).encode()
        (path / f"{name}.txt").write_bytes(lines)
        (path / f"crlf_{name}.txt").write_bytes(lines.replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
        (path / f"{name}.txt.gz").write_bytes(gzip.compress(lines))
        with pa.CompressedOutputStream(str(path / f"{name}.txt.zst"), "zstd") as stream:
            stream.write(lines)
        pairs = list(zip(KEYS, texts, strict=True))
        shuffled = random.Random(3).sample(pairs, ROWS) if name == "ref" else pairs
        (path / f"{name}.kaldi").write_text("".join(f"{key} {text}\n" for key, text in shuffled), encoding="utf-8")
        trn = "".join(f"{text} ({key})\n" for key, text in shuffled)
        (path / f"{name}.trn").write_text(f";; made by hand\n{trn}", encoding="utf-8")
    return path


FILES = ["x.csv", "x.tsv", "x.parquet", "x.arrow", "x.jsonl", "hyp.txt ref.txt", "crlf_hyp.txt crlf_ref.txt"]
FILES += ["hyp.txt.gz ref.txt.gz", "hyp.txt.zst ref.txt.zst", "hyp.kaldi ref.kaldi", "hyp.trn ref.trn"]


@pytest.mark.parametrize("files", FILES)
def test_files(folder: Path, files: str) -> None:
    form = {"input_format": "kaldi"} if "kaldi" in files else {}
    report = lossctl.compute("wer", *(folder / name for name in files.split()), **form, rows=5).report
    (found,) = report.results
    assert (found.value, found.n, found.divisor) == (WER, ROWS, sum(UNITS))
    assert found.sample_mean == pytest.approx(math.fsum(RATES) / ROWS, rel=1e-15)
    sums = [sum(column) for column in zip(*EDITS, strict=True)]
    hits = sum(UNITS) - sums[1] - sums[2]
    names = ("hits", "substitutions", "deletions", "insertions", "units")
    assert found.parts == dict(zip(names, (hits, *sums[1:], sum(UNITS)), strict=True))
    rows = [KEYS.index(sample.key[0]) if sample.key else sample.row - 1 for sample in report.samples]
    assert [sample.values[0] for sample in report.samples] == [RATES[row] for row in rows]


@pytest.mark.parametrize(
    "make",
    [list, np.array, lambda x: np.array(x, object), pd.Series, pa.array, lambda x: pa.chunked_array([x[:9], x[9:]])],
    ids=["list", "numpy", "objects", "pandas", "arrow", "chunks"],
)
def test_arrays(make: Any) -> None:
    found = lossctl.compute("wer", make(HYP), make(REF), weight=np.array(WEIGHT), by=make(SITE), rows=3)
    total, *groups, _, _ = found.results
    over = math.fsum(w * e for w, e in zip(WEIGHT, ERRORS, strict=True))
    under = math.fsum(w * u for w, u in zip(WEIGHT, UNITS, strict=True))
    assert total.value == over / under
    for result in groups:
        rows = [n for n in range(ROWS) if SITE[n] == result.group["by"]]
        over, under = (math.fsum(WEIGHT[n] * of[n] for n in rows) for of in (ERRORS, UNITS))
        weights = math.fsum(WEIGHT[n] for n in rows)
        assert (result.value, result.n, result.weight_sum) == (over / under, len(rows), weights)
        mean = math.fsum(WEIGHT[n] * RATES[n] for n in rows) / weights
        assert result.sample_mean == pytest.approx(mean, rel=1e-14)
        assert result.parts["insertions"] == math.fsum(WEIGHT[n] * EDITS[n][3] for n in rows)
        assert result.parts["units"] == under


LISTS = [[ref.split() for ref in REF], [hyp.split() for hyp in HYP]]
IDS = [[[WORDS.index(word) for word in row] for row in rows] for rows in LISTS]


@pytest.mark.parametrize("rows", [LISTS, IDS], ids=["words", "ids"])
@pytest.mark.parametrize("form", ["jsonl", "parquet", "arrow", "list", "pyarrow"])
def test_lists_of_tokens(tmp_path: Path, rows: Any, form: str) -> None:
    """Numbers and words alike, wherever lists come from."""
    ref, hyp = rows
    table = pa.table({"ref": ref, "hyp": hyp})
    if form == "jsonl":
        lines = (json.dumps({"ref": r, "hyp": h}) for r, h in zip(ref, hyp, strict=True))
        (tmp_path / "x.jsonl").write_text("\n".join(lines))
    elif form == "parquet":
        pq.write_table(table, tmp_path / "x.parquet")
    elif form == "arrow":
        pyarrow.feather.write_feather(table, str(tmp_path / "x.arrow"))
    inputs = [tmp_path / f"x.{form}"] if form in {"jsonl", "parquet", "arrow"} else [hyp, ref]
    inputs = [pa.array(side) for side in inputs] if form == "pyarrow" else inputs
    for loss, value in (("wer", WER), ("per", WER), ("edit-distance", sum(ERRORS) / ROWS)):
        for chunk in (1, 7, None):
            assert lossctl.compute(loss, *inputs, chunk_rows=chunk).value == value


def test_ids_of_two_formats(tmp_path: Path) -> None:
    """JSON has them as written, Parquet as numbers."""
    ref, hyp = IDS
    (tmp_path / "hyp.jsonl").write_text("\n".join(json.dumps({"hyp": row}) for row in hyp))
    pq.write_table(pa.table({"ref": ref}), tmp_path / "ref.parquet")
    assert lossctl.compute("wer", tmp_path / "hyp.jsonl", tmp_path / "ref.parquet", chunk_rows=4).value == WER


def test_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for call, file in (
        ("wer - -f value", "x.csv"),
        ("wer - -f value --input-format jsonl", "x.jsonl"),
        ("wer - -f value --input-format parquet --show-alignment 2", "x.parquet"),
        ("wer - ref.txt -f value --input-format lines", "hyp.txt"),
    ):
        monkeypatch.chdir(folder)
        stdin = io.BufferedReader(io.BytesIO((folder / file).read_bytes()))
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=stdin, isatty=lambda: False, fileno=None))
        assert main(["compute", *call.split()]) == 0, capsys.readouterr().err
        assert capsys.readouterr().out == f"{WER!r}\n"


OPTIONS = [
    {"by": "site", "stats": True},
    {"by": "site", "weight": "share", "mask": "m"},
    {"ci": 0.9, "resamples": 50, "by": "site", "weight": "share"},
    {"ci": 0.95, "ci_method": "normal", "by": "site"},
    {"reduction": "median"},
    {"reduction": "p90", "by": "site"},
    {"reduction": "sum", "weight": "share"},
    {"reduction": "none", "key": "utt_id"},
    {"limit": 11, "worst": 4},
    {"average": "sample", "stats": True, "weight": "share", "ci": True, "resamples": 20},
    {"empty_ref": "skip", "show_alignment": 5, "key": "utt_id"},
    {"empty_ref": "nan", "worst": 5},
    {"split": "jiwer", "normalize": ["casefold", "nfc"], "rows": "all"},
    {"mask": "m", "show_alignment": 30},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: " ".join(options))
def test_chunks_change_nothing(folder: Path, options: dict[str, Any]) -> None:
    def run(name: str, size: int | None) -> str:
        return json_of("wer", folder / name, **{"rows": 10, **options, "chunk_rows": size})

    if "show_alignment" in options or "worst" in options:
        options = {"rows": 0, **options}
    wanted = run("x.csv", None)
    assert all(run("x.csv", size) == wanted for size in (1, 7))
    assert run("x.parquet", 5) == wanted


def test_reductions(folder: Path) -> None:
    def value(**options: Any) -> float:
        return lossctl.compute("wer", folder / "x.csv", **options).value

    assert value(reduction="sum") == sum(ERRORS)
    assert value(reduction="median") == np.median(RATES)
    assert value(reduction="p90") == pytest.approx(np.quantile(RATES, 0.9), rel=1e-15)
    assert value(reduction="max") == max(RATES)
    assert value(average="sample") == pytest.approx(math.fsum(RATES) / ROWS, rel=1e-15)
    assert value(limit=11) == sum(ERRORS[:11]) / sum(UNITS[:11])
    kept = [n for n in range(ROWS) if MASK[n]]
    assert value(mask="m") == sum(ERRORS[n] for n in kept) / sum(UNITS[n] for n in kept)
    full = [n for n in range(ROWS) if UNITS[n]]
    assert value(empty_ref="skip") == sum(ERRORS[n] for n in full) / sum(UNITS)
    sample = lossctl.compute("wer", folder / "x.csv", average="sample").report.results[0]
    assert (sample.sample_mean, sample.parts["units"]) == (None, sum(UNITS))


def test_intervals(folder: Path) -> None:
    """The delta method on errors over units; and the bootstrap about the same."""
    normal = lossctl.compute("wer", folder / "x.csv", ci=0.95, ci_method="normal").results[0].ci
    rest = np.array(ERRORS) - WER * np.array(UNITS)
    error = math.sqrt(ROWS / (ROWS - 1) * float(rest @ rest)) / sum(UNITS)
    assert normal.low == pytest.approx(WER - 1.959963984540054 * error, rel=0.02)
    assert normal.high == pytest.approx(WER + 1.959963984540054 * error, rel=0.02)
    drawn = lossctl.compute("wer", folder / "x.csv", ci=0.95).results[0].ci
    assert drawn.low == pytest.approx(normal.low, abs=error)
    assert drawn.high == pytest.approx(normal.high, abs=error)


# What stands beside the samples.


def alignments(report: Any) -> list[Any]:
    return [sample.details[0] for sample in report.samples]


def is_sound(row: int, found: Any) -> bool:
    """Whether an alignment spells both sides and has the edits of the row."""
    errors, substituted, deleted, inserted = EDITS[row]
    ops = found["ops"]
    return (
        found["ref"] == REF[row].split()
        and found["hyp"] == HYP[row].split()
        and [ops.count(op) for op in "SDI"] == [substituted, deleted, inserted]
        and len(ops) == ops.count("=") + errors
    )


@pytest.mark.parametrize("size", [1, 7, None])
def test_alignments_of_the_worst(folder: Path, size: int | None) -> None:
    report = lossctl.compute("wer", folder / "x.csv", show_alignment=6, key="utt_id", chunk_rows=size).report
    worst = sorted(range(ROWS), key=lambda n: (-RATES[n], n))[:6]
    assert [sample.key for sample in report.samples] == [(KEYS[n],) for n in worst]
    assert all(is_sound(n, found) for n, found in zip(worst, alignments(report), strict=True))


@pytest.mark.parametrize("size", [1, 7, None])
def test_alignments_with_dropped_rows_between(tmp_path: Path, size: int | None) -> None:
    hyp: list[str | None] = [None if n % 5 == 2 else text for n, text in enumerate(HYP)]
    pd.DataFrame({**COLUMNS, "hyp": hyp}).to_parquet(tmp_path / "x.parquet")
    options = {"nan": "skip", "mask": "m", "empty_ref": "skip", "chunk_rows": size}
    report = lossctl.compute("wer", tmp_path / "x.parquet", show_alignment=ROWS, **options).report
    kept = [n for n in range(ROWS) if n % 5 != 2 and MASK[n] and UNITS[n]]
    assert [sample.row - 1 for sample in report.samples] == sorted(kept, key=lambda n: (-RATES[n], n))
    assert all(is_sound(s.row - 1, found) for s, found in zip(report.samples, alignments(report), strict=True))
    assert report.scored == len(kept)


def test_alignments_of_pairs_by_id(folder: Path) -> None:
    report = lossctl.compute("wer", folder / "hyp.trn", folder / "ref.trn", show_alignment=ROWS).report
    assert all(is_sound(KEYS.index(s.key[0]), d) for s, d in zip(report.samples, alignments(report), strict=True))


# Frames.


BATCH, TIME, CLASSES = 9, 8, 5
RNG = np.random.default_rng(11)
LOGITS = RNG.normal(size=(BATCH, TIME, CLASSES)) * 3
LOGS = LOGITS - np.log(np.exp(LOGITS).sum(axis=2, keepdims=True))
FRAMES = RNG.integers(5, TIME + 1, BATCH)
LABELS = np.append(RNG.integers(1, 4, BATCH - 1), 0)
TARGETS = RNG.integers(1, CLASSES, (BATCH, 3))
RUNS = [TARGETS[n, : LABELS[n]].tolist() for n in range(BATCH)]
RAGGED = [LOGS[n, : FRAMES[n]].tolist() for n in range(BATCH)]
PADDED = np.where(np.arange(3) < LABELS[:, None], TARGETS, -1)
PADDING = np.arange(TIME) >= FRAMES[:, None]


def ctc(logs: Any, labels: list[int]) -> float:
    """The sum over all paths, by the recursion over labels with blanks between."""
    states = [0] + [s for label in labels for s in (label, 0)]
    alpha = np.full(len(states), -np.inf)
    alpha[:2] = [logs[0][s] for s in states[:2]]
    for frame in logs[1:]:
        before = [-np.inf, -np.inf, *alpha]
        skips = [s != 0 and s != states[j - 2] for j, s in enumerate(states)]
        alpha = np.array(
            [np.logaddexp.reduce(before[j + (0 if skips[j] else 1) : j + 3]) + frame[s] for j, s in enumerate(states)]
        )
    return -float(np.logaddexp.reduce(alpha[-2:]))


LOSSES = [ctc(RAGGED[n], RUNS[n]) for n in range(BATCH)]
MEAN = math.fsum(loss / max(size, 1) for loss, size in zip(LOSSES, LABELS.tolist(), strict=True)) / BATCH
NOISE = np.where(PADDING[:, :, None], np.nan, LOGS)  # padding is never looked at
LENGTHS = {"input_lengths": FRAMES, "target_lengths": LABELS}
TENSOR = pa.FixedShapeTensorArray.from_numpy_ndarray


def greedy(row: int) -> list[int]:
    best = [int(frame.argmax()) for frame in LOGS[row, : FRAMES[row]]]
    return [c for c, before in zip(best, [0, *best], strict=False) if c not in {0, before}]


NPZ = {
    "torch": {"log_probs": NOISE, "targets": TARGETS, **LENGTHS},
    "padded": {"log_probs": NOISE, "targets": PADDED, "input_lengths": FRAMES},
    "probs": {"probs": np.exp(NOISE), "targets": PADDED, "input_lengths": FRAMES},
    "logits": {"logits": LOGITS, "targets": TARGETS, **LENGTHS},
    "runs": {"log_probs": LOGS, "targets": np.concatenate(RUNS).astype(np.int32), **LENGTHS},
    "optax": {
        "logits": LOGITS,
        "labels": TARGETS,
        "logit_paddings": PADDING.astype(np.float32),
        "label_paddings": (np.arange(3) >= LABELS[:, None]).astype(np.float32),
    },
    "fortran": {"log_probs": np.asfortranarray(LOGS), "targets": TARGETS.astype(">i2"), **LENGTHS},
}


@pytest.mark.parametrize("size", [1, 7, None])
@pytest.mark.parametrize("name", NPZ)
def test_archives(tmp_path: Path, name: str, size: int | None) -> None:
    np.savez(tmp_path / "x.npz", **NPZ[name])
    report = lossctl.compute("ctc", tmp_path / "x.npz", rows="all", chunk_rows=size, decode="greedy").report
    assert report.results[0].value == pytest.approx(MEAN, rel=1e-13)
    assert [sample.values[0] for sample in report.samples] == pytest.approx(LOSSES, rel=1e-13)
    assert [sample.details for sample in report.samples] == [(greedy(n),) for n in range(BATCH)]


@pytest.mark.parametrize("size", [1, 7, None])
def test_frames_first(tmp_path: Path, size: int | None) -> None:
    turned = np.ascontiguousarray(NOISE.swapaxes(0, 1))
    np.savez(tmp_path / "x.npz", log_probs=turned, targets=TARGETS, **LENGTHS)
    np.save(tmp_path / "x.npy", turned)
    np.savez(tmp_path / "rest.npz", targets=TARGETS, **LENGTHS)
    found = lossctl.compute("ctc", tmp_path / "x.npz", layout="TNC", chunk_rows=size).value
    assert found == pytest.approx(MEAN, rel=1e-13)
    assert lossctl.compute("ctc", turned, TARGETS, FRAMES, LABELS, layout="TNC", chunk_rows=size).value == found
    # One file for each input.
    for role, array in (("targets", TARGETS), ("frames", FRAMES), ("labels", LABELS)):
        np.save(tmp_path / f"{role}.npy", array)
    files = [tmp_path / f"{name}.npy" for name in ("x", "targets", "frames", "labels")]
    assert lossctl.compute("ctc", *files, layout="TNC", chunk_rows=size).value == found


WAYS = [(form, frames) for form in ("parquet", "arrow") for frames in ("lists", "fixed", "tensors")] + [
    ("jsonl", "lists")
]


@pytest.mark.parametrize(("form", "frames"), WAYS)
@pytest.mark.parametrize("size", [1, 7, None])
def test_list_columns(tmp_path: Path, form: str, frames: str, size: int | None) -> None:
    if frames == "tensors":
        pred = TENSOR(np.ascontiguousarray(LOGS))
        columns = {"log_probs": pred, "targets": pa.array(RUNS, pa.list_(pa.int32())), "input_lengths": FRAMES}
    else:
        inner = pa.list_(pa.float64(), CLASSES) if frames == "fixed" else pa.list_(pa.float64())
        columns = {"log_probs": pa.array(RAGGED, pa.list_(inner)), "targets": pa.array(RUNS, pa.list_(pa.int64()))}
    path = tmp_path / f"x.{form}"
    if form == "parquet":
        pq.write_table(pa.table(columns), path, row_group_size=4)
    elif form == "arrow":
        pyarrow.feather.write_feather(pa.table(columns), str(path), chunksize=4)
    else:
        rows = zip(RAGGED, RUNS, strict=True)
        path.write_text("\n".join(json.dumps({"log_probs": logs, "targets": run}) for logs, run in rows))
    found = lossctl.compute("ctc", path, rows="all", chunk_rows=size)
    assert found.value == pytest.approx(MEAN, rel=1e-13)
    assert found.per_sample.tolist() == pytest.approx(LOSSES, rel=1e-13)


def test_ragged_arrays() -> None:
    found = lossctl.compute("ctc", RAGGED, RUNS)
    assert found.value == lossctl.compute("ctc", LOGS, TARGETS, FRAMES, LABELS).value
    assert found.value == pytest.approx(MEAN, rel=1e-13)


CTC_OPTIONS = [
    {"worst": 4, "decode": "beam", "force_align": True},
    {"reduction": "none", "decode": "greedy"},
    {"decode": "beam", "score": "cer", "ci": True, "resamples": 20, "stats": True},
    {"divisor": "frame", "ci": 0.9, "ci_method": "normal"},
    {"divisor": "label", "reduction": "p90"},
    {"nan": "skip", "rows": "all", "decode": "greedy", "force_align": True},
    {"nan": "propagate", "rows": "all", "decode": "greedy", "force_align": True},
]


@pytest.mark.parametrize("options", CTC_OPTIONS, ids=lambda options: " ".join(options))
def test_chunks_of_frames_change_nothing(tmp_path: Path, options: dict[str, Any]) -> None:
    logs = np.where((np.arange(BATCH) % 4 == 1)[:, None, None], np.nan, LOGS) if "nan" in options else LOGS
    np.savez(tmp_path / "x.npz", log_probs=logs, targets=TARGETS, **LENGTHS)
    found = [json_of("ctc", tmp_path / "x.npz", **{"rows": 4, **options}, chunk_rows=size) for size in (None, 1, 7)]
    assert found[1:] == found[:1] * 2
    samples = json.loads(found[0])["samples"] if options.get("rows", 4) else []
    for sample in samples:
        row = sample["row"] - 1
        if "nan" in options and row % 4 == 1:
            assert sample["decoded"] is None
            assert sample["alignment"] is None
            assert sample["ctc"] is None
        elif options.get("decode") == "greedy":
            assert sample["decoded"] == greedy(row)
        if sample.get("alignment") is not None:
            assert [one["label"] for one in sample["alignment"]] == RUNS[row]


def test_scores_of_what_is_decoded(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", log_probs=LOGS, targets=TARGETS, **LENGTHS)
    result = lossctl.compute("ctc", tmp_path / "x.npz", decode="greedy", score="cer").results[0]
    errors = [counts(tuple(map(str, RUNS[n])), tuple(map(str, greedy(n))))[0] for n in range(BATCH)]
    assert result.value == sum(errors) / LABELS.sum()
    assert result.parts == {"errors": sum(errors), "units": LABELS.sum()}
    whole = lossctl.compute("ctc", tmp_path / "x.npz", decode="greedy", score="ser").value
    assert whole == np.count_nonzero(errors) / BATCH


def test_what_is_decoded_is_what_was_scored() -> None:
    """Rows of probabilities are divided by their sum for both."""
    probs = np.exp(LOGS) * 0.97
    found = lossctl.compute("ctc", probs, PADDED, input="probs", decode="beam", renormalize=True, rows="all").report
    plain = lossctl.compute("ctc", LOGS, PADDED, decode="beam", rows="all").report
    assert [sample.details for sample in found.samples] == [sample.details for sample in plain.samples]
    assert found.results[0].value == pytest.approx(plain.results[0].value, rel=1e-13)


def test_files_of_symbols_and_phones_are_read_anew(tmp_path: Path) -> None:
    """In one process, after they were changed."""
    symbols, phones = tmp_path / "symbols.txt", tmp_path / "phones.txt"
    for first in ("a", "xyz"):
        symbols.write_text(f"_\n{first}\nb\nc\nd\n")
        found = lossctl.compute("ctc", LOGS, PADDED, decode="greedy", tokens=str(symbols), rows="all").report.samples
        names = ["_", first, "b", "c", "d"]
        whole = [
            [c for c, last in zip(best, [0, *best], strict=False) if c not in {0, last}] for best in LOGS.argmax(2)
        ]
        assert [sample.details for sample in found] == [("".join(names[c] for c in row),) for row in whole]
    for meaning, errors in (("ih", 0.0), ("iy", 1.0)):
        phones.write_text(f"ix {meaning}\n")
        assert lossctl.compute("per", ["ix"], ["ih"], mapping=str(phones)).value == errors
