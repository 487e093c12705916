"""`holdfast journal follow`: what a device writes appears, over new segments and restarts, each record once and
in order; the device is not touched. And `journal cat --json`: every record of every type is decoded."""

import json
import os
import signal
import time

import harness as h
import hfp


def follow(test, data, *options, name="follow"):
    return test.child(name, [h.options.bin, "journal", "follow", data, "--json", *options])


def publish(producer, first, last, size=20):
    for at in range(first, last + 1, 100):
        block = [[b"%d" % n, b"x" * size] for n in range(at, min(at + 100, last + 1))]
        producer.publish_block(block)
    producer.wait_accepted(30 * h.SCALE)


def records_of(one):
    return [json.loads(line) for line in one.lines]


def numbers(lines):
    return [int(line["parts"][0]) for line in lines if "parts" in line]


def wait_numbers(one, last, within=30):
    """Reads on until message `last` was printed."""
    end = time.monotonic() + within * h.SCALE
    while last not in numbers(records_of(one)[-400:]):
        h.expect(time.monotonic() < end and one.read_lines(1), f"message {last} does not come: {one.errors()}")
    return numbers(records_of(one))


def test_what_is_written_comes(test):
    endpoint = h.tcp()
    device = h.device(test, reliable=["@" + endpoint]).start()
    with hfp.producer(endpoint, "p") as producer:
        publish(producer, 1, 100)
        all_of_it, later = follow(test, device.data, "--from", "first"), follow(test, device.data, name="later")
        h.expect(wait_numbers(all_of_it, 100) == list(range(1, 101)), "what was there")
        h.wait_for("later is reading", lambda: os.path.exists(f"/proc/{later.pid}/fd") and any(
            os.readlink(f"/proc/{later.pid}/fd/{fd}").startswith("anon_inode:[signalfd")
            for fd in os.listdir(f"/proc/{later.pid}/fd")))
        for n in range(101, 131):
            publish(producer, n, n)
        h.expect(wait_numbers(all_of_it, 130) == list(range(1, 131)), "all from the first on")
        h.expect(wait_numbers(later, 130) == list(range(101, 131)), "what came after it began")
    device.check_identity()


def test_new_segments_and_restarts_of_the_device(test):
    endpoint = h.tcp()
    device = h.device(test, reliable=["@" + endpoint], top={"segment_size": "1MiB"}).start()
    one = follow(test, device.data, "--from", "first")
    at = 0
    for turn in range(4):
        with hfp.producer(endpoint, "p") as producer:
            publish(producer, at + 1, at + 1500, size=1500)
        at += 1500
        if turn % 2 == 0:
            device.restart()
        else:
            device.terminate()
            device.start()
    got = wait_numbers(one, at, 60)
    h.expect(got == list(range(1, at + 1)), f"{len(got)} of {at}, or not in order")
    h.wait_for("every epoch", lambda: one.read_lines(0.1) and 5 == len(
        [line for line in records_of(one) if line.get("type") == "gap"]))
    seen = records_of(one)
    h.expect(not [line for line in seen if line.get("notice") == "damaged"], "damage in a good journal")
    places = [line["position"] for line in seen if "position" in line]
    h.expect(places == sorted(set(places)), "a record twice, or out of order")
    resumed = follow(test, device.data, "--from", str(places[len(places) // 2]), name="resumed")
    half = wait_numbers(resumed, at)
    h.expect(half == got[-len(half):] and len(half) >= 1000, "from a position on")


def test_it_ends(test):
    endpoint = h.tcp()
    device = h.device(test, reliable=["@" + endpoint]).start()
    with hfp.producer(endpoint, "p") as producer:
        publish(producer, 1, 10)
    done = h.run("journal", "follow", device.data, "--from", "first", "--json", "--count", "3")
    h.expect(done.returncode == 0, f"--count: {done.stderr}")
    h.expect(len([1 for line in done.stdout.splitlines() if "type" in json.loads(line)]) == 3, done.stdout)
    done = h.run("journal", "follow", device.data, "--timeout", "200ms")
    h.expect(done.returncode == 1 and "time allowed" in done.stderr, f"--timeout: {done}")
    for number in (signal.SIGINT, signal.SIGTERM):
        one = follow(test, device.data, "--from", "first", name=f"signal{number}")
        wait_numbers(one, 10)
        one.signal(number)
        h.expect(one.wait_exit() == 0, f"signal {number}: {one.errors()}")
    device.kill()
    done = h.run("journal", "follow", device.data, "--from", "first", "--timeout", "200ms")
    h.expect(done.returncode == 1 and "10: 10\t" in done.stdout, f"a dead journal: {done}")
    h.expect(h.run("journal", "follow", test.path("none")).returncode == 1, "of nothing")


def test_cat_decodes_every_record(test):
    """Records of a pipeline, a pub/sub and a request-reply device: no body stays undecoded."""
    seen = {}
    endpoint = h.tcp()
    device = h.device(test, reliable=["@" + endpoint]).start()
    with hfp.producer(endpoint, "p") as producer, hfp.consumer(endpoint, 10) as consumer:
        publish(producer, 1, 5)
        consumer.ack(consumer.receive(20 * h.SCALE))
        consumer.nack(consumer.receive(20 * h.SCALE), "nack", reason="not now")
        consumer.nack(consumer.receive(20 * h.SCALE), "reject", reason="never")
        consumer.wait_acked(20 * h.SCALE)
        h.wait_for("a dead letter", lambda: device.count("dead") == 1)
    device.terminate()
    topics = h.tcp()
    other = h.device(test, name="topics", pattern="pubsub", reliable=["@" + topics], retention_bytes="1KiB").start()
    h.run("pub", topics, "--topic", "t", text_in="".join(f"{n}\n" for n in range(100)))
    done = h.run("sub", topics, "--durable", "viewer", "--from", "first", "--count", "5", "--timeout", "20s")
    h.expect(done.returncode == 0, f"sub: {done.stderr}")
    other.terminate()
    for data in (device.data, other.data):
        done = h.run("journal", "cat", data, "--json")
        h.expect(done.returncode == 0, f"cat: {done.stderr}")
        for line in map(json.loads, done.stdout.splitlines()):
            h.expect("body" not in line and line.get("type") != "unknown", f"not decoded: {line}")
            if "type" in line:
                seen.setdefault(line["type"], line)
    want = {"gap": "cause", "block": "channel", "channel_def": "pattern", "stream_def": "address",
            "producer_def": "nonce", "group_ack": "ranges", "group_fail": "due_ns", "group_dead": "reason",
            "group_handout": "through", "subscription_def": "prefixes", "subscription_ack": "floor",
            "watermark": "position"}
    for kind, field in want.items():
        h.expect(field in seen.get(kind, {}), f"{kind}: no {field} in {seen.get(kind)}")
    h.expect(seen["group_fail"]["why"] == "nacked" and seen["group_fail"]["reason"] == "not now", seen["group_fail"])
    h.expect(seen["group_dead"]["why"] == "rejected" and seen["group_dead"]["reason"] == "never", "group_dead")
    h.expect(seen["group_ack"]["ranges"] == [{"first": 1, "count": 1}], f"{seen['group_ack']}")
    h.expect(seen["subscription_def"]["name"] == "viewer", f"{seen['subscription_def']}")


if __name__ == "__main__":
    h.main(globals())
