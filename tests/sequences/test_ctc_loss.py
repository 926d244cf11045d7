"""The loss ctc as people meet it: what it counts, what it says, what it refuses."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lossctl
from lossctl.errors import DataError, UsageError
from lossctl.losses import ctc
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.symbols import spelled, symbols

SAMPLES = Path(__file__).parent.parent.parent / "sample_data"
LINES, TOKENS = str(SAMPLES / "lines_ctc.npz"), str(SAMPLES / "lines_tokens.txt")


def run(*args):
    command = [sys.executable, "-m", "lossctl", "compute", "ctc", *map(str, args)]
    return subprocess.run(command, cwd=SAMPLES.parent, capture_output=True, text=True, timeout=120)


def result(*args):
    found = run(*args, "--format", "json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


@pytest.fixture
def table(tmp_path):
    """A file with the names that torch uses."""

    def make(**arrays):
        path = tmp_path / "scores.npz"
        np.savez(path, **{name: np.asarray(array) for name, array in arrays.items()})
        return path

    return make


# Lines of digits: values of torch in float64 and of jiwer, from sample_data/README.md


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ([], 0.173008573687),
        (["--reduction", "sum"], 131.318399349),
        (["--divisor", "batch"], 131.318399349 / 80),
        (["--divisor", "label"], 131.318399349 / 731),
        (["--decode", "greedy", "--score", "cer", "--tokens", TOKENS], 34 / 731),
        (["--decode", "greedy", "--score", "cer", "--tokens", TOKENS, "--reduction", "sum"], 34),
        (["--decode", "greedy", "--score", "wer", "--tokens", TOKENS], 40 / 202),
        (["--decode", "greedy", "--score", "cer"], 34 / 731),
    ],
)
def test_lines_of_digits(options, value):
    assert result(LINES, *options)["results"][0]["value"] == pytest.approx(value, rel=1e-10)


def test_rates_of_rows_and_parts():
    found = result(LINES, "--decode", "greedy", "--score", "cer", "--tokens", TOKENS)["results"][0]
    assert found["sample_mean"] == pytest.approx(0.0451526251526)
    assert found["parts"] == {"errors": 34, "units": 731}
    assert result(LINES)["results"][0]["parts"]["labels"] == 731
    wrong = result(LINES, "--decode", "greedy", "--score", "ser", "--tokens", TOKENS)["results"][0]["value"]
    texts = (SAMPLES / "lines_hyp.txt").read_text().split("\n"), (SAMPLES / "lines_ref.txt").read_text().split("\n")
    assert wrong == pytest.approx(sum(a != b for a, b in zip(*texts, strict=True)) / 80)


def test_decoded_text_stands_beside_the_rows():
    rows = result(LINES, "--decode", "greedy", "--tokens", TOKENS)["samples"]
    texts = (SAMPLES / "lines_hyp.txt").read_text().split("\n")
    assert [row["decoded"] for row in rows] == texts[: len(rows)]
    assert all(isinstance(label, int) for label in result(LINES, "--decode", "greedy")["samples"][0]["decoded"])
    assert "decoded" not in result(LINES)["samples"][0]


def test_a_beam_reads_no_worse():
    """Its labels are at least as likely as those of the best path."""
    values = [
        result(LINES, "--decode", how, "--score", "cer", "--tokens", TOKENS)["results"][0]["value"]
        for how in ("greedy", "beam")
    ]
    assert values[1] <= values[0] * 1.1


def test_alignments_stand_beside_the_rows(table):
    logits = np.zeros((1, 4, 3))
    logits[0, np.arange(4), [1, 1, 0, 2]] = 5.0
    found = result(table(logits=logits, targets=[[1, 2]]), "--force-align")["samples"][0]["alignment"]
    assert [(one["label"], one["first"], one["last"]) for one in found] == [(1, 0, 1), (2, 3, 3)]
    assert found[0]["score"] == pytest.approx(2 * math.log(1 + 2 * math.exp(-5)))


def test_an_impossible_target_is_said_aloud(table):
    file = table(logits=np.zeros((3, 2, 3)), targets=[[1, 2], [1, 1], [2, 2]])
    found = run(file)
    assert "inf" in found.stdout
    assert "2 rows of pred: frames are too few for the target: the loss is inf (first: row 2)" in found.stderr
    found = run(file, "--zero-infinity")
    assert "the loss is 0" in found.stderr
    assert result(file, "--zero-infinity")["results"][0]["value"] == pytest.approx(2 * math.log(3) / 2 / 3)


@pytest.mark.parametrize(
    ("targets", "options", "row", "text"),
    [
        ([[1, 2], [0, 1]], [], 2, "target = 0 is the blank"),
        ([[1, 2], [1, 2]], ["--blank", "-2"], 1, "target = 1 is the blank (1)"),
        ([[1, 2], [1, 3]], [], 2, "target = 3 is not one of the 3 classes"),
    ],
)
def test_labels_are_no_blanks_and_are_classes(table, targets, options, row, text):
    found = run(table(logits=np.zeros((2, 4, 3)), targets=targets), *options)
    assert found.returncode == 3
    assert text in found.stderr
    assert f"row {row}" in found.stderr


@pytest.mark.parametrize("blank", [3, -4])
def test_the_blank_is_a_class(blank):
    with pytest.raises(DataError, match="is not one of the 3 classes"):
        ctc(np.zeros((1, 4, 3)), [[1]], input="logits", blank=blank)


def test_scores_are_held_against_their_form(table):
    scores = np.full((2, 4, 3), -0.5)
    found = run(table(log_probs=scores, targets=[[1, 2], [1, 1]]))
    assert found.returncode == 0
    assert "greatest deviation 0.599" in found.stderr
    assert run(table(log_probs=scores + 1, targets=[[1, 2], [1, 1]])).returncode == 3
    found = run(table(probs=scores + 2, targets=[[1, 2], [1, 1]]))
    assert found.returncode == 3
    assert "not a probability" in found.stderr


def test_padding_is_never_looked_at(table):
    logits = np.linspace(-1, 1, 2 * 5 * 3).reshape(2, 5, 3)
    short = ctc(logits[:1, :3], [[1]], input="logits"), ctc(logits[1:], [[2, 1]], input="logits")
    logits[0, 3:] = np.nan
    file = table(logits=logits, targets=[[1, 77], [2, 1]], input_lengths=[3, 5], target_lengths=[1, 2])
    rows = [row["ctc"] for row in result(file)["samples"]]
    assert rows == [short[0][0], short[1][0]]


def test_frames_first(table):
    logits = np.linspace(-1, 1, 2 * 5 * 3).reshape(2, 5, 3)
    targets = [[1, 2], [2, 1]]
    first = result(table(logits=logits, targets=targets))["results"][0]["value"]
    turned = table(logits=np.swapaxes(logits, 0, 1), targets=targets)
    assert result(turned, "--layout", "TNC")["results"][0]["value"] == first


def test_conventions_of_other_libraries():
    logits, targets = np.linspace(-2, 2, 2 * 6 * 4).reshape(2, 6, 4), [[1, 2, -1], [2, 1, 3]]
    rows = ctc(logits, targets, input="logits")
    values = {
        library: lossctl.compute("ctc", logits, targets, like=library, **given).value
        for library, given in (("torch", {"input": "logits"}), ("keras", {}), ("optax", {}))
    }
    assert values["torch"] == pytest.approx((rows[0] / 2 + rows[1] / 3) / 2)
    assert values["keras"] == values["optax"] == pytest.approx(rows.mean())


def test_errors_of_empty_targets():
    """Labels that are said where none are: as many errors as labels, on a unit of one."""
    logits = np.zeros((2, 3, 3))
    logits[0, :, 1] = 9.0
    logits[1, :, 0] = 9.0
    rates = ctc(logits, [[-1, -1], [-1, -1]], input="logits", decode="greedy", score="cer")
    assert rates.tolist() == [1.0, 0.0]


def test_words_need_symbols():
    with pytest.raises(DataError, match="nothing says which labels make words"):
        ctc(np.zeros((1, 4, 3)), [[1]], input="logits", decode="greedy", score="wer")
    with pytest.raises(UsageError, match="score acts only with decode"):
        ctc(np.zeros((1, 4, 3)), [[1]], input="logits", score="cer")


# Files of symbols


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-\na\n \n", ("-", "a", " ")),
        ("-\r\na\r\n|", ("-", "a", "|")),
        ('["-", "a", "\\u2581b"]', ("-", "a", "\u2581b")),
        ("[\n]\na\n", ("[", "]", "a")),
        ("[PAD]\na\n", ("[PAD]", "a")),
    ],
)
def test_symbols(tmp_path, text, found):
    path = tmp_path / "tokens"
    path.write_bytes(text.encode())
    assert symbols(str(path)) == found


@pytest.mark.parametrize(("text", "said"), [("[1, 2]", "list of strings"), ('["a",', "no JSON list")])
def test_broken_symbols(tmp_path, text, said):
    path = tmp_path / "tokens"
    path.write_text(text)
    with pytest.raises(DataError, match=said):
        symbols(str(path))


def test_missing_symbols(tmp_path):
    with pytest.raises(DataError, match="cannot be read") as caught:
        symbols(str(tmp_path / "none"))
    assert caught.value.file is not None


def test_as_many_symbols_as_classes(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("-\na\n")
    with pytest.raises(DataError, match="2 symbols for 3 classes"):
        ctc(np.zeros((1, 4, 3)), [[1]], input="logits", decode="greedy", score="cer", tokens=str(path))


def test_text_that_labels_spell(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("\u2581the\n\u2581cat\ns\n|\n", encoding="utf-8")
    labels = Ragged.of([[0, 1, 2], [3, 1, 3, 0, 3], []], np.int64)
    assert spelled(labels, str(path)) == ["the cats", "cat  the", ""]
