"""Reliable publishers and subscribers through the verbs: durable subscriptions, replay, killed devices."""

import json

import harness as h


KILLS = 12  # of the durable subscriber; then it is left to come to the end


def channel(test, **options):
    endpoint = h.tcp()
    return h.device(test, pattern="pubsub", reliable=["@" + endpoint], **options).start(), endpoint


def publish(endpoint, first, last, topic="t"):
    lines = "".join(f"{n}\n" for n in range(first, last + 1))
    done = h.run("pub", endpoint, "--topic", topic, "--timeout", "30", text_in=lines, within=120)
    h.expect(done.returncode == 0, f"pub: {done.stderr}")


def subscribe(endpoint, *arguments, count, timeout="20"):
    done = h.run("sub", endpoint, "--json", "--count", str(count), "--timeout", timeout, *arguments, within=120)
    h.expect(done.returncode == 0, f"sub: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def numbers(lines):
    return [int(line["parts"][1]) for line in lines]


def test_where_a_subscription_begins(test):
    _, endpoint = channel(test)
    publish(endpoint, 1, 100)
    h.expect(numbers(subscribe(endpoint, "--from", "first", count=100)) == list(range(1, 101)), "first")
    h.expect(numbers(subscribe(endpoint, "--from", "91", count=10)) == list(range(91, 101)), "a sequence")
    h.expect(numbers(subscribe(endpoint, "--from", "last", count=1)) == [100], "last")
    h.expect(numbers(subscribe(endpoint, "--from", "-1h", count=100)) == list(range(1, 101)), "a time")
    publish(endpoint, 101, 110, topic="other")
    got = subscribe(endpoint, "--from", "first", "--topic", "oth", count=10)
    h.expect(numbers(got) == list(range(101, 111)), "a prefix")


def test_a_durable_subscriber_is_killed_and_comes_back(test):
    _, endpoint = channel(test, heartbeat="300ms")  # so soon is a name free whose holder was killed
    count = 20_000
    publish(endpoint, 1, count)
    seen, repeats = [], 0
    for turn in range(KILLS + 1):
        sub = test.child(f"sub{turn}", [h.options.bin, "sub", endpoint, "--json", "--durable", "writer",
                                        "--from", "first"])
        want = 1 + test.random.randrange(count // 4) if turn < KILLS else count
        while len(sub.lines) < want and numbers(map(json.loads, sub.lines[-1:])) != [count]:
            h.expect(sub.read_lines(20 * h.SCALE), f"sub ended: {sub.errors()}")
        sub.kill()
        while sub.read_lines(1.0) and not sub.process.stdout.closed:
            if not sub.alive() and not sub.buffer:
                break
        run = numbers(map(json.loads, sub.lines))
        h.expect(run == list(range(run[0], run[0] + len(run))), "one run has a gap or a repetition")
        h.expect(run[0] <= (seen[-1] if seen else 0) + 1, f"gap before {run[0]}")
        repeats += len([n for n in run if seen and n <= seen[-1]])
        seen += [n for n in run if not seen or n > seen[-1]]
        if seen[-1] == count:
            break
    h.expect(seen == list(range(1, count + 1)), f"{len(seen)} of {count}")
    print(f"  {turn + 1} runs, {repeats} repeats", flush=True)


def test_replay_hands_over_to_live_and_devices_are_killed(test):
    device, endpoint = channel(test)
    publish(endpoint, 1, 5000)
    sub = test.child("sub", [h.options.bin, "sub", endpoint, "--json", "--from", "first"])
    at = 5000
    for _ in range(5):
        pub = test.child(f"pub{at}", [h.options.bin, "pub", endpoint, "--topic", "t", "--timeout", "60"])
        for n in range(at + 1, at + 1001):
            pub.process.stdin.write(b"%d\n" % n)
        pub.process.stdin.close()
        at += 1000
        device.restart()
        h.expect(pub.wait_exit(60) == 0, f"pub: {pub.errors()}")
    while len(sub.lines) < at:
        h.expect(sub.read_lines(20 * h.SCALE), f"sub ended: {sub.errors()}")
    got = [json.loads(line) for line in sub.lines]
    h.expect(numbers(got) == list(range(1, at + 1)), "a gap or a repetition")
    sequences = [line["sequence"] for line in got]
    h.expect(sequences == sorted(set(sequences)), "sequences do not rise")


if __name__ == "__main__":
    h.main(globals())
