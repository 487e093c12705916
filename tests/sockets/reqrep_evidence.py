"""What a run of reliable requesters and repliers left behind, and the checkers that judge it. Pure
functions: each is shown a planted bug by reqrep_crash_test.py itself.

A request is (sender, number). Every requester lives to the end, so what it asked was accepted.
"""

import collections

import crash
import load


class evidence:
    """asked: the last number of each sender; requesters: {sender: its log}; repliers: their logs."""

    def __init__(self, asked, requesters, repliers):
        self.asked, self.requesters, self.repliers = asked, requesters, repliers

    @classmethod
    def gather(cls, requesters, repliers):
        return cls({one.sender: one.last for one in requesters},
                   {one.sender: one.raw() for one in requesters}, [one.raw() for one in repliers])

    def replies(self):
        """(who got it, number, kind, status, time)."""
        for sender, log in self.requesters.items():
            for _, kind, _, status, number, time in log:
                if kind in (load.ANSWERED, load.WRONG):
                    yield sender, number, kind, status, time

    def story(self, sender, number):
        """All that was logged of a request, by time: (ms since the first of all, who, kind, attempt)."""
        logs = [("requester", self.requesters.get(sender, [])), *(("replier", log) for log in self.repliers)]
        all_of_it = [(time, who, kind, attempt) for who, log in logs
                     for from_whom, kind, _, attempt, its_number, time in log
                     if (from_whom, its_number) == (sender, number)]
        begin = min(time for _, log in logs for *_, time in log)
        return ": " + ", ".join(f"{(time - begin) / 1e6:.3f} {who} {kind} {attempt}"
                                for time, who, kind, attempt in sorted(all_of_it))

    def executions(self):
        """(request, kind, time)."""
        for log in self.repliers:
            for sender, kind, _, _, number, time in log:
                if kind in load.RECEIVED:
                    yield (sender, number), kind, time


def unanswered(found):
    """Asked, and no reply came."""
    answered = {(sender, number) for sender, number, *_ in found.replies()}
    for sender, last in found.asked.items():
        missing = [n for n in range(1, last + 1) if (sender, n) not in answered]
        if missing:
            yield f"sender {sender}: {len(missing)} requests without a reply, from {missing[:5]}"


def twice(found):
    """More than one reply to a request."""
    for request, times in collections.Counter((sender, number) for sender, number, *_ in found.replies()).items():
        if times > 1:
            yield f"request {request} was answered {times} times"


def wrong(found):
    """A reply that is not the one to its request: other bytes, another client's, a failure."""
    for sender, number, kind, status, _ in found.replies():
        if kind == load.WRONG:
            yield f"request {(sender, number)} got a wrong reply, status {status}"


def changed(found):
    """A request that reached a replier with other bytes than were sent."""
    for request, kind, _ in found.executions():
        if kind == load.CHANGED:
            yield f"request {request} came changed"


def invented(found):
    """Executed or answered, but never asked."""
    for sender, number in {request for request, *_ in found.executions()} | {
            (sender, number) for sender, number, *_ in found.replies()}:
        if not 1 <= number <= found.asked.get(sender, 0):
            yield f"request {(sender, number)} was never asked"


def unfounded(found):
    """A reply before anybody had executed the request."""
    first = {}
    for request, _, time in found.executions():
        first[request] = min(time, first.get(request, time))
    for sender, number, _, _, time in found.replies():
        if time < first.get((sender, number), time + 1):
            yield f"request {(sender, number)} was answered before it was executed{found.story(sender, number)}"


def executed_again(found):
    """Executed by anybody after its reply was stored: the replier was told so, or the reply had come.

    An execution in a session that was already over (its reply was stale) does not count: the request
    was in that replier's hands before."""
    stored = {(sender, number): time for sender, number, _, _, time in found.replies()}
    for log in found.repliers:
        for sender, kind, _, _, number, time in log:
            if kind == load.ACK_CONFIRMED:
                stored[sender, number] = min(time, stored.get((sender, number), time))
    for log in found.repliers:
        for at, (sender, kind, _, _, number, time) in enumerate(log):
            if kind in load.RECEIVED and time > stored.get((sender, number), time):
                if load.outcome(log, at) != load.STALE:
                    yield (f"request {(sender, number)} was executed after its reply was stored"
                           f"{found.story(sender, number)}")


CHECKERS = (unanswered, twice, wrong, changed, invented, unfounded, executed_again)


def judge(found):
    return crash.findings(CHECKERS, found)


def repeats(found):
    """How many executions were not the first of their request."""
    requests = [request for request, *_ in found.executions()]
    return len(requests) - len(set(requests))
