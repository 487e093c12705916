"""Outputs in their other forms: one socket shared by all subscribers, and endpoints that connect out."""

import zmq

import harness as h

COUNT = 20_000
BODY = bytes(200)
CHUNK = 500


def plain(kind, endpoint="", bind="", **options):
    made = zmq.Context.instance().socket(kind)
    made.linger = 0
    for name, value in options.items():
        setattr(made, name, value)
    if kind == zmq.SUB:
        made.subscribe(b"")
    if endpoint:
        made.connect(endpoint)
    if bind:
        made.bind(bind)
    return made


class published:
    """A pub/sub device with one output, and a publisher it is subscribed to."""

    def __init__(self, test, output):
        into = h.tcp()
        self.device = h.device(test, pattern="pubsub", durability="process",
                               **{"in": ["@" + into], "out": [output]}).start()
        self.publisher = plain(zmq.XPUB, into, sndhwm=0)
        h.expect(self.publisher.poll(10_000 * h.SCALE), "the device did not subscribe")
        h.expect(self.publisher.recv() == b"\x01", "the device subscribes to everything")

    def publish(self, first, last):
        for number in range(first, last + 1):
            self.publisher.send_multipart([b"t", b"%d" % number, BODY])


def subscribers(device, endpoint, *hwms):
    """So many SUBs whose subscriptions the device's socket has: each saw a message of its own time."""
    made = [plain(zmq.SUB, endpoint, rcvhwm=hwm) for hwm in hwms]
    number = 0
    waiting = set(made)
    while waiting:
        number += 1
        h.expect(number < 1000, "a subscriber gets nothing")
        device.publish(-number, -number)
        waiting -= {one for one in waiting if one.poll(20)}
    device.publish(0, 0)
    for one in made:
        while receive(one) != 0:
            pass
    return made


def receive(socket, within=20_000):
    h.expect(socket.poll(within * h.SCALE), "nothing came")
    topic, number, body = socket.recv_multipart()
    h.expect((topic, body) == (b"t", BODY), f"{number} was received changed")
    return int(number)


def test_all_wait_loses_nothing_for_the_slowest(test):
    """One that does not read holds the other up; when it reads again, both have everything."""
    endpoint = h.tcp()
    device = published(test, {"endpoint": "@" + endpoint, "peers": "all_wait"})
    idle, busy = subscribers(device, endpoint, 10, 1000)
    device.publish(1, COUNT)
    h.wait_for("all of it in the journal", lambda: device.device.count("in") > COUNT)
    got = 0
    while busy.poll(500):
        got = receive(busy)
    h.expect(0 < got < COUNT, f"with one that does not read the other got {got} of {COUNT}")
    for number in range(1, COUNT + 1):
        if number > got:
            h.expect(receive(busy) == number, f"not {number} for the one that reads")
        h.expect(receive(idle) == number, f"not {number} for the one that did not")
    device.device.check_identity()


def test_lossy_is_held_up_by_nobody(test):
    """One that does not read misses messages; the other, no slower than the publisher, gets all."""
    endpoint = h.tcp()
    device = published(test, {"endpoint": "@" + endpoint, "peers": "lossy"})
    idle, busy = subscribers(device, endpoint, 10, 0)
    total = COUNT * 3  # more than the kernel and two sockets hold
    for first in range(1, total + 1, CHUNK):
        device.publish(first, first + CHUNK - 1)
        for number in range(first, first + CHUNK):
            h.expect(receive(busy) == number, f"not {number} for the one that reads")
    seen = []
    while idle.poll(500):
        seen.append(receive(idle))
    h.expect(seen == sorted(set(seen)) and 0 < len(seen) < total,
             f"the one that did not read got {len(seen)} of {total}, or not in order")
    device.device.check_identity()


def test_an_output_that_connects_to_a_subscriber(test):
    """A SUB that binds: its subscription begins its cursor, as behind a bound endpoint."""
    endpoint = h.tcp()
    subscriber = plain(zmq.SUB, bind=endpoint, rcvhwm=0)
    device = published(test, {"endpoint": ">" + endpoint})
    # A bound SUB says its subscriptions to a new peer when its own thread looks at it.
    h.wait_for("the subscription", lambda: subscriber.poll(0) == 0 and any(
        group["attached"] for group in device.device.stream().get("groups", [])))
    device.publish(1, COUNT)
    for number in range(1, COUNT + 1):
        h.expect(receive(subscriber) == number, f"not {number}")
    device.device.check_identity()


def test_an_output_that_connects_to_a_worker(test):
    """A REP that binds, and a REQ that binds to an input that connects."""
    into, out = h.tcp(), h.tcp()
    worker, client = plain(zmq.REP, bind=out), plain(zmq.REQ, bind=into)
    device = h.device(test, pattern="reqrep", **{"in": [">" + into], "out": [">" + out]}).start()
    for number in range(200):
        client.send_multipart([b"%d" % number, b"", BODY])
        h.expect(worker.poll(20_000 * h.SCALE), f"request {number} did not come")
        question = worker.recv_multipart()
        h.expect(question == [b"%d" % number, b"", BODY], f"request {number} came as {question[:2]}")
        worker.send_multipart([*question, b"!"])
        h.expect(client.poll(20_000 * h.SCALE), f"no answer to {number}")
        h.expect(client.recv_multipart() == [*question, b"!"], f"answer {number} was changed")
    h.expect(device.count("acked", "default") == 200, "requests are answered once")
    device.check_identity()


if __name__ == "__main__":
    h.main(globals())
