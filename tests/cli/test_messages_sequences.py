"""Wrong text, frames and lengths: one clear error each, with the place and what to try, whatever the chunk size."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lossctl.cli.main import main

Done = tuple[int, str, str]  # status, standard output, standard error
Go = Callable[..., Done]

TEXTS = {
    "good.csv": "ref,hyp,site\nthe cat sat,the cat sat down,a\non the mat,on mat,b\nyes,no,a\n",
    "empty.csv": "ref,hyp\nthe cat,the cat\n,one two\n,\n",
    "several.csv": "ref,hyp_a,hyp_b\na b,a,b\nc,c,d\n",
    "numbers.csv": "target,pred\n1,2\n3,4\n",
    "nulls.jsonl": '{"ref":"a b","hyp":"a"}\n{"ref":null,"hyp":"x"}\n{"ref":"c","hyp":null}\n',
    "lists.jsonl": '{"ref":["a","b"],"hyp":["a"]}\n{"ref":["c"],"hyp":["c"]}\n',
    "hole.jsonl": '{"ref":["a"],"hyp":["a"]}\n{"ref":["a",null],"hyp":["a"]}\n',
    "mixed.jsonl": '{"ref":["a","b"],"hyp":[1,2]}\n',
    "late.jsonl": '{"ref":["a"],"hyp":["a"]}\n{"ref":["a"],"hyp":"a"}\n',
    "three.txt": "a b\nc\nd\n",
    "two.txt": "a b\nc\n",
    "latin.txt": b"a b\nc \xff\nd\n",
    "latin_late.txt": b"a b\n" * 5000 + b"\xc3\x28\n",
    "many.txt": "a b\n" * 5001,
    "latin.csv": b"ref,hyp\na b,a\nc,\xff\nd,d\n",
    "latin_late.csv": b"ref,hyp\n" + b"a b,a\n" * 5000 + b"c,\xff\n",
    "latin.jsonl": b'{"ref":"a","hyp":"b"}\n{"ref":"c \xff","hyp":"c"}\n',
    "latin_late.jsonl": b'{"ref":"a","hyp":"b"}\n' * 5000 + b'{"ref":"c \xff","hyp":"c"}\n',
    "hyp.kaldi": "u1 a b\nu2 c\nu3 d\n",
    "ref.kaldi": "u2 c\nu1 a b\nu4 e\n",
    "twice.kaldi": "u1 a b\nu2 c\nu1 d\n",
    "blank.kaldi": "u1 a b\n\nu2 c\n",
    "hyp.trn": "a b (u1)\nc (u2)\n",
    "twice.trn": "a (u1)\nb (u2)\nc (u2)\n",
    "no_id.trn": "a b (u1)\nc\n",
    "ids1.csv": "utt_id,hyp\na,x y\nb,z\nc,q\n",
    "ids2.csv": "utt_id,ref\na,x y\nb,z w\nd,q\n",
    "symbols3.txt": "_\na\nb\n",
    "symbols4.txt": "_\na\nb\n|\n",
    "fold_twice.txt": "aa b\naa c\n",
    "fold_wide.txt": "aa b c\n",
    "fold_empty.txt": "# nothing\n\n",
    "positive.jsonl": '{"token_logprobs":[-0.1,-0.2]}\n{"token_logprobs":[0.5,-0.2]}\n',
    "words.jsonl": '{"token_logprobs":"abc"}\n',
    "single.csv": "token_logprobs\n-0.1\n-0.2\n",
}

LOGITS = np.random.default_rng(0).normal(size=(3, 6, 4))
LOGS = LOGITS - np.log(np.exp(LOGITS).sum(axis=2, keepdims=True))
TARGETS = np.array([[1, 2, 1], [2, -1, -1], [3, 3, 2]])
FRAMES, LABELS = np.array([6, 5, 4]), np.array([3, 1, 3])
RUNS = np.array([1, 2, 1, 2, 3, 3, 2])


def ends(lengths: np.ndarray, size: int) -> np.ndarray:
    return (np.arange(size) >= lengths[:, None]).astype(float)


ARRAYS = {
    "good": {"log_probs": LOGS, "targets": TARGETS, "input_lengths": FRAMES, "target_lengths": LABELS},
    "padded": {"log_probs": LOGS, "targets": TARGETS},
    "blank": {"log_probs": LOGS, "targets": np.array([[1, 2], [2, 0], [1, 3]])},
    "beyond": {"log_probs": LOGS, "targets": np.array([[1, 2], [2, 4], [1, 3]])},
    "fraction": {"log_probs": LOGS, "targets": np.array([[1, 2], [2, 1.5], [1, 3]])},
    "within": {"log_probs": LOGS, "targets": np.array([[1, 2], [-1, 2], [1, 3]])},
    "negative_length": {"log_probs": LOGS, "targets": TARGETS, "input_lengths": np.array([6, -1, 9])},
    "long_length": {"log_probs": LOGS, "targets": TARGETS, "input_lengths": np.array([6, 7, -1])},
    "half_length": {"log_probs": LOGS, "targets": TARGETS, "input_lengths": np.array([6, 5.5, 4])},
    "long_target": {"log_probs": LOGS, "targets": np.abs(TARGETS), "target_lengths": np.array([3, 4, 3])},
    "short": {"log_probs": LOGS, "targets": TARGETS, "input_lengths": np.array([6, 0, 3])},
    "off": {"log_probs": LOGS - [[[0.5]], [[2.0]], [[0.0]]], "targets": TARGETS},
    "logits": {"pred": LOGITS, "target": TARGETS},
    "probs": {"pred": np.exp(LOGS), "target": TARGETS},
    "bad_probs": {"probs": np.exp(LOGS) * [[[1.0]], [[0.9]], [[1.0]]], "targets": TARGETS},
    "frames_first": {"log_probs": LOGS.swapaxes(0, 1), "targets": TARGETS, "input_lengths": FRAMES},
    "runs": {"log_probs": LOGS, "targets": RUNS, "input_lengths": FRAMES, "target_lengths": LABELS},
    "runs_short": {"log_probs": LOGS, "targets": RUNS[:-1], "target_lengths": LABELS},
    "runs_alone": {"log_probs": LOGS, "targets": RUNS},
    "paddings": {
        "logits": LOGITS,
        "targets": np.abs(TARGETS),
        "logit_paddings": ends(FRAMES, 6),
        "label_paddings": ends(LABELS, 3),
    },
    "bad_paddings": {
        "logits": LOGITS,
        "targets": np.abs(TARGETS),
        "logit_paddings": np.array([[0, 0, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]]),
    },
    "nan": {"log_probs": np.where(np.arange(3)[:, None, None] == 1, np.nan, LOGS), "targets": TARGETS},
    "deep": {"pred": np.ones((2, 3, 2), int), "target": np.ones((2, 3, 2), int)},
}


def broken_text(cells: list[bytes]) -> pa.Array:
    """A string column whose bytes are not all UTF-8, as careless writers make it."""
    return pa.StringArray.from_buffers(len(cells), *pa.array(cells, pa.binary()).buffers()[1:])


TABLES = {
    "latin": {"ref": broken_text([b"a", b"\xff", b"c"]), "hyp": ["a", "b", "c"]},
    "latin_late": {"ref": broken_text([b"a"] * 5000 + [b"\xff"]), "hyp": ["a"] * 5001},
    "bytes": {"ref": pa.array([b"a", b"b"], pa.binary()), "hyp": ["a", "b"]},
    "integers": {"ref": [1, 2], "hyp": [1, 3]},
    "fractions": {"ref": [[1.0], [2.5]], "hyp": [[1.0], [3.0]]},
}

# call; exit; code; what the message must hold
CASES = [
    # labels and blanks
    ("ctc blank.npz", 3, "blank-label", ["target = 0 is the blank (0)", "row 2", '"targets"', "target-lengths", "-1"]),
    ("ctc beyond.npz", 3, "unknown-class", ["target = 4", "4 classes: 0 to 3", "row 2"]),
    ("ctc fraction.npz", 3, "unknown-class", ["target = 1.5", "row 2"]),
    ("ctc within.npz", 3, "unknown-class", ["target = -1", "row 2", "padding at the end"]),
    ("ctc good.npz --blank 4", 3, "blank", ["blank = 4", "4 classes", "--blank -1"]),
    ("ctc good.npz --blank -5", 3, "blank", ["blank = -5"]),
    # lengths
    ("ctc negative_length.npz", 3, "bad-length", ["input-lengths = -1 is no length", "0 to 6", "row 2", "row 3: 9"]),
    ("ctc long_length.npz", 3, "bad-length", ["input-lengths = 7 is no length", "0 to 6", "row 2", "row 3: -1"]),
    ("ctc half_length.npz", 3, "bad-length", ["input-lengths = 5.5 is no length", "row 2"]),
    ("ctc long_target.npz", 3, "bad-length", ["target-lengths = 4 is no length", "0 to 3", "row 2"]),
    ("ctc bad_paddings.npz", 3, "bad-padding", ["zeros, then ones", "logit_paddings", "row 2", "row 3"]),
    ("ctc runs_short.npz", 3, "lengths-sum", ['"target_lengths" add up to 7', '"targets" holds 6']),
    ("ctc runs_alone.npz", 3, "shape", ["targets holds single values (int64)", "target_lengths", "two axes"]),
    ("ctc logs.npy one.npy", 3, "shape", ["one.npy", "a sequence of class indices", "two axes"]),
    # axes
    ("ctc frames_first.npz", 3, "lengths-differ", ['"log_probs" (6, 3, 4)', "add --layout TNC"]),
    ("ctc padded.npz --layout TNC", 3, "lengths-differ", ['"targets" (3, 3)', "leave --layout TNC out"]),
    ("ctc turned.npy targets.npy", 3, "lengths-differ", ["turned.npy 6", "targets.npy 3", "add --layout TNC"]),
    # scores
    ("ctc logits.npz", 3, "positive-log-prob", ["is not a log-probability", "row 1", "--input logits"]),
    ("ctc probs.npz", 3, "positive-log-prob", ["is not a log-probability", "row 1", "--input probs"]),
    ("ctc bad_probs.npz", 3, "not-normalised", ["0.1", "row 2", "--input logits"]),
    ("ctc nan.npz", 3, "nan", ["pred is missing, NaN or infinite", "row 2", "--nan skip"]),
    ("perplexity positive.jsonl", 3, "positive-log-prob", ["0.5", "row 2"]),
    # what is decoded
    ("ctc good.npz --score cer", 2, "idle-parameter", ["score acts only with decode=greedy|beam"]),
    ("ctc good.npz --beam-width 3", 2, "idle-parameter", ["beam_width", "decode=beam"]),
    ("ctc good.npz --score wer --decode greedy", 3, "no-tokens", ["score=wer counts words", "--tokens FILE"]),
    ("ctc good.npz --decode beam --tokens symbols3.txt", 3, "bad-tokens", ["3 symbols for 4 classes", "symbols3.txt"]),
    ("ctc good.npz --tokens symbols4.txt", 2, "idle-parameter", ["tokens name what is decoded", "--force-align"]),
    ("ctc good.npz --decode beam --tokens none.txt", 3, "unreadable", ["cannot be read", "none.txt"]),
    # lines and utterances
    ("wer three.txt two.txt", 3, "lengths-differ", ["three.txt 3", "two.txt 2", "nothing was scored"]),
    ("wer three.txt", 2, "file-count", ["lossctl compute wer three.txt REF.txt"]),
    ("wer three.txt two.txt --unmatched drop", 2, "bad-option", ["--unmatched", "--key"]),
    (
        "wer hyp.kaldi ref.kaldi --input-format kaldi",
        3,
        "unmatched-keys",
        ["1 in hyp.kaldi", "u3", "u4", "--unmatched"],
    ),
    ("wer twice.kaldi ref.kaldi --input-format kaldi", 3, "key-repeated", ["'u1'", "row 1", "row 3", "twice.kaldi"]),
    ("wer blank.kaldi ref.kaldi --input-format kaldi", 3, "no-id", ["line 2 is blank", "blank.kaldi"]),
    ("wer twice.trn hyp.trn", 3, "key-repeated", ["'u2'", "row 2", "row 3", "twice.trn"]),
    ("wer no_id.trn hyp.trn", 3, "no-id", ["line 2", "words (utterance-id)"]),
    ("wer ids1.csv ids2.csv", 3, "unmatched-keys", ["row 3", "ids2.csv: 'c'", "ids1.csv: 'd'"]),
    # text that is none
    ("wer latin.txt three.txt", 3, "encoding", ["line 2", "latin.txt", "UTF-8", "iconv"]),
    ("wer many.txt latin_late.txt", 3, "encoding", ["line 5,001", "latin_late.txt"]),
    ("wer latin.csv", 3, "encoding", ['column "hyp"', "row 2"]),
    ("wer latin_late.csv", 3, "encoding", ['column "hyp"', "row 5,001"]),
    ("wer latin.jsonl", 3, "encoding", ["line 2", "UTF-8"]),
    ("wer latin_late.jsonl", 3, "encoding", ["line 5,001"]),
    ("wer latin.parquet", 3, "encoding", ['column "ref"', "row 2"]),
    ("wer latin_late.parquet", 3, "encoding", ['column "ref"', "row 5,001"]),
    ("wer bytes.parquet", 3, "column-not-found", ["ref (binary)", "--target"]),
    ("wer bytes.parquet --ref ref", 3, "dtype", ["ref holds bytes", "cast the column to a string"]),
    ("wer nulls.jsonl", 3, "nan", ["target is missing", '"ref"', "row 2", "--nan skip"]),
    ("wer hole.jsonl", 3, "null-in-list", ["item 2 of the list is null", "row 2"]),
    ("wer late.jsonl", 3, "dtype", ["'a'", "list of words", "row 2"]),
    # an empty reference
    ("wer empty.csv --empty-ref error", 3, "empty-reference", ["target is an empty reference", "row 2", "row 3"]),
    ("wer empty.csv --empty-ref zero", 2, "bad-parameter", ["zero", "count | skip | error | nan | inf"]),
    # units
    ("wer good.csv --normalize lower,lowr", 2, "bad-parameter", ["lowr", "casefold"]),
    ("edit-distance good.csv --unit words", 2, "bad-parameter", ["words", "word | char"]),
    ("wer good.csv --unit char", 2, "preset-parameter", ["edit-rate"]),
    ("cer lists.jsonl", 2, "unit", ["a list of tokens, and has no chars", "--unit token"]),
    ("edit-distance:unit=byte lists.jsonl", 2, "unit", ["has no bytes"]),
    (
        "wer words_ids.npz lists.jsonl --ref lists.jsonl:ref",
        3,
        "units-differ",
        ["one side is text", "numbers"],
    ),
    ("wer integers.parquet", 3, "shape", ["hyp holds single values (int64)", "a text, or a list of tokens"]),
    ("wer fractions.parquet", 3, "dtype", ["2.5 is no token", '"ref"', "row 2"]),
    ("wer deep.npz", 3, "shape", ["pred is N x 3 x 2", "a text, or a list of tokens", "no further axis"]),
    ("wer several.csv", 3, "column-not-found", ["pred", "hyp_a, hyp_b", "--pred hyp_a"]),
    ("wer several.csv --hyp hyp_a,hyp_b", 3, "shape", ["hyp_a, hyp_b are 2 columns", "--pred COLUMN"]),
    ("hamming-string good.csv", 3, "lengths-differ", ["16 units, and the target has 11", "row 1", "--pad"]),
    # numbers
    ("dtw numbers.csv", 3, "shape", ["pred holds single values", "a series of finite numbers", "JSONL"]),
    ("dtw good.csv", 3, "shape", ["hyp holds single values"]),
    ("perplexity words.jsonl", 3, "shape", ["token_logprobs holds single values", "log-probability"]),
    ("perplexity single.csv", 3, "shape", ["token_logprobs holds single values (csv)", "JSONL"]),
    # phones
    ("per lists.jsonl --mapping fold_twice.txt", 3, "bad-mapping", ["line 2", "aa", "fold_twice.txt"]),
    ("per lists.jsonl --mapping fold_wide.txt", 3, "bad-mapping", ["line 1 has 3 columns"]),
    ("per lists.jsonl --mapping fold_empty.txt", 3, "bad-mapping", ["no line", "fold_empty.txt"]),
    ("per lists.jsonl --mapping nowhere.txt", 3, "unreadable", ["cannot be read", "nowhere.txt"]),
    # alignments
    ("jaro good.csv --show-alignment 3", 2, "usage", ["--show-alignment", "jaro"]),
    ("ctc good.npz --show-alignment 3", 2, "usage", ["--show-alignment", "ctc"]),
    ("jaro,edit-distance good.csv --show-alignment 3", 2, "usage", ["--show-alignment", "jaro,edit-distance"]),
    ("wer good.csv --show-alignment 3 --rows 2", 2, "bad-option", ["the N worst rows", "--rows"]),
    ("wer good.csv --show-alignment 3 --worst 2", 2, "bad-option", ["the N worst rows"]),
    ("wer good.csv --show-alignment 3 --reduction none", 2, "bad-option", ["the N worst rows"]),
    ("wer good.csv --show-alignment 0", 2, "usage", ["0 is not in the range x>=1"]),
    # conventions
    ("wer good.csv --like torch", 2, "no-convention", ["wer has no convention of torch", "leave --like out"]),
    ("ctc good.npz --like sklearn", 2, "no-convention", ["torch, keras, optax"]),
    ("ctc good.npz --like keras --divisor label", 2, "preset-parameter", ["divisor=batch", "label"]),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sequences")
    for name, text in TEXTS.items():
        (path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    for name, arrays in ARRAYS.items():
        np.savez(path / f"{name}.npz", **arrays)
    for name, columns in TABLES.items():
        pq.write_table(pa.table(columns), path / f"{name}.parquet", row_group_size=1000)
    np.savez(path / "words_ids.npz", pred=np.array([[1, 2], [3, 4]]))
    for name, array in (("logs", LOGS), ("turned", LOGS.swapaxes(0, 1)), ("targets", TARGETS), ("one", TARGETS[:, 0])):
        np.save(path / f"{name}.npy", array)
    return path


@pytest.fixture
def go(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Go:
    monkeypatch.chdir(folder)

    def run(call: str, *more: object) -> Done:
        status = main(["compute", *call.split(), *map(str, more)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.mark.parametrize(("call", "status", "code", "parts"), CASES, ids=[c[0] for c in CASES])
def test_wrong_input(go: Go, call: str, status: int, code: str, parts: list[str]) -> None:
    found, out, err = go(call)
    assert (found, out) == (status, ""), err
    lines = [line for line in err.splitlines() if "warning:" not in line]
    assert len(lines) <= 5
    assert lines[0].startswith("lossctl: ")
    for part in parts:
        assert part in err
    _, _, as_json = go(call, "-q", "--error-format", "json")
    error = json.loads(as_json)
    assert error["schema"] == "lossctl.error/1"
    assert (error["error"]["code"], error["error"]["exit"]) == (code, status)
    assert error["error"]["message"] in err
    for rows in (1, 2):
        assert go(call, "--chunk-rows", rows)[2] == err


WARNED = [
    ("ctc short.npz", ["2 rows of pred", "too few for the target: the loss is inf (first: row 2)"]),
    ("ctc short.npz --zero-infinity", ["2 rows of pred", "the loss is 0, as zero-infinity says (first: row 2)"]),
    ("ctc off.npz", ["2 rows of pred", "greatest deviation 2, row 2", "--input logits"]),
    ("wer empty.csv --empty-ref inf", ["the value of 1 row is infinite"]),
    ("wer nulls.jsonl --nan skip", ["2 rows had NaN or missing values (hyp, ref)"]),
    ("wer hyp.kaldi ref.kaldi --input-format kaldi --unmatched drop", ["hyp.kaldi: 1 left out", "ref.kaldi", "u4"]),
]


@pytest.mark.parametrize(("call", "parts"), WARNED, ids=[c[0] for c in WARNED])
def test_warnings(go: Go, call: str, parts: list[str]) -> None:
    status, out, err = go(call)
    assert status == 0
    said = "\n".join(line for line in err.splitlines() if line.startswith("lossctl: warning: "))
    for part in parts:
        assert part in said
    found = json.loads(go(call, "-f", "json")[1])
    assert [f"lossctl: warning: {note['message']}" for note in found["warnings"]] == said.splitlines()
    for rows in (1, 2):
        assert go(call, "--chunk-rows", rows) == (status, out, err)


def test_what_became_of_rows(go: Go) -> None:
    def rows(call: str) -> dict[str, object]:
        return json.loads(go(call, "-q", "-f", "json")[1])["rows"]

    kaldi = "wer hyp.kaldi ref.kaldi --input-format kaldi --unmatched drop"
    assert rows(kaldi) == {"read": 4, "scored": 2, "dropped": {"unmatched": 2}}
    assert rows("wer nulls.jsonl --nan skip") == {"read": 3, "scored": 1, "dropped": {"nan": 2}}
    assert rows("wer nulls.jsonl --nan propagate") == {"read": 3, "scored": 3, "dropped": {}}
    assert rows("wer empty.csv --empty-ref skip") == {"read": 3, "scored": 1, "dropped": {"ignored": 2}}
    assert rows("ctc nan.npz --nan skip") == {"read": 3, "scored": 2, "dropped": {"nan": 1}}


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("wer empty.csv", "1.0"),
        ("wer empty.csv --empty-ref skip", "0.0"),
        ("wer empty.csv --empty-ref nan", "1.0"),
        ("wer empty.csv --empty-ref nan --average sample", "nan"),
        ("wer empty.csv --empty-ref inf --average sample", "nan"),
        ("wer nulls.jsonl --nan propagate", "nan"),
        ("mer nulls.jsonl --nan propagate", "nan"),
        ("wip nulls.jsonl --nan propagate", "nan"),
        ("edit-distance nulls.jsonl --nan propagate", "nan"),
        ("wer nulls.jsonl --nan skip", "0.5"),
        ("wer lists.jsonl", "0.3333333333333333"),
        ("wer mixed.jsonl", "1.0"),
        ("wer good.csv", "0.42857142857142855"),
        ("ctc short.npz", "inf"),
    ],
)
def test_values(go: Go, call: str, value: str) -> None:
    assert go(call, "-f", "value", "-q")[:2] == (0, f"{value}\n")


@pytest.mark.parametrize("name", ["runs", "paddings"])
def test_other_ways_to_write_the_same(go: Go, name: str) -> None:
    wanted = float(go("ctc good.npz -f value -q")[1])
    assert float(go(f"ctc {name}.npz -f value -q")[1]) == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize("like", ["torch", "keras", "optax"])
def test_conventions(go: Go, like: str) -> None:
    """Of a file whose names say log-probabilities, the divisor alone changes."""
    found = json.loads(go(f"ctc good.npz --like {like} -f json -q")[1])["results"][0]
    assert (found["like"], found["params"]["input"]) == (like, "log-probs")
    divisor = "target" if like == "torch" else "batch"
    assert found["params"]["divisor"] == divisor
    plain = float(go(f"ctc good.npz --divisor {divisor} -f value -q")[1])
    assert found["value"] == plain


def test_alignments_beside_a_record(go: Go) -> None:
    """They go to standard error where they are asked for; a record has room for where labels stand."""
    status, out, err = go("wer good.csv --show-alignment 1 -f value -q")
    assert (status, out) == (0, "0.42857142857142855\n")
    assert err == "alignments of worst 1 of 3 rows\nS substituted, D deleted, I inserted\n\nrow 3: wer 1\n" + (
        "ref  yes\nhyp  no\n     S\n"
    )
    status, out, err = go("ctc good.npz --force-align --reduction none -f jsonl -q")
    assert (status, err) == (0, "")
    first = json.loads(out.splitlines()[0])
    assert [(one["label"], one["first"] <= one["last"]) for one in first["alignment"]] == [
        (1, True),
        (2, True),
        (1, True),
    ]
