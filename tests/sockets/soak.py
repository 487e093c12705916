"""Real processes under a nemesis, for any length of time: a device of each pattern, those who send and
receive there, a network between them. The nemesis kills -9, stops and cuts; what everybody did is
written down, and `holdfast_history` judges the whole of it (tests/history). Then it begins anew.
"""

import os
import subprocess
import time

import harness as h
from nemesis import nemesis
from soak_labs import all_labs

ROUND_SECONDS = 600  # of one history: what is judged at once fits into memory
WARM_SECONDS = 300  # of a device: so long its memory was seen to fill, ever more slowly
CALM_SECONDS_MAX = 0.4
SAMPLE_SECONDS = 1.0


class memory:
    """RssAnon of devices over time. Each life of one has a level of its own, and all have one slope:
    least squares within the lives, behind the time in which caches fill."""

    def __init__(self):
        self.lives = {}

    def sample(self, device):
        with h.contextlib.suppress(h.failure, OSError):
            self.lives.setdefault((device.name, device.starts), []).append((time.monotonic(), device.rss_anon()))

    def slope(self):
        """Bytes a second, and the samples it stands on; None where no life was long enough."""
        above = below = count = 0
        for samples in self.lives.values():
            samples = [one for one in samples if one[0] > samples[0][0] + WARM_SECONDS]
            if not samples:
                continue
            middle = sum(at for at, _ in samples) / len(samples)
            level = sum(size for _, size in samples) / len(samples)
            above += sum((at - middle) * (size - level) for at, size in samples)
            below += sum((at - middle) ** 2 for at, _ in samples)
            count += len(samples)
        return (above / below if below else None), count


class report:
    def __init__(self):
        self.faults, self.messages, self.anomalies, self.memory = {}, {}, [], memory()
        self.begun, self.rounds = time.monotonic(), 0

    def judge(self, lab_, files, stored):
        program = os.path.join(h.options.tools, "..", "history", "holdfast_history")
        said = subprocess.run([program, *files], capture_output=True, text=True, check=False,
                              preexec_fn=h.die_with_parent)
        h.expect(said.returncode in (0, 1), f"holdfast_history: {said.stderr}")
        self.messages[lab_.pattern] = self.messages.get(lab_.pattern, 0) + stored
        if said.returncode:
            self.anomalies.append(f"{lab_.pattern}: {said.stdout[-20_000:]}")
        return said.stdout.splitlines()[0]

    def text(self):
        slope, samples = self.memory.slope()
        seconds = time.monotonic() - self.begun
        growth = "no device lived long enough to tell" if slope is None else (
            f"RssAnon of a device grows by {slope * 3600 / (1 << 20):+.2f} MiB an hour ({samples} samples)")
        lines = [f"soak of {seconds / 60:.1f} minutes",
                 "faults:   " + ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items())),
                 "messages: " + ", ".join(f"{count} {pattern}" for pattern, count in self.messages.items()),
                 f"memory:   {growth}",
                 f"anomalies: {len(self.anomalies) or 'none'}"]
        return "\n".join([*lines, *self.anomalies])


def one_round(test, seconds, into):
    """Load and faults for so long, then the end of all of it, and the verdicts: {pattern: its files}."""
    test.histories = True
    labs = all_labs(test)
    trouble = nemesis(test, labs, into, spared=labs[into.rounds % len(labs)])
    into.rounds += 1
    end, sample_at = time.monotonic() + seconds, 0.0
    while time.monotonic() < end:
        time.sleep(test.random.uniform(0, CALM_SECONDS_MAX))  # the moment of the fault, not a wait for something
        trouble.strike()
        if time.monotonic() >= sample_at:
            sample_at = time.monotonic() + SAMPLE_SECONDS
            for one in labs:
                into.memory.sample(one.device)
    for one in labs:
        one.stop()
    files = {}
    for one in labs:
        stored = one.finish(trouble.look_after)
        files[one.pattern] = [*one.histories(), trouble.log[one].name]
        print(f"     {one.pattern}: {into.judge(one, files[one.pattern], stored)}", flush=True)
    return files


def test_soak(test):
    """For HOLDFAST_SOAK_MINUTES, or until something is wrong."""
    made = report()
    end = time.monotonic() + float(os.environ.get("HOLDFAST_SOAK_MINUTES", "10")) * 60
    print(f"     seed {test.seed}", flush=True)
    while (left := end - time.monotonic()) > 0 and not made.anomalies:
        files = one_round(test, min(left, ROUND_SECONDS), made)
        if not made.anomalies:  # else they are looked at
            for path in sum(files.values(), []):
                os.remove(path)
    print(made.text())
    h.expect(not made.anomalies, "anomalies, see above")


if __name__ == "__main__":
    h.main(globals())
