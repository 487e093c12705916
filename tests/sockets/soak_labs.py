"""What a soak runs: a device of each pattern and those who send and receive there."""

import os

import harness as h
import load

RATE = 100  # messages a second of each sender
WORK_MS = 2  # between a delivery and its ack: what a kill leaves unacked


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
