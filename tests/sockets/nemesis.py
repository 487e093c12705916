"""What goes wrong in a soak, at random moments, and a record of it for the history (tests/history)."""

import signal
import time

STOP_SECONDS_MAX = 1.5  # beyond the life of a session, which is three heartbeats
# Where libzmq 4.3.4 aborts any process that has a connection reset under it at a bad moment (docs/simulator.md):
# a kill like any other, and reported apart.
LIBZMQ_ABORTS = "stream_engine_base.cpp:331"


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
