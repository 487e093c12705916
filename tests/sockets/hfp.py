"""An independent HFP/1 client: a foreign peer for the tests, block form and simple form.

One thread, no background work: frames are taken in while a call waits. Heartbeats are long (block
form) or off (simple form), so an idle client stays alive as long as a test needs it.
"""

import collections
import os
import time

import zmq

from harness import SCALE, failure
from hfp_wire import *  # pylint: disable=wildcard-import,unused-wildcard-import

CONTEXT = zmq.Context()
HEARTBEAT_MS = 60_000

message = collections.namedtuple("message", "sequence parts attempt redelivered")


class raw:
    """One connection: a fresh DEALER, its session, and the frames that came."""

    def __init__(self, endpoint, simple=False):
        self.socket = CONTEXT.socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(endpoint)
        self.simple = simple
        self.session = 0
        self.epoch = 0
        self.nonce = None
        self.waiting = collections.deque()
        self.requests = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts):
        self.socket.send_multipart(parts, copy=True)

    def send_map(self, kind, /, **fields):
        self.send(map_frame(kind, self.session, fields))

    def hello(self, name, nonce=None, epoch=0, heartbeat=None, named=True):
        self.nonce = nonce or os.urandom(16)
        beat = heartbeat if heartbeat is not None else 0 if self.simple else HEARTBEAT_MS
        self.send_map(HELLO, min=1, max=1, id=name if isinstance(name, bytes) else name.encode(),
                      named=named, nonce=self.nonce, epoch=epoch, heartbeat=beat, simple=self.simple)

    def open(self, name, **how):
        """HELLO, and waits for the WELCOME."""
        self.hello(name, **how)
        self.welcome = self.wait_frame(WELCOME, 20 * SCALE)
        self.session, self.epoch = self.welcome["session"], self.welcome["epoch"]

    def attach(self, role, queue="", level="process"):
        self.requests += 1
        self.send_map(ATTACH, request=self.requests, role=role, address=queue.encode(),
                      level=LEVELS[level])
        self.attached = self.wait_frame(ATTACHED, 20 * SCALE)
        self.attached["next"] = self.attached["next_number"]
        self.stream = self.attached["stream"]

    def read(self, wait):
        """One frame as (kind, fields), or None after `wait` seconds."""
        if not self.socket.poll(max(0, int(wait * 1000))):
            return None
        head, *parts = self.socket.recv_multipart()
        kind, session, rest = split_prefix(head)
        if kind == PING:
            self.send(prefix(PONG, self.session))
        return kind, {"session": session, **self.decode(kind, rest, parts)}

    def decode(self, kind, rest, parts):
        if kind == DELIVER:
            return self.decode_deliver(rest, parts[0])
        if kind == DELIVER_SIMPLE:
            return {**read_map(rest), "parts": parts}
        if kind in (RESYNC, RESUME, ACKED, ACCEPT):
            return self.decode_number(kind, rest)
        if kind in (RESET, PING, PONG, BYE):
            return {}
        if kind == REFUSE_VERSION:
            return {"min": rest[0], "max": rest[1]}
        if kind == DESCRIBED:
            return {"text": bytes(rest)}
        fields = read_map(rest)
        fields["bad"] = fields.get("entry")
        return fields

    def decode_number(self, kind, rest):
        if self.simple:
            fields = read_map(rest)
            stream, number, level = fields["s"], fields["n"], fields.get("l")
        elif kind == ACCEPT:
            stream, level, number = ACCEPT_HEAD.unpack_from(rest)
        else:
            (stream, number), level = NUMBER_HEAD.unpack_from(rest), None
        return {"stream": stream, "expected": number, "through": number, "level": level}

    @staticmethod
    def decode_deliver(rest, body):
        stream, count, _, flags, first, _, total, attempt = DELIVER_HEAD.unpack_from(rest)
        found = entries(body)
        if len(found) != count:
            raise failure(f"a delivery of {count} has {len(found)} entries")
        if flags & 1 and checksum(body) != total:
            raise failure("a whole block came with a body sum that does not hold")
        return {"stream": stream, "first": first, "attempt": attempt, "redelivered": flags >> 1 & 3,
                "entries": found}

    def take(self, kind, fields):
        """Uses a frame; the others wait for wait_frame()."""
        self.waiting.append((kind, fields))

    def pump(self, wait):
        """Takes in one frame if one comes within `wait` seconds."""
        frame = self.read(wait)
        if frame:
            self.take(*frame)
        return frame

    def wait_until(self, done, wait, what):
        end = time.monotonic() + wait
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                raise failure(f"waited {wait:.0f} s in vain for {what}; other frames: {list(self.waiting)[:5]}")
            self.pump(left)

    def wait_frame(self, kind, wait):
        """The fields of the next frame of this kind; others stay."""
        found = []

        def look():
            for at, (one, fields) in enumerate(self.waiting):
                if one == kind:
                    del self.waiting[at]
                    found.append(fields)
                    return True
            return False
        self.wait_until(look, wait, f"a frame of type {kind}")
        return found[0]


class producer(raw):
    def __init__(self, endpoint, name, simple=False, queue="", level="process", **how):
        super().__init__(endpoint, simple)
        self.open(name, **how)
        self.attach(1, queue, level)
        self.next = self.attached["next"]
        self.accepted = self.attached["accepted_through"]

    def publish_block(self, all_parts, number=None):
        """One block; `number` other than the next one is for tests of what the device says to it."""
        first = number or self.next
        body = block(all_parts)
        head = PUBLISH_HEAD.pack(self.stream, len(all_parts), 0, first, checksum(body))
        self.send(prefix(PUBLISH, self.session) + head, body)
        self.next = max(self.next, first + len(all_parts)) if number is None else first + len(all_parts)

    def publish(self, parts, number=None):
        """One message in simple form."""
        first = number or self.next
        self.send(map_frame(PUBLISH_SIMPLE, self.session, {"s": self.stream, "n": first}), *parts)
        self.next = first + 1

    def probe(self):
        if self.simple:
            self.send_map(PROBE, s=self.stream)
        else:
            self.send(prefix(PROBE, self.session) + self.stream.to_bytes(4, "little"))

    def take(self, kind, fields):
        if kind == ACCEPT:
            if fields["through"] < self.accepted:
                raise failure("an accept went back")
            self.accepted = fields["through"]
        else:
            super().take(kind, fields)

    def wait_accepted(self, wait, through=None):
        goal = through or self.next - 1
        self.wait_until(lambda: self.accepted >= goal, wait, f"accept through {goal}")


class consumer(raw):
    def __init__(self, endpoint, window, simple=False, queue="", whole_blocks=False, window_bytes=8 << 20,
                 **how):
        super().__init__(endpoint, simple)
        self.open(os.urandom(16), **{"named": False, **how})
        self.attach(2, queue)
        self.whole_blocks = whole_blocks
        self.messages, self.bytes = window, window_bytes
        self.queue = collections.deque()
        self.acks = self.acked = 0
        self.grant(0, 0)

    def grant(self, messages, size):
        """Credit is cumulative since ATTACHED."""
        self.messages += messages
        self.bytes += size
        if self.simple:
            self.send_map(CREDIT, s=self.stream, m=self.messages, b=self.bytes)
        else:
            self.send(prefix(CREDIT, self.session) + CREDIT_HEAD.pack(
                self.stream, int(self.whole_blocks), self.messages, self.bytes))

    def take(self, kind, fields):
        if kind == DELIVER:
            for offset, parts in enumerate(fields["entries"]):
                if parts is not None:
                    self.queue.append(message(fields["first"] + offset, parts, fields["attempt"],
                                              fields["redelivered"]))
        elif kind == DELIVER_SIMPLE:
            self.queue.append(message(fields["q"], fields["parts"], fields["a"], fields["r"]))
        elif kind == ACKED:
            self.acked = max(self.acked, fields["through"])
        else:
            super().take(kind, fields)

    def receive(self, wait, refill=True):
        self.wait_until(lambda: self.queue, wait, "a delivery")
        got = self.queue.popleft()
        if refill:
            self.grant(1, sum(map(len, got.parts)) + 1024)
        return got

    def ack(self, *done):
        self.acks += 1
        ranges = [(one.sequence, 1) for one in done]
        if self.simple:
            flat = [figure for pair in ranges for figure in pair]
            self.send_map(ACK_SIMPLE, s=self.stream, n=self.acks, r=flat)
        else:
            self.send(prefix(ACK, self.session) + ACK_HEAD.pack(self.stream, len(ranges), self.acks)
                      + b"".join(RANGE.pack(*pair) for pair in ranges))

    def nack(self, one, kind, delay_ms=0, reason=""):
        self.send_map(NACK, stream=self.stream, kind={"nack": 1, "release": 2, "reject": 3}[kind],
                      delay=delay_ms, reason=reason, ranges=[one.sequence, 1])

    def wait_acked(self, wait):
        """Until the device said that every ack is durable."""
        self.wait_until(lambda: self.acked >= self.acks, wait, f"acked through {self.acks}")
