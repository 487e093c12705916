"""Unmodified PULL peers behind one bound address: each is tracked, and what was in doubt with one that
goes is redelivered to the others.
"""

import signal

import zmq

import harness as h
import messages

SENDER = 1


def gate_device(test, **out):
    into, endpoint = h.tcp(), h.tcp()
    made = h.device(test, **{"in": ["@" + into],
                             "out": [{"endpoint": "@" + endpoint, "peers": "separate", **out}]}).start()
    return made, into, endpoint


class receivers:
    """Receiving processes and their logs."""

    def __init__(self, test, endpoint):
        self.test, self.endpoint = test, endpoint
        self.started = []

    def start(self, *arguments):
        name = f"pull{len(self.started)}"
        log = self.test.path(name + ".log")
        made = self.test.script(name, "pull", self.endpoint, log, *arguments)
        made.wait_line("connected")
        made.log = log
        self.started.append(made)
        return made

    def numbers(self, *chosen):
        """Numbers received by these (all, if none is named); every one is checked to the byte."""
        found = set()
        for one in chosen or self.started:
            for _, number, exact in messages.read_log(one.log):
                h.expect(exact, f"{one.name} received {number} changed")
                found.add(number)
        return found


def send(test, into, first, last):
    context = zmq.Context.instance()
    with context.socket(zmq.PUSH) as push:
        push.linger = -1
        push.connect(into)
        for number in range(first, last + 1):
            push.send_multipart(messages.make(SENDER, number))


def consumers(device):
    return device.stream().get("consumers", [])


def wait_peers(device, count):
    h.wait_for(f"{count} plain peers in status", lambda: len(consumers(device)) == count)


def test_killed_stopped_and_idle_peer_lose_nothing(test):
    device, into, endpoint = gate_device(test)
    group = receivers(test, endpoint)
    victim = group.start()
    stopped = group.start()
    idle = group.start("--take", "0")
    normal = group.start()
    wait_peers(device, 4)
    send(test, into, 1, 2000)
    h.wait_for("the first messages to spread", lambda: all(
        messages.read_log(one.log) for one in (victim, stopped, normal)))
    stopped.signal(signal.SIGSTOP)
    send(test, into, 2001, 4000)
    victim.kill()
    send(test, into, 4001, 6000)
    h.wait_for("every message in the device", lambda: device.count("in") == 6000)
    h.wait_for("the killed peer to be gone", lambda: len(consumers(device)) == 3)
    for one in consumers(device):
        h.expect(one["kind"] == "separate", f"kind is {one['kind']}")
        h.expect(one["in_doubt_max"] == 4096, f"the in-doubt bound is not stated: {one}")
        h.expect(one["in_doubt_bytes_min"] == 4 << 20, f"the bound in bytes is not stated: {one}")
    stopped.signal(signal.SIGCONT)
    idle.tell("close")
    idle.wait_line("closed")
    want = set(range(1, 6001))
    h.wait_for("all 6000 received", lambda: group.numbers() == want, 30)
    left = group.numbers(stopped, normal)
    h.expect(group.numbers(victim) <= want, "something was delivered that was never sent")
    channel = device.check_identity()
    h.expect(channel["streams"][0]["redelivered"] > 0, "nothing counts as redelivered")
    h.expect(len(left) + len(group.numbers(victim)) >= 6000, "messages are missing")


def test_everything_in_doubt_with_the_killed_peer_comes_back(test):
    device, into, endpoint = gate_device(test)
    group = receivers(test, endpoint)
    victim = group.start("--take", "10")
    wait_peers(device, 1)
    send(test, into, 1, 500)
    victim.wait_line("took")
    h.wait_for("the rest to be handed over or ready", lambda: device.count("in") == 500)
    h.wait_for("something in doubt", lambda: device.count("in_doubt") > 10)
    victim.kill()
    h.wait_for("nothing in doubt", lambda: device.count("in_doubt") == 0)
    h.expect(device.count("settled") == 0, "a message settled although all fit in the in-doubt bound")
    heir = group.start()
    h.wait_for("all 500 at the other", lambda: group.numbers(heir) == set(range(1, 501)))
    device.check_identity()


def test_a_peer_that_leaves_in_good_order_gives_back_what_is_in_doubt(test):
    device, into, endpoint = gate_device(test)
    group = receivers(test, endpoint)
    leaver = group.start("--take", "5")
    send(test, into, 1, 300)
    leaver.wait_line("took")
    leaver.tell("close")
    leaver.wait_line("closed")
    heir = group.start()
    h.wait_for("all 300 received", lambda: group.numbers() == set(range(1, 301)))
    h.expect(len(group.numbers(heir)) >= 295, "what the leaver never read did not come back")
    device.check_identity()


def test_slow_and_fast_share(test):
    """Work goes by what a peer drains: one that stops reading holds its queue and no more."""
    device, into, endpoint = gate_device(test)
    group = receivers(test, endpoint)
    fast = group.start()
    slow = group.start("--take", "1")
    wait_peers(device, 2)
    body = 20_000
    send(test, into, 1, body)
    h.wait_for("the fast one to have what the slow one does not hold", lambda: len(
        group.numbers(fast)) + least_delivered(device) >= body, 30)
    h.expect(len(group.numbers(fast)) > body / 2, f"the fast peer got {len(group.numbers(fast))}")
    slow.tell(f"take {body}")
    h.wait_for("all received", lambda: len(group.numbers()) == body, 30)
    device.check_identity()


def test_a_peer_stopped_at_full_speed_and_killed_loses_nothing(test):
    """Its kernel's buffer has grown while it read: far more than 4096 small messages lie there."""
    device, into, endpoint = gate_device(test)
    group = receivers(test, endpoint)
    victim = group.start("--take", "30000")
    wait_peers(device, 1)
    body = 80_000
    send(test, into, 1, body)
    victim.wait_line("took", 60)
    victim.signal(signal.SIGSTOP)
    h.wait_for("every message in the device", lambda: device.count("in") == body, 60)
    victim.kill()
    heir = group.start()
    h.wait_for("every message received", lambda: len(group.numbers()) == body, 60)
    h.expect(len(group.numbers(heir)) >= body - 30_000, "what the victim never read did not come back")
    device.check_identity()


def least_delivered(device):
    return min((one["delivered"] for one in consumers(device)), default=0)


def test_an_idle_peer_swallows_no_more_than_its_bound(test):
    """A peer that never reads takes what its buffers take, small messages by the thousand; all comes back."""
    device, into, endpoint = gate_device(test)
    group = receivers(test, endpoint)
    idle = group.start("--take", "0")
    fast = group.start()
    wait_peers(device, 2)
    send(test, into, 1, 20_000)
    h.wait_for("the fast one to have the rest", lambda: len(
        group.numbers(fast)) + least_delivered(device) >= 20_000, 30)
    print(f"     an idle peer holds {least_delivered(device)} messages of 64 B")
    idle.kill()
    h.wait_for("all received", lambda: group.numbers(fast) == set(range(1, 20_001)), 30)
    device.check_identity()


def test_the_device_killed_with_messages_in_doubt(test):
    device, into, endpoint = gate_device(test)
    group = receivers(test, endpoint)
    group.start("--take", "50")
    send(test, into, 1, 1000)
    group.started[0].wait_line("took")
    h.wait_for("every message in the device", lambda: device.count("in") == 1000)
    device.restart()
    device.check_identity()
    group.started[0].tell("take 1000000")
    h.wait_for("all 1000 received", lambda: group.numbers() == set(range(1, 1001)), 30)
    device.check_identity()


if __name__ == "__main__":
    h.main(globals())
