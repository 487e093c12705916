"""The device's memory does not grow with its backlog; the backlog then drains whole and in order."""

import harness as h
import hfp
import load

FEW, MANY = 1_000_000, 5_000_000
GROWTH_BYTES_MAX = 10 << 20
# Of an idle device, which has given back what it freed: the newest 16 MiB of blocks stay in memory, in what they were
# received in, which may be four times as large.
IDLE_BYTES_MAX = 96 << 20
PINNED_BYTES_MAX = 64 << 20  # those blocks, and what they were received in


def settled_memory(device, count):
    """RssAnon once `count` messages are stored, the producer has gone and freed memory is given back."""
    h.wait_for(f"{count} stored", lambda: device.count("in") == count)
    h.wait_for("the producer's session to end", lambda: device.channel_status()["sessions"] == 0)
    if not h.SANITIZED:
        h.wait_for("freed memory given back", lambda: device.rss_anon() < IDLE_BYTES_MAX)
    return device.rss_anon()


def test_memory_is_flat_and_the_backlog_drains_in_order(test):
    few, many = FEW, MANY
    endpoint = h.tcp()
    device = h.device(test, reliable=["@" + endpoint], heartbeat="1s").start()
    load.producer(test, endpoint, sender=1, count=few).wait_accepted(300)
    before = settled_memory(device, few)
    load.producer(test, endpoint, sender=1, first=few + 1, count=many - few).wait_accepted(300)
    after = settled_memory(device, many)
    print(f"     RssAnon {before >> 10} KiB at {few}, {after >> 10} KiB at {many}")
    grown = after - before
    h.expect(h.SANITIZED or grown < PINNED_BYTES_MAX + GROWTH_BYTES_MAX,
             f"grew by {grown} bytes from {few} to {many} messages")
    worker = load.worker(test, endpoint)
    h.wait_for("the backlog acked", lambda: device.count("acked") == many, 300)
    numbers = [number for sender, kind, _, _, number, _ in load.read_raw(worker.log)
               if kind == load.DELIVERED]
    h.expect(len(numbers) == many, f"{len(numbers)} of {many} drained")
    h.expect(all(number == at for at, number in enumerate(numbers, 1)), "not in order")
    device.check_identity()


def test_a_lonely_message_holds_little_more_than_itself(test):
    """What is kept of it must not hold the buffer that it was received in."""
    endpoint = h.tcp()
    device = h.device(test, reliable=["@" + endpoint]).start()
    with hfp.producer(endpoint, "p") as producer:
        for first in (True, False):
            for _ in range(5_000):
                producer.publish_block([[b"x" * 64]])
                producer.wait_accepted(20 * h.SCALE)
            if first:
                before = device.rss_anon()
        grown = device.rss_anon() - before
    print(f"     5000 lonely messages: {grown >> 10} KiB more")
    h.expect(grown < GROWTH_BYTES_MAX, f"grew by {grown} bytes")


if __name__ == "__main__":
    h.main(globals())
