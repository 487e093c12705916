"""Reliable producers: restarted, doubled, out of step; nothing is stored twice, nothing accepted is lost."""

import harness as h
import hfp
import load
from workers_test import receive_all, reliable_device

BODY = [[b"%d" % number] for number in range(1, 101)]


def test_a_restarted_program_resumes(test):
    device, endpoint = reliable_device(test)
    with hfp.producer(endpoint, "p") as first:
        first.publish_block(BODY[:60])
        first.wait_accepted(20 * h.SCALE)
        h.expect((first.epoch, first.attached["next"]) == (1, 1), f"attached as {first.attached}")
    with hfp.producer(endpoint, "p") as second:
        h.expect(second.epoch == 2, f"the second instance has epoch {second.epoch}")
        h.expect(second.attached["next"] == 61, f"attached as {second.attached}")
        second.publish_block(BODY[:60], number=1)
        second.publish_block(BODY[60:], number=61)
        second.wait_accepted(20 * h.SCALE)
    stream = device.stream()
    h.expect(stream["counts"]["in"] == 100, f"in is {stream['counts']['in']}")
    h.expect(stream["duplicates"] == 60, f"{stream['duplicates']} duplicates counted")
    with hfp.consumer(endpoint, window=100) as worker:
        seen = receive_all(worker, set(range(1, 101)))
    h.expect(set(seen.values()) == {1}, "something was delivered twice")
    device.check_identity()


def test_send_at_makes_a_program_idempotent(test):
    """The library: three runs that each send 1..1000 at their numbers store 1000, once."""
    device, endpoint = reliable_device(test)
    for run in range(3):
        source = load.producer(test, endpoint, sender=5, count=1000)
        if run == 0:
            h.wait_for("some accepted", source.accepted)
            source.kill()
        else:
            source.wait_accepted()
    h.expect(device.count("in") == 1000, f"in is {device.count('in')}")
    worker = load.worker(test, endpoint)
    h.wait_for("all acked", lambda: device.count("acked") == 1000)
    numbers = [record.number for record in worker.records() if record.delivered]
    h.expect(numbers == list(range(1, 1001)), "not each once, in order")
    device.check_identity()


def test_resumes_across_a_kill_of_the_device(test):
    device, endpoint = reliable_device(test)
    with hfp.producer(endpoint, "p") as first:
        first.publish_block(BODY[:60])
        first.wait_accepted(20 * h.SCALE)
    device.restart()
    with hfp.producer(endpoint, "p") as second:
        h.expect(second.attached["next"] == 61, f"attached as {second.attached}")
        second.publish_block(BODY[50:60], number=51)
        second.publish_block(BODY[60:])
        second.wait_accepted(20 * h.SCALE)
    h.expect(device.count("in") == 100, f"in is {device.count('in')}")
    device.check_identity()


def test_the_newer_of_two_instances_fences_the_older(test):
    device, endpoint = reliable_device(test)
    with hfp.producer(endpoint, "p") as older:
        older.publish_block(BODY[:10])
        older.wait_accepted(20 * h.SCALE)
        with hfp.producer(endpoint, "p") as newer:
            refused = older.wait_frame(hfp.REFUSE, 20 * h.SCALE)
            h.expect(refused["code"] == hfp.FENCED, f"the older one was told {refused}")
            older.publish_block(BODY[50:60], number=11)
            older.wait_frame(hfp.RESET, 20 * h.SCALE)
            newer.publish_block(BODY[10:])
            newer.wait_accepted(20 * h.SCALE)
        with hfp.raw(endpoint) as back:
            back.hello("p", nonce=older.nonce, epoch=older.epoch)
            refused = back.wait_frame(hfp.REFUSE, 20 * h.SCALE)
            h.expect(refused["code"] == hfp.FENCED, f"the fenced one came back and was told {refused}")
    with hfp.consumer(endpoint, window=100) as worker:
        got = [int(worker.receive(20 * h.SCALE).parts[0]) for _ in range(100)]
    h.expect(got == list(range(1, 101)), "a message of the fenced instance got in")
    channel = device.check_identity()
    h.expect(channel["resets"] > 0, "the frame of the closed session is not counted")


def test_gap_straddle_duplicate(test):
    device, endpoint = reliable_device(test)
    with hfp.producer(endpoint, "p") as producer:
        producer.publish_block(BODY[:10])
        producer.wait_accepted(20 * h.SCALE)
        producer.publish_block(BODY[20:30], number=21)
        h.expect(producer.wait_frame(hfp.RESYNC, 20 * h.SCALE)["expected"] == 11, "wrong resync")
        producer.publish_block(BODY[5:15], number=6)
        refused = producer.wait_frame(hfp.REFUSE, 20 * h.SCALE)
        h.expect((refused["code"], refused["permanent"]) == (hfp.BAD_FRAME, True), f"{refused}")
        producer.publish_block(BODY[:10], number=1)
        producer.publish_block(BODY[10:20], number=11)
        producer.wait_accepted(20 * h.SCALE, through=20)
        producer.probe()
        h.expect(producer.wait_frame(hfp.RESYNC, 20 * h.SCALE)["expected"] == 21, "wrong after probe")
    stream = device.stream()
    h.expect(stream["counts"]["in"] == 20, f"in is {stream['counts']['in']}")
    channel = device.check_identity()
    h.expect(channel["resyncs"] >= 1 and channel["refusals"] >= 1, "not counted")


def test_a_bad_entry_is_named_and_consumes_nothing(test):
    device, endpoint = reliable_device(test, max_message="1KiB")
    with hfp.producer(endpoint, "p") as producer:
        producer.publish_block([[b"1"], [b"x" * 2000], [b"3"]])
        refused = producer.wait_frame(hfp.REFUSE, 20 * h.SCALE)
        h.expect((refused["code"], refused["bad"], refused["permanent"]) == (hfp.TOO_LARGE, 1, True),
                 f"refused as {refused}")
        h.expect(device.count("in") == 0, "the refusal consumed something")
        producer.publish_block([[b"1"], None, [b"3"]], number=1)
        producer.wait_accepted(20 * h.SCALE, through=3)
    with hfp.consumer(endpoint, window=10) as worker:
        got = [worker.receive(20 * h.SCALE).parts[0] for _ in range(2)]
    h.expect(got == [b"1", b"3"], f"delivered {got}")
    device.check_identity()


if __name__ == "__main__":
    h.main(globals())
