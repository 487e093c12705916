#!/usr/bin/python3
"""HFP/1 in its simple form, without any library of Holdfast: a ZeroMQ binding and MessagePack are
enough. Publishes the lines of standard input and waits until each is accepted, or prints messages
and acks each once it is printed. docs/wire_protocol.md is the whole story.

Usage: simple_form.py publish [ENDPOINT]          simple_form.py consume [ENDPOINT [COUNT]]"""

import itertools
import os
import sys

import msgpack
import zmq

HELLO, WELCOME, BYE, ATTACH, ATTACHED = 1, 2, 5, 8, 9
ACCEPT, REFUSE, RESYNC, RESUME, PUBLISH = 17, 18, 19, 20, 22
CREDIT, DELIVER, ACK, ACKED = 32, 38, 39, 35
PRODUCE, CONSUME = 1, 2
DISK = 3
PATIENCE_MS = 10_000
WINDOW = 256  # messages in flight


class session:
    def __init__(self, endpoint, role):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(endpoint)
        self.number = 0
        # Without a heartbeat the device never gives this session up while the connection stands.
        self.send(HELLO, min=1, max=1, id=os.urandom(16), named=False, nonce=os.urandom(16), epoch=0,
                  heartbeat=0, simple=True)
        self.number = self.expect(WELCOME)["session"]
        self.send(ATTACH, request=1, role=role, address=b"", level=DISK)  # the default queue
        self.attached = self.expect(ATTACHED)
        self.stream = self.attached["stream"]

    def send(self, kind, *parts, **fields):
        prefix = b"HF\x01" + bytes([kind]) + self.number.to_bytes(4, "little")
        self.socket.send_multipart([prefix + (msgpack.packb(fields) if fields else b""), *parts])

    def receive(self, patience_ms=PATIENCE_MS):
        """(kind, fields, parts) of the next frame."""
        if not self.socket.poll(patience_ms):
            raise SystemExit("the device does not answer")
        head, *parts = self.socket.recv_multipart()
        return head[3], msgpack.unpackb(head[8:]) if head[8:] else {}, parts

    def close(self):
        self.send(BYE)
        self.socket.close(linger=1000)

    def expect(self, wanted):
        kind, fields, _ = self.receive()
        if kind != wanted:
            raise SystemExit(f"frame {kind} came instead of {wanted}: {fields}")
        return fields


def publish(endpoint):
    peer = session(endpoint, PRODUCE)
    first = peer.attached["next_number"]
    unaccepted = {}  # number -> message; the device may ask for any of them again
    number = first

    def settle():
        kind, fields, _ = peer.receive()
        if kind == ACCEPT:
            for done in [n for n in unaccepted if n <= fields["n"]]:
                del unaccepted[done]
        elif kind in (RESYNC, RESUME):
            for again in range(fields["n"], number):
                peer.send(PUBLISH, unaccepted[again], s=peer.stream, n=again)
        elif kind == REFUSE and fields["permanent"]:
            raise SystemExit(f"message {fields['first']} was refused: {fields['text']}")

    for line in sys.stdin.buffer:
        unaccepted[number] = line.rstrip(b"\n")
        peer.send(PUBLISH, unaccepted[number], s=peer.stream, n=number)
        number += 1
        while len(unaccepted) >= WINDOW:
            settle()
    while unaccepted:
        settle()
    peer.close()
    print(f"{number - first} accepted")


def consume(endpoint, count):
    peer = session(endpoint, CONSUME)
    credit, acks = [WINDOW, 64 << 20], 0  # messages and bytes, both since ATTACHED
    peer.send(CREDIT, s=peer.stream, m=credit[0], b=credit[1])
    for _ in count:
        kind = 0
        while kind != DELIVER:
            kind, fields, parts = peer.receive(patience_ms=-1)
        print(b"\t".join(parts).decode(errors="replace"), flush=True)
        acks += 1
        peer.send(ACK, s=peer.stream, n=acks, r=[fields["q"], 1])
        credit = [credit[0] + 1, credit[1] + sum(map(len, parts)) + 1024]
        peer.send(CREDIT, s=peer.stream, m=credit[0], b=credit[1])
    settled = 0
    while settled < acks:  # until then an ack may be lost with the device, and its message come again
        kind, fields, _ = peer.receive()
        settled = fields["n"] if kind == ACKED else settled
    peer.close()


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("publish", "consume"):
        sys.exit(__doc__)
    place = sys.argv[2] if len(sys.argv) > 2 else "tcp://127.0.0.1:5557"
    if sys.argv[1] == "publish":
        publish(place)
    else:
        consume(place, range(int(sys.argv[3])) if len(sys.argv) > 3 else itertools.count())
