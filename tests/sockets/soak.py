"""Real processes under a nemesis, for any length of time: a device of each pattern, those who send and
receive there, a network between them. The nemesis kills -9, stops and cuts; what everybody did is
written down, and `holdfast_history` judges the whole of it (tests/history). Then it begins anew.
"""

import os
import signal
import subprocess
import time

import harness as h
import load

RATE = 100  # messages a second of each sender
ROUND_SECONDS = 600  # of one history: what is judged at once fits into memory
WARM_SECONDS = 60  # of a device: until then its caches fill
WORK_MS = 2  # between a delivery and its ack: what a kill leaves unacked
STOP_SECONDS_MAX = 1.5  # beyond the life of a session, which is three heartbeats
CALM_SECONDS_MAX = 0.4
SAMPLE_SECONDS = 1.0
# Where libzmq 4.3.4 now and then aborts the process when a connection is reset: a kill like any other, and
# reported apart.
LIBZMQ_ABORTS = "stream_engine_base.cpp:331"


class lab:
    """A device of one pattern and its peers, all of which reach it through one relay."""

    def __init__(self, test, pattern, **channel):
        self.test, self.pattern = test, pattern
        port = h.free_port()
        self.device = h.device(test, name=f"{pattern}{len(test.devices)}", top={"segment_size": "4MiB"},
                               pattern=pattern, durability="disk", heartbeat=f"{load.HEARTBEAT_MS}ms",
                               reliable=["@" + h.tcp(port)], **channel).start()
        near = h.free_port()
        self.relay = test.child(f"relay{near}", [h.sys.executable, "-u", os.path.join(h.HERE, "relay.py"), str(near),
                                                 str(port)])
        self.relay.wait_line("relaying")
        self.endpoint = h.tcp(near)
        self.salt = test.random.randrange(1 << 63)
        self.senders, self.receivers = self.populate()

    def populate(self):
        """Its senders and its receivers."""
        raise NotImplementedError

    def drained(self, stored):
        raise NotImplementedError

    def replace_sender(self, sender):
        """kill -9; the next run goes on where the first knows of accepts. False: this one is not killed."""
        sender.child.close()
        command = [*sender.command, "--first", sender.accepted() + 1]
        sender.child = self.test.tool(sender.name, *command)
        return True

    def stop(self):
        for one in self.senders:
            one.tell("stop")

    def finish(self, look_after):
        """The load was stopped: waits until all of it has come to its end, while somebody looks after those
        who end before."""
        h.wait_for(f"{self.pattern}: everything to be sent",
                   lambda: look_after(self) and all(map(has_sent_all, self.senders)), 90)
        for one in self.senders:
            one.wait_stopped()
        stored = sum(one.last for one in self.senders)
        h.wait_for(f"{self.pattern}: everything to be done",
                   lambda: look_after(self) and self.drained(stored), 90)
        self.device.check_identity()
        for one in (*self.receivers, *self.senders, self.relay):
            one.close()
        self.device.terminate()
        return stored

    def histories(self):
        return [self.test.path(f"{one.name}.history") for one in (*self.senders, *self.receivers)]


def has_sent_all(sender):
    sender.read_lines(0)
    return any(line.startswith(("accepted all", "done")) for line in sender.lines)


class pipeline_lab(lab):
    def populate(self):
        workers = [load.worker(self.test, self.endpoint, salt=self.salt, work_ms=WORK_MS) for _ in range(2)]
        producers = [load.producer(self.test, self.endpoint, sender, count=0, size=32, spread=1000, rate=RATE,
                                   salt=self.salt) for sender in (1, 2)]
        return producers, workers

    def drained(self, stored):
        return self.device.count("acked") == stored


class pubsub_lab(lab):
    def populate(self):
        subscribers = [load.subscriber(self.test, self.endpoint, name, salt=self.salt, work_ms=WORK_MS)
                       for name in ("one", "other")]
        publishers = [load.producer(self.test, self.endpoint, sender, count=0, size=32, spread=1000, rate=RATE,
                                    salt=self.salt, topics=1) for sender in (1, 2)]
        return publishers, subscribers

    def drained(self, stored):
        groups = [group["counts"] for group in self.device.stream().get("groups", [])]
        return len(groups) == len(self.receivers) and all(
            counts["in"] == counts["acked"] + counts["settled"] == stored for counts in groups)


class reqrep_lab(lab):
    def populate(self):
        repliers = [load.replier(self.test, self.endpoint, salt=self.salt) for _ in range(2)]
        asker = load.requester(self.test, self.endpoint, 1, 0, rate=RATE, size=32, spread=1000, salt=self.salt)
        return [asker], repliers

    def replace_sender(self, sender):
        """A requester lives to the end: what it asked is known to it alone."""
        return False

    def drained(self, stored):
        return self.device.count("acked", load.SERVICE) == stored


def all_labs(test):
    return [pipeline_lab(test, "pipeline"), pubsub_lab(test, "pubsub"),
            reqrep_lab(test, "reqrep", attempts_max=0, attempt="120s", backoff_min="1ms", backoff_max="10ms")]


class nemesis:
    """What goes wrong, at random: one thing at a time, in one lab. Writes down what it did. The device of
    one lab is spared its kills, so that it lives long enough to watch its memory."""

    def __init__(self, test, labs, into, spared):
        self.random, self.labs, self.counts, self.spared = test.random, labs, into.faults, spared
        self.anomalies = into.anomalies
        self.log = {one: open(test.path(f"nemesis-{one.pattern}{at}.history"), "w", encoding="ascii")
                    for at, one in enumerate(labs)}

    def tell(self, lab_, who, what, begun, **more):
        kind = f"{what} {'device' if who == 'device' else who.rstrip('0123456789')}"
        self.counts[kind] = self.counts.get(kind, 0) + 1
        rest = "".join(f',"{key}":{value}' for key, value in more.items())
        self.log[lab_].write(f'{{"t":{begun},"who":"{who}","what":"{what}"{rest}}}\n')
        self.log[lab_].flush()

    def look_after(self, lab_):
        """Starts again who ended without being killed; always true."""
        if not lab_.device.alive():
            self.ended(lab_, lab_.device.process, "device")
            lab_.device.start()
        for one in lab_.receivers:
            if not one.alive():
                self.ended(lab_, one.child, one.name)
                one.restart()
        return True

    def ended(self, lab_, child, who):
        last = child.errors().strip().splitlines()[-1:]
        if last and LIBZMQ_ABORTS in last[0]:
            return self.tell(lab_, who, "aborted", time.monotonic_ns())
        self.anomalies.append(f"{lab_.pattern}: {who} ended by itself: {last}")

    def strike(self):
        lab_ = self.random.choice(self.labs)
        self.look_after(lab_)
        kinds = (self.kill_device, self.stop_device, self.kill_receiver, self.stop_receiver, self.kill_sender,
                 self.stop_sender, self.cut)
        self.random.choices(kinds, weights=(2, 2, 3, 3, 2, 2, 4))[0](lab_)

    def kill_device(self, lab_):
        if lab_ is self.spared:
            return self.stop_device(lab_)
        begun = time.monotonic_ns()
        lab_.device.kill()
        self.tell(lab_, "device", "killed", begun)
        lab_.device.start()

    def stop_device(self, lab_):
        self.stop(lab_, "device", lab_.device.process)

    def kill_receiver(self, lab_):
        one = self.random.choice(lab_.receivers)
        begun = time.monotonic_ns()
        one.restart()
        self.tell(lab_, one.name, "killed", begun)

    def stop_receiver(self, lab_):
        one = self.random.choice(lab_.receivers)
        self.stop(lab_, one.name, one.child)

    def kill_sender(self, lab_):
        one = self.random.choice(lab_.senders)
        begun = time.monotonic_ns()
        if not lab_.replace_sender(one):
            return self.cut(lab_)
        self.tell(lab_, one.name, "killed", begun)

    def stop_sender(self, lab_):
        one = self.random.choice(lab_.senders)
        self.stop(lab_, one.name, one.child)

    def cut(self, lab_):
        begun = time.monotonic_ns()
        lab_.relay.tell("cut")
        lab_.relay.wait_line("cut")
        self.tell(lab_, "connections", "cut", begun)

    def stop(self, lab_, who, child):
        begun = time.monotonic_ns()
        child.signal(signal.SIGSTOP)
        time.sleep(self.random.uniform(0.05, STOP_SECONDS_MAX))  # how long the fault lasts
        child.signal(signal.SIGCONT)
        self.tell(lab_, who, "stopped", begun, until=time.monotonic_ns())


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
