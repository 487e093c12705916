"""Limits of queues, over kill -9: what exceeds them goes, counted, and nothing else."""

import zmq

import harness as h
import hfp
from parts_exact_test import plain_device, receiver


def push_all(into, bodies):
    with zmq.Context() as context, context.socket(zmq.PUSH) as push:
        push.linger = -1
        push.connect(into)
        for body in bodies:
            push.send(body)


def test_a_queue_keeps_its_newest_messages(test):
    device, into, out, _ = plain_device(test, retention_records=5)
    push_all(into, [b"%d" % number for number in range(1, 21)])
    h.wait_for("all came", lambda: device.count("in") == 20)
    h.wait_for("what exceeds the limit went", lambda: device.count("dropped") == 15)
    device.kill()
    device.start()
    stream = device.stream()
    h.expect(stream["counts"]["dropped"] == 15 and stream["counts"]["ready"] == 5, f"after the kill: {stream}")
    h.expect(stream["dropped_by_retention"] == 15, f"the cause is not told: {stream}")
    with receiver(zmq.Context(), out) as pull:
        got = [int(pull.recv()) for _ in range(5)]
    h.expect(got == [16, 17, 18, 19, 20], f"not the newest: {got}")
    device.check_identity()


def test_one_queue_of_a_channel_has_a_limit_of_its_own(test):
    device, _, _, reliable = plain_device(test, retention_records=3, queues={"audit*": {"retention_records": 0}})
    for queue in ("telemetry", "audit.log"):
        with hfp.producer(reliable, "p", queue=queue) as producer:
            producer.publish_block([[b"%d" % number] for number in range(1, 11)])
            producer.wait_accepted(20 * h.SCALE)
    h.wait_for("the limit took its part", lambda: device.count("dropped", "telemetry") == 7)
    device.kill()
    device.start()
    for queue, ready in (("telemetry", 3), ("audit.log", 10)):
        h.expect(device.count("ready", queue) == ready, f"{queue}: {device.stream(queue)}")
    device.check_identity()


if __name__ == "__main__":
    h.main(globals())
