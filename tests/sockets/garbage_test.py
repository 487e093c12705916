"""Garbage from peers never brings the device down, is counted, and does not disturb the others."""

import contextlib
import os
import socket
import struct
import threading

import zmq

import harness as h
import hfp
from hfp_wire import *  # pylint: disable=wildcard-import,unused-wildcard-import

SCANNERS = [
    b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), b"\x00" * 64,
    b"\xff" * 64, b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f", b"SSH-2.0-scan\r\n",
    b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL" + bytes(48) + b"\x06" + b"\xff" * 8,
    b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL" + bytes(48) + b"\x04\x05READY",
    b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00CURVE" + bytes(47), b"",
]


class traffic(threading.Thread):
    """Normal work through the device while the garbage flies; every message is checked."""

    def __init__(self, endpoint):
        super().__init__(daemon=True)
        self.endpoint, self.done, self.passed, self.error = endpoint, threading.Event(), 0, None

    def run(self):
        try:
            with hfp.producer(self.endpoint, "steady") as producer, \
                    hfp.consumer(self.endpoint, window=10) as worker:
                while not self.done.is_set() or self.passed < 20:
                    producer.publish_block([[b"%d" % self.passed, b"x" * 100]])
                    got = worker.receive(20 * h.SCALE)
                    h.expect(got.parts == [b"%d" % self.passed, b"x" * 100], "normal traffic is disturbed")
                    worker.ack(got)
                    self.passed += 1
                producer.wait_accepted(20 * h.SCALE)
                worker.wait_acked(20 * h.SCALE)
        except Exception as error:  # shown by finish(), in the test's own thread
            self.error = error

    def finish(self):
        self.done.set()
        self.join()
        if self.error:
            raise self.error


@contextlib.contextmanager
def under_traffic(test):
    ports = {name: h.free_port() for name in ("in", "gate", "shared", "reliable")}
    device = h.device(test, **{
        "in": [{"endpoint": f"@tcp://127.0.0.1:{ports['in']}", "queue": "noise"}],
        "reliable": [f"@tcp://127.0.0.1:{ports['reliable']}"],
        "out": [{"endpoint": f"@tcp://127.0.0.1:{ports['gate']}", "queue": "other"},
                {"endpoint": f"@tcp://127.0.0.1:{ports['shared']}", "peers": "shared", "queue": "other"}],
    }).start()
    steady = traffic(h.tcp(ports["reliable"]))
    steady.start()
    yield device, ports
    steady.finish()
    h.expect(device.alive(), "the device is gone")
    device.check_identity()


def poke(port, data):
    """Sends bytes to a port and closes; a reset by the other side is fine."""
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), 5) as wire:
        wire.sendall(data)
        wire.shutdown(socket.SHUT_WR)
        wire.settimeout(5 * h.SCALE)
        while wire.recv(65536):
            pass


def test_port_scanners_on_every_port(test):
    with under_traffic(test) as (device, ports):
        for port in ports.values():
            for data in SCANNERS:
                with contextlib.suppress(TimeoutError):
                    poke_briefly(port, data)
            for _ in range(20):
                poke_briefly(port, test.random.randbytes(test.random.randrange(1, 3000)))
        h.expect(device.alive(), "the device is gone")
        h.wait_for("no plain peer left over", lambda: not [
            one for one in device.stream("other").get("consumers", []) if one["kind"] == "separate"])


def poke_briefly(port, data):
    """As a scanner does: sends and goes, some of them with a reset."""
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), 5) as wire:
        if len(data) % 2:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.sendall(data)


def test_wrong_socket_types_on_the_plain_ports(test):
    with under_traffic(test) as (device, ports):
        context = zmq.Context()
        for port in ports.values():
            for kind in (zmq.REQ, zmq.PUB, zmq.PAIR, zmq.SUB, zmq.PUSH, zmq.ROUTER):
                with context.socket(kind) as odd:
                    odd.linger = 0
                    odd.connect(f"tcp://127.0.0.1:{port}")
                    with contextlib.suppress(zmq.ZMQError):
                        odd.send(b"x" * 100, zmq.DONTWAIT)
        h.expect(device.alive(), "the device is gone")


def foreign_frames(source):
    """First parts (and what follows them) that break the protocol in every way we can think of."""
    yield [b""]
    yield [b"", b""]
    yield [b"HF"]
    yield [b"HF\x01\x01"]
    yield [b"XX\x01\x01" + bytes(4)]
    for kind in range(0, 256):
        yield [prefix(kind, 0)]
        yield [prefix(kind, 0xFFFFFFFF) + b"\xff" * 64, b"\xff" * 100]
        yield [prefix(kind, 0) + source.randbytes(source.randrange(0, 80)), source.randbytes(50)]
    for size in (1, 10, 100, 10_000):
        yield [source.randbytes(size)]
        yield [source.randbytes(size) for _ in range(30)]
    for junk in (b"\xdf\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x81" * 5000,
                 b"\x91" * 100_000, b"\x81\xa2id\xdb\xff\xff\xff\xff", b"\x81\xa2id\xa0", b"\xc1", b"\x80"):
        yield [prefix(HELLO, 0) + junk]
        yield [prefix(ATTACH, 0) + junk]
    yield [prefix(HELLO, 0) + msgpack.packb({"id": b"x" * 256, "nonce": bytes(16)})]
    yield [prefix(HELLO, 0) + msgpack.packb({"id": b"x", "nonce": bytes(15)})]
    yield [prefix(HELLO, 0) + msgpack.packb({"id": b"x", "nonce": bytes(16), "min": -1})]


def test_frames_that_break_the_protocol(test):
    with under_traffic(test) as (device, ports):
        with hfp.raw(h.tcp(ports["reliable"])) as odd:
            for parts in foreign_frames(test.random):
                odd.send(*parts)
            odd.socket.setsockopt(zmq.LINGER, 5000)
            odd.hello("after garbage")
            odd.wait_until(lambda: any(k == WELCOME for k, _ in odd.waiting), 20 * h.SCALE, "WELCOME")
        channel = device.channel_status()
        h.expect(channel["bad_frames"] > 0, "bad frames are not counted")
        h.expect(channel["resets"] > 0, "frames of an unknown session got no RESET")


def test_wrong_versions(test):
    with under_traffic(test) as (_, ports):
        for low, high in ((0, 0), (2, 2), (9, 255)):
            with hfp.raw(h.tcp(ports["reliable"])) as odd:
                odd.send_map(HELLO, min=low, max=high, id=b"old", named=True, nonce=bytes(16), epoch=0,
                             heartbeat=1000, simple=False)
                refused = odd.wait_frame(REFUSE_VERSION, 20 * h.SCALE)
                h.expect((refused["min"], refused["max"]) == (1, 1), f"refused with {refused}")


def bad_publishes(stream, source):
    """Heads and bodies of PUBLISH in an open session, each broken in one way."""
    good = block([[b"a"], [b"b", b"c"]])

    def head(count=2, first=1, total=None, body=good, props=0, at=stream):
        return PUBLISH_HEAD.pack(at, count, props, first, checksum(body) if total is None else total)
    yield head(), []
    yield head(), [good, good]
    yield head()[:-1], [good]
    yield head(count=0), [good]
    yield head(count=3), [good]
    yield head(count=1), [good]
    yield head(count=65535), [good]
    yield head(total=1), [good]
    yield head(at=stream + 1000), [good]
    yield head(at=0), [good]
    yield head(first=0), [good]
    yield head(first=(1 << 64) - 1), [good]
    for size in (0, 1, 11, 12, 0x7FFFFFFF, 0xFFFFFFFF):
        body = struct.pack("<I", size) + good[4:]
        yield head(body=body), [body]
    for count in (0, 1, 3, 65535):
        body = struct.pack("<IIBBHH", 22, 0, 1, 0, 0, count) + bytes(10)
        yield head(count=1, body=body), [body]
    for cut in range(0, len(good), 5):
        yield head(body=good[:cut]), [good[:cut]]
    for _ in range(50):
        body = source.randbytes(source.randrange(1, 300))
        yield head(count=source.randrange(1, 5), body=body), [body]


def test_broken_blocks_in_an_open_session(test):
    with under_traffic(test) as (device, ports):
        with hfp.producer(h.tcp(ports["reliable"]), "breaker", queue="broken") as odd:
            for head, bodies in bad_publishes(odd.stream, test.random):
                odd.send(prefix(PUBLISH, odd.session) + head, *bodies)
            for kind in (CREDIT, ACK, PROBE, ACCEPT, DELIVER, NACK, TOUCH, RESYNC, ACK_SIMPLE):
                for size in (0, 1, 8, 24, 100, 5000):
                    odd.send(prefix(kind, odd.session) + test.random.randbytes(size))
            odd.send(prefix(ACK, odd.session) + ACK_HEAD.pack(odd.stream, 0xFFFFFFFF, 1) + bytes(64))
            odd.send(prefix(ACK, odd.session) + ACK_HEAD.pack(odd.stream, 1, 1) + RANGE.pack(1, 1 << 63))
            odd.publish_block([[b"good"]], number=1)
            odd.wait_accepted(20 * h.SCALE, through=1)
        h.expect(device.count("in", "broken") == 1, "something broken was stored")
        h.expect(device.channel_status()["bad_frames"] > 0, "bad frames are not counted")


def test_frames_with_wrong_sessions(test):
    with under_traffic(test) as (device, ports):
        endpoint = h.tcp(ports["reliable"])
        with hfp.producer(endpoint, "right", queue="mine") as right, hfp.raw(endpoint) as odd:
            before = device.channel_status()
            head = PUBLISH_HEAD.pack(right.stream, 1, 0, 1, checksum(block([[b"stolen"]])))
            for session in (0, 1, right.session, right.session + 1, 0xFFFFFFFF):
                odd.send(prefix(PUBLISH, session) + head, block([[b"stolen"]]))
            odd.wait_frame(RESET, 20 * h.SCALE)
            right.send(prefix(PUBLISH, right.session + 1) + head, block([[b"stale"]]))
            right.wait_frame(RESET, 20 * h.SCALE)
            right.publish_block([[b"mine"]])
            right.wait_accepted(20 * h.SCALE)
            after = device.channel_status()
        h.expect(device.count("in", "mine") == 1, "a frame of a wrong session was taken")
        h.expect(after["stale_frames"] > before["stale_frames"], "stale frames are not counted")
        h.expect(after["resets"] > before["resets"], "resets are not counted")


def test_a_flood_of_sessions_that_never_read(test):
    """Peers that open, grant much credit and never read: they are bounded, the others go on."""
    with under_traffic(test) as (device, ports):
        endpoint = h.tcp(ports["reliable"])
        odd = [hfp.raw(endpoint) for _ in range(50)]
        for number, one in enumerate(odd):
            one.hello(os.urandom(16), named=False)
            if number % 2:
                one.socket.close()
        h.wait_for("the sessions in status", lambda: device.channel_status()["sessions"] >= 25)
        for one in odd:
            one.socket.close()


if __name__ == "__main__":
    h.main(globals())
