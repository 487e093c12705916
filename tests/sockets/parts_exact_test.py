"""Parts, boundaries and the order of each producer are exact to the byte through a device."""

import hashlib
import threading

import zmq

import harness as h
import hfp
import messages

SHAPES = [
    [b""], [b"x"], [b"", b""], [b"", b"a", b""], [b"a", b""], [b"", b"a"], [b""] * 64,
    [bytes([n]) * n for n in range(64)], [b"\x00" * 255], [b"HF\x01\x10" + bytes(40)],
    [b"x" * 262_143], [b"x" * 262_144], [b"x" * 262_145], [b"", b"y" * 300_000, b""], [b"z" * (1 << 20)],
]


def digest(parts):
    """One sum over parts and their boundaries."""
    total = hashlib.blake2b(digest_size=16)
    for part in parts:
        total.update(len(part).to_bytes(8, "little"))
        total.update(part)
    return total.digest()


class sender(threading.Thread):
    """One plain PUSH producer; remembers the sum of each message it sent, in order."""

    def __init__(self, context, endpoint, number, seed, bytes_least):
        super().__init__(daemon=True)
        self.arguments = (context, endpoint, number, seed, bytes_least)
        self.sums = []
        self.bytes = 0
        self.final = False  # no message after the one whose sum is the last; true before it is sent

    def run(self):
        context, endpoint, who, seed, bytes_least = self.arguments
        with context.socket(zmq.PUSH) as socket:
            socket.linger = -1
            socket.connect(endpoint)
            number = 0
            while self.bytes < bytes_least:
                number += 1
                parts = messages.make(who, number, seed, messages.MANY_PARTS)
                self.sums.append(digest(parts))
                self.bytes += sum(map(len, parts))
                self.final = self.bytes >= bytes_least
                socket.send_multipart(parts)


def receiver(context, endpoint, within=60):
    socket = context.socket(zmq.PULL)
    socket.rcvtimeo = int(within * 1000 * h.SCALE)
    socket.connect(endpoint)
    return socket


def plain_device(test, **channel):
    into, out, reliable = h.tcp(), h.tcp(), h.tcp()
    made = h.device(test, **{"in": ["@" + into], "out": ["@" + out], "reliable": ["@" + reliable],
                             **channel}).start()
    return made, into, out, reliable


def test_every_shape_passes_unchanged(test):
    device, into, out, _ = plain_device(test)
    context = zmq.Context()
    with context.socket(zmq.PUSH) as push, receiver(context, out) as pull:
        push.connect(into)
        for parts in SHAPES:
            push.send_multipart(parts)
        for parts in SHAPES:
            got = pull.recv_multipart()
            h.expect(got == parts, f"{[len(p) for p in parts][:8]} came as {[len(p) for p in got][:8]}")
    device.check_identity()


def receive_all(pull, senders, total_of):
    """Receives until every sender's messages came; checks bytes, boundaries and each one's order."""
    got = {who: 0 for who in senders}
    while not all(one.final for one in senders.values()) or sum(got.values()) < total_of():
        parts = pull.recv_multipart()
        who, number, _ = identify_cheaply(parts)
        got[who] += 1
        h.expect(number == got[who], f"sender {who}: {number} came where {got[who]} was due")
        h.expect(digest(parts) == senders[who].sums[number - 1], f"sender {who}: {number} was changed")
    return got


def identify_cheaply(parts):
    magic, who, number, _, _ = messages.HEAD.unpack_from(parts[-1])
    return who, number, magic


def test_64_mib_of_random_parts_from_four_producers(test):
    device, into, out, _ = plain_device(test)
    context = zmq.Context()
    senders = {who: sender(context, into, who, test.seed, 16 << 20) for who in range(1, 5)}
    with receiver(context, out) as pull:
        for thread in senders.values():
            thread.start()
        got = receive_all(pull, senders, lambda: sum(len(s.sums) for s in senders.values()))
        for thread in senders.values():
            thread.join()
        for who, thread in senders.items():
            h.expect(got[who] == len(thread.sums), f"sender {who}: {got[who]} of {len(thread.sums)}")
    counts = device.check_identity()["streams"][0]["counts"]
    h.expect(counts["in"] == sum(got.values()), f"in is {counts['in']}, sent {sum(got.values())}")


def test_one_message_of_300_mib(test):
    device, into, out, _ = plain_device(test, max_message="400MiB")
    context = zmq.Context()
    block = test.random.randbytes(1 << 20)
    parts = [block * 100, b"", bytes([7]) * (100 << 20), block * 100]
    with context.socket(zmq.PUSH) as push, receiver(context, out) as pull:
        push.connect(into)
        push.send_multipart(parts, copy=False)
        push.send_multipart([b"after"])
        got = pull.recv_multipart()
        h.expect([len(part) for part in got] == [len(part) for part in parts], "boundaries moved")
        h.expect(got == parts, "300 MiB came changed")
        h.expect(pull.recv_multipart() == [b"after"], "the message after the big one is wrong")
    device.check_identity()


def test_too_large_is_counted_and_the_rest_passes(test):
    device, into, out, _ = plain_device(test, max_message="1MiB")
    context = zmq.Context()
    with context.socket(zmq.PUSH) as push, receiver(context, out) as pull:
        push.connect(into)
        for parts in ([b"before"], [b"x" * (2 << 20)], [b"y" * 600_000] * 2, [b"after"]):
            push.send_multipart(parts)
        h.expect(pull.recv_multipart() == [b"before"], "the message before is wrong")
        h.expect(pull.recv_multipart() == [b"after"], "a message beyond max_message was passed on")
    channel = device.check_identity()
    counted = [one["too_large"] for one in channel["endpoints"] if one["role"] == "in"]
    h.expect(counted == [2], f"two were too large, counted {counted}")


def test_plain_to_reliable(test):
    device, into, _, reliable = plain_device(test)
    context = zmq.Context()
    source = sender(context, into, 1, test.seed, 4 << 20)
    source.start()
    with hfp.consumer(reliable, window=64) as worker:
        number = 0
        while not source.final or number < len(source.sums):
            message = worker.receive(30 * h.SCALE)
            number += 1
            h.expect(digest(message.parts) == source.sums[number - 1], f"message {number} was changed")
            worker.ack(message)
        worker.wait_acked(30 * h.SCALE)
    h.expect(device.count("acked") == number, "not every ack counts")
    device.check_identity()


def blocks_of(all_parts, bytes_max=200_000):
    """Runs of messages that fit into a block; a bigger message is alone."""
    some, size = [], 0
    for parts in all_parts:
        more = sum(map(len, parts)) + 4 * len(parts) + 20
        if some and size + more > bytes_max:
            yield some
            some, size = [], 0
        some.append(parts)
        size += more
    yield some


def test_reliable_to_plain(test):
    device, _, out, reliable = plain_device(test)
    context = zmq.Context()
    with hfp.producer(reliable, "exact") as producer, receiver(context, out) as pull:
        sent = [messages.make(1, n, test.seed, messages.MANY_PARTS) for n in range(1, 150)] + SHAPES
        for some in blocks_of(sent):
            producer.publish_block(some)
            for parts in some:
                h.expect(pull.recv_multipart() == parts, "a message came changed or out of order")
        producer.wait_accepted(30 * h.SCALE)
    device.check_identity()


def test_simple_form_both_ways(test):
    device, _, _, reliable = plain_device(test)
    with hfp.producer(reliable, "simple", simple=True) as producer, \
            hfp.consumer(reliable, window=16, simple=True) as worker:
        for parts in SHAPES:
            producer.publish(parts)
        producer.wait_accepted(30 * h.SCALE)
        for parts in SHAPES:
            message = worker.receive(30 * h.SCALE)
            h.expect(message.parts == parts, "a message came changed or out of order")
            worker.ack(message)
        worker.wait_acked(30 * h.SCALE)
    device.check_identity()


if __name__ == "__main__":
    h.main(globals())
