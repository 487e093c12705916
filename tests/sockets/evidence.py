"""What a run left behind, and the checkers that judge it. Pure functions: each is shown a planted bug
by crash_test.py itself.
"""

import collections

import crash
import load


class evidence:
    """sent and accepted: the last number of each sender; workers: for each, its log in order."""

    def __init__(self, sent, accepted, workers, ordered):
        self.sent, self.accepted, self.workers = sent, accepted, workers
        self.ordered = ordered  # one worker took all: the order of first deliveries is one order

    @classmethod
    def gather(cls, producers, workers):
        return cls({one.sender: one.last for one in producers},
                   {one.sender: one.accepted() for one in producers},
                   [load.read_raw(one.log) for one in workers], len(workers) == 1)

    def deliveries(self):
        for log in self.workers:
            for sender, kind, redelivered, attempt, number, time in log:
                if kind in load.RECEIVED:
                    yield sender, number, kind, redelivered, attempt, time


def lost(found):
    """Accepted, but never delivered."""
    seen = collections.defaultdict(set)
    for sender, number, *_ in found.deliveries():
        seen[sender].add(number)
    for sender, through in found.accepted.items():
        missing = [n for n in range(1, through + 1) if n not in seen[sender]]
        if missing:
            yield f"sender {sender}: {len(missing)} accepted but never delivered, from {missing[:5]}"


def invented(found):
    """Delivered, but never sent."""
    for sender, number, *_ in found.deliveries():
        if not 1 <= number <= found.sent.get(sender, 0):
            yield f"sender {sender}: {number} was delivered but never sent"


def changed(found):
    """Delivered with other bytes than were sent."""
    for sender, number, kind, *_ in found.deliveries():
        if kind == load.CHANGED:
            yield f"sender {sender}: {number} came changed"


def repeated(found):
    """Delivered again although its ack had been confirmed.

    A copy that was in another worker's hands before does not count: its session was over when it was
    acked."""
    confirmed = {}
    for worker, log in enumerate(found.workers):
        for sender, kind, _, _, number, time in log:
            if kind == load.ACK_CONFIRMED:
                confirmed.setdefault((sender, number), (time, worker))
    for worker, log in enumerate(found.workers):
        for at, (sender, kind, _, _, number, time) in enumerate(log):
            since, by = confirmed.get((sender, number), (time, worker))
            if kind in load.RECEIVED and time > since and (by == worker or load.outcome(log, at) != load.STALE):
                yield f"sender {sender}: {number} was delivered again after its ack was confirmed"


def unordered(found):
    """First deliveries of one sender that go back. With several workers a worker's share of a
    connection that died may come later, marked; only what is not marked must be in order."""
    for log in found.workers:
        highest, seen = collections.Counter(), set()
        for sender, kind, redelivered, _, number, _ in log:
            if kind not in load.RECEIVED or (sender, number) in seen:
                continue
            seen.add((sender, number))
            if number < highest[sender] and (found.ordered or redelivered == 0):
                yield f"sender {sender}: {number} came first after {highest[sender]}"
            highest[sender] = max(highest[sender], number)


CHECKERS = (lost, invented, changed, repeated, unordered)


def judge(found):
    return crash.findings(CHECKERS, found)


def duplicates(found):
    """How many deliveries were repeats."""
    each = collections.Counter((sender, number) for sender, number, *_ in found.deliveries())
    return sum(times - 1 for times in each.values())
