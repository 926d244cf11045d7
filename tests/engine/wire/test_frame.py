"""Frames: what was packed comes back bit for bit, and what was not packed is refused in one way."""

from __future__ import annotations

import math
import random
import struct
import time
import tracemalloc
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossctl.data.arrays.memory import MemorySource
from lossctl.data.roles.binding import Request
from lossctl.data.tasks import chunks
from lossctl.engine.options import Options, Plan
from lossctl.engine.ready import ready
from lossctl.engine.state import State
from lossctl.engine.wire import frame
from lossctl.engine.wire.frame import header_of, pack, unpack
from lossctl.engine.wire.states import state_in, state_out
from lossctl.engine.wire.tree import DEPTH, length, written
from lossctl.errors import DataError, LossctlError
from lossctl.model.call import parse_calls

texts = st.text(st.characters(), max_size=5)  # lone surrogates are characters
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | st.binary(max_size=9)
trees = st.recursive(leaves, lambda inside: st.lists(inside) | st.dictionaries(texts, inside), max_leaves=20)


def typed(tree: Any) -> Any:
    """The tree with its types, so that 1, 1.0 and True differ."""
    if isinstance(tree, list):
        return [typed(each) for each in tree]
    if isinstance(tree, dict):
        return [(key, typed(each)) for key, each in tree.items()]
    return type(tree), repr(tree)


@settings(max_examples=200)
@given(trees)
def test_trees_come_back(tree):
    header, again = unpack(pack({"task": 3}, tree))
    assert header == {"task": 3}
    assert typed(again) == typed(tree)


def test_numbers_keep_every_bit():
    odd = [0.0, -0.0, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, math.pi]
    nans = [struct.unpack("<d", struct.pack("<Q", bits))[0] for bits in (0x7FF8000000000001, 0xFFF8000000000000)]
    found = unpack(pack({}, odd + nans))[1]
    assert struct.pack("<9d", *found) == struct.pack("<9d", *odd, *nans)
    whole = [0, -1, 127, 128, -128, -129, 2**63, -(2**63), 10**4000, -(10**4000)]
    assert unpack(pack({}, whole))[1] == whole
    assert unpack(pack({}, "\ud83d\ude00 \udc80é"))[1] == "\ud83d\ude00 \udc80é"


def arrays() -> list[Any]:
    rng = np.random.default_rng(0)
    ends = [np.iinfo(kind) for kind in ("i2", "i4", "i8", "u2", "u4", "u8")]
    return [
        *(np.array([end.min, end.max] * 20, end.dtype) for end in ends),
        *(np.arange(400).astype(end.dtype)[::-1] for end in ends),
        *(np.full(50, end.max, end.dtype) for end in ends),
        np.array(5),
        np.array(-2.5),
        np.zeros((0, 3)),
        np.zeros(0, np.int64),
        np.array([True, False, True]),
        np.arange(-5, 5, dtype=np.int8),
        np.asfortranarray(rng.integers(-(2**39), 2**39, (3, 70))),
        rng.integers(0, 2**40, 300)[::3],
        np.sort(rng.integers(0, 2**62, 300)),
        rng.normal(size=(4, 5, 6)).astype(np.float32),
        rng.normal(size=7).astype(np.float16),
        np.array([np.nan, -0.0, np.inf]),
        np.arange(9, dtype=">i8"),
        np.arange(9, dtype=">f8"),
    ]


@pytest.mark.parametrize("array", arrays(), ids=lambda a: f"{a.dtype}{a.shape}")
def test_arrays_come_back(array):
    found = unpack(pack({}, {"a": array}))[1]["a"]
    assert (found.shape, found.dtype) == (array.shape, array.dtype.newbyteorder("="))
    assert found.tobytes() == np.ascontiguousarray(array).astype(found.dtype).tobytes()
    assert found.flags.writeable


def test_whole_numbers_are_small():
    assert len(pack({}, np.arange(10_000))) < 300
    assert len(pack({}, np.random.default_rng(0).integers(0, 100, 10_000))) < 10_200
    assert len(pack({}, np.random.default_rng(0).random(50_000))) < 8 * 50_000 + 150


@pytest.mark.parametrize(
    "tree", [{1: 2}, {"a": object()}, {"a": {1}}, np.array(["a"]), np.array([None]), np.array([1j]), [[]]]
)
def test_what_is_not_plain_is_not_packed(tree):
    for _ in range(DEPTH if isinstance(tree, list) else 0):
        tree = [tree]
    with pytest.raises(TypeError):
        pack({}, tree)


def state(losses: str = "mse,median-ae", **options: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(3)
    table = {"pred": rng.normal(size=40), "target": rng.normal(size=40), "g": ["a", "b"] * 20}
    _, binding, jobs = ready(parse_calls(losses), [MemorySource(table)], Request(by=("g",)), Options(**options))
    whole = State(binding, jobs)
    for chunk in chunks(binding, 7, None):
        whole.score(chunk)
    return binding, whole


def refused(go: Any) -> DataError:
    with pytest.raises(LossctlError) as caught:
        go()
    assert isinstance(caught.value, DataError)
    assert caught.value.code == "state"
    assert caught.value.hint
    return caught.value


def test_every_flipped_bit_and_every_missing_end_is_found():
    data = pack({"task": 1, "plan": "x"}, state_out(state()[1]))
    for place in range(8 * len(data)):
        bad = bytearray(data)
        bad[place // 8] ^= 1 << place % 8
        refused(lambda b=bytes(bad): unpack(b))
    for end in range(len(data)):
        refused(lambda e=end: unpack(data[:e]))
    refused(lambda: unpack(data + b"\0"))
    for junk in (b"", b"PK", b"\0" * 200, bytes(range(256))):
        refused(lambda j=junk: header_of(j))


def test_a_header_is_read_without_the_body():
    data = bytearray(pack({"task": 1}, [1] * 500))
    data[-1] ^= 1
    assert header_of(bytes(data)) == {"task": 1}
    assert "changed" in refused(lambda: unpack(data)).message


def test_another_format_is_named(monkeypatch):
    monkeypatch.setattr(frame, "VERSION", 2)
    data = pack({}, None)
    monkeypatch.undo()
    assert "version 2" in refused(lambda: unpack(data)).message


def sealed(body: bytes, squeezed: bool = False, size: int | None = None) -> bytes:
    """A frame of these bytes, all digests right: what somebody may send who knows the format."""
    head = written({})
    told = len(body) if size is None else size
    prefix = frame.PREFIX.pack(frame.MARK, frame.VERSION, squeezed, len(head), len(body), told, frame.digest(body))
    return b"".join((prefix, frame.digest(prefix, head), head, body))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"?",
        b"NN",
        b"l" + length(2**60),
        b"s" + length(2**60) + b"x",
        b"s\x01\xff",
        b"d\x02\x01aN\x01aN",
        b"l\x01" * 5000 + b"N",
        b"l" + b"\xff" * 20,
        b"i" + length(2**40),
        b"a\x0b\x01" + length(2**50) + b"\x00\x00",  # 8 PB of floats
        b"a\x04\x01" + length(2**40) + b"\x11\x00",
        b"a\x04\x02\x00" + length(2**62) + b"\x21\x00",
        b"a\x63\x01\x01\x00\x00",
        b"a\x0b\x40" + b"\x01" * 64 + b"\x00\x08" + b"\0" * 8,
        b"a\x00\x01\x01\x00\x01\x02",  # neither true nor false
        b"a\x04\x01\x01\x3f\x00",
        b"a\x0b\x01\x01\x11\x09" + b"\0" * 9,
    ],
)
def test_bodies_that_cannot_be(body):
    tracemalloc.start()
    refused(lambda: unpack(sealed(body)))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 1 << 20


def test_compressed_bodies_that_cannot_be():
    bomb = zlib.compress(b"\0" * (1 << 26), 9)
    tracemalloc.start()
    for told in (0, 10, 1 << 26 | 1, 1 << 62):
        refused(lambda t=told: unpack(sealed(bomb, True, t)))
    for body in (b"", b"junk", bomb[:-4], bomb + b"x"):
        refused(lambda b=body: unpack(sealed(b, True, 64)))
    tracemalloc.stop()


def mutated(tree: Any, chance: random.Random) -> Any:
    """The tree with one thing in it changed, somewhere."""
    odd = (None, True, -1, 2**63, 2**70, 0.5, math.nan, "x", b"", [], {}, [[1]], np.zeros(3), np.array([2**62, -5]))
    if isinstance(tree, (dict, list)) and tree and chance.random() < 0.85:
        copy: Any = dict(tree) if isinstance(tree, dict) else list(tree)
        place = chance.choice([*tree]) if isinstance(tree, dict) else chance.randrange(len(tree))
        if isinstance(copy, dict) and chance.random() < 0.1:
            copy.pop(place)
        else:
            copy[place] = mutated(copy[place], chance)
        return copy
    if isinstance(tree, np.ndarray) and tree.size and chance.random() < 0.7:
        array = tree.copy()
        array.flat[chance.randrange(array.size)] = chance.choice([0, 1, 100])
        return chance.choice([array, array[:-1] if array.ndim else array, array.astype(np.float32), array[None]])
    return chance.choice(odd)


@pytest.mark.parametrize("options", [{}, {"stats": True}, {"ci": Plan()}, {"stats": True, "memory": 1 << 14}])
def test_states_that_somebody_has_tampered_with(options):
    """Merged or refused in one way: nothing else comes of it, and nothing large."""
    losses = "mse,huber" if options else "mse,median-ae"
    binding, whole = state(losses, **options)
    tree, chance, done = state_out(whole), random.Random(1), {"merged": 0, "refused": 0}
    end = time.monotonic() + 2.0
    while time.monotonic() < end and sum(done.values()) < 300:
        fresh = State(binding, [job.twin() for job in whole.jobs])
        try:
            bad = pack({}, mutated(tree, chance))
            fresh.merge(state_in(unpack(bad)[1], binding, [job.twin() for job in whole.jobs]))
            done["merged"] += 1
        except LossctlError as error:
            done["refused" if error.code in {"state", "memory"} else error.code] += 1
    assert done["refused"] > 10
