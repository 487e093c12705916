"""The soak (soak.py) in its quick form, and what its checkers see: a mistake written into the history of
a good run is found, each by its own checker. Any length: `./dev soak [MINUTES]`.
"""

import collections
import json
import os
import subprocess

import harness as h
import soak

QUICK_SECONDS = 10


def judge(files):
    """(exit status, what was printed)"""
    program = os.path.join(h.options.tools, "..", "history", "holdfast_history")
    done = subprocess.run([program, *files], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def events_of(files):
    events = []
    for path in files:
        with open(path, encoding="ascii") as file:
            events += [json.loads(line) for line in file if line.endswith("\n")]
    return sorted(events, key=lambda event: event["t"])


def gets(events):
    """What came of the first sender, in order, and came once; of several subscribers, to one of them."""
    subscribers = {one["who"] for one in events if one.get("as") == "subscriber"}
    found = [one for one in events if one["what"] == "gets" and one["from"] == 1
             and (not subscribers or one["who"] == min(subscribers))]
    times = collections.Counter(one["n"] for one in found)
    return [one for one in found if times[one["n"]] == 1 and not one["again"]]


def lose(events):
    lost = gets(events)[3]["n"]
    return [one for one in events if not (one["what"] in ("gets", "done") and one["from"] == 1 and one["n"] == lost)]


def duplicate(events):
    one = gets(events)[3]
    return [*events, one | {"t": events[-1]["t"] + 1}]


def reorder(events):
    """Two neighbours of one sender have changed places in the stream."""
    one, other = gets(events)[3:5]
    one["seq"], other["seq"] = other["seq"], one["seq"]
    return events


def show_in_another_order(events):
    one, other = gets(events)[3:5]
    one["t"] = other["t"] + 1
    return events


def change(events):
    gets(events)[3]["exact"] = 0
    return events


def invent(events):
    return [*events, gets(events)[3] | {"n": 1 << 40, "seq": 1 << 40, "t": events[-1]["t"] + 1}]


PLANTED = {"pipeline": ((lose, "survives"), (duplicate, "repeats"), (reorder, "order"), (change, "exact"),
                        (invent, "phantom")),
           "pubsub": ((lose, "subscriptions"), (duplicate, "subscriptions"), (show_in_another_order, "subscriptions")),
           "reqrep": ((lose, "answers"), (change, "exact"))}


def plant(test, files):
    for pattern, mistakes in PLANTED.items():
        events = events_of(files[pattern])
        for mistake, checker in mistakes:
            path = test.path(f"{mistake.__name__}-{pattern}.history")
            with open(path, "w", encoding="ascii") as file:
                file.writelines(json.dumps(one) + "\n" for one in mistake([dict(one) for one in events]))
            code, said = judge([path])
            h.expect(code == 1 and f"\n{checker}: " in said,
                     f"{mistake.__name__} in {pattern} was not seen by {checker}: {code} {said[-2000:]}")


def test_a_quick_soak_is_clean_and_what_is_planted_in_its_history_is_seen(test):
    made = soak.report()
    files = soak.one_round(test, QUICK_SECONDS, made)
    print("     " + made.text().replace("\n", "\n     "))
    h.expect(not made.anomalies, made.anomalies)
    h.expect(sum(made.faults.values()) >= 5 and len(made.faults) >= 3, f"hardly anything went wrong: {made.faults}")
    plant(test, files)


def test_the_slope_of_memory(_):
    """Two lives of different levels that grow alike."""
    memory, end = soak.memory(), soak.WARM_SECONDS + 100
    memory.lives = {("a", 1): [(at, 1000 + 5 * at) for at in range(end)],
                    ("a", 2): [(at, 9000 + 5 * at) for at in range(1000, 1000 + end)]}
    slope, samples = memory.slope()
    h.expect(abs(slope - 5) < 1e-6 and samples == 2 * 99, f"{slope} of {samples}")


if __name__ == "__main__":
    h.main(globals())
