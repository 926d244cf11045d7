"""Wrong input: one clear error each, with file, row and column, what to try, and the right exit status."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

FILES = {
    "good.csv": "y_true,y_pred\n1,2\n2,3\n",
    "word.csv": "y_true,y_pred\n1,2\n2,abc\n3,x\n",
    "gap.csv": "y_true,y_pred\n1,2\n2,\n3,NA\n",
    "ragged.csv": "y_true,y_pred\n1,2\n2,3,4\n3,4\n",
    "prob.csv": "y_true,prob\n1,0.2\n0,1.3\n1,0.5\n",
    "other.csv": "a,b\n1,0.2\n",
    "semi.csv": "y_true;y_pred\n1;2\n",
    "two.csv": "y_true,prediction,pred\n1,2,3\n",
    "signs.csv": "label,score\n1,0.2\n-1,0.5\n0,1\n",
    "cow.csv": "label,prob_cat,prob_dog\ncat,.2,.8\ncow,.5,.5\n",
    "bare.csv": "1.5,2.5\n1,2\n",
    "text.csv": "label,y_prob\nyes,0.5\nno,0.1\n",
    "maybe.csv": "label,output\n1,1\n0,0.7\n",
    "big.csv": "y_true,y_pred\n1,9007199254740993\n",
    "rows.csv": "label,prob_a,prob_b\na,.2,.3\n",
    "short.csv": "target\n1\n",
    "id1.csv": "id,y_pred\na,1\nb,2\n",
    "id2.csv": "id,y_true\na,1\nc,2\n",
    "twice1.csv": "id,y_pred\na,1\na,2\n",
    "twice2.csv": "id,y_true\na,1\na,2\n",
    "weights.csv": "y_true,y_pred,w\n1,2,1\n1,3,-1\n",
    "empty.csv": "",
    "header.csv": "y_true,y_pred\n",
    "rank.csv": "query_id,relevance,y_pred\nq,-1,2\nq,0,1\n",
}

# call; exit; code; what the message must hold
CASES = [
    ("huberr good.csv", 2, "unknown-loss", ["huberr", "did you mean huber"]),
    ("l2 good.csv", 2, "ambiguous-loss", ["mse", "l2-norm", "half"]),
    ("mse,mse good.csv", 2, "equal-calls", ["mse is asked for twice"]),
    ("huber:delta=0 good.csv", 2, "bad-parameter", ["huber", "delta = 0.0", "> 0"]),
    ("huber:gamma=2 good.csv", 2, "unknown-parameter", ["gamma", "delta"]),
    ("huber --gamma 2 good.csv", 2, "usage", ["--gamma"]),
    ("mse --reduction prod good.csv", 2, "bad-reduction", ["prod", "median"]),
    ("rmse --reduction sum good.csv", 2, "bad-reduction", ["rmse", "sum"]),
    ("mse", 2, "no-input", ["no file"]),
    ("bce-with-logits --input probs prob.csv", 2, "preset-parameter", ["bce with input=logits", "use bce"]),
    ("bce-with-logits prob.csv", 2, "input-differs", ["logits", "probs", "lossctl compute bce prob.csv"]),
    ("bce:input=logits:clip=keras prob.csv --pred y_true", 2, "idle-parameter", ["clip", "input=probs"]),
    ("triplet-margin:distance=cosine:p=1 t.npz", 2, "idle-parameter", ["p acts only with distance=euclidean"]),
    ("mse --like optax:x good.csv", 2, "usage", ["--like"]),
    ("pinball --like torch good.csv", 2, "no-convention", ["pinball", "torch", "sklearn"]),
    ("mse nofile.csv", 3, "not-found", ["nofile.csv"]),
    ("mse .", 3, "mixed-formats", ["different formats", "quoted pattern"]),
    ("mse void", 3, "not-found", ["void", "directory without files", "_ are left out"]),
    ("mse nothing-*.csv", 3, "not-found", ["no file matches nothing-*.csv"]),
    ("mse p3.npy y2.npy p3.npy", 2, "file-count", ["3 files", "quote the pattern"]),
    ("mse empty.csv", 3, "empty", ["empty.csv"]),
    ("mse header.csv", 3, "empty", ["no rows were scored"]),
    ("mse word.csv", 3, "not-a-number", ["'abc'", "word.csv", "y_pred", "row 2", "row 3", "2 cells"]),
    ("mse gap.csv", 3, "nan", ["pred = nan", "gap.csv", "y_pred", "row 2", "row 3", "--nan skip"]),
    ("mse ragged.csv", 3, "ragged", ["3 fields", "expected 2", "row 2"]),
    ("mse other.csv", 3, "column-not-found", ["pred", "a, b", "--pred"]),
    ("mse semi.csv", 3, "column-not-found", ["only one column", "--delimiter ';'"]),
    ("mse --pred yhat good.csv", 3, "column-not-found", ["yhat", "y_true, y_pred"]),
    ("mse two.csv", 3, "ambiguous-column", ["prediction and pred", "--pred"]),
    ("mse bare.csv", 3, "headerless", ["--no-header"]),
    ("mse big.csv", 3, "integer-too-large", ["9007199254740993", "row 1"]),
    ("mse p3.npy y2.npy", 3, "lengths-differ", ["p3.npy 3", "y2.npy 2"]),
    ("mse p32.npy p3.npy", 3, "shapes-differ", ["N x 2", "target is N", "broadcast"]),
    ("mse p3.npy", 2, "file-count", ["p3.npy", "TARGET.npy"]),
    ("mse id1.csv id2.csv", 3, "unmatched-keys", ["row 2", "'b'", "'c'", "id1.csv", "id2.csv"]),
    ("mse twice1.csv twice2.csv", 3, "key-repeated", ["'a'", "row 1", "row 2"]),
    ("mse weights.csv --weight w", 3, "bad-weight", ["-1.0", "row 2", ">= 0"]),
    ("bce prob.csv", 3, "not-a-probability", ["1.3", "[0, 1]", "prob.csv", "row 2", "--input logits"]),
    ("bce text.csv", 3, "not-a-number", ["'yes'", "--positive"]),
    ("hinge signs.csv --pred score", 3, "mixed-labels", ["row 3 has 0", "row 2 has -1"]),
    ("cross-entropy cow.csv", 3, "unknown-class", ["'cow'", "cat, dog", "row 2"]),
    ("cross-entropy rows.csv", 3, "not-normalised", ["0.5", "row 1", "--input logits"]),
    ("cross-entropy logits.npy text.csv --target text.csv:label", 3, "class-order", ["'yes'", "--classes"]),
    ("cross-entropy:class_weight=1/2 logits.npy index.npy", 3, "shapes-differ", ["class_weight has 2", "3 classes"]),
    ("nll logits.npy index.npy", 3, "positive-log-prob", ["log-probability", "row"]),
    ("zero-one logits.npy index.npy", 3, "shapes-differ", ["--input probs|logits"]),
    ("zero-one maybe.csv", 3, "fractional-label", ["0.7", "row 2", "--input probs"]),
    ("ndcg-loss rank.csv", 3, "negative", ["-1.0", "row 1"]),
    ("mse,ndcg-loss rank2.csv --target relevance --rows 3", 2, "mixed-units", ["rows and lists"]),
    ("mse model.pkl", 3, "unsupported-format", ["pickle"]),
    ("mse objects.npy objects.npy", 3, "dtype", ["object"]),
    ("median good.csv", 2, "unknown-loss", ["median"]),
    ("median-ae --memory 1 p3.npy p3.npy", 2, "memory", ["--memory"]),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "rank2.csv").write_text("query_id,relevance,y_pred\nq,1,2\nq,0,1\n")
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04\x95junk")
    np.save(tmp_path / "p3.npy", np.arange(3.0))
    np.save(tmp_path / "y2.npy", np.arange(2.0))
    np.save(tmp_path / "p32.npy", np.ones((3, 2)))
    np.save(tmp_path / "logits.npy", np.arange(6.0).reshape(2, 3))
    np.save(tmp_path / "index.npy", np.array([0, 1]))
    np.save(tmp_path / "objects.npy", np.array([{}, 1], dtype=object), allow_pickle=True)
    ones = np.ones((2, 2))
    np.savez(tmp_path / "t.npz", anchor=ones, positive=ones, negative=ones)
    (tmp_path / "void").mkdir()
    (tmp_path / "void" / "_SUCCESS").touch()
    return tmp_path


@pytest.mark.parametrize(("call", "status", "code", "parts"), CASES, ids=[c[0] for c in CASES])
def test_wrong_input(lossctl: Run, folder: Path, call: str, status: int, code: str, parts: list[str]) -> None:
    done = lossctl("compute", *call.split())
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    lines = [line for line in done.stderr.splitlines() if "warning:" not in line]
    assert len(lines) <= 5
    assert lines[0].startswith("lossctl: ")
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr
    as_json = lossctl("compute", *call.split(), "-q", "--error-format", "json")
    error = json.loads(as_json.stderr)
    assert error["schema"] == "lossctl.error/1"
    assert (error["error"]["code"], error["error"]["exit"]) == (code, status)


def test_messages_do_not_depend_on_the_chunk_size(lossctl: Run, folder: Path) -> None:
    for call in ("mse gap.csv", "bce prob.csv", "mse word.csv", "hinge signs.csv --pred score", "mse ragged.csv"):
        said = {lossctl("compute", *call.split(), "--chunk-rows", n).stderr for n in (1, 2, 1000)}
        assert len(said) == 1


def test_all_bad_names_are_reported_at_once(lossctl: Run, folder: Path) -> None:
    done = lossctl("compute", "huberr,mse:x=1,nothing", "good.csv")
    assert done.returncode == 2
    for part in ("huberr", "mse has no parameter x", "nothing"):
        assert part in done.stderr


def test_debug_shows_the_traceback(lossctl: Run, folder: Path) -> None:
    assert "Traceback" in lossctl("compute", "mse", "word.csv", "--debug").stderr


def test_many_columns(lossctl: Run, tmp_path: Path) -> None:
    """Names are looked at a fixed number of times each: 20,000 columns are found as fast as they are read."""
    names = [f"prob_{i}" for i in range(20_000)]
    (tmp_path / "wide.csv").write_text(f"label,{','.join(names)}\n" + f"7,{','.join(['0.00005'] * len(names))}\n" * 2)
    done = lossctl("compute", "cross-entropy", "wide.csv", "-q", "-f", "value")
    assert float(done.stdout) == pytest.approx(np.log(20_000), rel=1e-12)
