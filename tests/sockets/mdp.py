"""Majordomo 7/MDP 0.1 peers over unmodified pyzmq sockets, written from the protocol: a client, and a worker
with one thread, which beats while it waits and is silent while it works. As a program:

    mdp.py worker ENDPOINT SERVICE NAME [--heartbeat S] [--slow N]

is a worker in a process of its own, to be killed and stopped. It prints `got N` for its N-th request and
answers [NAME, body..]; after the first --slow requests it says `got` it waits for a line of standard input.
"""

import argparse
import sys
import time

import zmq

CLIENT, WORKER = b"MDPC01", b"MDPW01"
READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT = (bytes([n]) for n in range(1, 6))


class silent(Exception):
    """Nothing came in time."""


class peer:
    def __init__(self, endpoint, kind=zmq.DEALER, **options):
        self.socket = zmq.Context.instance().socket(kind)
        self.socket.linger = 0
        for name, value in options.items():
            setattr(self.socket, name, value)
        self.socket.connect(endpoint)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, *parts):
        self.socket.send_multipart(parts)

    def receive(self, within):
        if not self.socket.poll(within * 1000):
            raise silent(f"nothing within {within} s")
        return self.socket.recv_multipart()


class client(peer):
    """DEALER by default; REQ adds the delimiter itself."""

    def ask(self, service, *body):
        head = [] if self.socket.socket_type == zmq.REQ else [b""]
        self.send(*head, CLIENT, service, *body)

    def answer(self, service, within=10.0):
        parts = self.receive(within)
        if self.socket.socket_type != zmq.REQ:
            assert parts.pop(0) == b"", "a reply begins with the delimiter"
        assert parts[:2] == [CLIENT, service], f"no reply of {service}: {parts}"
        return parts[2:]

    def answer_within(self, service, within):
        """None if nothing comes."""
        try:
            return self.answer(service, within)
        except silent:
            return None

    def call(self, service, *body, within=10.0):
        self.ask(service, *body)
        return self.answer(service, within)

    def has_workers(self, service):
        return self.call(b"mmi.service", service) == [b"200"]


class worker(peer):
    def __init__(self, endpoint, heartbeat=0.1, **options):
        super().__init__(endpoint, **options)
        self.heartbeat, self.beats, self.beat_at = heartbeat, 0, 0.0

    def say(self, command, *rest):
        self.send(b"", WORKER, command, *rest)
        self.beat_at = time.monotonic() + self.heartbeat

    def ready(self, service):
        self.say(READY, service)
        return self

    def command(self, within=10.0, beating=True):
        """The next command that is no heartbeat, and what follows it."""
        end = time.monotonic() + within
        while True:
            now = time.monotonic()
            if beating and now >= self.beat_at:
                self.say(HEARTBEAT)
            pause = min(end, self.beat_at if beating else end) - now
            if self.socket.poll(max(pause, 0) * 1000):
                parts = self.socket.recv_multipart()
                assert parts[:2] == [b"", WORKER], f"no command: {parts}"
                if parts[2] != HEARTBEAT:
                    return parts[2], parts[3:]
                self.beats += 1
            elif time.monotonic() >= end:
                raise silent(f"no command within {within} s")

    def request(self, within=10.0):
        """The address and the body of the next request."""
        command, rest = self.command(within)
        assert command == REQUEST and rest[1] == b"", f"no request: {command} {rest}"
        return rest[0], rest[2:]

    def reply(self, address, *body):
        self.say(REPLY, address, b"", *body)

    def told_to_go(self, within=10.0, beating=False):
        command, rest = self.command(within, beating)
        return (command, rest) == (DISCONNECT, [])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["worker"])
    parser.add_argument("endpoint")
    parser.add_argument("service")
    parser.add_argument("name")
    parser.add_argument("--heartbeat", type=float, default=0.1)
    parser.add_argument("--slow", type=int, default=0)
    chosen = parser.parse_args()
    count = 0
    while True:  # a new socket after each DISCONNECT, as worker libraries do
        with worker(chosen.endpoint, chosen.heartbeat) as one:
            one.ready(chosen.service.encode())
            print("ready", flush=True)
            while True:
                command, rest = one.command(within=3600)
                if command == DISCONNECT:
                    print("disconnected", flush=True)
                    break
                count += 1
                print(f"got {count}", flush=True)
                if count <= chosen.slow:
                    sys.stdin.readline()
                one.reply(rest[0], chosen.name.encode(), *rest[2:])


if __name__ == "__main__":
    main()
