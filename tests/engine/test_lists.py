"""Ranking losses: rows stand in lists that no cut may split."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lossctl.engine.options import ALL
from lossctl.engine.slices import Cutter, Piece, Scattered
from lossctl.errors import UsageError

NAN = math.nan
PRED = [0.9, 0.1, 0.5, 0.3, 0.2, 0.8, 0.4, 0.6, 0.7]
REL = [1.0, 2.0, 0.0, 0.0, 1.0, 3.0, 1.0, 0.0, 2.0]
NAMES = ["b", "b", "b", "a", "a", "c", "c", "c", "c"]
SORTED = {"pred": PRED, "target": REL, "qid": NAMES}
CHUNKS = (1, 2, 3, 4, 5, 8, 9, 100)


def dcg(gains):
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains))


def by_hand(pred, rel):
    """1 - NDCG of one list without ties, from the definition."""
    ranked = [r for _, r in sorted(zip(pred, rel, strict=True), key=lambda pair: -pair[0])]
    best = dcg(sorted(rel, reverse=True))
    return 1 - dcg(ranked) / best if best else 1.0


def expected(table):
    lists = {}
    for name, p, r in zip(table["qid"], table["pred"], table["target"], strict=True):
        lists.setdefault(name, []).append((p, r))
    return {name: by_hand(*zip(*items, strict=True)) for name, items in lists.items()}


def found(report):
    return {sample.key[0]: sample.values[0] for sample in report.samples}


def shuffled(seed):
    order = np.random.default_rng(seed).permutation(len(PRED))
    return {name: [column[i] for i in order] for name, column in SORTED.items()}


@pytest.mark.parametrize("rows", CHUNKS)
def test_lists_that_straddle_chunks(score, rows):
    report = score("ndcg-loss", SORTED, rows=ALL, chunk_rows=rows)
    assert found(report) == pytest.approx(expected(SORTED), rel=1e-14)
    assert list(found(report)) == ["b", "a", "c"]
    [result] = report.results
    assert (result.n, result.divisor, result.per) == (3, 3.0, "group")
    assert result.value == pytest.approx(sum(expected(SORTED).values()) / 3, rel=1e-14)
    assert (report.samples.per, report.samples.total, report.samples.key_names) == ("group", 3, ("qid",))
    assert (report.read, report.scored) == (9, 9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rows", [1, 4, 100])
def test_scattered_lists_are_gathered(score, seed, rows):
    """In order of appearance, with the digits of the sorted file."""
    table = shuffled(seed)
    report = score("ndcg-loss", table, rows=ALL, chunk_rows=rows)
    assert list(found(report)) == list(dict.fromkeys(table["qid"]))
    assert found(report) == found(score("ndcg-loss", SORTED, rows=ALL))
    assert report.results[0].value == score("ndcg-loss", SORTED).results[0].value
    assert (report.read, report.scored) == (9, 9)


def test_ties_keep_the_order_of_the_file_when_gathered(score):
    scattered = {"pred": [1.0, 0.0, 1.0, 0.0], "target": [1.0, 3.0, 0.0, 1.0], "qid": ["a", "b", "a", "b"]}
    together = {"pred": [1.0, 1.0, 0.0, 0.0], "target": [1.0, 0.0, 3.0, 1.0], "qid": ["a", "a", "b", "b"]}
    for call in ("ndcg-loss", "ndcg-loss:ignore_ties"):
        assert found(score(call, scattered, rows=ALL)) == found(score(call, together, rows=ALL))


@pytest.mark.parametrize("name", ["skip", "propagate"])
@pytest.mark.parametrize("rows", CHUNKS)
@pytest.mark.parametrize("place", range(9))
def test_missing_values_stay_in_their_list(score, name, rows, place):
    pred = list(PRED)
    pred[place] = NAN
    table = {**SORTED, "pred": pred}
    report = score("ndcg-loss", table, rows=ALL, nan=name, chunk_rows=rows)
    if name == "skip":
        wanted = expected({k: [v for i, v in enumerate(c) if i != place] for k, c in SORTED.items()})
        assert (report.read, report.scored, dict(report.dropped)) == (9, 8, {"nan": 1})
    else:
        wanted = {**expected(SORTED), NAMES[place]: NAN}
        assert (report.read, report.scored, dict(report.dropped)) == (9, 9, {})
    assert found(report) == pytest.approx(wanted, rel=1e-14, nan_ok=True)
    assert report.results[0].n == 3


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_a_missing_name(score, fails, csv, rows):
    path = csv("qid,pred,target", "a,1,1", ",2,1", "a,3,0", "b,1,1")
    error = fails(3, "nan", "ndcg-loss", path, chunk_rows=rows)
    assert (error.row, error.column) == (2, "qid")
    assert "-1" not in error.message
    report = score("ndcg-loss", path, nan="skip", rows=ALL, chunk_rows=rows)
    assert (report.read, report.scored, dict(report.dropped)) == (4, 3, {"nan": 1})
    assert list(found(report)) == ["a", "b"]


def test_a_list_of_dropped_rows_is_no_list(score):
    table = {**SORTED, "pred": [*PRED[:3], NAN, NAN, *PRED[5:]]}
    report = score("ndcg-loss", table, nan="skip", rows=ALL)
    assert list(found(report)) == ["b", "c"]
    assert report.results[0].n == 2


def test_masked_rows_are_not_in_their_list(score):
    table = {**SORTED, "m": [1, 1, 1, 1, 1, 1, 0, 1, 0]}
    keep = [i for i in range(9) if table["m"][i]]
    wanted = expected({k: [c[i] for i in keep] for k, c in SORTED.items()})
    report = score("ndcg-loss", table, mask="m", rows=ALL)
    assert found(report) == pytest.approx(wanted, rel=1e-14)
    assert dict(report.dropped) == {"ignored": 2}


# What counts once for a list.


@pytest.mark.parametrize("rows", [1, 4, 100])
def test_weights_of_lists(score, rows):
    weight = {"b": 2.0, "a": 0.0, "c": 0.5}
    for table in (SORTED, shuffled(3)):
        weighted = {**table, "w": [weight[name] for name in table["qid"]]}
        report = score("ndcg-loss", weighted, weight="w", chunk_rows=rows)
        lists = expected(SORTED)
        wanted = sum(weight[n] * v for n, v in lists.items()) / 2.5
        assert report.results[0].value == pytest.approx(wanted, rel=1e-14)
        assert (report.results[0].n, report.results[0].weight_sum) == (3, 2.5)


@pytest.mark.parametrize("rows", [1, 4, 100])
def test_a_weight_that_changes_within_a_list(fails, rows):
    table = {**SORTED, "w": [1, 1, 1, 2, 2, 3, 3, 4, 3]}
    error = fails(3, "group-not-constant", "ndcg-loss", table, weight="w", chunk_rows=rows)
    assert error.row == 8
    assert "--weight" in error.message


def test_a_slice_that_changes_within_a_list(fails):
    table = {**SORTED, "lang": ["x", "x", "y", *"zzzzzz"]}
    error = fails(3, "group-not-constant", "ndcg-loss", table, by=("lang",))
    assert error.row == 3
    assert "--by" in error.message


@pytest.mark.parametrize("rows", [1, 4, 100])
def test_slices_of_lists(score, rows):
    lang = {"b": "en", "a": "de", "c": "en"}
    for table in (SORTED, shuffled(1)):
        sliced = {**table, "lang": [lang[name] for name in table["qid"]]}
        results = score("ndcg-loss", sliced, by=("lang",), chunk_rows=rows).results
        lists = expected(SORTED)
        assert [(r.group and r.group["lang"], r.n) for r in results] == [(None, 3), ("de", 1), ("en", 2)]
        assert results[1].value == pytest.approx(lists["a"], rel=1e-14)
        assert results[2].value == pytest.approx((lists["b"] + lists["c"]) / 2, rel=1e-14)


# Beside losses of rows.


def test_rows_and_lists_cannot_share_a_table(score, fails):
    report = score("mse,ndcg-loss", SORTED)
    assert report.samples is None
    assert "mixed-units" in [note.code for note in report.warnings]
    for options in ({"rows": 3}, {"rows": ALL}, {"worst": 2}, {"reduction": "none"}):
        error = fails(2, "mixed-units", "mse,ndcg-loss", SORTED, **options)
        assert error.hint


@pytest.mark.parametrize("seed", [None, 0, 1])
@pytest.mark.parametrize("rows", [1, 4, 100])
def test_accounts_with_losses_of_rows(score, seed, rows):
    """Both drop the same row, so it is dropped, in whatever order the lists were read."""
    table = SORTED if seed is None else shuffled(seed)
    for place in range(9):
        pred = list(table["pred"])
        pred[place] = NAN
        report = score("mse,ndcg-loss", {**table, "pred": pred}, nan="skip", chunk_rows=rows)
        assert (report.read, report.scored, dict(report.dropped)) == (9, 8, {"nan": 1})
        assert [dict(r.dropped) for r in report.results] == [{"nan": 1}, {"nan": 1}]


def test_several_ranking_losses(score):
    report = score("ndcg-loss,ndcg-loss:k=1", shuffled(2), rows=ALL, chunk_rows=2)
    assert report.samples.labels == ("ndcg-loss", "ndcg-loss:k=1")
    alone = [score(call, SORTED).results[0].value for call in ("ndcg-loss", "ndcg-loss:k=1")]
    assert [r.value for r in report.results] == alone


def test_worst_lists(score):
    values = expected(SORTED)
    report = score("ndcg-loss", SORTED, worst=2, chunk_rows=2)
    assert [s.key[0] for s in report.samples] == sorted(values, key=lambda name: -values[name])[:2]


def test_a_list_without_relevant_items(score):
    table = {"pred": [1.0, 2.0, 3.0], "target": [0.0, 0.0, 1.0], "qid": ["a", "a", "b"]}
    for rows in (1, 2, 9):
        report = score("ndcg-loss", table, rows=ALL, chunk_rows=rows)
        assert found(report) == {"a": 1.0, "b": 0.0}
        [note] = report.warnings
        assert note.code == "nothing-relevant"
        assert "row 1)" in note.message


def test_names_are_text(score, csv):
    """``1``, ``1.0`` and ``01`` are three lists."""
    path = csv("qid,pred,target", "1,1,1", "1.0,2,1", "01,3,1")
    assert score("ndcg-loss", path).results[0].n == 3


# Memory.


def test_gathering_beyond_memory_is_refused(fails):
    n = 3000
    table = {"pred": np.arange(n * 1.0), "target": np.ones(n), "qid": np.arange(n) % 2}
    error = fails(2, "memory", "ndcg-loss", table, memory=20_000, chunk_rows=100)
    assert "--memory" in error.hint
    assert "20,000" in error.message


def test_sorted_lists_need_no_memory(score):
    n = 3000
    table = {"pred": np.arange(n * 1.0), "target": np.ones(n), "qid": np.arange(n) // 10}
    assert score("ndcg-loss", table, memory=20_000, chunk_rows=100).results[0].n == 300


def test_one_list_beyond_memory_is_refused(fails):
    """A list that is contiguous and does not fit is held in memory all the same: it counts too."""
    n = 30_000
    table = {"pred": np.arange(n * 1.0), "target": np.ones(n), "qid": np.zeros(n)}
    fails(2, "memory", "ndcg-loss", table, memory=20_000, chunk_rows=100)


# The cutter by itself.


def piece(codes, first=0):
    codes = np.array(codes)
    return Piece({"group": codes, "x": codes * 10.0}, np.arange(first, first + len(codes)))


def test_cutter_hands_on_whole_lists():
    cutter = Cutter(gather=False, memory=10**6)
    assert cutter.push(piece([0, 0])) is None
    assert cutter.push(piece([0], 2)) is None
    out = cutter.push(piece([0, 1, 1], 3))
    assert out.rows.tolist() == [0, 1, 2, 3]
    out = cutter.push(piece([2, 2], 6))
    assert out.rows.tolist() == [4, 5]
    assert out.arrays["x"].tolist() == [10.0, 10.0]
    assert cutter.rest().rows.tolist() == [6, 7]
    assert cutter.rest() is None


def cut(parts):
    cutter = Cutter(gather=False, memory=10**6)
    for part in parts:
        cutter.push(piece(part))
    cutter.rest()


def test_cutter_sees_a_list_come_back():
    for parts in ([[0, 1, 0]], [[0], [1], [0], [2]], [[0, 1], [0]]):
        with pytest.raises(Scattered):
            cut(parts)


def test_cutter_gathers():
    cutter = Cutter(gather=True, memory=10**6)
    for start, part in ((0, [0, 1]), (2, [0]), (3, [1, 2, 0])):
        assert cutter.push(piece(part, start)) is None
    assert cutter.rest().rows.tolist() == [0, 2, 5, 1, 3, 4]


def test_cutter_refuses_beyond_memory():
    cutter = Cutter(gather=True, memory=60)
    cutter.push(piece([0, 1]))
    with pytest.raises(UsageError, match="60 bytes"):
        cutter.push(piece([0, 1], 2))


def test_codes_are_by_name():
    cutter = Cutter(gather=False, memory=1)
    assert cutter.code(np.array([1, 0, -1, 1]), ["x", "y"]).tolist() == [1, 0, -1, 1]
    assert cutter.code(np.array([0, 1, 2]), ["y", "", "z"]).tolist() == [1, -1, 2]
    assert cutter.labels == ["x", "y", "z"]
