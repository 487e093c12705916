"""A file of the journal is truncated by somebody while the device runs: never a signal, and a clear outcome.
What stood behind the cut is reported as unreadable and counted as dropped, everything else is delivered;
the device goes on, and starts again.
"""

import os
import time

import harness as h
import hfp

BODY = 20_000
MESSAGES = 2000  # 40 MB: more than the device keeps in memory


def stored(test, **top):
    """A device with a backlog on disk, in segments of 4 MiB."""
    endpoint = h.tcp()
    device = h.device(test, top={"segment_size": "4MiB", **top}, durability="disk", reliable=["@" + endpoint]).start()
    with hfp.producer(endpoint, "p") as producer:
        for first in range(1, MESSAGES + 1, 10):
            producer.publish_block([[b"%d" % n, bytes([n % 251]) * BODY] for n in range(first, first + 10)])
            producer.wait_until(lambda: producer.next - producer.accepted <= 200, 20 * h.SCALE, "accepts")
        producer.wait_accepted(20 * h.SCALE)
    return device, endpoint


def segments(device):
    folder = os.path.join(device.data, "seg")
    found = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    return [name for name in found if os.path.getsize(name) > 0]


def receive(worker, got, over):
    """Receives until over(); every byte is checked."""
    while worker.queue or worker.pump(0.2 * h.SCALE) or not over():
        while worker.queue:
            one = worker.queue.popleft()
            number = int(one.parts[0])
            h.expect(bytes(one.parts[1]) == bytes([number % 251]) * BODY, f"{number} came changed")
            got.add(number)
            worker.ack(one)
            worker.grant(1, BODY + 1024)


def settled(device):
    counts = device.stream()["counts"]
    return counts["ready"] == counts["in_flight"] == 0 and counts


def outcome(device, endpoint, first, cut, under_way=False):
    """Delivers `first` messages, cuts, then delivers the rest; what was counted. `under_way`: at the cut
    more was handed to the socket and is being sent."""
    got = set()
    with hfp.consumer(endpoint, window=first) as worker:
        while not under_way and len(got) < first:  # all that was granted, and no more
            got.add(int(worker.receive(20 * h.SCALE, refill=False).parts[0]))
        cut()
        if not under_way:
            worker.ack(*(hfp.message(n, [], 1, 0) for n in got))
            worker.grant(first, first * (BODY + 1024))
        end = time.monotonic() + 30 * h.SCALE
        receive(worker, got, lambda: not device.alive() or settled(device) or time.monotonic() > end)
    h.expect(device.alive(), lambda: f"the device ended with {device.process.wait_exit()}: "
             + device.process.errors()[-1500:])
    counts = device.check_identity()["streams"][0]["counts"]
    h.expect(counts["acked"] == len(got) and counts["dropped"] == MESSAGES - len(got),
             f"{len(got)} came, but {counts}")
    return counts


def test_a_sealed_segment_cut_before_it_was_read(test):
    device, endpoint = stored(test)
    counts = outcome(device, endpoint, 100, lambda: os.truncate(segments(device)[3], 1 << 20))
    h.expect(0 < counts["dropped"] < 400, f"one segment of 200 messages was cut: {counts}")
    h.expect("cannot be read" in device.process.errors(), "not a word about it")
    device.restart()
    device.check_identity()


def cut_four(device):
    for name in segments(device)[:4]:
        os.truncate(name, 8192)


def test_segments_cut_while_they_are_read(test):
    """Their maps are in use: what was brought into memory a moment ago is gone."""
    device, endpoint = stored(test)
    counts = outcome(device, endpoint, 50, lambda: cut_four(device))
    h.expect(counts["dropped"] > 200, f"four segments were cut: {counts}")
    h.expect("cannot be read" in device.process.errors(), "not a word about it")


def test_segments_cut_while_they_are_sent(test):
    """Without zero_copy not even a block that is being sent can end the device."""
    device, endpoint = stored(test, zero_copy=False)
    outcome(device, endpoint, 50, lambda: cut_four(device), under_way=True)


def test_the_segment_that_is_written_is_cut(test):
    """What is still in memory is delivered; what comes after is stored behind the hole."""
    device, endpoint = stored(test)
    newest = max(segments(device), key=os.path.getmtime)
    os.truncate(newest, 8192)
    with hfp.producer(endpoint, "q") as producer:
        producer.publish_block([[b"1", b"after the cut"]])
        producer.wait_accepted(20 * h.SCALE)
    device.kill()
    device.start()
    device.check_identity()
    h.expect("" != device.process.errors(), "not a word about the hole")
    got = []
    with hfp.consumer(endpoint, window=64) as worker:
        while worker.pump(2 * h.SCALE):
            while worker.queue:
                one = worker.queue.popleft()
                got.append(bytes(one.parts[1]))
                worker.grant(1, BODY + 1024)
                worker.ack(one)
    h.expect(b"after the cut" in got, f"what was accepted after the cut is lost; {len(got)} came")


if __name__ == "__main__":
    h.main(globals())
