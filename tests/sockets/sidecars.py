"""Sidecars as processes, and what their journals and those of far devices must have in common."""

import json
import time

import harness as h


class sidecar:
    """A `holdfast sidecar` process; can be killed and started again on its journal."""

    def __init__(self, test, *words, name="side"):
        self.test, self.name, self.words = test, name, words
        self.data = test.path(name)
        self.process = None
        test.on_end(self.kill)

    def start(self):
        self.process = h.child(self.name, [h.options.bin, "sidecar", "--data", self.data, *self.words],
                               self.test.dir, stdin=False)
        self.process.wait_line("holdfast: ready")
        return self

    def kill(self):
        if self.process:
            self.process.close()

    def restart(self):
        self.kill()
        return self.start()

    def terminate(self):
        self.process.signal(h.signal.SIGTERM)
        code = self.process.wait_exit()
        h.expect(code == 0, lambda: f"the sidecar ended with {code}: {self.process.errors()[-2000:]}")

    def status(self):
        done = h.run("status", self.data, "--json")
        h.expect(done.returncode == 0, lambda: f"status failed: {done.stderr}")
        return json.loads(done.stdout)

    def counts(self):
        streams = self.status()["channels"][0]["streams"]
        return streams[0]["counts"] if streams else {}

    def drained(self):
        counts = self.counts()
        return counts and counts["in"] == counts["acked"] and counts


def journal_of(directory, part=0):
    """{sequence: number} of all messages that stand in a journal, the number in that part; a sequence twice is
    a failure, unless it is the copy of a message that left a segment with little in it."""
    found = {}
    done = h.run("journal", "cat", directory, "--json")
    h.expect(done.returncode == 0, lambda: f"journal cat failed: {done.stderr}")
    for line in done.stdout.splitlines():
        one = json.loads(line)
        if "parts" not in one:  # a record; its messages follow
            copy = "relocated" in one.get("flags", [])
            continue
        sequence, number = one["sequence"], int(one["parts"][part])
        h.expect(sequence not in found or (copy and found[sequence] == number),
                 lambda at=sequence: f"sequence {at} stands twice in {directory}")
        found[sequence] = number
    return found


def judge(here, there):
    """What is wrong between the journals of a sidecar and of the far device: {sequence: number}."""
    arrived = [there[sequence] for sequence in sorted(there)]
    if len(set(arrived)) != len(arrived):
        yield f"doubled: {len(arrived) - len(set(arrived))} messages stand more than once in the far journal"
    if arrived != sorted(arrived):
        yield "unordered: the far journal has another order"
    lost = sorted(set(here.values()) - set(arrived))
    if lost:
        yield f"lost: {len(lost)} messages of the sidecar are not in the far journal: {lost[:10]}..."


class chaos:
    """Faults at random moments until the load has ended, or there were enough, and one long absence."""

    def __init__(self, test, far, side):
        self.random, self.far, self.side = test.random, far, side
        self.far_kills = self.side_kills = 0

    def until(self, ended, absence, most=10**9):
        gone = False
        while self.far_kills + self.side_kills < most and not ended.wait(self.random.uniform(0.2, 1.2)):
            if self.random.random() * 2 < 1 + self.far_kills - self.side_kills:  # both get their turn
                self.side.restart()
                self.side_kills += 1
                continue
            self.far.kill()
            self.far_kills += 1
            time.sleep(self.random.uniform(0, 0.5) if gone else absence)  # how long it is away
            gone = True
            if self.random.random() < 0.3:
                self.side.restart()
                self.side_kills += 1
            self.far.start()
