"""Quantiles at any size: the same digits in memory and from a file, for any cut and any order of merging."""

import gc
import math
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lossctl.engine import hoard, parts, ranks
from lossctl.engine.bits import ERROR, bins_of, middles
from lossctl.engine.hoard import Hoard
from lossctl.engine.spool import Room, Spool
from lossctl.errors import OutputError

QS = (0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 1.0)
TINY, HUGE = 5e-324, 1.7976931348623157e308
SPECIAL = [0.0, -0.0, TINY, -TINY, 2.3e-308, HUGE, -HUGE, math.inf, -math.inf, 1.0, -1.0, 1 + 2**-52, 1e-300]
numbers = st.one_of(st.sampled_from(SPECIAL), st.floats(allow_nan=False))
values_of_any_sort = arrays(np.float64, st.integers(1, 60), elements=numbers)
rng = np.random.default_rng(20)

SHAPES = {
    "normal": rng.normal(size=5000),
    "positive": rng.exponential(size=5000),
    "of all sizes": np.ldexp(rng.uniform(-1, 1, 5000), rng.integers(-1074, 1024, 5000)),
    "denormal": rng.integers(-1000, 1000, 5000) * TINY,
    "huge": rng.uniform(-1, 1, 5000) * HUGE,
    "whole": rng.integers(0, 5, 5000).astype(float),
    "one": np.full(5000, 0.1),
    "zeros": np.where(rng.random(5000) < 0.9, 0.0, rng.normal(size=5000)),
    "close": 1 + rng.integers(0, 2000, 5000) * 2.0**-52,
    "infinite": np.where(rng.random(5000) < 0.3, math.inf, rng.normal(size=5000)),
    "both infinities": np.where(rng.random(5000) < 0.5, -math.inf, math.inf),
}


@pytest.fixture(params=["in memory", "spooled", "selected"])
def way(request, monkeypatch):
    """Values held, values in a file, and values in a file of which none fit a buffer or a sort."""
    if request.param != "in memory":
        monkeypatch.setattr(parts, "BLOCK", 64)
        monkeypatch.setattr(hoard, "BLOCK", 64)
    if request.param == "selected":
        monkeypatch.setattr(ranks, "GATHER", 3)
        monkeypatch.setattr(hoard, "LEAST_WORK", 100 * hoard.ENTRY)
        monkeypatch.setattr(hoard, "LEAST_TABLE", 100)
    return {"in memory": math.inf, "spooled": 1000, "selected": 1000}[request.param]


def filled(values, codes=None, *, room=math.inf, exact=True, cut=100, groups=1):
    found = Hoard(room if isinstance(room, Room) else Room(room), exact=exact)
    found.grow(groups)
    for start in range(0, len(values), cut):
        found.add(values[start : start + cut], None if codes is None else codes[start : start + cut])
    return found


def of_sorted(values, qs=QS):
    """The rule that quantiles follow, on values sorted by NumPy."""
    ordered = np.sort(values) + 0.0
    return tuple(ranks.quantile(ordered, q) for q in qs)


def text(figures):
    return repr(figures)


@pytest.mark.parametrize("shape", SHAPES)
def test_quantiles_are_those_of_numpy(shape, way):
    values = SHAPES[shape]
    found = filled(values, room=way).figures(None, QS, bins=True)
    assert repr(found.quantiles) == repr(of_sorted(values))
    with np.errstate(all="ignore"):
        theirs = np.quantile(values, QS)
    usual = np.isfinite(theirs)  # numpy has nan between an infinity and a number, and inf where a step overflows
    assert np.array(found.quantiles)[usual] == pytest.approx(theirs[usual], rel=1e-15, abs=1e-300)
    finite = values[np.isfinite(values)]
    assert sum(found.histogram or ()) == len(finite)
    assert found.approximate is False


def test_a_histogram_is_that_of_numpy(way):
    values = rng.uniform(0, 24, 4000)
    values[:2] = 0.0, 24.0
    assert filled(values, room=way).figures(None, (), bins=True).histogram == tuple(np.histogram(values, 24)[0])


@given(values_of_any_sort, st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_any_values(values, qs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranks, "GATHER", 2)
        spooled = filled(values, room=1, cut=7).figures(None, qs, bins=True)
    assert text(spooled) == text(filled(values).figures(None, qs, bins=True))
    assert repr(spooled.quantiles) == repr(of_sorted(values, qs))


@given(values_of_any_sort, st.integers(0, 59), st.booleans())
def test_a_nan_makes_all_quantiles_nan(values, place, exact):
    """Whatever its bits are."""
    odd = np.array([0x7FF0000000000001, 0xFFF8000000000000], np.uint64).view(np.float64)
    values[place % len(values)] = odd[place % 2]
    for room in (math.inf, 1):
        found = filled(values, room=room, exact=exact).figures(None, QS, bins=True)
        assert all(map(math.isnan, found.quantiles))
        assert sum(found.histogram or ()) == np.isfinite(values).sum()


def test_zeros_are_one_number(way):
    """Which zero is in the middle must not depend on the order."""
    for values in ([0.0, -0.0, -0.0], [-0.0, -0.0, 0.0], [-0.0] * 3):
        found = filled(np.array(values * 50), room=way).figures(None, (0.0, 0.5, 1.0), bins=False)
        assert repr(found.quantiles) == "(0.0, 0.0, 0.0)"


def test_nothing_has_no_quantiles(way):
    state = filled(np.zeros(0), room=way, groups=3)
    for group in (None, 0, 2, 9):
        found = state.figures(group, (0.5,), bins=True)
        assert math.isnan(found.quantiles[0])
        assert found.histogram is None


# Groups.


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("groups", [2, 7, 300])
def test_a_group_is_as_if_it_were_alone(groups, exact, way):
    values = SHAPES["normal"]
    codes = np.minimum(rng.geometric(0.1, len(values)) - 1, groups - 1)
    codes[codes == 1] = 0  # one of them is empty
    state = filled(values, codes, room=way, exact=exact, groups=groups)
    approximate = not exact and way < math.inf
    for group in (None, *range(groups)):
        inside = values if group is None else values[codes == group]
        alone = filled(inside, room=0 if approximate else math.inf, exact=exact).figures(None, QS, bins=True)
        assert text(state.figures(group, QS, bins=True)) == text(alone._replace(approximate=approximate))
        assert state.figures(group, (0.5,), bins=False).quantiles[0] == pytest.approx(alone.quantiles[3], nan_ok=True)


def test_a_hundred_thousand_groups():
    """More than one sort takes."""
    groups = 100_000
    codes = rng.permutation(np.arange(4 * groups) % groups)
    values = rng.normal(size=4 * groups)
    state = filled(values, codes, room=10**6, cut=1 << 16, groups=groups)
    ordered = np.sort(values[np.argsort(codes, kind="stable")].reshape(groups, 4), axis=1)
    middle = [state.figures(group, (0.5,), bins=False).quantiles[0] for group in range(groups)]
    assert middle == pytest.approx((ordered[:, 1] + ordered[:, 2]) / 2, rel=1e-14)
    assert middle[7] == ranks.quantile(ordered[7], 0.5)


# Merging.


@settings(max_examples=60)
@given(st.data())
def test_any_tree_of_merges_is_the_whole(data):
    """Parts with groups of their own numbers, some in files, merged in any order, the same to the bit."""
    n, groups = data.draw(st.integers(1, 80)), data.draw(st.integers(1, 4))
    values = data.draw(arrays(np.float64, n, elements=numbers))
    codes = data.draw(arrays(np.intp, n, elements=st.integers(0, groups - 1)))
    size = data.draw(st.sampled_from([math.inf, 12 * n, 200, 1]))
    exact = data.draw(st.booleans())
    shared = Room(size) if data.draw(st.booleans()) else None
    with pytest.MonkeyPatch.context() as patch:
        for module in (hoard, parts):
            patch.setattr(module, "BLOCK", data.draw(st.sampled_from([1, 8, 1 << 16])))
        patch.setattr(hoard, "LEAST_TABLE", data.draw(st.sampled_from([30, 1 << 22])))
        whole = filled(values, codes, room=size, exact=exact, groups=groups)
        part = data.draw(arrays(np.intp, n, elements=st.integers(0, 3)))
        states = []
        for p in range(4):
            names = data.draw(st.permutations(range(groups)))
            room = shared or Room(size)
            mine = np.argsort(names)[codes[part == p]]
            states.append((filled(values[part == p], mine, room=room, exact=exact, cut=5, groups=groups), names))
        while len(states) > 1:
            one, mine = states.pop(data.draw(st.integers(0, len(states) - 1)))
            other, theirs = states.pop(data.draw(st.integers(0, len(states) - 1)))
            one.merge(other, np.array([mine.index(name) for name in theirs]))
            states.append((one, mine))
        merged, names = states[0]
        for group in (None, *range(groups)):
            place = None if group is None else names.index(group)
            assert text(merged.figures(place, QS, bins=True)) == text(whole.figures(group, QS, bins=True))


def test_a_merge_leaves_the_other_as_it_was(way):
    """Classes are folded into a total for each slice, one after the other."""
    values, codes = SHAPES["normal"], rng.integers(0, 3, 5000)
    state = filled(values, codes, room=way, groups=3)
    for _ in range(2):
        folded = Hoard(Room(way), exact=True)
        folded.merge(state, np.array([0, 1, 0]))
        assert folded.figures(0, QS, bins=False).quantiles == of_sorted(values[codes != 1])
        assert state.figures(2, QS, bins=False).quantiles == of_sorted(values[codes == 2])


def test_a_merge_reads_nothing(monkeypatch):
    monkeypatch.setattr(hoard, "BLOCK", 64)
    one, other = (filled(SHAPES[shape], np.zeros(5000, np.intp), room=100) for shape in ("normal", "positive"))
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "read", lambda *args: pytest.fail("read"))
        one.merge(other, np.array([1]))
    assert one.figures(1, QS, bins=False).quantiles == of_sorted(SHAPES["positive"])


@pytest.mark.parametrize("exact", [True, False])
def test_threads_that_share_a_room(exact):
    values, codes = rng.normal(size=400_000), rng.integers(0, 50, 400_000)
    room = Room(10**6)

    def one(worker):
        return filled(values[worker::4], codes[worker::4], room=room, exact=exact, cut=1 << 14, groups=50)

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(one, range(4))
    for other in others:
        first.merge(other)
    alone = filled(values, codes, room=10**6, exact=exact, groups=50, cut=1 << 16)
    assert room.collected == alone.room.collected == 12 * len(values)
    for group in (None, 0, 49):
        assert text(first.figures(group, QS, bins=True)) == text(alone.figures(group, QS, bins=True))


# The histogram of bits.


@given(arrays(np.float64, st.integers(1, 100), elements=st.floats(allow_nan=False)))
def test_the_middle_of_a_bin_is_near(values):
    values += 0.0
    near = middles(bins_of(values))
    assert (bins_of(near) == bins_of(values)).all()
    finite = np.isfinite(values)
    assert (near[~finite] == values[~finite]).all()
    small = np.abs(values) < 2.0**-1022
    usual = finite & ~small
    assert ERROR <= 0.0039063
    off = np.abs(near[usual] / 2 - values[usual] / 2)
    assert (off <= np.abs(values[usual]) / 2 * ERROR * (1 + 1e-12)).all()
    assert (np.abs(near[small] - values[small]) <= 2.0**-1029).all()
    assert (np.diff(bins_of(np.sort(values))) >= 0).all()


@pytest.mark.parametrize("shape", ["positive", "whole", "close", "zeros", "infinite", "of all sizes", "huge"])
def test_approximate_quantiles_are_within_the_bound(shape):
    values = np.abs(SHAPES[shape])
    found = filled(values, room=1000, exact=False).figures(None, QS, bins=True)
    assert found.approximate is True
    expected = np.array(of_sorted(values))
    with np.errstate(invalid="ignore"):
        off = np.where(np.isinf(expected), found.quantiles != expected, np.abs(np.array(found.quantiles) - expected))
    assert (off <= np.where(np.isinf(expected), 0, expected * ERROR + 2.0**-1029)).all()
    assert sum(found.histogram) == np.isfinite(values).sum()


def test_an_approximation_is_one_for_all_who_share():
    """The room is full for all or for none: the same answer in whatever order they came."""
    room = Room(100_000)
    first = filled(SHAPES["normal"], room=room, exact=False)
    assert first.figures(None, (0.5,), bins=False).approximate is False
    filled(np.zeros(10_000), room=room, exact=False)
    assert first.figures(None, (0.5,), bins=False).approximate is True
    again = filled(SHAPES["normal"], room=0, exact=False, cut=13)
    assert text(first.figures(None, QS, bins=True)) == text(again.figures(None, QS, bins=True))


# The file.


def spools():
    """How many files without a name are open: sockets of others come and go."""
    return sum(os.path.realpath(f"/proc/self/fd/{fd}").endswith("(deleted)") for fd in os.listdir("/proc/self/fd"))


def test_the_file_is_gone_with_its_last_user():
    gc.collect()
    before = spools() if os.path.isdir("/proc/self/fd") else None
    state = filled(rng.normal(size=200_000), room=10, cut=1 << 16)
    kept = Hoard(Room(10), exact=True)
    kept.merge(state)
    del state
    assert kept.figures(None, (1.0,), bins=False).quantiles[0] > 4
    if before is None:
        pytest.skip("descriptors cannot be counted here")
    assert spools() == before + 1
    del kept
    gc.collect()
    assert spools() == before


def test_a_full_disk_is_said(monkeypatch):
    def nowhere(**given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", nowhere)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        filled(np.zeros(100_000), room=1, cut=1 << 16)
    assert caught.value.exit == 4
    assert "TMPDIR" in caught.value.hint


def test_little_is_held_once_the_room_is_full():
    import tracemalloc

    tracemalloc.start()
    try:
        state = Hoard(Room(10**6), exact=True)
        for _ in range(60):
            state.add(np.random.default_rng(1).normal(size=1 << 16))
        held, most = tracemalloc.get_traced_memory()
        state.figures(None, QS, bins=True)
        finding = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < 2 * 10**6
    assert most < 10**7
    assert finding < 6 * 10**7
