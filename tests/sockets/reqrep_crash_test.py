"""kill -9 of a request-reply device at random moments under load, and of a replier now and then. Every
request is answered once, rightly, to its own requester; nothing is executed again after its reply
was stored; the accounting identity holds after every restart.

Quick form: 10 rounds. Long form (--long, or HOLDFAST_CRASH_ROUNDS): 1000.
"""

import crash
import harness as h
import load
import reqrep_evidence as evidence
from reqrep_evidence import judge

ROUNDS_QUICK = 10
REQUESTERS, REPLIERS = 3, 3


class episode(crash.episode):
    """Requesters and repliers; one of these is killed too. An attempt lasts longer than the test: only
    a fault hands a request to another."""

    def __init__(self, test, number):
        super().__init__(test, number, pattern="reqrep", attempts_max=0, attempt="120s", backoff_min="1ms",
                         backoff_max="10ms")
        self.repliers = [load.replier(test, self.endpoint, salt=self.salt) for _ in range(REPLIERS)]
        self.requesters = [load.requester(test, self.endpoint, sender, 0, rate=1500, size=32, spread=1000,
                                          salt=self.salt) for sender in range(1, REQUESTERS + 1)]
        self.lives = REPLIERS
        self.peers = self.repliers + self.requesters
        h.wait_for("the load to flow", lambda: self.device.count("acked", load.SERVICE) > 0)

    def hit(self):
        if self.random.random() < 0.5:
            self.repliers[0].restart()
            self.lives += 1

    def end(self):
        asked = load.stop_all(self.requesters)
        found = evidence.evidence.gather(self.requesters, self.repliers)
        self.device.check_identity()
        crash.expect_clean(judge, found)
        counts = self.device.stream(load.SERVICE)["counts"]
        h.expect(counts["in"] == counts["acked"] == asked, f"{asked} asked and answered, but {counts}")
        return f"{asked} asked, each answered once, {self.lives} repliers, {evidence.repeats(found)} executed again"


def test_kill_at_random_moments(test):
    crash.play(test, episode, ROUNDS_QUICK)


def sound():
    """A small run as it should be: two requesters, two repliers; the first is cut off with a request in
    its hands, which the second executes again."""
    def done(requests, clock):
        for request in requests:
            yield (request[0], load.DELIVERED, 0, 1, request[1], clock)
            yield (request[0], load.ACK_CONFIRMED, 0, 1, request[1], clock + 1)
            clock += 2

    first = [(sender, number) for number in range(1, 6) for sender in (1, 2)]
    second = [(sender, number) for number in range(6, 11) for sender in (1, 2)]
    cut_off = [(1, load.DELIVERED, 0, 1, 6, 150), (1, load.STALE, 0, 1, 6, 151)]
    repliers = [[*done(first, 100), *cut_off], list(done(second, 200))]
    requesters = {sender: [one for number in range(1, 11) for one in (
        (sender, load.ASKED, 0, 0, number, 1), (sender, load.ANSWERED, 0, 200, number, 300))] for sender in (1, 2)}
    return evidence.evidence({1: 10, 2: 10}, requesters, repliers)


def test_each_checker_sees_its_bug(_):
    """Planted bugs: each is found, and by its own checker."""
    def drop(found):
        found.requesters[1] = [one for one in found.requesters[1] if (one[1], one[4]) != (load.ANSWERED, 4)]

    def double(found):
        found.requesters[2].append((2, load.ANSWERED, 0, 200, 3, 310))

    def mix_up(found):
        found.requesters[2][-1] = (2, load.WRONG, 0, 200, 10, 300)

    def change(found):
        found.repliers[0][0] = (1, load.CHANGED, *found.repliers[0][0][2:])

    def invent(found):
        found.repliers[1].append((2, load.DELIVERED, 0, 1, 11, 290))

    def answer_alone(found):
        found.repliers[1] = [one for one in found.repliers[1] if (one[0], one[4]) != (2, 8)]

    def again_after_confirmed(found):
        found.repliers[1] += [(1, load.DELIVERED, 0, 2, 2, 250), (1, load.ACK_CONFIRMED, 0, 2, 2, 251)]

    def again_after_reply(found):
        found.repliers[0] = [one for one in found.repliers[0] if (one[0], one[1], one[4]) != (1, load.ACK_CONFIRMED, 3)]
        found.repliers[1].append((1, load.DELIVERED, 0, 2, 3, 301))

    crash.expect_each_bug_seen(judge, sound, (
        (drop, "unanswered"), (double, "twice"), (mix_up, "wrong"), (change, "changed"), (invent, "invented"),
        (answer_alone, "unfounded"), (again_after_confirmed, "executed_again"),
        (again_after_reply, "executed_again")))


if __name__ == "__main__":
    h.main(globals())
