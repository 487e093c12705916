"""Reliable workers that die, hang or lag: what they held goes to others, what they acked does not."""

import signal

import harness as h
import hfp
import load


def reliable_device(test, **channel):
    endpoint = h.tcp()
    made = h.device(test, reliable=["@" + endpoint], **{"heartbeat": "200ms", **channel}).start()
    return made, endpoint


def publish(endpoint, count, name="source"):
    with hfp.producer(endpoint, name) as producer:
        for first in range(1, count + 1, 100):
            last = min(first + 99, count)
            producer.publish_block([[b"%d" % number] for number in range(first, last + 1)])
        producer.wait_accepted(20 * h.SCALE)


def receive_all(worker, numbers, ack=True):
    """Receives until each of `numbers` came; returns how often each did."""
    seen = {}
    while not numbers <= set(seen):
        message = worker.receive(20 * h.SCALE)
        number = int(message.parts[0])
        seen[number] = seen.get(number, 0) + 1
        if ack:
            worker.ack(message)
    if ack:
        worker.wait_acked(20 * h.SCALE)
    return seen


def test_a_worker_killed_while_holding(test):
    device, endpoint = reliable_device(test)
    source = load.producer(test, endpoint, sender=1, count=1000)
    source.wait_accepted()
    victim = load.worker(test, endpoint, hold=100)
    victim.wait_holding()
    h.expect(device.count("in_flight") >= 100, "what the worker holds is not in flight")
    victim.kill()
    heir = load.worker(test, endpoint)
    h.wait_for("all 1000 at the other worker", lambda: len(heir.numbers(1)) == 1000)
    h.wait_for("all acked", lambda: device.count("acked") == 1000)
    held = {record.number for record in victim.records()}
    again = {record.number for record in heir.records() if record.redelivered}
    h.expect(held <= again, "what the victim held is not marked as redelivered")
    device.check_identity()


def test_a_worker_that_stops_answering(test):
    """SIGSTOP: the heartbeat stays away, its messages go to another; it comes back and works on."""
    device, endpoint = reliable_device(test)
    stuck = load.worker(test, endpoint, hold=50)
    source = load.producer(test, endpoint, sender=1, count=500)
    source.wait_accepted()
    stuck.wait_holding()
    stuck.signal(signal.SIGSTOP)
    heir = load.worker(test, endpoint)
    h.wait_for("all 500 at the other worker", lambda: len(heir.numbers(1)) == 500)
    stuck.signal(signal.SIGCONT)
    stuck.tell("release")
    load.producer(test, endpoint, sender=2, count=500).wait_accepted()
    h.wait_for("all 1000 acked", lambda: device.count("acked") == 1000)
    device.check_identity()


def test_a_lease_that_runs_out(test):
    """A worker that is alive but never acks: the lease ends, the message is due again as attempt 2."""
    device, endpoint = reliable_device(test, lease="300ms", backoff_min="50ms")
    publish(endpoint, 1)
    with hfp.consumer(endpoint, window=1, simple=True) as lazy:
        first = lazy.receive(20 * h.SCALE)
        h.expect((first.attempt, first.redelivered) == (1, 0), f"the first delivery is {first}")
        second = lazy.receive(20 * h.SCALE)
        h.expect(second.sequence == first.sequence and second.attempt == 2 and second.redelivered == 2,
                 f"after the lease came {second}")
        lazy.ack(second)
        lazy.wait_acked(20 * h.SCALE)
    h.expect(device.count("acked") == 1, "the ack of the second attempt does not count")
    device.check_identity()


def test_a_message_that_kills_its_workers(test):
    """Each worker that is given it is gone without BYE; a prefetched neighbour is not blamed."""
    device, endpoint = reliable_device(test, attempts_max=3, backoff_min="10ms")
    publish(endpoint, 2)
    for attempt in (1, 2, 3):
        with hfp.consumer(endpoint, window=2, heartbeat=100) as victim:
            first = victim.receive(20 * h.SCALE)
            h.expect(first.parts[0] == b"1", f"given first was {first}")
        # The next one is given both again in their order: it begins with the one that kills.
        left = 2 if attempt < 3 else 1
        h.wait_for(f"failure {attempt}", lambda: device.count("ready") == left)
    h.wait_for("one dead letter", lambda: device.count("dead") == 1)
    with hfp.consumer(endpoint, window=2) as heir:
        left = heir.receive(20 * h.SCALE)
        h.expect(left.parts[0] == b"2" and left.attempt == 1, f"left is {left}")
        heir.ack(left)
        heir.wait_acked(20 * h.SCALE)
    counts = device.check_identity()["streams"][0]["counts"]
    h.expect((counts["acked"], counts["dead"]) == (1, 1), f"counts are {counts}")


def test_nack_release_reject(test):
    device, endpoint = reliable_device(test, backoff_min="50ms")
    publish(endpoint, 3)
    with hfp.consumer(endpoint, window=10) as worker:
        got = [worker.receive(20 * h.SCALE) for _ in range(3)]
        worker.nack(got[0], "nack", reason="not now")
        again = worker.receive(20 * h.SCALE)
        h.expect((again.sequence, again.attempt) == (got[0].sequence, 2), f"after nack came {again}")
        worker.nack(got[1], "release")
        back = worker.receive(20 * h.SCALE)
        h.expect((back.sequence, back.attempt) == (got[1].sequence, 1), f"after release came {back}")
        worker.nack(got[2], "reject", reason="poison")
        h.wait_for("one dead letter", lambda: device.count("dead") == 1)
        worker.ack(again)
        worker.ack(back)
        worker.wait_acked(20 * h.SCALE)
    counts = device.check_identity()["streams"][0]["counts"]
    h.expect((counts["acked"], counts["dead"]) == (2, 1), f"counts are {counts}")


def test_dead_letter_after_the_attempt_limit(test):
    device, endpoint = reliable_device(test, attempts_max=3, backoff_min="10ms")
    publish(endpoint, 1)
    with hfp.consumer(endpoint, window=1) as worker:
        for attempt in (1, 2, 3):
            message = worker.receive(20 * h.SCALE)
            h.expect(message.attempt == attempt, f"attempt {message.attempt} where {attempt} was due")
            worker.nack(message, "nack")
        h.wait_for("one dead letter", lambda: device.count("dead") == 1)
    device.restart()
    h.expect(device.count("dead") == 1, "the dead letter is gone after a restart")
    device.check_identity()


def test_credit_holds(test):
    """No more is in flight than a one-message consumer granted."""
    device, endpoint = reliable_device(test)
    publish(endpoint, 100)
    with hfp.consumer(endpoint, window=7) as worker:
        got = [worker.receive(20 * h.SCALE, refill=False) for _ in range(7)]
        h.expect(device.count("in_flight") == 7, f"{device.count('in_flight')} in flight, 7 granted")
        for message in got:
            worker.ack(message)
        worker.wait_acked(20 * h.SCALE)
        h.expect(not worker.pump(0) and device.count("in_flight") == 0, "more came than was granted")
        worker.grant(7, 1 << 20)
        receive_all(worker, set(range(8, 101)))
    h.expect(device.count("acked") == 100, "not all acked")
    device.check_identity()


def test_two_workers_share(test):
    device, endpoint = reliable_device(test)
    with hfp.consumer(endpoint, window=10) as one, hfp.consumer(endpoint, window=10) as two:
        publish(endpoint, 20)
        seen = [int(worker.receive(20 * h.SCALE).parts[0]) for worker in (one, two) for _ in range(10)]
        h.expect(sorted(seen) == list(range(1, 21)), f"shared as {seen}")
    device.check_identity()


if __name__ == "__main__":
    h.main(globals())
