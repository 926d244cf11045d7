"""Masks, boxes, embeddings, rankings, critics, preferences from files: what is right scores, what is wrong is named."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossctl.cli.main import main

CORNERS = [f"{side}_{corner}" for side in ("pred", "target") for corner in ("x1", "y1", "x2", "y2")]
POLICIES = ["policy_chosen", "policy_rejected", "ref_chosen", "ref_rejected"]
TABLES: dict[str, tuple[list[str], list[list[Any]]]] = {
    "boxes": (CORNERS, [[0, 0, 2, 2, 1, 1, 3, 3], [0, 0, 4, 1, 0, 0, 1, 4]]),
    "sizes": (["x", "y", "w", "h", "tx", "ty", "tw", "th"], [[0, 0, 2, 2, 1, 1, 2, 2], [0, 0, 4, 1, 0, 0, 1, 4]]),
    "inverted": (CORNERS, [[0, 0, 2, 2, 1, 1, 3, 3], [2, 2, 0, 0, 0, 0, 2, 2], [5, 5, 1, 6, 0, 0, 2, 2]]),
    "flat": (CORNERS, [[0, 0, 2, 2, 1, 1, 3, 3], [0, 0, 2, 0, 0, 0, 2, 2]]),
    "alone": (["features_0", "features_1", "label"], [[1, 2, "a"], [2, 1, "b"], [0, 1, "c"]]),
    "single": (["features_0", "features_1", "label"], [[1, 2, "a"], [2, 1, "a"], [0, 1, "c"], [3, 1, "d"]]),
    "faces": (["features_0", "features_1", "label"], [[1, 2, 0], [2, 1, 1], [0, 1, 2]]),
    "classes": (["features_0", "features_1", "label"], [[1, 2, 0], [2, 1, 7]]),
    "mixed": (["pred", "relevance", "group"], [[1, 1, "a"], [2, 0, "b"], [3, 0, "a"], [1, 2, "b"]]),
    "sorted": (["pred", "relevance", "group"], [[1, 1, "a"], [3, 0, "a"], [2, 0, "b"], [1, 2, "b"]]),
    "negative": (["pred", "relevance", "group"], [[1, 1, "a"], [2, -1, "a"]]),
    "critic": (["real", "fake"], [[2, -1], [-0.5, 0.3], ["", 0.5]]),
    "gap": (["real", "fake"], [[1, 0.5], ["", -1], [3, 0.3]]),
    "prefer": (POLICIES, [[-10, -12, -11, -11.5]]),
    "positive": (POLICIES, [[-10, -12, -11, -11.5], [-1, 0.5, -2, -3]]),
    "facts": (["p_a", "p_b", "p_c"], [[0.7, 0.2, 0.4]]),
    "members": (["member_0", "member_1", "member_2", "target"], [[1, 2, 3, 2], [0, 1, 5, 4]]),
    "spread": (["pred", "sigma", "target"], [[1, 2, 2], [0, -1, 4]]),
    "labels": (["logit_a", "logit_b", "target_a", "target_b"], [[1, 0, 1, 1], [1, 2, 0, 0]]),
    "trios": ([f"{r}_{i}" for r in ("anchor", "positive", "negative") for i in range(2)], [[1, 0, 1, 0.1, 0, 1]]),
    "pairs": (["x1_0", "x1_1", "x2_0", "x2_1", "target"], [[1, 0, 1, 1, 1], [1, 2, -1, 0, -1]]),
    "signs": (["x1_0", "x1_1", "x2_0", "x2_1", "target"], [[1, 0, 1, 1, 1], [1, 2, -1, 0, 3]]),
}
RNG = np.random.default_rng(0)
MASK = RNG.uniform(0.1, 0.9, (3, 1, 4, 4))
INKED = (MASK > 0.5).astype("u1")
EMPTY = INKED * np.array([1, 0, 1], "u1")[:, None, None, None]
SCANS = RNG.dirichlet(np.ones(3), (2, 2, 4, 4)).transpose(0, 4, 1, 2, 3)  # two volumes, three classes
ARRAYS: dict[str, Any] = {
    "masks.npz": {"pred": MASK, "target": INKED},
    "empty.npz": {"pred": MASK, "target": EMPTY},
    "logits.npz": {"pred": MASK * 3, "target": INKED},
    "cropped.npz": {"pred": MASK, "target": INKED[:, :, :3]},
    "volumes.npz": {"pred": SCANS, "target": SCANS.argmax(axis=1)},
    "beyond.npz": {"pred": SCANS, "target": np.full((2, 2, 4, 4), 5)},
    "weights.npy": np.array([0.5, -1.0, 2.0]),
    "prototypes.npy": np.eye(3, 2),
    "real.npy": np.array([2.0, -0.5]),
    "fake.npy": np.array([-1.0, 0.3, 0.5]),
    "hole.npy": np.array([-1.0, np.nan, 0.5]),
}
TEXTS = {
    "rule.cnf": "c one of a, b\np cnf 3 1\n1 2 0\n",
    "bad.cnf": "p cnf 3 2\n1 -2 0\n4 0\n",
}


@pytest.fixture
def go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Callable[[str], tuple[int, str, str]]:
    monkeypatch.chdir(tmp_path)
    for name, (header, rows) in TABLES.items():
        with Path(f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
    for name, arrays in ARRAYS.items():
        if isinstance(arrays, dict):
            np.savez(name, allow_pickle=False, **arrays)
        else:
            np.save(name, arrays)
    for name, text in TEXTS.items():
        Path(name).write_text(text, encoding="utf-8")

    def run(line: str) -> tuple[int, str, str]:
        status = main(["compute", *line.split()])
        done = capsys.readouterr()
        return status, done.out, done.err

    return run


# call; value, by hand or from the library named
RIGHT = [
    ("giou boxes.csv", (1.0793650793 + 1.4196428571) / 2),  # torchvision
    ("giou sizes.csv", (1.0793650793 + 1.4196428571) / 2),
    ("gan-minimax critic.csv", np.logaddexp(0, [-2, 0.5]).mean() + np.logaddexp(0, [-1, 0.3, 0.5]).mean()),
    ("gan-minimax real.npy fake.npy", np.logaddexp(0, [-2, 0.5]).mean() + np.logaddexp(0, [-1, 0.3, 0.5]).mean()),
    ("wgan --side g --fake fake.npy", -np.mean([-1, 0.3, 0.5])),
    ("dpo prefer.csv", 0.6209570478),
    ("semantic facts.csv", 0.7592869831),
    ("semantic --constraint rule.cnf facts.csv", -np.log(1 - 0.3 * 0.8)),
    ("l2-penalty --lambda 0.1 weights.npy", 0.05 * 5.25),
    ("structural-risk --loss mae --penalty l1 --lambda 2 --parameters weights.npy --target sigma spread.csv", 8),
    ("crps-ensemble members.csv", (2 / 3 - 4 / 9 + 8 / 3 - 10 / 9) / 2),
    ("center --prototypes prototypes.npy faces.csv", ((0 + 4) + (4 + 0) + (0 + 1)) / 6),
    ("ndcg-loss mixed.csv", (2 - 2 / np.log2(3)) / 2),
    ("cosine-embedding pairs.csv", 0.2928932188 / 2),  # torch
]


@pytest.mark.parametrize(("line", "value"), RIGHT, ids=lambda v: str(v)[:40])
def test_right_input(go, line, value):
    status, out, err = go(f"{line} -f value")
    assert status == 0, err
    assert float(out) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    "line",
    [
        "dice,iou,tversky,mcc masks.npz",
        "dice,generalized-dice,lovasz-softmax volumes.npz",
        "soft-triplet,triplet-margin trios.csv",
        "sup-con,circle single.csv",
        "arcface,sphereface,l-softmax --prototypes prototypes.npy faces.csv",
        "ranknet,lambdarank,listnet,listmle,approx-ndcg sorted.csv",
        "asymmetric-multilabel labels.csv",
        "gan-hinge,lsgan,wgan critic.csv",
    ],
)
def test_several_at_once(go, line):
    status, out, err = go(f"{line} -f json")
    assert status == 0, err
    found = json.loads(out)
    assert len(found["results"]) == line.split()[0].count(",") + 1
    assert all(np.isfinite(result["value"]) for result in found["results"])


def test_scattered_lists_are_gathered(go):
    assert go("ranknet mixed.csv -f value")[1] == go("ranknet sorted.csv -f value")[1]


# call; exit; code; what the message must hold
WRONG = [
    ("giou inverted.csv", 3, "inverted-box", ["[2.0, 2.0, 0.0, 0.0]", "row 2", "row 3", "--boxes xywh"]),
    ("ciou flat.csv", 3, "zero-area", ["[0.0, 0.0, 2.0, 0.0]", "row 2", "--zero-area score"]),
    ("giou sizes.csv --boxes xyxy", 2, None, ["say xywh", "--boxes xywh"]),
    ("dice empty.npz --on-empty error", 3, None, ["without a pixel", "row 2", "--on-empty zero"]),
    ("dice logits.npz", 3, "not-a-probability", ["row 1", "--input logits"]),
    ("dice cropped.npz", 3, "shapes-differ", ["N x 1 x 4 x 4", "N x 1 x 3 x 4", "--class-axis"]),
    ("dice beyond.npz", 3, None, ["target = 5.0", "3 classes: 0 to 2", "row 1"]),
    ("sup-con alone.csv", 3, "empty", ["no row counts", "first: row 1", "--empty nan"]),
    ("ndcg-loss negative.csv", 3, "negative", ["target = -1.0", "row 2"]),
    ("l-softmax --m 2.5 --prototypes prototypes.npy faces.csv", 2, None, ["m = 2.5", "whole number >= 1"]),
    ("arcface --margin 28.6 --prototypes prototypes.npy faces.csv", 2, None, ["margin = 28.6", "radians"]),
    ("arcface --prototypes prototypes.npy classes.csv", 3, None, ["7", "row 2"]),
    ("triplet-margin --margin -1 trios.csv", 2, None, ["margin = -1.0", "> 0"]),
    ("cosine-embedding signs.csv", 3, None, ["target = 3.0", "row 2"]),
    ("gan-minimax gap.csv", 3, "nan", ["real is missing", "row 2", "row 3", "--nan skip"]),
    ("gan-minimax real.npy hole.npy", 3, "nan", ["fake = nan is missing", "row 2"]),
    ("dpo positive.csv", 3, "positive-log-prob", ["policy-rejected = 0.5", "row 2"]),
    ("ipo prefer.csv", 2, "no-lengths", ["chosen-length", "--no-length-normalize"]),
    ("semantic --constraint bad.cnf facts.csv", 3, None, ["line 3", "bad.cnf", "DIMACS"]),
    ("semantic --constraint none.cnf facts.csv", 3, None, ["none.cnf", "exactly-one"]),
    ("structural-risk --loss ctc spread.csv", 2, None, ["cannot take ctc", "mse"]),
    ("structural-risk --target sigma spread.csv", 3, "column-not-found", ["parameters", "--parameters FILE"]),
    ("crps-ensemble --pred member_0 members.csv", 3, "one-member", ["only member", "--pred 'member_*'"]),
    ("crps-gaussian spread.csv", 3, None, ["sigma = -1.0", "row 2"]),
]


@pytest.mark.parametrize("form", ["", " --error-format json"], ids=["text", "json"])
@pytest.mark.parametrize(("line", "exit", "code", "words"), WRONG, ids=[line for line, *_ in WRONG])
def test_wrong_input(go, line, exit, code, words, form):
    status, out, err = go(line + form)
    assert (status, out) == (exit, ""), err
    told = err
    if form:
        error = json.loads(err.splitlines()[-1])["error"]
        assert error["exit"] == exit
        assert code in (None, error["code"])
        told = json.dumps(error, ensure_ascii=False).replace('\\"', '"')
        words = [word for word in words if "row " not in word]  # a row has a key of its own, further rows have none
    assert all(word in told for word in words), told
    assert len(err.splitlines()) <= 6


def test_empty_masks_are_counted(go):
    status, _, err = go("dice empty.npz")
    assert status == 0
    assert "1 row of target" in err
    assert "first: row 2" in err


def test_a_short_option_may_be_a_value(go):
    """What follows an option that takes a value is that value, whatever it looks like."""
    assert go("giou boxes.csv --null-value -f -f value")[0] == 0
    assert go("giou boxes.csv --delimiter -f -f value")[0] != 0  # a delimiter of two characters
    assert "-f" in go("giou boxes.csv -- -f")[2]
