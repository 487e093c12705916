"""Bound plain outputs write ZMTP themselves: foreign peers of every kind they may meet, over TCP and ipc,
beside libzmq's own."""

import os
import socket
import struct

import zmq

import harness as h
from zmtp import COMMAND, GREETING, SIGNATURE, connect, frame, hello, message, receiver

SIZES = (0, 1, 255, 256, 2048, 2049, 70_000, 1_500_000)


def lab(test, peers="separate", where=None, **out):
    into, exit_ = h.tcp(), where or h.tcp()
    made = h.device(test, name=peers, **{"in": ["@" + into]},
                    out=[{"endpoint": "@" + exit_, "peers": peers, **out}]).start()
    return made, into, exit_


class sender:
    def __init__(self, into):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.PUSH)
        self.socket.connect(into)

    def send(self, *parts):
        self.socket.send_multipart(parts)

    def close(self):
        self.context.destroy(linger=20_000)


def numbered(into, count, size=100):
    push = sender(into)
    for number in range(count):
        push.send(b"%d" % number, b"x" * size)
    push.close()


def peers(device):
    return next(one["peers"] for one in device.channel_status()["endpoints"] if one["role"] == "out")


def test_messages_of_every_size_come_as_they_were_sent(test):
    for kind in ("separate", "shared"):
        device, into, exit_ = lab(test, kind)
        one = receiver(exit_)
        h.wait_for("the receiver", lambda: peers(device) == 1)
        push = sender(into)
        sent = [[os.urandom(size)] for size in SIZES]
        sent += [[os.urandom(test.random.choice(SIZES[:-1])) for _ in range(1 + test.random.randrange(4))]
                 for _ in range(100)]
        for parts in sent:
            push.send(*parts)
        for number, parts in enumerate(sent):
            got = one.message()
            h.expect(got == parts, f"{kind}: message {number} of {[len(p) for p in parts]} bytes came as "
                                   f"{[len(p) for p in got]}")
        push.close()
        device.stop_hard()


def test_old_peers_and_slow_ones_are_served(test):
    device, into, exit_ = lab(test, "shared")
    old = receiver(exit_, greet=False)
    old.socket.sendall(SIGNATURE + b"\1\x07" + frame(b""))
    h.expect(old.take(12) == SIGNATURE + b"\3\x08", "no greeting of version 2.0")
    h.expect(old.frame() == (0, b""), "no identity")
    slow = receiver(exit_, greet=False)
    slow.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in hello(b"PULL"):
        slow.socket.sendall(bytes([byte]))
    slow.take(64)
    h.expect(slow.frame()[1].startswith(b"\5READY"), "no READY")
    h.wait_for("both receivers", lambda: peers(device) == 2)
    numbered(into, 20)
    got = [int(one.message()[0]) for one in (old, slow) for _ in range(10)]
    h.expect(sorted(got) == list(range(20)), f"{got}")


def test_who_breaks_the_protocol_loses_its_connection_alone(test):
    device, into, exit_ = lab(test)
    good = receiver(exit_)
    for wrong in (b"GET / HTTP/1.1\r\n\r\n", GREETING.replace(b"NULL", b"CURV"), GREETING + frame(b"no READY"),
                  hello(b"PUSH"), hello(b"PULL") + message(b"a PULL says nothing"),
                  hello(b"PULL") + frame(b"", COMMAND)):
        bad = connect(exit_)
        bad.sendall(wrong)
        while bad.recv(4096):
            pass
    h.wait_for("the good one alone", lambda: peers(device) == 1)
    numbered(into, 100)
    got = [int(good.message()[0]) for _ in range(100)]
    h.expect(got == list(range(100)), f"{got}")
    h.expect("is cut" in device.process.errors(), device.process.errors())


def test_pings_are_answered_between_messages(test):
    _, into, exit_ = lab(test)
    one = receiver(exit_)
    ping = frame(b"\4PING" + struct.pack(">H", 100) + b"context", COMMAND)
    one.socket.sendall(ping)
    h.expect(one.frame() == (COMMAND, b"\4PONGcontext"), "no PONG")
    push = sender(into)
    for number in range(200):
        push.send(b"%d" % number, b"y" * 50_000)
    one.take(1_000_000)  # it stands in the middle of a message
    rest = 200 * (50_000 + 9) + sum(2 + len(str(n)) for n in range(200)) - 1_000_000
    one.socket.sendall(ping * 3)
    pong = frame(b"\4PONGcontext", COMMAND)
    data = one.take(rest + 3 * len(pong))
    h.expect(data.count(pong) == 3, f"{data.count(pong)} answers to three pings")
    push.close()


def test_a_killed_receiver_loses_nothing_that_it_had_not_read(test):
    """The whole of what a peer of `separate` was handed goes to the next, also the half of a message."""
    device, into, exit_ = lab(test)
    first = receiver(exit_)
    numbered(into, 300, size=30_000)
    got = [int(first.message()[0]) for _ in range(20)]
    h.expect(got == list(range(20)), f"{got}")
    first.socket.close()
    second = receiver(exit_)
    got = sorted({int(second.message()[0]) for _ in range(300)})
    h.expect(got == list(range(300)), f"{len(got)} of 300 came again")
    h.wait_for("one receiver", lambda: peers(device) == 1)


def test_shared_receivers_take_turns_and_others_go_on_when_one_stops(test):
    device, into, exit_ = lab(test, "shared")
    all_ = [receiver(exit_) for _ in range(3)]
    h.wait_for("three receivers", lambda: peers(device) == 3)
    push = sender(into)
    for turn in range(30):
        push.send(b"%d" % turn)
        h.wait_for("it to leave", lambda: device.stream()["counts"]["settled"] == turn + 1)
    for one in all_:
        h.expect(len([one.message() for _ in range(10)]) == 10, "not a third each")
    # The first reads no more: what fits its connection waits for it, the rest goes to the others.
    for number in range(3000):
        push.send(b"%d" % number, b"z" * 10_000)
    taken = 0
    for one in all_[1:]:
        one.socket.settimeout(2 * h.SCALE)
        try:
            while True:
                one.message()
                taken += 1
        except TimeoutError:
            pass
    h.expect(taken > 1500, f"only {taken} of 3000 reached the two that read")
    push.close()


def refused(endpoint):
    try:
        connect(endpoint).close()
    except ConnectionRefusedError:
        return True
    return False


def test_what_shared_counts_as_handed_leaves_before_a_device_stops(test):
    device, into, exit_ = lab(test, "shared")
    one = receiver(exit_)
    h.wait_for("the receiver", lambda: peers(device) == 1)
    push = sender(into)
    for number in range(50):
        push.send(b"%d" % number, b"w" * 400_000)
    h.wait_for("it to fill", lambda: device.stream()["counts"]["in"] == 50)
    h.wait_for("its rest", lambda: device.stream()["counts"]["settled"] > 0)
    device.process.signal(15)
    h.wait_for("the door to close", lambda: refused(exit_))
    got = []
    try:
        while True:
            got.append(int(one.message()[0]))
    except (EOFError, ConnectionError):
        pass
    device.process.wait_exit()
    push.close()
    again = h.device(test, data=device.data, name="again",
                     out=[{"endpoint": "@" + exit_, "peers": "shared"}]).start()
    rest = again.stream()["counts"]["ready"]
    h.expect(len(got) + rest == 50 and got == list(range(len(got))), f"{len(got)} came and {rest} are left")


def test_ipc_is_served_too(test):
    for kind in ("separate", "shared"):
        path = "ipc://" + test.path("exit" + kind)
        device, into, _ = lab(test, kind, where=path)
        context = zmq.Context()
        pull = context.socket(zmq.PULL)
        pull.rcvtimeo = int(20_000 * h.SCALE)
        pull.connect(path)
        numbered(into, 3000, size=3000)
        got = [int(pull.recv_multipart()[0]) for _ in range(3000)]
        h.expect(got == list(range(3000)), f"{len(got)} came over ipc")
        context.destroy(linger=0)
        device.stop_hard()


def test_many_receivers_of_libzmq_with_heartbeats(test):
    device, into, exit_ = lab(test)
    context = zmq.Context()
    pulls = []
    for _ in range(100):
        pulls.append(context.socket(zmq.PULL))
        pulls[-1].heartbeat_ivl, pulls[-1].heartbeat_timeout = 100, 60_000
        pulls[-1].connect(exit_)
    h.wait_for("all receivers", lambda: peers(device) == 100)
    numbered(into, 10_000)
    poller = zmq.Poller()
    for one in pulls:
        poller.register(one, zmq.POLLIN)
    got = set()
    while len(got) < 10_000:
        ready = poller.poll(int(20_000 * h.SCALE))
        h.expect(ready, f"{len(got)} of 10000 came")
        for one, _ in ready:
            got.add(int(one.recv_multipart()[0]))
    h.expect(peers(device) == 100, f"{peers(device)} receivers are left")
    context.destroy(linger=0)


if __name__ == "__main__":
    h.main(globals())
