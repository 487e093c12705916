"""ZMTP by hand: what a raw socket sends to be a peer, and what it may receive."""

import socket
import struct

import harness as h

SIGNATURE = b"\xff" + bytes(8) + b"\x7f"
GREETING = (SIGNATURE + b"\3\0NULL").ljust(64, b"\0")
MORE, LONG, COMMAND = 1, 2, 4
WITHIN = 20  # seconds


def frame(body, flags=0):
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return bytes([flags | LONG]) + struct.pack(">Q", len(body)) + body


def message(*parts):
    return b"".join(frame(part, MORE) for part in parts[:-1]) + frame(parts[-1])


def hello(kind):
    """All that a peer of this kind, b"PUSH" or b"PULL", says first."""
    return GREETING + frame(b"\5READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind, COMMAND)


def connect(endpoint):
    host, port = endpoint.removeprefix("tcp://").split(":")
    return socket.create_connection((host, int(port)), timeout=WITHIN * h.SCALE)


class receiver:
    """A raw PULL."""

    def __init__(self, endpoint, greet=True):
        self.socket = connect(endpoint)
        self.held = b""
        if greet:
            self.socket.sendall(hello(b"PULL"))
            self.take(64)
            self.frame()  # READY

    def take(self, size):
        while len(self.held) < size:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.held += more
        taken, self.held = self.held[:size], self.held[size:]
        return taken

    def frame(self):
        flags = self.take(1)[0]
        size = struct.unpack(">Q", self.take(8))[0] if flags & LONG else self.take(1)[0]
        return flags, self.take(size)

    def message(self):
        parts = []
        while True:
            flags, body = self.frame()
            parts.append(body)
            if not flags & MORE:
                return parts
