"""Calls of the device to the kernel fail, one at a time, under load: `strace -e inject` makes the k-th
pwritev, fdatasync, openat, fallocate, rename, unlink or fsync on a file of the journal return an error
(counted in each thread), once or from then on.

The device never crashes; it says what failed, on which file, and what that means; it writes elsewhere or
refuses; started again without faults, everything accepted is there, once and in order, and the journal
verifies. Quick form: a few k. Long form: every k up to what a run without faults makes.
"""

import collections
import os
import re
import shutil
import subprocess

import crash
import evidence
import harness as h
import load

ERRORS = {"EIO": "Input/output error", "ENOSPC": "No space left on device", "EROFS": "Read-only file system",
          "EMFILE": "Too many open files"}
QUICK = [("pwritev", "EIO", "3"), ("pwritev", "ENOSPC", "9"), ("pwritev", "EROFS", "6+"), ("fdatasync", "EIO", "2"),
         ("fdatasync", "EIO", "7"), ("fdatasync", "EIO", "9+"), ("openat", "EMFILE", "2"), ("openat", "EMFILE", "6+"),
         ("openat", "EROFS", "9"), ("fallocate", "ENOSPC", "4"), ("fallocate", "ENOSPC", "5+"), ("rename", "EIO", "1"),
         ("unlink", "EROFS", "1"), ("fsync", "EIO", "3"), ("fsync", "EIO", "8")]
LONG = {"pwritev": ("EIO", "ENOSPC"), "fdatasync": ("EIO",), "openat": ("EMFILE", "EROFS"), "fallocate": ("ENOSPC",),
        "rename": ("EIO",), "unlink": ("EROFS",), "fsync": ("EIO",)}
MESSAGES = 150
LARGEST = 64 << 10  # of a message and its block, and more than a quarter of a segment leaves room for
SLOTS, CHECKPOINTS = 80, 40


def need_strace(test):
    if not shutil.which("strace"):
        raise h.skip("no strace")
    probe = subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        raise h.skip(f"strace cannot trace here: {probe.stderr.strip()}")
    del test


def traced(data, trace, *more):
    """The command that runs a program with the calls on the journal's files traced."""
    names = [data, f"{data}/LOCK", f"{data}/seg", f"{data}/checkpoint.tmp"]
    names += [f"{data}/seg/{slot:06}.seg" for slot in range(SLOTS)]
    names += [f"{data}/checkpoint.{number:06}" for number in range(CHECKPOINTS)]
    paths = [word for name in names for word in ("-P", name)]
    return ["strace", "-D", "-f", "-qq", "-o", trace, "-e", "trace=" + ",".join(LONG), *more, *paths]


class trial:
    """One device with one fault, its load, and its life after it."""

    def __init__(self, test, fault=None):
        self.test, self.fault, self.error = test, fault, None
        self.number = test.trials = getattr(test, "trials", 0) + 1
        self.endpoint = h.tcp()
        self.device = h.device(test, name=f"lab{self.number}", top={"segment_size": "256KiB"}, durability="disk",
                               reliable=["@" + self.endpoint])
        self.trace = test.path(f"trace{self.number}")
        inject = []
        if fault:
            call, self.error, when = fault
            inject = ["-e", f"inject={call}:error={self.error}:when={when}"]
        self.device.under = traced(self.device.data, self.trace, *inject)

    def start_with_fault(self):
        """False if the device refused to start, with its reason."""
        self.device.write_config()
        process = h.child(self.device.name, [*self.device.under, h.options.bin, "run", self.device.config],
                          self.test.dir, stdin=False)
        self.device.process = process
        while process.read_lines(20 * h.SCALE):
            if "holdfast: ready" in process.lines:
                return True
        code = process.wait_exit()
        h.expect(code == 1, lambda: f"{self.fault}: the start ended with {code}: {process.errors()[-1500:]}")
        return False

    def begin_load(self):
        self.worker = load.worker(self.test, self.endpoint)
        self.producer = load.producer(self.test, self.endpoint, sender=1, count=MESSAGES, size=64, spread=20_000,
                                      rate=600)

    def told(self):
        return self.device.process.errors()

    def settled(self):
        """The load went through, or is held for good, or the journal takes no more, or the device has ended."""
        self.producer.read_lines(0)
        return any(line.startswith("accepted all") for line in self.producer.lines) \
            or "takes no more" in self.told() or not self.device.alive() or self.held()

    def held(self):
        """Files cannot be made, this fault does not go away, and the next message finds no room."""
        return self.fault and self.fault[2].endswith("+") and "tried again every second" in self.told() \
            and self.device.status()["journal"]["room_bytes"] < LARGEST

    def stop(self):
        process = self.device.process
        if process.alive():
            process.signal(h.signal.SIGTERM)
        code = process.wait_exit()
        h.expect(code in (0, 1), lambda: f"{self.fault}: the device ended with {code}: {self.told()[-1500:]}")

    def injected(self):
        with open(self.trace, encoding="utf-8", errors="replace") as file:
            return [line for line in file if "(INJECTED)" in line]

    def check_told(self):
        """What failed is said with its reason, and with the file it happened to."""
        hit = self.injected()
        if not hit:
            return False
        about = [line for line in self.told().splitlines() if ERRORS[self.error] in line]
        h.expect(about, lambda: f"{self.fault}: not a word about {hit[0]}: {self.told()[-1500:]}")
        names = (self.device.data, f"device '{self.device.name}'")
        h.expect(any(any(name in line for name in names) and ";" in line for line in about),
                 lambda: f"{self.fault}: no file named, or not what is safe: {about}")
        return True

    def come_back(self):
        """Without faults: the load ends, nothing is lost, repeated or out of order, and all verifies."""
        self.device.process.close()
        self.device.under = []
        self.device.start()
        if not hasattr(self, "worker"):
            self.begin_load()
        self.producer.child.lines += ["accepted all"] if self.finished else []
        if not self.finished:
            self.producer.wait_accepted()
        h.wait_for("the backlog to drain", lambda: self.device.count("acked") == MESSAGES, 30)
        self.device.check_identity()
        crash.expect_clean(evidence.judge, evidence.evidence.gather([self.producer], [self.worker]))
        self.verify()

    def verify(self):
        """No damage, whatever the fault left behind. Without a journal (the start was refused) there is none."""
        verified = h.run("journal", "verify", self.device.data)
        h.expect(verified.returncode == 0 or (verified.returncode == 1 and "there is no journal" in verified.stderr),
                 lambda: f"{self.fault}: {verified.stdout} {verified.stderr}")

    def run(self):
        """What the fault came to: refused, took no more, or went on."""
        self.finished = False
        outcome = "refused to start"
        if self.start_with_fault():
            self.begin_load()
            h.wait_for(f"the load under {self.fault}", self.settled, 30)
            self.finished = any(line.startswith("accepted all") for line in self.producer.lines)
            outcome = "held its producer" if self.fault and not self.finished and self.held() else "went on"
            self.stop()
            outcome = "took no more" if "takes no more" in self.told() else outcome
        hit = self.check_told() if self.fault else False
        self.verify()
        self.come_back()
        self.close()
        return outcome if hit or not self.fault else "was not reached"

    def close(self):
        self.device.terminate()
        for one in (self.worker, self.producer):
            one.close()
        shutil.rmtree(self.device.data, ignore_errors=True)


def count_calls(path):
    """How many calls of each kind the busiest thread made."""
    counts = collections.Counter()
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if found := re.match(r"(\d+) +(\w+)\(", line):
                counts[found[2], found[1]] += 1
    return {call: max((n for (name, _), n in counts.items() if name == call), default=0) for call in LONG}


def every_fault(test):
    plain = trial(test)
    plain.run()
    calls = count_calls(plain.trace)
    print(f"     calls of one run: {calls}", flush=True)
    for call, errors in LONG.items():
        for k in range(1, calls[call] + 1):
            yield call, errors[k % len(errors)], str(k)
            if k % 8 == 0:
                yield call, errors[0], f"{k}+"


def test_each_call_that_fails(test):
    need_strace(test)
    outcomes = collections.Counter()
    for fault in every_fault(test) if h.options.long else QUICK:
        outcome = trial(test, fault).run()
        outcomes[outcome] += 1
        print(f"     {':'.join(fault)}: {outcome}", flush=True)
    met = {"went on", "refused to start", "took no more", "held its producer"}
    h.expect(met <= set(outcomes), f"not every outcome was met: {dict(outcomes)}")


if __name__ == "__main__":
    h.main(globals())
