"""HFP/1 as bytes, apart from the product: prefix, fixed frames, maps, entries (docs/wire_protocol.md)."""

import ctypes
import ctypes.util
import struct

import msgpack

HELLO, WELCOME, REFUSE_VERSION, RESET, BYE, PING, PONG = range(1, 8)
ATTACH, ATTACHED, ATTACH_REFUSED, DESCRIBE, DESCRIBED = range(8, 13)
PUBLISH, ACCEPT, REFUSE, RESYNC, RESUME, PROBE, PUBLISH_SIMPLE = range(16, 23)
CREDIT, DELIVER, ACK, ACKED, NACK, TOUCH, DELIVER_SIMPLE, ACK_SIMPLE = range(32, 40)

FULL, TOO_LARGE, IO, DENIED, PAUSED, FENCED, STALE, BAD_FRAME = 1, 3, 6, 7, 8, 9, 10, 11
LEVELS = {"process": 1, "interval": 2, "disk": 3}
MULTIPART, PROPS, VOID = 1, 2, 4

PREFIX = struct.Struct("<2sBBI")
PUBLISH_HEAD = struct.Struct("<IHBxQQ")
ACCEPT_HEAD = struct.Struct("<IB3xQ")
NUMBER_HEAD = struct.Struct("<I4xQ")
CREDIT_HEAD = struct.Struct("<IB3xQQ")
DELIVER_HEAD = struct.Struct("<IHBBQQQH6x")
ACK_HEAD = struct.Struct("<IIQ")
RANGE = struct.Struct("<QQ")
ENTRY = struct.Struct("<IIBBH")

XXH = ctypes.CDLL(ctypes.util.find_library("xxhash") or "libxxhash.so.0")
XXH.XXH3_64bits.restype = ctypes.c_uint64
XXH.XXH3_64bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]


def checksum(data):
    return XXH.XXH3_64bits(data, len(data))


def prefix(kind, session, major=1):
    return PREFIX.pack(b"HF", major, kind, session)


def split_prefix(head):
    """(kind, session, the rest) of a frame's first part."""
    mark, major, kind, session = PREFIX.unpack_from(head)
    assert mark == b"HF" and major == 1, head[:8]
    return kind, session, head[PREFIX.size:]


def entry(parts):
    """One entry; None makes a void one."""
    flags, table, data = 0, b"", b"".join(parts or [])
    if parts is None:
        flags = VOID
    elif len(parts) != 1:
        flags = MULTIPART
        table = struct.pack(f"<H{len(parts)}I", len(parts), *map(len, parts))
    tail = struct.pack("<BBH", flags, 0, 0) + table + data
    size = 8 + len(tail)
    return struct.pack("<II", size, checksum(tail) & 0xFFFFFFFF) + tail + bytes(-size % 4)


def block(all_parts):
    return b"".join(map(entry, all_parts))


def entries(body):
    """The parts of each entry of a body, None for a void one. Checks lengths, padding and sums."""
    at, found = 0, []
    while at < len(body):
        size, total, flags, zero, _ = ENTRY.unpack_from(body, at)
        end = at + size
        assert size >= ENTRY.size and end <= len(body) and zero == 0, "a bad entry was delivered"
        assert checksum(body[at + 8: end]) & 0xFFFFFFFF == total, "an entry's sum does not hold"
        found.append(entry_parts(body[at + ENTRY.size: end], flags))
        at = end + -size % 4
    assert at == len(body), "the body is cut short"
    return found


def entry_parts(rest, flags):
    if flags & VOID:
        return None
    if flags & PROPS:
        rest = rest[2 + int.from_bytes(rest[:2], "little"):]
    if not flags & MULTIPART:
        return [rest]
    count = int.from_bytes(rest[:2], "little")
    at, parts = 2 + 4 * count, []
    for size in struct.unpack_from(f"<{count}I", rest, 2):
        parts.append(rest[at: at + size])
        at += size
    return parts


def map_frame(kind, session, fields):
    return prefix(kind, session) + msgpack.packb(fields)


def read_map(rest):
    return msgpack.unpackb(rest, raw=False, strict_map_key=False)
