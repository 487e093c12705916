"""What a run of publishers and durable subscribers left behind, and the checkers that judge it. Pure
functions: each is shown a planted bug by pubsub_crash_test.py itself.
"""

import collections
import itertools

import crash
import load

subscription = collections.namedtuple("subscription", "wants log")  # wants(number); the log of all its lives


class evidence:
    """sent and accepted: the last number of each sender; subscriptions: what each logged, in order."""

    def __init__(self, sent, accepted, subscriptions):
        self.sent, self.accepted, self.subscriptions = sent, accepted, subscriptions

    @classmethod
    def gather(cls, publishers, subscribers):
        return cls({one.sender: one.last for one in publishers},
                   {one.sender: one.accepted() for one in publishers},
                   [subscription(one.wants, one.raw()) for one in subscribers])


def lives(log):
    """The deliveries of each life of a subscriber: [(sender, number, kind, time)]."""
    life = None
    for sender, kind, _, _, number, time in log:
        if kind == load.BEGAN:
            if life:
                yield life
            life = []
        elif kind in load.RECEIVED:
            life.append((sender, number, kind, time))
    if life:
        yield life


def firsts(log):
    """The deliveries in order, without repeats."""
    return list(dict.fromkeys((sender, number) for life in lives(log) for sender, number, *_ in life))


def lost(found):
    """Accepted and wanted, but never delivered."""
    for at, (wants, log) in enumerate(found.subscriptions):
        seen = set(firsts(log))
        for sender, through in found.accepted.items():
            missing = [n for n in range(1, through + 1) if wants(n) and (sender, n) not in seen]
            if missing:
                yield (f"subscription {at}, sender {sender}: {len(missing)} accepted but never delivered, from "
                       f"{missing[:5]}")


def invented(found):
    """Delivered, but never sent, or not wanted."""
    for at, (wants, log) in enumerate(found.subscriptions):
        for sender, number in firsts(log):
            if not 1 <= number <= found.sent.get(sender, 0) or not wants(number):
                yield f"subscription {at}, sender {sender}: {number} was delivered, but never sent or not wanted"


def changed(found):
    """Delivered with other bytes or another topic than were sent."""
    for at, (_, log) in enumerate(found.subscriptions):
        for sender, number, kind, _ in itertools.chain(*lives(log)):
            if kind == load.CHANGED:
                yield f"subscription {at}, sender {sender}: {number} came changed"


def repeated(found):
    """Delivered again after its ack was confirmed, or twice in one life."""
    for at, (_, log) in enumerate(found.subscriptions):
        confirmed = {}
        for sender, kind, _, _, number, time in log:
            if kind == load.ACK_CONFIRMED:
                confirmed.setdefault((sender, number), time)
        for life in lives(log):
            for (sender, number), times in collections.Counter((one[0], one[1]) for one in life).items():
                if times > 1:
                    yield f"subscription {at}, sender {sender}: {number} came {times} times in one life"
            for sender, number, _, time in life:
                if time > confirmed.get((sender, number), time):
                    yield f"subscription {at}, sender {sender}: {number} came again after its ack was confirmed"


def unordered(found):
    """A sender's messages that go back: within a life at all, over all lives at their first delivery."""
    for at, (_, log) in enumerate(found.subscriptions):
        runs = [[(sender, number) for sender, number, *_ in life] for life in lives(log)]
        for run in (*runs, firsts(log)):
            highest = collections.Counter()
            for sender, number in run:
                if number < highest[sender]:
                    yield f"subscription {at}, sender {sender}: {number} came after {highest[sender]}"
                highest[sender] = max(highest[sender], number)


def disagreed(found):
    """Two subscriptions that saw what both wanted in different orders: the channel has one."""
    for (a, one), (b, other) in itertools.combinations(enumerate(found.subscriptions), 2):
        left, right = firsts(one.log), firsts(other.log)
        both = set(left) & set(right)
        pairs = zip((x for x in left if x in both), (x for x in right if x in both))
        difference = next((pair for pair in pairs if pair[0] != pair[1]), None)
        if difference:
            yield f"subscriptions {a} and {b}: {difference[0]} here, {difference[1]} there"


CHECKERS = (lost, invented, changed, repeated, unordered, disagreed)


def judge(found):
    return crash.findings(CHECKERS, found)


def duplicates(found):
    """How many deliveries were repeats."""
    return sum(sum(map(len, lives(one.log))) - len(firsts(one.log)) for one in found.subscriptions)
