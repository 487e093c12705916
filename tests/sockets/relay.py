"""relay.py LISTEN_PORT TARGET_PORT: passes connections on to a port of this host. `cut` on standard
input resets all of them, with what is in them: what a network does that goes away. Prints `relaying`,
and `cut N` after each."""

import os
import selectors
import socket
import struct
import sys

PIECE = 1 << 16
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no time: close() drops what is not sent


class relay:
    def __init__(self, port, target):
        self.target = target
        self.ready = selectors.DefaultSelector()
        self.other = {}  # both ends of each connection, each naming the other
        self.listener = socket.create_server(("127.0.0.1", port))
        self.ready.register(self.listener, selectors.EVENT_READ, self.accept)
        self.ready.register(sys.stdin.fileno(), selectors.EVENT_READ, self.told)

    def run(self):
        while True:
            for key, _ in self.ready.select():
                if key.fileobj is self.listener or key.fileobj == sys.stdin.fileno():
                    key.data()
                elif key.fileobj in self.other:  # not closed by an earlier event of this turn
                    self.forward(key.fileobj)

    def accept(self):
        near, _ = self.listener.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            return near.close()
        for end, other in ((near, far), (far, near)):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.other[end] = other
            self.ready.register(end, selectors.EVENT_READ)

    def forward(self, end):
        """While one end does not read, everything waits: this has no buffers of its own."""
        try:
            piece = end.recv(PIECE)
            if piece:
                return self.other[end].sendall(piece)
        except OSError:
            pass
        self.close(end)

    def close(self, end):
        for one in (end, self.other.pop(end)):
            self.other.pop(one, None)
            self.ready.unregister(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            one.close()

    def told(self):
        if not os.read(sys.stdin.fileno(), PIECE):
            sys.exit()
        connections = len(self.other) // 2
        while self.other:
            self.close(next(iter(self.other)))
        print("cut", connections, flush=True)


if __name__ == "__main__":
    made = relay(int(sys.argv[1]), int(sys.argv[2]))
    print("relaying", flush=True)
    made.run()
