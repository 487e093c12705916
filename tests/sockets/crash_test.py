"""kill -9 of the device at random moments under load. Nothing accepted is lost, nothing is invented or
changed, repeats come only where an ack was not confirmed, the order of each producer holds, and the
accounting identity holds after every restart.

Quick form: 25 rounds. Long form (--long, or HOLDFAST_CRASH_ROUNDS): 1000.
"""

import signal

import crash
import evidence
import harness as h
import load
from evidence import judge

ROUNDS_QUICK = 25
PRODUCERS = 3
LATE_TRIES = 20
LATE_WORKERS = 4  # more than half of the tries show what is looked for; with one alone a third did


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


class late_copies:
    """Workers stand still while their device is killed: another takes what they hold and is confirmed, and only
    then they see their copies. The device repeats nothing."""

    def __init__(self, test):
        endpoint = h.tcp()
        self.device = h.device(test, heartbeat="300ms", reliable=["@" + endpoint]).start()
        self.quick = load.worker(test, endpoint)
        self.late = [load.worker(test, endpoint, work_ms=100) for _ in range(LATE_WORKERS)]
        self.producer = load.producer(test, endpoint, sender=1, count=0, rate=4000)

    def play(self):
        """One try; whether a late worker saw its copies: its library may learn of the loss before."""
        seen = [len(one.raw()) for one in self.late]
        h.wait_for("messages at the late workers", lambda: all(
            len(one.raw()) > before for one, before in zip(self.late, seen)))
        for one in self.late:
            one.signal(signal.SIGSTOP)
        self.device.kill()
        self.device.start()
        newest = max(number for one in self.late for _, _, _, _, number, _ in one.raw()) + 4000
        h.wait_for("acks beyond what they hold", lambda: newest in load.confirmed(self.quick.raw()))
        for one in self.late:
            one.signal(signal.SIGCONT)
        h.wait_for("the late workers", lambda: len(self.device.stream()["consumers"]) == 1 + LATE_WORKERS)
        return self.copies()

    def copies(self):
        confirmed = load.confirmed(self.quick.raw())
        return any(kind in load.RECEIVED and time > confirmed.get(number, time)
                   for one in self.late for _, kind, _, _, number, time in one.raw())

    def end(self):
        load.stop_all([self.producer])
        h.wait_for("all acks", lambda: self.device.count("acked") == self.producer.last)
        return evidence.evidence.gather([self.producer], [self.quick, *self.late])


def test_copies_of_a_former_session_are_no_repetition(test):
    made = late_copies(test)
    h.expect(any(made.play() for _ in range(LATE_TRIES)), f"no late copy in {LATE_TRIES} tries")
    crash.expect_clean(judge, made.end())


def sound():
    """A small run as it should be: two senders, one redelivery before its ack was confirmed, one late copy of a
    session that was over."""
    log, clock = [], 0
    for number in range(1, 11):
        for sender in (1, 2):
            clock += 1
            log.append((sender, load.DELIVERED, 0, 1, number, clock))
    log.append((1, load.DELIVERED, 1, 1, 10, clock + 1))
    log += [(sender, load.ACK_CONFIRMED, 0, 0, number, clock + 2) for sender in (1, 2)
            for number in range(1, 11)]
    late = [(1, load.DELIVERED, 1, 1, 2, clock + 3), (1, load.STALE, 1, 1, 2, clock + 4)]
    return evidence.evidence({1: 12, 2: 10}, {1: 10, 2: 10}, [log, late], True)


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

    def repeat_to_another(found):
        found.workers[1].append((1, load.DELIVERED, 1, 1, 3, 1000))

    def repeat_to_itself(found):
        found.workers[0] += [(1, load.DELIVERED, 1, 1, 3, 1000), (1, load.STALE, 1, 1, 3, 1001)]

    def swap(found):
        log = found.workers[0]
        log[0], log[2] = log[2], log[0]

    crash.expect_each_bug_seen(judge, sound, (
        (drop, "lost"), (invent, "invented"), (change, "changed"), (repeat, "repeated"),
        (repeat_to_another, "repeated"), (repeat_to_itself, "repeated"), (swap, "unordered")))


if __name__ == "__main__":
    h.main(globals())
