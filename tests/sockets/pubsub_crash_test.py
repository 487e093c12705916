"""kill -9 of a pub/sub device at random moments under load, and of a durable subscriber now and then.
Each durable subscription gets everything accepted that its filter wants, in the one order of the
channel, nothing else, and repeats only in a new life, where an ack was not confirmed; the accounting
identity holds after every restart.

Quick form: 10 rounds. Long form (--long, or HOLDFAST_CRASH_ROUNDS): 1000.
"""

import crash
import harness as h
import load
import pubsub_evidence as evidence
from pubsub_evidence import judge

ROUNDS_QUICK = 10
PUBLISHERS = 3


class episode(crash.episode):
    """Publishers, a subscription of everything, one of a topic, and one whose subscriber is killed too."""

    def __init__(self, test, number):
        super().__init__(test, number, pattern="pubsub")
        self.subscribers = [load.subscriber(test, self.endpoint, name, topic, salt=self.salt)
                            for name, topic in (("all", None), ("some", 1), ("killed", None))]
        self.publishers = [load.producer(test, self.endpoint, sender=sender, count=0, size=32, spread=2000,
                                         rate=2000, salt=self.salt, topics=1)
                           for sender in range(1, PUBLISHERS + 1)]
        self.lives = 1
        self.peers = self.subscribers + self.publishers
        h.wait_for("the load to flow", lambda: all(group["acked"] > 0 for group in self.groups()))

    def groups(self):
        found = [group["counts"] for group in self.device.stream().get("groups", [])]
        return found if len(found) == len(self.subscribers) else [{"acked": 0, "settled": 0, "in": -1}]

    def hit(self):
        if self.random.random() < 0.5:
            self.subscribers[-1].restart()
            self.lives += 1

    def drained(self, stored):
        """What a filter leaves out counts as settled."""
        return all(group["in"] == group["acked"] + group["settled"] == stored for group in self.groups())

    def end(self):
        stored = load.stop_all(self.publishers)
        h.wait_for("every subscription to be done", lambda: self.drained(stored), 60)
        found = evidence.evidence.gather(self.publishers, self.subscribers)
        channel = self.device.check_identity()
        crash.expect_clean(judge, found)
        counts = channel["streams"][0]["counts"]
        h.expect(counts["in"] == stored, f"{stored} sent and accepted, but {counts}")
        return (f"{stored} accepted, none lost to {len(self.subscribers)} subscriptions, {self.lives} lives of "
                f"one, {evidence.duplicates(found)} repeated")


def test_kill_at_random_moments(test):
    crash.play(test, episode, ROUNDS_QUICK)


def sound():
    """A small run as it should be: two senders, two subscriptions, the second in two lives with one
    repeat of what was not confirmed."""
    def life(first, last, clock, wants):
        yield (0, load.BEGAN, 0, 0, 0, clock)
        for number in range(first, last + 1):
            for sender in (1, 2):
                clock += 1
                if wants(number):
                    yield (sender, load.DELIVERED, 0, 1, number, clock)

    def confirm(first, last, clock):
        return [(sender, load.ACK_CONFIRMED, 0, 0, number, clock) for sender in (1, 2)
                for number in range(first, last + 1)]

    def odd(number):
        return number % 2 == 1

    some = evidence.subscription(odd, list(life(1, 10, 0, odd)))
    every = evidence.subscription(lambda _: True, [
        *life(1, 5, 0, lambda _: True), *confirm(1, 4, 50), *life(5, 10, 100, lambda _: True),
        *confirm(5, 10, 200)])
    return evidence.evidence({1: 12, 2: 10}, {1: 10, 2: 10}, [some, every])


def test_each_checker_sees_its_bug(_):
    """Planted bugs: each is found, and by its own checker."""
    def place(log, sender, number):
        return next(at for at, one in enumerate(log) if (one[0], one[1], one[4]) == (sender, load.DELIVERED, number))

    def drop(found):
        log = found.subscriptions[0].log
        del log[place(log, 2, 7)]

    def invent(found):
        found.subscriptions[1].log.append((2, load.DELIVERED, 0, 1, 11, 300))

    def unwanted(found):
        found.subscriptions[0].log.append((1, load.DELIVERED, 0, 1, 10, 300))

    def change(found):
        log = found.subscriptions[0].log
        at = place(log, 1, 3)
        log[at] = (1, load.CHANGED, *log[at][2:])

    def repeat_in_life(found):
        log = found.subscriptions[0].log
        log.insert(place(log, 2, 9), (1, load.DELIVERED, 0, 1, 9, 300))

    def repeat_confirmed(found):
        log = found.subscriptions[1].log
        at = next(at for at, one in enumerate(log) if one[1] == load.BEGAN and at)
        log.insert(at + 1, (1, load.DELIVERED, 0, 1, 3, 101))

    def swap(found):
        log = found.subscriptions[0].log
        a, b = place(log, 1, 3), place(log, 1, 5)
        log[a], log[b] = log[b], log[a]

    def other_order(found):
        log = found.subscriptions[0].log
        a, b = place(log, 1, 3), place(log, 2, 3)
        log[a], log[b] = log[b], log[a]

    crash.expect_each_bug_seen(judge, sound, (
        (drop, "lost"), (invent, "invented"), (unwanted, "invented"), (change, "changed"),
        (repeat_in_life, "repeated"), (repeat_confirmed, "repeated"), (swap, "unordered"),
        (other_order, "disagreed")))


if __name__ == "__main__":
    h.main(globals())
