"""kill -9 of the device at random moments under load. Nothing accepted is lost, nothing is invented or
changed, repeats come only where an ack was not confirmed, the order of each producer holds, and the
accounting identity holds after every restart.

Quick form: 25 rounds. Long form (--long, or HOLDFAST_CRASH_ROUNDS): 1000.
"""

import crash
import evidence
import harness as h
import load
from evidence import judge

ROUNDS_QUICK = 25
PRODUCERS = 3


class episode(crash.episode):
    """Its producers and its workers: one, or several."""

    def __init__(self, test, number):
        super().__init__(test, number)
        workers = 1 if number % 2 == 0 else 3
        self.workers = [load.worker(test, self.endpoint, salt=self.salt) for _ in range(workers)]
        self.producers = [load.producer(test, self.endpoint, sender=sender, count=0, size=32, spread=2000,
                                        rate=4000, salt=self.salt) for sender in range(1, PRODUCERS + 1)]
        self.peers = self.workers + self.producers
        h.wait_for("the load to flow", lambda: self.device.count("acked") > 0)

    def drained(self):
        counts = self.device.stream().get("counts", {})
        return counts and not any(counts[key] for key in ("ready", "in_flight", "delayed"))

    def end(self):
        """Stops the producers, lets everything drain, and judges what was logged."""
        stored = load.stop_all(self.producers)
        h.wait_for("the backlog to drain", self.drained, 60)
        found = evidence.evidence.gather(self.producers, self.workers)
        channel = self.device.check_identity()
        counts = channel["streams"][0]["counts"]
        crash.expect_clean(judge, found)
        h.expect(counts["in"] == counts["acked"] == stored, f"{stored} sent and accepted, but {counts}")
        return (f"{len(self.workers)} workers: {stored} accepted, none lost, "
                f"{evidence.duplicates(found)} repeated")


def test_kill_at_random_moments(test):
    crash.play(test, episode, ROUNDS_QUICK)


def sound():
    """A small run as it should be: two senders, one redelivery before its ack was confirmed."""
    log, clock = [], 0
    for number in range(1, 11):
        for sender in (1, 2):
            clock += 1
            log.append((sender, load.DELIVERED, 0, 1, number, clock))
    log.append((1, load.DELIVERED, 1, 1, 10, clock + 1))
    log += [(sender, load.ACK_CONFIRMED, 0, 0, number, clock + 2) for sender in (1, 2)
            for number in range(1, 11)]
    return evidence.evidence({1: 12, 2: 10}, {1: 10, 2: 10}, [log], True)


def test_each_checker_sees_its_bug(_):
    """Planted bugs: each is found, and by its own checker."""
    def drop(found):
        found.workers[0] = [one for one in found.workers[0] if (one[0], one[4]) != (2, 7)]

    def invent(found):
        found.workers[0].insert(0, (2, load.DELIVERED, 0, 1, 11, 0))

    def change(found):
        found.workers[0][3] = (*found.workers[0][3][:1], load.CHANGED, *found.workers[0][3][2:])

    def repeat(found):
        found.workers[0].append((1, load.DELIVERED, 1, 1, 3, 1000))

    def swap(found):
        log = found.workers[0]
        log[0], log[2] = log[2], log[0]

    crash.expect_each_bug_seen(judge, sound, (
        (drop, "lost"), (invent, "invented"), (change, "changed"), (repeat, "repeated"), (swap, "unordered")))


if __name__ == "__main__":
    h.main(globals())
