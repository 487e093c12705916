"""Messages that say who they are, so that whoever receives one can check it to the byte.

The last part begins with a fixed head (sender, number, seed, shape); the rest follows from it.
"""

import random
import struct

HEAD = struct.Struct("<4sIQQI")
MAGIC = b"hfT1"
SMALL, MANY_PARTS, KIB = 0, 1, 2


def make(sender, number, seed=0, shape=SMALL):
    """The parts of message `number` of `sender`."""
    head = HEAD.pack(MAGIC, sender, number, seed, shape)
    if shape == SMALL:
        return [head + bytes(64 - len(head))]
    source = random.Random(f"{seed}/{sender}/{number}")
    if shape == KIB:
        return [head + source.randbytes(1024 - len(head))]
    return [*(source.randbytes(part_size(source)) for _ in range(source.randrange(0, 64))), head]


def part_size(source):
    """0 B to 1 MiB; small ones often, big ones seldom, so that all comes to tens of MiB."""
    kind = source.random()
    if kind < 0.2:
        return 0
    if kind < 0.8:
        return source.randrange(1, 300)
    if kind < 0.995:
        return source.randrange(300, 20_000)
    return source.randrange(20_000, (1 << 20) + 1)


def identify(parts):
    """(sender, number, exact) of a received message; exact tells whether every byte is right."""
    last = bytes(parts[-1])
    if len(last) < HEAD.size or last[:4] != MAGIC:
        return None
    _, sender, number, seed, shape = HEAD.unpack_from(last)
    return sender, number, [bytes(part) for part in parts] == make(sender, number, seed, shape)


RECORD = struct.Struct("<IQI")


def whole_records(path, layout):
    """The fixed-size records of a log, in order; one cut by a kill -9 is left out."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return []
    whole = len(data) // layout.size * layout.size
    return list(layout.iter_unpack(data[:whole]))


def read_log(path):
    """[(sender, number, exact)] of a receiver's log, in the order of receipt."""
    return [(sender, number, exact == 1) for sender, number, exact in whole_records(path, RECORD)]
