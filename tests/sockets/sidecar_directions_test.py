"""Every side of the sidecar but --pull and --push, with unmodified applications on both ends, and the sidecar
and the far device killed -9 in between: --sub, --pub, --rep, --worker.

Quick form: a few hundred to a few thousand messages. Long form (--long): ten times as many.
"""

import collections
import os
import threading
import time

import zmq

import harness as h
from sidecars import chaos, journal_of, judge, sidecar

RATE = 1500  # messages a second, so that the faults fall among them


def many(quick):
    return quick * 10 if h.options.long else quick


def far_device(test, pattern, **channel):
    at = h.tcp()
    return h.device(test, name="far", pattern=pattern, reliable=["@" + at], heartbeat="300ms", **channel).start(), at


def bridge_runs(side):
    h.wait_for("the bridge to run", lambda: side.status().get("bridge", {}).get("state") == "running")


class worker_thread:
    """Something that runs beside the faults; its failure is the test's."""

    def __init__(self, call, *arguments):
        self.ended, self.problem = threading.Event(), None
        self.thread = threading.Thread(target=self.run, args=(call, *arguments), daemon=True)
        self.thread.start()

    def run(self, call, *arguments):
        try:
            call(*arguments)
        except Exception as problem:
            self.problem = problem
        self.ended.set()

    def join(self, within):
        h.expect(self.ended.wait(within * h.SCALE), "the load did not end")
        h.expect(self.problem is None, lambda: f"the load failed: {self.problem!r}")


def paced(count):
    begun = time.monotonic()
    for number in range(1, count + 1):
        yield number
        ahead = number / RATE - (time.monotonic() - begun)
        if ahead > 0.01:
            time.sleep(ahead)  # the rate of the load


# --sub


def publish_plain(endpoint, count):
    """An application's publisher: it waits for no one, so what it says while the sidecar is gone is gone."""
    with zmq.Context() as context, context.socket(zmq.XPUB) as out:
        out.sndhwm, out.linger = 0, 5000
        out.connect(endpoint)
        h.expect(out.recv() == b"\x01", "the sidecar does not want everything")
        for number in paced(count):
            out.send_multipart([b"topic.%d" % (number % 7), b"%d" % number])


def subscribe_all(far_at, count):
    """What a subscriber of the far device sees from its first message on."""
    done = h.run("sub", far_at, "--from", "first", "--count", str(count), "--parts", "|", "--timeout", "20s")
    h.expect(done.returncode == 0, done.stderr)
    return [int(line.split("|")[1]) for line in done.stdout.splitlines()]


def test_sub_carries_publishers_to_a_far_pubsub(test):
    far, far_at = far_device(test, "pubsub")
    plain = h.tcp()
    side = sidecar(test, "--sub", "@" + plain, "--to", far_at, "--durability", "process").start()
    load = worker_thread(publish_plain, plain, many(6000))
    faults = chaos(test, far, side)
    faults.until(load.ended, 1.0, many(5))
    load.join(10)
    counts = h.wait_for("everything of the sidecar to be far", side.drained, 60)
    side.terminate()
    seen = subscribe_all(far_at, counts["in"])
    far.terminate()
    here, there = journal_of(side.data, 1), journal_of(far.data, 1)
    problems = list(judge(here, there))
    h.expect(not problems, lambda: "\n".join(problems))
    h.expect(seen == [there[s] for s in sorted(there)], "the subscriber saw something else")
    print(f"     {counts['in']} taken in, all far once and in order; kills: far {faults.far_kills}, sidecar "
          f"{faults.side_kills}", flush=True)


# --pub


class plain_subscriber:
    """An application's SUB: keeps what it saw."""

    def __init__(self, endpoint):
        self.seen, self.stop = [], threading.Event()
        self.thread = worker_thread(self.run, endpoint)

    def run(self, endpoint):
        with zmq.Context() as context, context.socket(zmq.SUB) as made:
            made.linger = 0
            made.subscribe(b"")
            made.connect(endpoint)
            while not self.stop.is_set():
                if made.poll(50):
                    self.seen.append(int(made.recv_multipart()[1]))

    def end(self):
        self.stop.set()
        self.thread.join(10)


def publish_far(far_at, count, where):
    out = h.child("pub", [h.options.bin, "pub", far_at, "--parts", "|"], where)
    for number in paced(count):
        out.tell(f"topic.{number % 7}|{number}")
    out.process.stdin.close()
    h.expect(out.wait_exit(60) == 0, "pub failed")


def test_pub_brings_a_far_pubsub_to_subscribers(test):
    """Each message stands here once and in order; the SUB, with a name, sees all, repeats only what was in doubt."""
    far, far_at = far_device(test, "pubsub")
    plain, count = h.tcp(), many(3000)
    side = sidecar(test, "--pub", "@" + plain, "--durable", "app", "--to", far_at, "--durability", "process").start()
    bridge_runs(side)
    app = plain_subscriber(plain)
    h.wait_for("the SUB to be there", lambda: any(
        group["attached"] for group in side.status()["channels"][0]["streams"][0]["groups"]))
    load = worker_thread(publish_far, far_at, count, test.dir)
    faults = chaos(test, far, side)
    faults.until(load.ended, 1.0, many(5))
    load.join(30)
    h.wait_for("the SUB to see all", lambda: app.seen and app.seen[-1] == count, 60)
    app.end()
    side.terminate()
    far.terminate()
    here, there = journal_of(side.data, 1), journal_of(far.data, 1)
    problems = list(judge(there, here))
    h.expect(not problems, lambda: "\n".join(problems))
    h.expect(list(dict.fromkeys(app.seen)) == list(range(1, count + 1)), "the SUB missed messages, or their order")
    print(f"     {count} here once and in order, {len(app.seen) - count} repeats at the SUB; kills: far "
          f"{faults.far_kills}, sidecar {faults.side_kills}", flush=True)


def test_pub_killed_while_it_catches_up(test):
    """With much on its way and not accepted: nothing is missing and nothing stands here twice."""
    far, far_at = far_device(test, "pubsub")
    side = sidecar(test, "--pub", "@" + h.tcp(), "--to", far_at).start()
    bridge_runs(side)
    side.kill()
    count, before = 20_000, 0
    lines = "".join(f"topic|{number}|{'x' * 1000}\n" for number in range(1, count + 1))
    h.expect(h.run("pub", far_at, "--parts", "|", text_in=lines).returncode == 0, "pub failed")
    for _ in range(10 if h.options.long else 1):
        side.start()
        before = h.wait_for("more to come", lambda least=before: (now := side.counts().get("in", 0)) > least and now)
        side.kill()
        if before == count:
            break
    side.start()
    h.wait_for("everything to be here", lambda: side.counts().get("in", 0) >= count, 30)
    side.terminate()
    far.terminate()
    problems = list(judge(journal_of(far.data, 1), journal_of(side.data, 1)))
    h.expect(not problems, lambda: "\n".join(problems))
    print(f"     killed last at {before} of {count}", flush=True)


def test_pub_from_a_far_device_that_lost_its_journal(test):
    far, far_at = far_device(test, "pubsub")
    side = sidecar(test, "--pub", "@" + h.tcp(), "--to", far_at).start()
    bridge_runs(side)
    for first, last, lose in ((1, 300, True), (301, 500, False)):
        lines = "".join(f"t|{number}\n" for number in range(first, last + 1))
        h.expect(h.run("pub", far_at, "--parts", "|", text_in=lines).returncode == 0, "pub failed")
        h.wait_for("the messages to be here", lambda most=last: side.counts().get("in") == most)
        if lose:
            far.kill()
            h.shutil.rmtree(far.data)
            far.start()
    side.terminate()
    here = journal_of(side.data, 1)
    h.expect([here[s] for s in sorted(here)] == list(range(1, 501)), f"{len(here)} messages are here")
    h.expect("knows nothing of this subscription" in side.process.errors(), side.process.errors())


# --rep


class asker:
    """An application's REQ, which asks again on a new socket when no answer comes (the lazy pirate)."""

    def __init__(self, endpoint, name, count, pause=0.0):
        self.tries, self.answered = collections.Counter(), 0
        self.thread = worker_thread(self.run, endpoint, name, count, pause)

    def run(self, endpoint, name, count, pause):
        with zmq.Context() as context:
            made = self.open(context, endpoint)
            for number in range(1, count + 1):
                body = b"%s-%d" % (name, number)
                answer = None
                while answer is None:
                    self.tries[body] += 1
                    made.send_multipart([body, b""])
                    if made.poll(2000 * h.SCALE):
                        answer = made.recv_multipart()
                    else:
                        made.close()
                        made = self.open(context, endpoint)
                h.expect(answer == [body.upper()], f"{body} was answered with {answer}")
                self.answered += 1
                time.sleep(pause)  # the rate of the load
            made.close()

    @staticmethod
    def open(context, endpoint):
        made = context.socket(zmq.REQ)
        made.linger = 0
        made.connect(endpoint)
        return made


def replier(test, far_at):
    """A reliable replier that writes down what it executes."""
    log = test.path("executed")
    script = test.path("work.sh")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"read -r body; printf '%s\\n' \"$body\" >> {log}; case $body in slow*) sleep 1;; esac\n"
                   "printf '%s' \"$body\" | tr a-z A-Z\n")
    h.expect(not os.path.exists(log), "one replier a test")
    made = test.child("rep", [h.options.bin, "rep", far_at, "default", "--exec", f"sh {script}"])
    made.log = log
    return made


def executed(of):
    if not os.path.exists(of.log):
        return collections.Counter()
    with open(of.log, encoding="ascii") as file:
        return collections.Counter(file.read().split())


def test_rep_has_requests_answered_far_away(test):
    """Both killed at random: every request answered to its client. More executions than tries only where the far
    device died with a request at its worker."""
    far, far_at = far_device(test, "reqrep", backoff_min="1ms", backoff_max="50ms", attempts_max=0)
    work = replier(test, far_at)
    plain = h.tcp()
    side = sidecar(test, "--rep", "@" + plain, "--to", far_at, "--durability", "process").start()
    clients = [asker(plain, b"c%d" % i, many(60), 0.02) for i in range(4)]
    faults = chaos(test, far, side)
    faults.until(clients[0].thread.ended, 0.5, many(4))
    for client in clients:
        client.thread.join(60)
    side.terminate()
    done = executed(work)
    asked = sum((client.tries for client in clients), collections.Counter())
    h.expect(set(done) == {body.decode() for body in asked}, "something was executed that nobody asked for")
    print(f"     {len(asked)} requests answered in {sum(asked.values())} tries, {sum(done.values())} executions; kills: "
          f"far {faults.far_kills}, sidecar {faults.side_kills}", flush=True)


def test_rep_keeps_requests_while_the_far_device_is_away(test):
    """Asked with the far device away, and with the sidecar killed before and while it is worked on: executed once."""
    far, far_at = far_device(test, "reqrep")
    work = replier(test, far_at)
    plain = h.tcp()
    side = sidecar(test, "--rep", "@" + plain, "--to", far_at).start()
    with zmq.Context() as context, context.socket(zmq.REQ) as first, context.socket(zmq.REQ) as second:
        for made in (first, second):
            made.linger, made.rcvtimeo = 0, int(20_000 * h.SCALE)
            made.connect(plain)
        first.send(b"warm")
        h.expect(first.recv() == b"WARM", "no answer")
        h.wait_for("its far reply to be closed", lambda: far.count("acked", "default.reply") == 1)
        far.kill()
        first.send(b"lost-client")
        h.wait_for("the request to be here", lambda: side.counts().get("in") == 2)
        side.restart()  # the client's connection is gone with it
        second.send(b"patient")
        h.wait_for("the request to be here", lambda: side.counts().get("in") == 3)
        far.start()
        h.expect(second.recv() == b"PATIENT", "no answer")
        h.wait_for("both to be answered", lambda: side.counts().get("acked") == 3)
        h.wait_for("the far replies to be closed", lambda: far.count("acked", "default.reply") == 3)
        second.send(b"slow")
        h.wait_for("the worker to begin", lambda: executed(work)["slow"])
        side.restart()  # asks again, with the same id
        h.wait_for("all to be answered", lambda: side.counts().get("acked") == 4)
    h.expect(executed(work) == {"warm": 1, "lost-client": 1, "patient": 1, "slow": 1}, str(executed(work)))
    h.wait_for("the far replies to be closed", lambda: far.count("acked", "default.reply") == 4)


# --worker


class answerer:
    """An application's REP."""

    def __init__(self, endpoint, pause):
        self.done, self.stop = collections.Counter(), threading.Event()
        self.thread = worker_thread(self.run, endpoint, pause)

    def run(self, endpoint, pause):
        with zmq.Context() as context, context.socket(zmq.REP) as made:
            made.linger = 0
            made.connect(endpoint)
            while not self.stop.is_set():
                if not made.poll(50):
                    continue
                body = made.recv()
                self.done[body] += 1
                time.sleep(pause)  # the work
                made.send(body.upper())

    def end(self):
        self.stop.set()
        self.thread.join(10)


def ask_far(test, far_at, name, count):
    """A reliable requester: so many requests, one after the other."""
    made = test.child(name, [h.options.bin, "req", far_at, "default", "--timeout", "60s"])
    for number in range(count):
        made.tell(f"{name}-{number}")
    made.process.stdin.close()
    return made


def check_answers(client, count):
    code = client.wait_exit(60)
    while client.read_lines(0.1):
        pass
    h.expect(code == 0 and client.lines == [f"{client.name}-{n}".upper() for n in range(count)],
             lambda: f"{client.name} ended with {code} and {len(client.lines)} answers: {client.errors()[-500:]}")


def test_worker_answers_requests_from_far_away(test):
    """The far device, the sidecar and the workers' connections die at random: every request is answered."""
    far, far_at = far_device(test, "reqrep", backoff_min="1ms", backoff_max="50ms", attempts_max=0)
    plain, count = h.tcp(), many(60)
    side = sidecar(test, "--worker", "@" + plain, "--to", far_at, "--durability", "process").start()
    workers = [answerer(plain, 0.03) for _ in range(3)]
    clients = [ask_far(test, far_at, f"c{i}", count) for i in range(4)]
    faults = chaos(test, far, side)
    ended = worker_thread(lambda: [client.process.wait() for client in clients])
    faults.until(ended.ended, 0.5, many(3))
    for client in clients:
        check_answers(client, count)
    for one in workers:
        one.end()
    done = sum((one.done for one in workers), collections.Counter())
    h.expect(len(done) == 4 * count, f"{len(done)} of {4 * count} requests were executed here")
    print(f"     {4 * count} requests answered, {sum(done.values())} executions; kills: far {faults.far_kills}, sidecar "
          f"{faults.side_kills}", flush=True)


def test_worker_leaves_requests_to_others_while_it_has_none(test):
    far, far_at = far_device(test, "reqrep")
    side = sidecar(test, "--worker", "@" + (plain := h.tcp()), "--to", far_at).start()
    h.wait_for("the bridge to be idle", lambda: side.status().get("bridge", {}).get("state") == "idle")
    client = ask_far(test, far_at, "early", 3)
    h.wait_for("the request to be far", lambda: far.count("in", "default") == 1)
    h.expect(far.count("in_flight", "default") == 0, "a sidecar without workers holds a request")
    one = answerer(plain, 0)
    check_answers(client, 3)
    one.end()


def test_mistakes_are_named(test):
    for words, wanted in ((("--sub", "tcp://127.0.0.1:1", "--durable", "x"), "--durable is for --pub"),
                          (("--pull", "tcp://127.0.0.1:1", "--deadline", "1s"), "--deadline is for"),
                          (("--rep", "tcp://127.0.0.1:1", "--attempt", "1s"), "--attempt is for --worker"),
                          (("--rep", "tcp://127.0.0.1:1", "--deadline", "0s"), "at least 1ms")):
        done = h.run("sidecar", "--data", test.path("x"), "--to", "tcp://127.0.0.1:1", *words)
        h.expect(done.returncode == 2 and wanted in done.stderr, done.stderr)


if __name__ == "__main__":
    h.main(globals())
