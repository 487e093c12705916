"""The sidecar beside a plain PUSH: both devices killed -9 at random, the far one away for seconds. Every
message in the sidecar's journal stands in the far journal exactly once and in order.

Quick form: 50 000 messages. Long form (--long): 1 000 000.
"""

import os
import threading
import time

import zmq

import harness as h
from sidecars import chaos, journal_of, judge, sidecar

MESSAGES_QUICK, MESSAGES_LONG = 50_000, 1_000_000
RATE = 5000  # messages a second, so that the faults fall among them


class pusher:
    """A plain PUSH that numbers its messages, on a thread of its own."""

    def __init__(self, endpoint, count):
        self.endpoint, self.count, self.sent = endpoint, count, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with zmq.Context() as context, context.socket(zmq.PUSH) as out:
            out.linger = 20_000
            out.immediate = 1  # to a sidecar that is there, not into the pipe of one that may come
            out.connect(self.endpoint)
            begun = time.monotonic()
            for number in range(1, self.count + 1):
                out.send_multipart([b"%d" % number, b"x" * (number % 50)])
                self.sent = number
                ahead = number / RATE - (time.monotonic() - begun)
                if ahead > 0.01:
                    time.sleep(ahead)  # the rate of the load
        self.ended.set()


def run_chaos(test, count, absence=4.0):
    far_at, plain = h.tcp(), h.tcp()
    far = h.device(test, name="far", durability="process", reliable=["@" + far_at], heartbeat="300ms").start()
    side = sidecar(test, "--pull", "@" + plain, "--to", far_at, "--durability", "process").start()
    out = pusher(plain, count)
    faults = chaos(test, far, side)
    faults.until(out.ended, absence)
    counts = h.wait_for("everything of the sidecar to be far", side.drained, 60)
    stored = far.count("in")
    side.terminate()
    far.terminate()  # a journal that is being written ends in a torn record
    here, there = journal_of(side.data), journal_of(far.data)
    problems = list(judge(here, there))
    h.expect(not problems, lambda: "\n".join(problems))
    h.expect(len(there) == counts["in"] == stored,
             f"the sidecar took in {counts['in']}, the far journal has {len(there)}, its device says "
             f"{stored}")
    print(f"     {count} sent, {counts['in']} taken in, all far once and in order; kills: far "
          f"{faults.far_kills}, sidecar {faults.side_kills}", flush=True)


def test_every_message_once_and_in_order(test):
    run_chaos(test, MESSAGES_LONG if h.options.long else MESSAGES_QUICK)


def test_a_far_device_that_lost_its_journal(test):
    """What was done with is not asked for again; what comes later arrives once."""
    far_at, plain = h.tcp(), h.tcp()
    far = h.device(test, name="far", reliable=["@" + far_at], heartbeat="300ms").start()
    side = sidecar(test, "--pull", "@" + plain, "--to", far_at).start()
    first = pusher(plain, 500)
    h.wait_for("the first messages to be far", lambda: side.counts().get("acked") == 500)
    first.ended.wait(10)
    far.kill()
    h.shutil.rmtree(far.data)
    second = pusher(plain, 300)
    h.wait_for("the sidecar to take in more", lambda: side.counts().get("in") == 800)
    far.start()
    second.ended.wait(10)
    h.wait_for("the rest to be far", side.drained, 40)
    far.terminate()
    there = journal_of(far.data)
    far.start()
    h.expect([there[key] for key in sorted(there)] == list(range(1, 301)),
             f"the new far journal has {len(there)} messages")
    side.restart()
    third = pusher(plain, 200)
    third.ended.wait(10)
    h.wait_for("the last to be far", lambda: far.count("in") == 500)
    h.expect("knows nothing of messages 1 to 500" in side.process.errors(), side.process.errors())


def test_status_shows_the_bridge(test):
    far_at = h.tcp()
    side = sidecar(test, "--pull", "@" + h.tcp(), "--to", far_at).start()
    h.wait_for("the bridge to look for the far device",
               lambda: side.status().get("bridge", {}).get("state") == "connecting")
    far = h.device(test, name="far", reliable=["@" + far_at]).start()
    h.wait_for("the bridge to run", lambda: side.status()["bridge"]["state"] == "running")
    text = h.run("status", side.data).stdout
    h.expect(far_at in text and "bridge" in text, text)
    side.terminate()
    far.terminate()


def test_push_brings_messages_here(test):
    """The other way: from a far queue to the application's plain PULL."""
    far_at, plain = h.tcp(), h.tcp()
    far = h.device(test, name="far", reliable=["@" + far_at], heartbeat="300ms").start()
    side = sidecar(test, "--push", "@" + plain, "--to", far_at).start()
    lines = "".join(f"line {i}\n" for i in range(2000))
    h.expect(h.run("push", far_at, text_in=lines).returncode == 0, "push failed")
    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        pull.rcvtimeo = int(20_000 * h.SCALE)
        pull.linger = 0
        pull.connect(plain)
        got = {pull.recv() for _ in range(1000)}
        far.restart()
        while len(got) < 2000:  # what is missing shows as a time-out; repeats are allowed
            got.add(pull.recv())
    h.expect(got == {b"line %d" % i for i in range(2000)}, "foreign messages came")
    h.wait_for("the far device to know", lambda: far.count("acked") == 2000)
    side.terminate()


def push_all(plain, parts):
    """A PUSH that leaves when all its messages are handed over."""
    with zmq.Context() as context, context.socket(zmq.PUSH) as out:
        out.linger, out.immediate = 20_000, 1
        out.connect(plain)
        for message in parts:
            out.send_multipart(message)


def numbered(first, last):
    return [[b"%d" % number, b"x" * (number % 50)] for number in range(first, last + 1)]


def in_order(directory):
    there = journal_of(directory)
    return [there[sequence] for sequence in sorted(there)]


def test_into_a_far_pubsub(test):
    far_at, plain = h.tcp(), h.tcp()
    far = h.device(test, name="far", pattern="pubsub", reliable=["@" + far_at], heartbeat="300ms").start()
    side = sidecar(test, "--pull", "@" + plain, "--to", far_at).start()
    push_all(plain, numbered(1, 500))
    far.restart()
    push_all(plain, numbered(501, 1000))
    h.wait_for("everything to be here", lambda: side.counts().get("in") == 1000)
    side.restart()
    h.wait_for("everything to be far", lambda: far.count("in") == 1000)
    done = h.run("sub", far_at, "--from", "first", "--count", "1000", "--parts", "|", "--timeout", "20s")
    h.expect([int(line.split("|")[0]) for line in done.stdout.splitlines()] == list(range(1, 1001)), done.stderr)
    far.terminate()
    h.expect(in_order(far.data) == list(range(1, 1001)), "the far journal has something else")


def test_what_the_far_device_refuses_is_a_dead_letter_here(test):
    far_at, plain = h.tcp(), h.tcp()
    far = h.device(test, name="far", reliable=["@" + far_at], max_message="64KiB").start()
    side = sidecar(test, "--pull", "@" + plain, "--to", far_at).start()
    large = [[b"%d" % number, b"x" * 100_000] for number in (301, 302)]
    push_all(plain, numbered(1, 300) + large + numbered(303, 500))
    h.wait_for("all to be done with", lambda: side.counts().get("acked") == 498 and side.counts()["dead"] == 2)
    h.wait_for("the bridge to count them", lambda: side.status()["bridge"]["refused"] == 2)
    h.expect("dead letters here" in side.process.errors(), side.process.errors())
    side.restart()  # numbers without a message do not confuse it
    push_all(plain, numbered(501, 600))
    h.wait_for("the rest to be far", lambda: side.counts().get("acked") == 598)
    far.terminate()
    h.expect(in_order(far.data) == [n for n in range(1, 601) if n not in (301, 302)], "others are missing")


def flip_a_bit(directory, text):
    """Harms the one place in the segments where `text` stands."""
    where = os.path.join(directory, "seg")
    for name in os.listdir(where):
        with open(os.path.join(where, name), "r+b") as file:
            at = file.read().find(text)
            if at >= 0:
                file.seek(at)
                file.write(bytes([text[0] ^ 1]))
                return
    raise h.failure(f"{text} stands nowhere in {where}")


def test_unreadable_messages_leave_a_hole_and_nothing_else(test):
    far_at, plain = h.tcp(), h.tcp()
    side = sidecar(test, "--pull", "@" + plain, "--to", far_at).start()
    for first in (1, 101, 201):
        push_all(plain, numbered(first, first + 98) + [[b"%d" % (first + 99), b"victim-%d" % first]])
        h.wait_for("them to be taken in", lambda least=first + 99: side.counts().get("in") == least)
    side.terminate()
    flip_a_bit(side.data, b"victim-101")
    far = h.device(test, name="far", reliable=["@" + far_at]).start()
    side.start()
    h.wait_for("the last to be far", lambda: side.status().get("bridge", {}).get("through") == 300, 30)
    push_all(plain, numbered(301, 400))
    h.wait_for("later ones to be far", lambda: side.status()["bridge"]["through"] == 400)
    far.terminate()
    there = in_order(far.data)
    lost = [number for number in range(1, 401) if number not in there]
    h.expect(there == sorted(there) and 200 in lost and set(lost) <= set(range(101, 201)), f"missing: {lost}")
    h.expect("left out" in side.process.errors(), side.process.errors())


def test_what_cannot_be_kept_here_is_a_dead_letter_there(test):
    far_at, plain = h.tcp(), h.tcp()
    far = h.device(test, name="far", reliable=["@" + far_at]).start()
    lines = [f"line {i}" if i not in (50, 51) else "x" * 100_000 for i in range(100)]
    h.expect(h.run("push", far_at, text_in="\n".join(lines) + "\n").returncode == 0, "push failed")
    side = sidecar(test, "--push", "@" + plain, "--to", far_at, "--max-message", "64KiB").start()
    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        pull.rcvtimeo, pull.linger = int(20_000 * h.SCALE), 0
        pull.connect(plain)
        got = {pull.recv() for _ in range(98)}
    h.expect(got == {line.encode() for line in lines if line.startswith("line")}, "others came")
    h.wait_for("the far device to know", lambda: far.count("acked") == 98 and far.count("dead") == 2)
    h.wait_for("the bridge to count them", lambda: side.status()["bridge"]["refused"] == 2)
    said = [line for line in side.process.errors().splitlines() if "dead letters there" in line]
    h.expect(len(said) == 1, f"said {len(said)} times: {side.process.errors()[-2000:]}")
    side.terminate()


def test_the_robot_example(_):
    script = os.path.join(h.HERE, "..", "..", "examples", "robot_sidecar.py")
    done = h.subprocess.run([h.sys.executable, script, "--program", h.options.bin, "--seconds", "4", "--away", "1.5"],
                            capture_output=True, text=True, timeout=60 * h.SCALE, check=False)
    h.expect(done.returncode == 0 and "each once and in order" in done.stdout, done.stdout + done.stderr)


def test_the_embedded_example(test):
    program = os.path.join(h.options.tools, "..", "..", "examples", "embedded")
    if not os.access(program, os.X_OK):
        raise h.skip("the examples are not built")
    for first in (1, 21):  # the second run goes on in the same journal
        done = h.subprocess.run([program, test.path("data"), "20"], capture_output=True, text=True,
                                timeout=30 * h.SCALE, check=False)
        h.expect(done.returncode == 0 and f"{first}: measurement 1\n" in done.stdout
                 and f"{first + 19}: measurement 20\n" in done.stdout, done.stdout + done.stderr)


def test_mistakes_are_named(test):
    none = h.run("sidecar", "--data", test.path("x"), "--to", "tcp://127.0.0.1:1")
    h.expect(none.returncode == 2 and "--pull" in none.stderr, none.stderr)
    both = h.run("sidecar", "--data", test.path("x"), "--to", "tcp://127.0.0.1:1", "--pull", "tcp://127.0.0.1:2",
                 "--push", "tcp://127.0.0.1:3")
    h.expect(both.returncode == 2 and "one of" in both.stderr, both.stderr)


def test_each_checker_sees_its_bug(_):
    """Planted bugs: each is found, and by its own checker."""
    sound = {sequence: sequence for sequence in range(1, 101)}
    h.expect(not list(judge(sound, sound)), "sound journals are found guilty")
    lost = {s: n for s, n in sound.items() if n != 50}
    doubled = {**sound, 101: 7}
    swapped = {**sound, 3: 4, 4: 3}
    for there, name in ((lost, "lost"), (doubled, "doubled"), (swapped, "unordered")):
        names = {text.split(":")[0] for text in judge(sound, there)}
        h.expect(name in names, f"{name} was not seen: {names}")


if __name__ == "__main__":
    h.main(globals())
