"""The C++ peers of the tests (load_*.cpp: the library's own endpoints) and what they logged (load_log.hpp)."""

import collections
import struct

import harness as h
import messages

RECORD = struct.Struct("<IBBHQQ")
DELIVERED, CHANGED, ACK_CONFIRMED, BEGAN, STALE, ASKED, ANSWERED, WRONG = range(1, 9)
RECEIVED = (DELIVERED, CHANGED)
TOPICS = 3  # of messages sent with `topics`: number % TOPICS
HEARTBEAT_MS = 300
SERVICE = "work"
ACCEPTED = struct.Struct("<Q")

fields = collections.namedtuple("fields", "sender kind redelivered attempt number time")


class record(fields):
    @property
    def delivered(self):
        return self.kind in RECEIVED


def read_raw(path):
    """What a receiver logged as plain tuples, in order; a record cut by a kill -9 is left out."""
    return messages.whole_records(path, RECORD)


def read_records(path):
    return [record(*one) for one in read_raw(path)]


def confirmed(log):
    """{number: time} of the messages of one sender whose acks were confirmed."""
    return {number: time for _, kind, _, _, number, time in log if kind == ACK_CONFIRMED}


def outcome(log, at):
    """What became of the delivery at this place of a log: a kind, or None if its receiver was killed."""
    message = log[at][0], log[at][4]
    for sender, kind, _, _, number, _ in log[at + 1:]:
        if kind in (ACK_CONFIRMED, STALE) and (sender, number) == message:
            return kind
    return None


class peer:
    """A program of the tests, with what a child of the harness can do."""

    def __init__(self, test, kind, *arguments):
        self.test = test
        test.peers = getattr(test, "peers", 0) + 1
        self.name = f"{kind}{test.peers}"
        self.log = test.path(f"{self.name}.log")
        told = ("--history", test.path(f"{self.name}.history"), "--who", self.name) if test.histories else ()
        self.command = (f"load_{kind}", "--log", self.log, "--heartbeat", HEARTBEAT_MS, *told, *arguments)
        self.child = test.tool(self.name, *self.command)

    def __getattr__(self, name):
        return getattr(self.child, name)

    def restart(self, torn=False):
        """kill -9, and another life with the same log; torn: with its last record half written, as a
        kill in the middle of a write can leave it."""
        self.child.close()
        if torn:
            with open(self.log, "ab") as log:
                log.write(RECORD.pack(1, DELIVERED, 0, 1, 1, 0)[:16])
        self.child = self.test.tool(self.name, *self.command)

    def raw(self):
        return read_raw(self.log)

    def records(self):
        return read_records(self.log)


def stop_all(senders):
    """Stops endless senders, waits until all is accepted or answered; how many messages that were."""
    for one in senders:
        one.tell("stop")
    for one in senders:
        one.wait_stopped()
    return sum(one.last for one in senders)


class producer(peer):
    """Sends numbers first .. first + count - 1 at these producer numbers; logs what was accepted.
    With count 0 it goes on until it is told `stop`. `topics`: as a publisher."""

    def __init__(self, test, endpoint, sender, count, first=1, size=64, rate=0, spread=0, salt=0, topics=0):
        super().__init__(test, "producer", "--endpoint", endpoint, "--sender", sender, "--count", count,
                         "--first", first, "--size", size, "--spread", spread, "--rate", rate, "--salt", salt,
                         "--topics", topics)
        self.sender = sender
        self.last = first + count - 1  # of an endless one: known when it has stopped

    def accepted(self):
        """The highest number it was told is accepted; it logs this at once."""
        return max((number for (number,) in messages.whole_records(self.log, ACCEPTED)), default=0)

    def wait_accepted(self, within=60.0):
        self.child.wait_line("accepted all", within)
        h.expect(self.accepted() == self.last, f"accepted {self.accepted()} of {self.last}")

    def wait_stopped(self, within=60.0):
        self.last = int(self.child.wait_line("accepted all", within).split()[-1])
        h.expect(self.accepted() == self.last, f"accepted {self.accepted()} of {self.last}")


class worker(peer):
    """Receives, checks to the byte, logs, acks after `work_ms`. `hold`: keeps that many without acking them."""

    def __init__(self, test, endpoint, hold=0, salt=0, work_ms=0):
        super().__init__(test, "worker", "--endpoint", endpoint, "--hold", hold, "--salt", salt, "--work", work_ms)
        self.child.wait_line("running")

    def wait_holding(self):
        self.child.wait_line("holding")

    def numbers(self, sender):
        """What it received of one sender; a changed message is a failure."""
        found = set()
        for one in self.records():
            h.expect(one.kind != CHANGED, f"{one.sender}/{one.number} came changed")
            if one.delivered and one.sender == sender:
                found.add(one.number)
        return found


class subscriber(peer):
    """A durable subscription of the topic 1, or of all; `restart` is another life of it."""

    def __init__(self, test, endpoint, name, topic=None, salt=0, work_ms=0):
        prefix = () if topic is None else ("--prefix", f"topic{topic}")
        super().__init__(test, "subscriber", "--endpoint", endpoint, "--name", name, "--salt", salt, "--work", work_ms,
                         *prefix)
        self.topic = topic

    def wants(self, number):
        return self.topic is None or number % TOPICS == self.topic


class requester(peer):
    """Asks the requests 1 .. count, each under its number as id; with count 0 until it is told `stop`.
    `take` False: takes no reply before it is told."""

    def __init__(self, test, endpoint, sender, count, rate=0, size=64, spread=0, window=64, take=True, salt=0):
        super().__init__(test, "requester", "--endpoint", endpoint, "--service", SERVICE, "--sender", sender,
                         "--count", count, "--rate", rate, "--size", size, "--spread", spread, "--open", window,
                         "--take", int(take), "--salt", salt)
        self.sender = sender
        self.last = count  # of an endless one: known when it has stopped

    def wait_stopped(self, within=60.0):
        self.last = int(self.child.wait_line("done", within).split()[-1])

    def answered(self):
        """{number: times} of the right replies that came."""
        return collections.Counter(number for _, kind, _, _, number, _ in self.raw() if kind == ANSWERED)


class replier(peer):
    """Answers the requests of one service; `restart` is another one with the same log."""

    def __init__(self, test, endpoint, credit=4, salt=0):
        super().__init__(test, "replier", "--endpoint", endpoint, "--service", SERVICE, "--credit", credit,
                         "--salt", salt)
        self.child.wait_line("running")

    def executed(self):
        """[(sender, number)] of all executions."""
        return [(sender, number) for sender, kind, _, _, number, _ in self.raw() if kind in RECEIVED]
