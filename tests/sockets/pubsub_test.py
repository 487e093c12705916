"""Unmodified publishers and subscribers through a device: every subscriber has a cursor of its own.

What the publisher sent and the device never took in is counted apart (`lost_before`): it is zero
here, because the publisher has seen the subscription, limits nothing and is not disconnected.
"""

import os
import shutil
import signal
import subprocess
import sys

import harness as h
import messages


class channel:
    """A pub/sub device with one endpoint each side, a publisher process, and subscribers."""

    def __init__(self, test, durability="process", wrapper=(), **out):
        self.test = test
        self.wrapper = wrapper  # of the peers' processes
        self.into, self.out = h.tcp(), h.tcp()
        self.device = h.device(test, pattern="pubsub", durability=durability, **{
            "in": ["@" + self.into],
            "out": [{"endpoint": "@" + self.out, **out}]}).start()
        self.publisher = None
        self.sent = 0
        self.subscribers = []

    def peer(self, name, *arguments):
        return self.test.child(name, [*self.wrapper, sys.executable, "-u", os.path.join(
            h.HERE, "pubsub_peers.py"), *map(str, arguments)])

    def open_publisher(self):
        self.publisher = self.peer("publisher", "pub", self.into)
        self.publisher.wait_line("subscribed")

    def subscribe(self, *arguments, log=None):
        """A subscriber the device knows of: what is published from now on is for it."""
        name = f"sub{len(self.subscribers)}"
        log = log or self.test.path(name + ".log")
        there = self.attached()
        made = self.peer(name, "sub", self.out, log, *arguments)
        made.log = log
        self.subscribers.append(made)
        h.wait_for(f"{name} is attached", lambda: self.attached() > there)
        return made

    def groups(self):
        return self.device.stream().get("groups", [])

    def attached(self):
        return sum(group["attached"] for group in self.groups())

    def tell(self, count, *topics):
        """Tells the publisher to send; returns at once."""
        first, self.sent = self.sent + 1, self.sent + count
        self.publisher.tell(f"send {first} {self.sent} {' '.join(topics or ['a'])}")

    def publish(self, count, *topics):
        self.tell(count, *topics)
        self.publisher.wait_line(f"sent {self.sent}", 60)

    def lost_before(self):
        """Published, and never taken in by the device."""
        return self.sent - self.device.count("in")

    def stored(self):
        """Counted, and beyond the reach of a kill."""
        if self.lost_before() != 0:
            return False
        journal = self.device.status()["journal"]
        return journal["written"] == journal["appended"]

    def taken_in(self):
        h.wait_for("everything published is in the journal", self.stored, 60)


def numbers(log):
    found = []
    for _, number, exact in messages.read_log(log):
        h.expect(exact, f"{number} was received changed")
        found.append(number)
    return found


def expect_exactly(one, wanted, within=60):
    wanted = list(wanted)
    h.wait_for(f"{one.name} has its {len(wanted)} messages",
               lambda: len(messages.read_log(one.log)) >= len(wanted), within)
    got = numbers(one.log)
    h.expect(got == wanted, lambda: f"{one.name} got {len(got)} messages, the first difference at "
             f"{next((p for p in zip(got, wanted) if p[0] != p[1]), None)}")


def test_prefixes_and_parts(test):
    """Two subscribers with different prefixes get what they want, to the byte, in order."""
    here = channel(test)
    some = here.subscribe("--prefix", "a", "--topics", "a,ab")
    other = here.subscribe("--prefix", "b", "--prefix", "ab", "--topics", "b,ab")
    every = here.subscribe()
    here.open_publisher()
    here.publish(4000, "a", "ab", "b", "c")
    of = {"a": 0, "ab": 1, "b": 2, "c": 3}

    def with_topics(*topics):
        return [n for n in range(1, 4001) if n % 4 in [of[t] for t in topics]]
    expect_exactly(some, with_topics("a", "ab"))
    expect_exactly(other, with_topics("b", "ab"))
    expect_exactly(every, range(1, 4001))
    h.expect(here.lost_before() == 0, "the device took in everything")
    here.device.check_identity()


def test_burst(test):
    """A burst of 100 000 messages: a subscriber of normal speed and a slow one both get all of it."""
    here = channel(test)
    normal = here.subscribe()
    here.open_publisher()
    here.publish(100_000)
    expect_exactly(normal, range(1, 100_001))
    h.expect(here.lost_before() == 0, "the device took in everything")


def test_slow_subscriber_harms_nobody(test):
    """One subscriber stopped, one at 100 us a message: the third is not held up; all get everything."""
    here = channel(test)
    stopped, slow, normal = here.subscribe(), here.subscribe("--pause-us", 100), here.subscribe()
    stopped.signal(signal.SIGSTOP)
    here.open_publisher()
    here.publish(50_000)
    expect_exactly(normal, range(1, 50_001))
    h.expect(len(messages.read_log(stopped.log)) < 50_000, "the stopped one is stopped")
    stopped.signal(signal.SIGCONT)
    expect_exactly(slow, range(1, 50_001))
    expect_exactly(stopped, range(1, 50_001))


def test_late_joiner(test):
    """Who comes later gets what comes later, without a hole."""
    here = channel(test)
    first = here.subscribe()
    here.open_publisher()
    here.publish(1000)
    here.taken_in()
    late = here.subscribe()
    here.publish(1000)
    expect_exactly(first, range(1, 2001))
    expect_exactly(late, range(1001, 2001))


def expect_all_in_order(log, last):
    """Each of 1..last at least once, in order but for steps back; returns how many repeated."""
    got = numbers(log)
    h.expect(set(got) == set(range(1, last + 1)), lambda: "missing: " + str(
        sorted(set(range(1, last + 1)) - set(got))[:5]))
    for before, after in zip(got, got[1:]):
        h.expect(after <= before + 1, f"{after} follows {before}")
    return len(got) - last


# The default bound: what a stopped peer's kernel may hold, in messages of 65 bytes.
IN_DOUBT = (4 << 20) // 65 + 4096


def test_durable_subscriber_is_killed(test):
    """A named subscription goes on where its subscriber was killed; repeats are what was in doubt."""
    here = channel(test, durable="archive")
    log = test.path("durable.log")
    one = here.subscribe(log=log)
    here.open_publisher()
    kills = 3
    for _ in range(kills):
        here.tell(5000)
        h.wait_for("some arrive", lambda: len(messages.read_log(log)) > here.sent - 4000, 30)
        one.kill()
        h.wait_for("the device knows", lambda: here.attached() == 0)
        here.publisher.wait_line(f"sent {here.sent}", 30)
        here.publish(1000)
        one = here.subscribe(log=log)
    here.publish(1000)
    h.wait_for("the last message", lambda: here.sent in
               {number for _, number, _ in messages.read_log(log)[-10:]}, 60)
    repeats = expect_all_in_order(log, here.sent)
    h.expect(repeats <= kills * IN_DOUBT, f"{repeats} repeats are beyond what may be in doubt")


def test_device_is_killed(test):
    """A durable subscriber across kill -9 of the device: all that the device took in, in order."""
    here = channel(test, durable="archive")
    log = test.path("durable.log")
    here.subscribe(log=log)
    here.open_publisher()
    kills = 3
    for _ in range(kills):
        here.publish(3000)
        here.taken_in()
        here.publisher.close()
        here.device.restart()
        h.wait_for("the subscriber is back", lambda: here.attached() == 1)
        here.open_publisher()
    here.publish(1000)
    h.wait_for("the last message", lambda: here.sent in
               {number for _, number, _ in messages.read_log(log)[-10:]}, 60)
    repeats = expect_all_in_order(log, here.sent)
    h.expect(repeats <= kills * IN_DOUBT, f"{repeats} repeats are beyond what may be in doubt")


class namespace:
    """A network of its own for every process of a test, with a firewall that can cut a port."""

    def __init__(self, test):
        h.need_root()
        for tool in ("ip", "nft"):
            if not shutil.which(tool):
                raise h.skip(f"needs {tool}")
        self.name = f"hf-{os.getpid()}"
        if self.call("ip", "netns", "add", self.name, where=False).returncode != 0:
            raise h.skip("cannot make a network namespace")
        test.on_end(lambda: self.call("ip", "netns", "del", self.name, where=False))
        self.call("ip", "link", "set", "lo", "up")
        if self.call("nft", "add table inet cut").returncode != 0:
            raise h.skip("cannot make an nftables table in a network namespace")
        self.call("nft", "add chain inet cut in { type filter hook input priority 0; }")
        # Every process of the test begins with the program that --bin names.
        self.wrapped = h.options.bin
        wrapper = test.path("holdfast")
        with open(wrapper, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/sh\nexec ip netns exec {self.name} {self.wrapped} "$@"\n')
        os.chmod(wrapper, 0o755)
        h.options.bin = wrapper
        test.on_end(self.unwrap)

    def unwrap(self):
        h.options.bin = self.wrapped

    def call(self, *command, where=True):
        inside = ["ip", "netns", "exec", self.name] if where else []
        return subprocess.run([*inside, *command], capture_output=True, check=False)

    def reset(self, port):
        """From now on every segment to or from this port is answered with a TCP reset."""
        for side in ("dport", "sport"):
            done = self.call("nft", f"add rule inet cut in tcp {side} {port} tcp flags & rst == 0 "
                             "reject with tcp reset")
            if done.returncode != 0:
                raise h.skip(f"no reject in nftables here: {done.stderr.decode()}")

    def heal(self):
        self.call("nft", "flush chain inet cut in")


def test_tcp_resets(test):
    """Three TCP resets: the named subscriber gets everything, in order, repeats within its doubt."""
    network = namespace(test)
    here = channel(test, wrapper=["ip", "netns", "exec", network.name], durable="archive")
    log = test.path("durable.log")
    here.subscribe("--pause-us", 20, "--keepalive", log=log)
    here.open_publisher()
    port = here.out.rsplit(":", 1)[1]
    cuts = 3
    for _ in range(cuts):
        here.tell(20_000)
        h.wait_for("some arrive", lambda: len(messages.read_log(log)) > here.sent - 19_000, 30)
        network.reset(port)
        h.wait_for("the connection is cut", lambda: here.attached() == 0)
        network.heal()
        h.wait_for("the subscriber is back", lambda: here.attached() == 1)
        here.publisher.wait_line(f"sent {here.sent}", 30)
    here.publish(1000)
    h.wait_for("the last message", lambda: here.sent in
               {number for _, number, _ in messages.read_log(log)[-10:]}, 60)
    repeats = expect_all_in_order(log, here.sent)
    h.expect(repeats <= cuts * IN_DOUBT, f"{repeats} repeats are beyond what may be in doubt")
    h.expect(here.lost_before() == 0, "the publisher was not disconnected")


if __name__ == "__main__":
    h.main(globals())
