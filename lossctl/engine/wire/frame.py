"""A tree in an envelope: what it is, how long, and digests that tell of any bit that was lost on the way.

First a mark (8 bytes), the version of the format (2), whether the body is compressed (1), the lengths of the header
(4), of the body as it is here (8) and before it was compressed (8), the body's digest (16), a digest of all that and
the header (16); then header and body, trees both.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import blake2b
from typing import Any

from lossctl.engine.wire.damage import damaged, reading
from lossctl.engine.wire.tree import Reader, written

__all__ = ["VERSION", "header_of", "pack", "unpack"]

VERSION = 1
MARK = b"lossctl\x1a"
PREFIX = struct.Struct("<8sHBIQQ16s")
DIGEST = 16
SMALL = 128  # bytes that need no compressing
SAMPLE = 1 << 15  # bytes that show whether the rest is worth it
PAYS = 0.6  # of floats that are as random as most, a tenth is not worth half the time of a task
AT_MOST = 1032  # how many times zlib may swell


def digest(*parts: bytes | memoryview) -> bytes:
    found = blake2b(digest_size=DIGEST)
    for part in parts:
        found.update(part)
    return found.digest()


def pack(header: dict[str, Any], tree: Any) -> bytes:
    """Header and tree as bytes; ``TypeError`` for what is not plain."""
    head, raw = written(header), written(tree)
    body = zlib.compress(raw, 1) if compresses(raw) else raw
    squeezed = len(body) < len(raw)
    body = body if squeezed else raw
    prefix = PREFIX.pack(MARK, VERSION, squeezed, len(head), len(body), len(raw), digest(body))
    return b"".join((prefix, digest(prefix, head), head, body))


def compresses(raw: bytes) -> bool:
    """Whether compressing is worth its time, by a look at some parts where there is much."""
    if len(raw) < 8 * SAMPLE:
        return len(raw) > SMALL
    starts = (0, len(raw) // 2, len(raw) - SAMPLE)
    return sum(len(zlib.compress(raw[start : start + SAMPLE], 1)) for start in starts) < PAYS * SAMPLE * len(starts)


def unpack(data: bytes | memoryview) -> tuple[dict[str, Any], Any]:
    """Header and tree; ``DataError`` (state) if anything is not as it was packed."""
    view, header, (squeezed, size, length, whole) = opened(data)
    body = view[len(view) - length :]
    if digest(body) != whole:
        raise damaged("it has changed on the way")
    with reading():
        return header, Reader(inflated(body, size) if squeezed else body).tree()


def header_of(data: bytes | memoryview) -> dict[str, Any]:
    """The header alone, whatever the state of the body."""
    return opened(data)[1]


def opened(data: bytes | memoryview) -> tuple[memoryview, dict[str, Any], tuple[bool, int, int, bytes]]:
    """The bytes, the header, and of the body whether it is compressed, its size, its length here, its digest."""
    view = memoryview(data).cast("B")
    start = PREFIX.size + DIGEST
    if len(view) < start:
        raise damaged("it ends too early")
    mark, version, squeezed, head, length, size, whole = PREFIX.unpack(view[: PREFIX.size])
    if mark != MARK:
        raise damaged("it is none")
    if version != VERSION:
        raise damaged(f"its format is version {version}, and this lossctl reads version {VERSION}")
    if len(view) != start + head + length:
        raise damaged(f"it has {len(view):,} bytes, and says {start + head + length:,}")
    if digest(view[: PREFIX.size], view[start : start + head]) != view[PREFIX.size : start]:
        raise damaged("it has changed on the way")
    if squeezed not in (0, 1) or size > AT_MOST * length + SMALL or (not squeezed and size != length):
        raise damaged("its lengths cannot be")
    with reading():
        header = Reader(view[start : start + head]).tree()
    if not isinstance(header, dict):
        raise damaged("it has no header")
    return view, header, (bool(squeezed), size, length, whole)


def inflated(body: memoryview, size: int) -> bytes:
    """The body as it was, which has ``size`` bytes and never gets longer here."""
    machine = zlib.decompressobj()
    try:
        raw = machine.decompress(body, size + 1)
    except zlib.error:
        raise damaged("it does not decompress") from None
    if len(raw) != size or not machine.eof or machine.unused_data:
        raise damaged("it has another size than it says")
    return raw
