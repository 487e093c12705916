"""What the crash tests of all patterns share: kill -9 of a device at random moments under load, in
rounds, and the proof that each checker sees its own bug.
"""

import os
import time

import harness as h

ROUNDS = int(os.environ.get("HOLDFAST_CRASH_ROUNDS", "0"))
ROUNDS_LONG, ROUNDS_PER_EPISODE = 1000, 5
LEVELS = ("process", "disk", "interval:20ms")
FINDINGS_MAX = 5  # of each checker


class episode:
    """One journal, its load, and a device that is killed several times. A pattern says how its load
    begins (`begin`) and how it ends (`end`: judges what was logged, and tells it in a line)."""

    def __init__(self, test, number, **channel):
        self.random = test.random
        self.endpoint = h.tcp()
        self.level = LEVELS[number % len(LEVELS)]
        self.salt = self.random.randrange(1 << 63)
        self.device = h.device(test, name=f"lab{number}", top={"segment_size": "4MiB"}, durability=self.level,
                               heartbeat="300ms", reliable=["@" + self.endpoint], **channel).start()
        self.peers = []

    def hit(self):
        """One more fault beside the kill of the device; most patterns have none."""

    def kill_once(self):
        """kill -9 at a random moment; sometimes again while the device starts."""
        time.sleep(self.random.uniform(0.0, 0.6))  # the moment of the fault, not a wait for something
        self.device.kill()
        while self.random.random() < 0.25:
            half = h.child("half", [h.options.bin, "run", self.device.config], self.device.test.dir,
                           stdin=False)
            half.read_lines(self.random.uniform(0.0, 0.05))
            half.close()
        self.hit()
        self.device.start()
        self.device.check_identity()

    def close(self):
        self.device.terminate()
        for peer in self.peers:
            peer.close()
        h.shutil.rmtree(self.device.data, ignore_errors=True)


def play(test, make, rounds_quick):
    """Episodes until the rounds are done; make(test, number) begins one."""
    rounds = ROUNDS or (ROUNDS_LONG if h.options.long else rounds_quick)
    done = number = 0
    print(f"     seed {test.seed}, {rounds} rounds", flush=True)
    while done < rounds:
        one = make(test, number)
        for _ in range(min(ROUNDS_PER_EPISODE, rounds - done)):
            one.kill_once()
            done += 1
        told = one.end()
        one.close()
        number += 1
        print(f"     {done} kills, level {one.level}: {told}", flush=True)


def findings(checkers, found):
    """Every finding, at most a few of each checker."""
    for checker in checkers:
        for at, text in enumerate(checker(found)):
            if at == FINDINGS_MAX:
                break
            yield f"{checker.__name__}: {text}"


def expect_clean(judge, found):
    problems = list(judge(found))
    h.expect(not problems, lambda: "\n".join(problems))


def expect_each_bug_seen(judge, sound, planted):
    """planted: pairs of a function that spoils a sound run and the name of the checker to see it."""
    h.expect(not list(judge(sound())), lambda: f"a sound run is found guilty: {list(judge(sound()))}")
    for plant, name in planted:
        found = sound()
        plant(found)
        names = {text.split(":")[0] for text in judge(found)}
        h.expect(name in names, f"{plant.__name__} was not seen by {name}: {names}")
