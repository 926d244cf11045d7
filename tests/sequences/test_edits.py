"""Edit distances against the plain recursion over all alignments, known values, and their laws."""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.sequences import edits, grid, splits, strings
from lossctl.sequences.alignments import alignment
from lossctl.sequences.ragged import Ragged
from lossctl.sequences.splits import counts
from lossctl.sequences.units import shared, split

UNIT = (1, 1, 1)
SCLITE = (3, 3, 4)


def rows(*texts: str) -> Ragged:
    return split(Ragged.texts(texts), "char")


def codes(lists: list[list[int]]) -> Ragged:
    return Ragged.of(lists, np.int64)


def cheapest(x: Any, y: Any, ins: float, dele: float, sub: float) -> tuple[float, int, int, int]:
    """(cost, S, D, I) of all alignments: the least cost, then the fewest substitutions."""

    @lru_cache(None)
    def best(i: int, j: int) -> tuple[float, int, int, int]:
        if i == j == 0:
            return 0, 0, 0, 0
        ways = []
        if i:
            cost, s, d, n = best(i - 1, j)
            ways.append((cost + dele, s, d + 1, n))
        if j:
            cost, s, d, n = best(i, j - 1)
            ways.append((cost + ins, s, d, n + 1))
        if i and j:
            cost, s, d, n = best(i - 1, j - 1)
            differ = int(x[i - 1] != y[j - 1])
            ways.append((cost + sub * differ, s + differ, d, n))
        return min(ways)

    return best(len(x), len(y))


def transposing(x: Any, y: Any, *, osa: bool) -> int:
    """Damerau's distance, over all ways: with neighbours that change places."""

    @lru_cache(None)
    def best(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        ways = [best(i - 1, j) + 1, best(i, j - 1) + 1, best(i - 1, j - 1) + (x[i - 1] != y[j - 1])]
        for k in range(1, i):
            for m in range(1, j):
                gap = (i - k - 1) + (j - m - 1)
                if x[k - 1] == y[j - 1] and x[i - 1] == y[m - 1] and not (osa and gap):
                    ways.append(best(k - 1, m - 1) + 1 + gap)
        return min(ways)

    return best(len(x), len(y))


def subsequence(x: Any, y: Any) -> int:
    if not len(x) or not len(y):
        return 0
    if x[0] == y[0]:
        return 1 + subsequence(x[1:], y[1:])
    return max(subsequence(x[1:], y), subsequence(x, y[1:]))


def jaro(x: Any, y: Any) -> float:
    """By its definition: matches from the left within the window, half of those out of order."""
    if not len(x) and not len(y):
        return 1.0
    window = max(max(len(x), len(y)) // 2 - 1, 0)
    taken: list[int] = []
    found = []
    for i, unit in enumerate(x):
        for j in range(max(i - window, 0), min(i + window + 1, len(y))):
            if y[j] == unit and j not in taken:
                taken.append(j)
                found.append(unit)
                break
    c = len(found)
    if not c:
        return 0.0
    t = sum(a != y[j] for a, j in zip(found, sorted(taken), strict=True)) // 2
    return (c / len(x) + c / len(y) + (c - t) / c) / 3


def some_pairs(seed: int, longest: int, letters: int, count: int = 25) -> tuple[list[list[int]], list[list[int]]]:
    """Random rows: half of them strangers, half of them a few edits apart; also empty and equal ones."""
    rng = random.Random(seed)
    xs = [[rng.randrange(letters) for _ in range(rng.randint(0, longest))] for _ in range(count)]
    ys = []
    for place, x in enumerate(xs):
        near = [unit if rng.random() > 0.1 else rng.randrange(letters) for unit in x if rng.random() > 0.1]
        ys.append(near if place % 2 else [rng.randrange(letters) for _ in range(rng.randint(0, longest))])
    return [*xs, [], [], [1], [0, 1]], [*ys, [], [1], [], [0, 1]]


PAIRS = [some_pairs(*given) for given in ((1, 5, 2), (2, 12, 3), (3, 40, 4), (4, 130, 3), (5, 150, 30))]
COSTS = [
    UNIT,
    (1, 1, 2),
    (1, 7, 5),
    (7, 1, 5),
    SCLITE,
    (0, 1, 1),
    (1, 0, 5),
    (0, 0, 1),
    (0, 0, 0),
    (1, 1, 0),
    (2, 2, 2),
]


@pytest.mark.parametrize(
    "costs", [*COSTS, (0.5, 1.25, 1), (0.1, 0.3, 0.7), (1 / 3, 0.2, 0.5), (1e9, 1, 3), (1e12, 1, 3), (1, 1e300, 1)]
)
@pytest.mark.parametrize("pairs", PAIRS, ids=range(len(PAIRS)))
def test_levenshtein_is_the_cheapest_of_all_ways(pairs, costs):
    found = edits.levenshtein(codes(pairs[0]), codes(pairs[1]), *costs)
    expected = [cheapest(x, y, *costs)[0] for x, y in zip(*pairs, strict=True)]
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("split_name", "costs"), [("hits", UNIT), ("sclite", SCLITE)])
@pytest.mark.parametrize("pairs", PAIRS, ids=range(len(PAIRS)))
def test_counts_are_those_of_the_cheapest_way_with_the_fewest_substitutions(pairs, split_name, costs):
    found = counts(codes(pairs[0]), codes(pairs[1]), split_name)
    for n, (x, y) in enumerate(zip(*pairs, strict=True)):
        assert (found.substitutions[n], found.deletions[n], found.insertions[n]) == cheapest(x, y, *costs)[1:]
        assert found.hits[n] == len(x) - found.substitutions[n] - found.deletions[n]


@pytest.mark.parametrize("pairs", PAIRS, ids=range(len(PAIRS)))
def test_counts_as_jiwer_has_them(pairs):
    """rapidfuzz's own operations, counted one by one."""
    from rapidfuzz.distance import Levenshtein

    found = counts(codes(pairs[0]), codes(pairs[1]), "jiwer")
    for n, (x, y) in enumerate(zip(*pairs, strict=True)):
        tags = [operation.tag for operation in Levenshtein.editops(x, y)]
        mine = found.substitutions[n], found.deletions[n], found.insertions[n]
        assert mine == (tags.count("replace"), tags.count("delete"), tags.count("insert"))
        assert found.errors[n] == cheapest(x, y, *UNIT)[0]


@pytest.mark.parametrize("table", [1 << 20, 40, 1])
@pytest.mark.parametrize("pairs", PAIRS, ids=range(len(PAIRS)))
def test_alignments_are_ways_with_the_same_counts(pairs, table, monkeypatch):
    """Also where the table is too large and is halved."""
    monkeypatch.setattr("lossctl.sequences.alignments.TABLE", table)
    found = counts(codes(pairs[0]), codes(pairs[1]))
    for n, (x, y) in enumerate(zip(*pairs, strict=True)):
        way = alignment(np.array(x, int), np.array(y, int))
        assert [way.count(letter) for letter in "=SDI"] == [int(part[n]) for part in found]
        i = j = 0
        for step in way:
            assert step in "DI" or (x[i] == y[j]) == (step == "=")
            i, j = i + (step != "I"), j + (step != "D")
        assert (i, j) == (len(x), len(y))


SHORT = [some_pairs(seed, 7, 3, 60) for seed in (11, 12)]


@pytest.mark.parametrize("pairs", SHORT, ids=range(len(SHORT)))
def test_the_other_distances_are_what_their_definitions_say(pairs):
    x, y = codes(pairs[0]), codes(pairs[1])
    both = list(zip(*pairs, strict=True))
    common = np.array([subsequence(a, b) for a, b in both])
    m, n = x.lengths, y.lengths
    assert np.array_equal(edits.osa(x, y), [transposing(a, b, osa=True) for a, b in both])
    assert np.array_equal(edits.damerau_levenshtein(x, y), [transposing(a, b, osa=False) for a, b in both])
    assert np.array_equal(edits.indel(x, y), m + n - 2 * common)
    assert np.array_equal(edits.lcs(x, y), np.maximum(m, n) - common)
    np.testing.assert_allclose(edits.jaro(x, y), [jaro(a, b) for a, b in both], rtol=1e-15)
    padded = [sum(p != q for p, q in zip(a, b, strict=False)) + abs(len(a) - len(b)) for a, b in both]
    assert np.array_equal(edits.hamming(x, y), padded)


# Values known from elsewhere.

KNOWN: list[tuple[Any, str, str, float]] = [
    (edits.levenshtein, "kitten", "sitting", 3),  # Levenshtein's textbook pair
    (edits.levenshtein, "rain", "shine", 3),  # torchmetrics
    (edits.levenshtein, "lnaguaeg", "language", 4),
    (edits.levenshtein, "\u00c1\u00c4", "ABCD", 4),  # rapidfuzz, here and below
    (edits.levenshtein, "0", "101", 2),
    (edits.damerau_levenshtein, "test", "tset", 1),
    (edits.damerau_levenshtein, "test", "qwy", 4),
    (edits.damerau_levenshtein, "Niall", "Neil", 3),
    (edits.damerau_levenshtein, "aluminum", "Catalan", 7),
    (edits.damerau_levenshtein, "ATCG", "TAGC", 2),
    (edits.damerau_levenshtein, "ab", "cde", 3),
    (edits.damerau_levenshtein, "ca", "abc", 2),
    (edits.osa, "CA", "ABC", 3),
    (edits.osa, "CA", "AC", 1),
    (edits.osa, "a" * 65 + "CA" + "a" * 65, "b" + "a" * 64 + "AC" + "a" * 64 + "b", 3),
    (edits.indel, "South Korea", "North Korea", 4),
    (edits.indel, "aaaa", "bbbb", 8),
    (edits.indel, "kitten", "sitting", 5),
    (edits.lcs, "aaaa", "bbbb", 4),
    (edits.hamming, "aaaa", "aaaaa", 1),
    (edits.hamming, "karolin", "kathrin", 3),
]


@pytest.mark.parametrize(("distance", "x", "y", "value"), KNOWN)
def test_known_distances(distance, x, y, value):
    assert distance(rows(x), rows(y)).tolist() == [value]


@pytest.mark.parametrize(
    ("costs", "value"), [((1, 1, 0), 2), ((1, 1, 2), 6), ((1, 1, 5), 6), ((1, 7, 5), 12), ((7, 1, 5), 24)]
)
def test_known_costs(costs, value):
    """rapidfuzz's test of weights: A-umlauts against ABCD."""
    assert edits.levenshtein(rows("\u00c1\u00c4"), rows("ABCD"), *costs).tolist() == [value]


@pytest.mark.parametrize(
    ("x", "y", "plain", "winkler"),
    [
        ("martha", "marhta", ".944444", ".961111"),  # Winkler's own table
        ("dixon", "dicksonx", ".766667", ".813333"),
        ("dwayne", "duane", ".822222", ".84"),
    ],
)
def test_known_similarities(x, y, plain, winkler):
    assert round(float(edits.jaro(rows(x), rows(y))[0]), 6) == float(plain)
    assert round(float(edits.jaro_winkler(rows(x), rows(y))[0]), 6) == float(winkler)


@pytest.mark.parametrize(
    ("x", "y", "value"), [("0", "00", 0.85), ("0" * 64, "0" * 65, 0.996923), ("000000001", "0000010", 0.926984)]
)
def test_known_winkler(x, y, value):
    assert round(float(edits.jaro_winkler(rows(x), rows(y))[0]), 6) == value


@pytest.mark.parametrize(
    ("hyp", "ref", "cost", "ins", "dele", "sub"),
    [  # Kaldi's edit-distance-test
        ([1, 3, 4, 5], [2, 3, 4, 5, 6, 7], 3, 0, 2, 1),
        ([2, 3, 4, 5, 6, 7], [1, 3, 4, 5], 3, 2, 0, 1),
        ([1, 2, 3, 4], [1, 2, 4], 1, 1, 0, 0),
        ([1, 2, 3, 4, 5], [1, 2, 4], 2, 2, 0, 0),
        ([1, 2, 3, 4, 5], [1, 2, 4, 6], 2, 1, 0, 1),
    ],
)
def test_known_counts(hyp, ref, cost, ins, dele, sub):
    found = counts(codes([ref]), codes([hyp]))
    assert [int(part[0]) for part in found[1:]] == [sub, dele, ins]
    assert found.errors.tolist() == [cost]


def test_sclite_may_have_more_errors_than_the_fewest():
    """Three insertions and deletions at 3 each are dearer than two substitutions at 4, five are cheaper than four."""
    worse = 0
    for seed in range(200):
        x, y = some_pairs(seed, 14, 3, 20)
        mine, theirs = (counts(codes(x), codes(y), name).errors for name in ("hits", "sclite"))
        assert (theirs >= mine).all()
        worse += int((theirs > mine).sum())
    assert worse > 0


# Laws.

sequences = st.lists(st.integers(0, 3), max_size=9)


@settings(max_examples=150, deadline=None)
@given(sequences, sequences, sequences)
def test_levenshtein_is_a_metric(x, y, z):
    triple = codes([x, y, z])

    def d(a: int, b: int) -> float:
        return float(edits.levenshtein(triple[[a]], triple[[b]])[0])

    assert d(0, 1) == d(1, 0)
    assert (d(0, 1) == 0) == (x == y)
    assert d(0, 2) <= d(0, 1) + d(1, 2)
    assert abs(len(x) - len(y)) <= d(0, 1) <= max(len(x), len(y))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(sequences, sequences), min_size=1, max_size=6), st.sampled_from(splits.SPLITS))
def test_counts_add_up(pairs, name):
    ref, hyp = codes([x for x, _ in pairs]), codes([y for _, y in pairs])
    found = counts(ref, hyp, name)
    assert np.array_equal(found.hits + found.substitutions + found.deletions, ref.lengths)
    assert np.array_equal(found.hits + found.substitutions + found.insertions, hyp.lengths)
    assert min(int(part.min()) for part in found) >= 0
    if name == "hits":
        swapped = counts(hyp, ref, name)
        assert np.array_equal(found.substitutions, swapped.substitutions)
        assert np.array_equal(found.deletions, swapped.insertions)


# The same whatever stands beside, and however it is stored.


@pytest.mark.parametrize("costs", [UNIT, SCLITE, (1 / 3, 0.2, 0.7)])
def test_company_does_not_change_a_bit(costs):
    x, y = (codes(side) for side in map(sum, zip(*PAIRS, strict=True), ([], [])))
    whole = edits.levenshtein(x, y, *costs)
    order = np.random.default_rng(0).permutation(len(x))
    assert np.array_equal(edits.levenshtein(x[order], y[order], *costs), whole[order])
    for size in (1, 7, 50):
        parts = [edits.levenshtein(x[k : k + size], y[k : k + size], *costs) for k in range(0, len(x), size)]
        assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("cells", [1, 500, 1 << 18])
def test_batches_of_any_size(cells, monkeypatch):
    monkeypatch.setattr(grid, "CELLS", cells)
    for pairs in PAIRS:
        expected = [cheapest(x, y, *UNIT)[1:3] for x, y in zip(*pairs, strict=True)]
        found = counts(codes(pairs[0]), codes(pairs[1]))
        assert list(zip(found.substitutions.tolist(), found.deletions.tolist(), strict=True)) == expected


@pytest.mark.parametrize("units", [1, 300, 1 << 22])
def test_strings_of_any_size(units, monkeypatch):
    monkeypatch.setattr(strings, "UNITS", units)
    for pairs in PAIRS:
        expected = [cheapest(x, y, *UNIT)[0] for x, y in zip(*pairs, strict=True)]
        assert edits.unit_distance(codes(pairs[0]), codes(pairs[1])).tolist() == expected


def test_padding_and_time_first_are_never_read():
    x, y = PAIRS[3]
    expected = edits.levenshtein(codes(x), codes(y))
    longest = max(map(len, [*x, *y]))
    for by_time in (False, True):
        sides = []
        for side in (x, y):
            dense = np.random.default_rng(0).integers(-(2**40), 2**40, (len(side), longest))
            for n, row in enumerate(side):
                dense[n, : len(row)] = row
            array = np.ascontiguousarray(dense.T) if by_time else dense
            sides.append(Ragged.padded(array, by_time=by_time).cut(np.array(list(map(len, side)))))
        assert np.array_equal(edits.levenshtein(*sides), expected)
        assert np.array_equal(edits.levenshtein(*sides, 1, 2, 3), edits.levenshtein(codes(x), codes(y), 1, 2, 3))
        assert np.array_equal(edits.osa(*sides), edits.osa(codes(x), codes(y)))
        assert np.array_equal(counts(*sides, "jiwer").errors, counts(codes(x), codes(y), "jiwer").errors)


@pytest.mark.parametrize("shift", [-1000, 0xD7F0, 0x10FFF0, 2**40, -(2**60)])
def test_codes_may_be_any_whole_number(shift):
    """Characters have no room for some: surrogates, what is negative, what is beyond a million."""
    x, y = PAIRS[4]
    moved = [codes([[unit + shift for unit in row] for row in side]) for side in (x, y)]
    assert np.array_equal(edits.osa(*moved), edits.osa(codes(x), codes(y)))
    assert np.array_equal(edits.levenshtein(*moved), edits.levenshtein(codes(x), codes(y)))


def test_more_distinct_codes_than_there_are_characters(monkeypatch):
    monkeypatch.setattr(strings, "CHARACTERS", 5)
    x, y = PAIRS[4]
    expected = [cheapest(a, b, *UNIT)[0] for a, b in zip(x, y, strict=True)]
    assert edits.unit_distance(codes(x), codes(y)).tolist() == expected
    assert counts(codes(x), codes(y), "jiwer").errors.tolist() == expected


def test_nothing_at_all():
    none = codes([])
    assert edits.levenshtein(none, none).shape == (0,)
    assert edits.jaro(none, none).shape == (0,)
    assert [part.shape for part in counts(none, none)] == [(0,)] * 4
    empty = codes([[], []])
    assert edits.levenshtein(empty, empty).tolist() == [0, 0]
    assert edits.jaro(empty, empty).tolist() == [1, 1]


def test_words_are_units():
    ref, hyp = shared(
        split(Ragged.texts(["this is a test of skill"]), "word"), split(Ragged.texts(["this was a messy test"]), "word")
    )
    assert [int(part[0]) for part in counts(ref, hyp)] == [3, 1, 2, 1]  # jiwer's documentation
