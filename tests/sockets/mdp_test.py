"""Majordomo 7/MDP 0.1 and 8/MMI on real sockets, with peers written from the protocol: what a full broker must
handle, situation by situation (the same as tests/patterns/mdp_test.cpp, under the same numbers), and what only
real processes can do: die, freeze, and meet a device that was killed.
"""

import contextlib
import os
import random
import signal
import sys

import zmq

import harness as h
from mdp import CLIENT, DISCONNECT, HEARTBEAT, READY, REPLY, REQUEST, WORKER, client, peer, silent, worker

ECHO = b"echo"
BEAT = 0.3  # s, the device's


@contextlib.contextmanager
def majordomo(test, **options):
    """A device with a Majordomo endpoint, and a maker of peers that end with the test."""
    endpoint = h.tcp()
    made = h.device(test, pattern="reqrep", mdp=["@" + endpoint],
                    **{"worker_heartbeat": f"{int(BEAT * 1000)}ms", "worker_liveness": 4, **options}).start()
    with contextlib.ExitStack() as opened:
        def join(role, /, *arguments, **named):
            return opened.enter_context(role(endpoint, *arguments, **named))
        made.endpoint = endpoint
        yield made, join
    h.expect(made.alive(), "the device died")
    made.check_identity()


def bad_frames(device):
    return device.channel_status()["bad_frames"]


def busy(join, who, body=(b"work",)):
    """Gives `who`, a worker of echo, a request; returns its client and the address it bore."""
    asker = join(client)
    asker.ask(ECHO, *body)
    address, got = who.request()
    h.expect(got == list(body), f"the request came as {got}")
    return asker, address


def process(test, device, name, *arguments):
    return test.child(name, [sys.executable, "-u", os.path.join(h.HERE, "mdp.py"), "worker", device.endpoint,
                             "echo", name, *arguments])


def wait_workers(asker, there=True, service=ECHO):
    h.wait_for(f"mmi.service to say {200 if there else 404}", lambda: asker.has_workers(service) == there)


def test_01_request_and_reply_pass_as_they_are(test):
    bodies = [[b"hello"], [b"a", b"", b"b", b""], [bytes(5), b"\0", bytes(range(256))], [bytes(300_000)]]
    with majordomo(test) as (_, join):
        one = join(worker).ready(ECHO)
        for kind in (zmq.DEALER, zmq.REQ):
            for body in bodies:
                asker = join(client, kind=kind)
                asker.ask(ECHO, *body)
                address, got = one.request()
                one.reply(address, *reversed(got))
                h.expect(asker.answer(ECHO) == body[::-1], "the reply differs")


def test_04_a_request_before_any_worker_waits(test):
    with majordomo(test) as (device, join):
        asker = join(client)
        asker.ask(ECHO, b"early")
        h.wait_for("the request in the device", lambda: device.count("in", "echo") == 1)
        one = join(worker).ready(ECHO)
        address, body = one.request()
        one.reply(address, *body)
        h.expect(asker.answer(ECHO) == [b"early"], "another reply")


def test_04_a_request_too_old_is_never_answered(test):
    with majordomo(test, deadline="300ms") as (device, join):
        asker = join(client)
        asker.ask(ECHO, b"old")
        h.wait_for("the request to expire", lambda: device.count("expired", "echo") == 1)
        one = join(worker).ready(ECHO)
        asker.ask(ECHO, b"new")
        address, body = one.request()
        h.expect(body == [b"new"], "an expired request was dispatched")
        one.reply(address, b"answer")
        h.expect(asker.answer(ECHO) == [b"answer"], "the expired request was answered")


def test_05_second_ready_of_an_idle_worker(test):
    with majordomo(test) as (_, join):
        one, asker = join(worker).ready(ECHO), join(client)
        one.ready(ECHO)
        h.expect(one.told_to_go(), "not disconnected")
        h.expect(not asker.has_workers(ECHO), "still enlisted")


def test_06_second_ready_of_a_busy_worker(test):
    with majordomo(test) as (_, join):
        one = join(worker).ready(ECHO)
        asker, _ = busy(join, one)
        one.ready(ECHO)
        h.expect(one.told_to_go(), "not disconnected")
        address, body = join(worker).ready(ECHO).request()
        h.expect(body == [b"work"] and address, "not given to another")
        h.expect(asker.has_workers(ECHO), "the other is not enlisted")


def test_07_heartbeat_or_reply_before_ready(test):
    with majordomo(test) as (device, join):
        for rest in ((HEARTBEAT,), (REPLY, b"somebody", b"", b"x")):
            one = join(worker)
            one.say(*rest)
            h.expect(one.told_to_go(), f"{rest} was not answered with DISCONNECT")
        h.expect(bad_frames(device) == 2, "not counted")


def test_09_ready_for_a_name_of_mmi(test):
    with majordomo(test) as (_, join):
        for name in (b"mmi.service", b"mmi.anything"):
            h.expect(join(worker).ready(name).told_to_go(), f"{name} was accepted")
        h.expect(not join(client).has_workers(b"mmi.anything"), "enlisted")


def test_10_disconnect_before_ready_is_met_with_silence(test):
    with majordomo(test) as (_, join):
        one = join(worker)
        one.say(DISCONNECT)
        one.ready(ECHO)
        asker, address = busy(join, one)  # the first thing it is told
        one.reply(address, b"x")
        h.expect(asker.answer(ECHO) == [b"x"], "another reply")


def test_11_disconnect_of_an_idle_worker(test):
    with majordomo(test) as (device, join):
        one, asker = join(worker).ready(ECHO), join(client)
        wait_workers(asker)
        one.say(DISCONNECT)
        wait_workers(asker, there=False)
        asker.ask(ECHO, b"x")
        h.wait_for("the request in the device", lambda: device.count("ready", "echo") == 1)


def test_12_disconnect_of_a_busy_worker(test):
    with majordomo(test) as (_, join):
        one = join(worker).ready(ECHO)
        asker, old = busy(join, one)
        one.say(DISCONNECT)
        other = join(worker).ready(ECHO)
        address, body = other.request()
        h.expect(body == [b"work"] and address != old, "not another dispatch")
        other.reply(address, b"done")
        h.expect(asker.answer(ECHO) == [b"done"], "another reply")


def test_13_a_busy_worker_closes_its_socket(test):
    with majordomo(test) as (_, join):
        one = join(worker).ready(ECHO)
        asker, _ = busy(join, one)
        one.close()
        other = join(worker).ready(ECHO)
        address, _ = other.request()
        other.reply(address, b"done")
        h.expect(asker.answer(ECHO) == [b"done"], "another reply")


def test_13_a_busy_worker_is_killed(test):
    with majordomo(test) as (device, join):
        victim = process(test, device, "victim", "--slow", "1")
        victim.wait_line("ready")
        asker = join(client)
        asker.ask(ECHO, b"work")
        victim.wait_line("got")
        other = process(test, device, "other")
        other.wait_line("ready")
        victim.kill()
        h.expect(asker.answer(ECHO) == [b"other", b"work"], "another reply")


def test_14_a_frozen_busy_worker(test):
    with majordomo(test, worker_busy="2s") as (device, join):
        frozen = process(test, device, "frozen", "--slow", "1")
        frozen.wait_line("ready")
        asker = join(client)
        asker.ask(ECHO, b"work")
        frozen.wait_line("got")
        frozen.signal(signal.SIGSTOP)
        asked = join(client)
        h.expect(asked.has_workers(ECHO), "a busy worker counts")
        h.expect(asker.answer_within(ECHO, 1.3) is None, "answered by nobody")  # longer than its liveness
        h.expect(asked.has_workers(ECHO), "thrown out while it was at work")
        other = process(test, device, "other")
        other.wait_line("ready")
        h.expect(asker.answer(ECHO) == [b"other", b"work"], "another reply")
        frozen.signal(signal.SIGCONT)
        frozen.tell("")  # its reply is late now
        frozen.wait_line("disconnected")
        frozen.wait_line("ready")
        h.expect(asker.call(ECHO, b"next")[1] == b"next", "no service after the late reply")


def test_15_an_idle_worker_that_is_silent(test):
    with majordomo(test) as (_, join):
        one, asker = join(worker).ready(ECHO), join(client)
        wait_workers(asker)
        h.expect(one.told_to_go(within=4 * BEAT + 5), "never disconnected")
        h.expect(not asker.has_workers(ECHO), "still enlisted")


def test_16_a_live_worker_before_dead_ones(test):
    with majordomo(test) as (_, join):
        live, *dead = [join(worker).ready(ECHO) for _ in range(3)]
        for one in dead:
            while True:
                with contextlib.suppress(silent):
                    h.expect(one.told_to_go(within=0.1), "not disconnected")
                    break
                live.say(HEARTBEAT)
        asker, address = busy(join, live)
        live.reply(address, b"x")
        h.expect(asker.answer(ECHO) == [b"x"], "another reply")


def test_17_reply_without_a_request(test):
    with majordomo(test) as (_, join):
        one, asker = join(worker).ready(ECHO), join(client)
        one.reply(b"x" * 16, b"x")
        h.expect(one.told_to_go(), "not disconnected")
        h.expect(not asker.has_workers(ECHO), "enlisted, perhaps twice")


def test_18_two_replies_to_one_request(test):
    with majordomo(test) as (_, join):
        one = join(worker).ready(ECHO)
        asker, address = busy(join, one)
        one.reply(address, b"first")
        one.reply(address, b"second")
        h.expect(one.told_to_go(), "not disconnected")
        h.expect(asker.answer(ECHO) == [b"first"], "another reply")
        other = join(worker).ready(ECHO)
        asker.ask(ECHO, b"next")
        address, _ = other.request()
        other.reply(address, b"third")
        h.expect(asker.answer(ECHO) == [b"third"], "the second reply was delivered")


def test_19_reply_to_another_client(test):
    with majordomo(test) as (_, join):
        one, two = join(worker).ready(ECHO), join(worker).ready(b"other")
        mine, address = busy(join, one)
        other = join(client)
        other.ask(b"other", b"theirs")
        others, _ = two.request()
        one.reply(others, b"spoofed")
        h.expect(one.told_to_go(), "not disconnected")
        two.reply(others, b"true")
        h.expect(other.answer(b"other") == [b"true"], "another reply")
        three = join(worker).ready(ECHO)
        again, body = three.request()
        h.expect(again not in (address, others) and body == [b"work"], "not another dispatch")
        three.reply(again, b"mine")
        h.expect(mine.answer(ECHO) == [b"mine"], "another reply")


def test_20_a_late_reply_is_dropped(test):
    with majordomo(test, worker_busy="400ms") as (device, join):
        one = join(worker).ready(ECHO)
        asker, old = busy(join, one)
        h.expect(one.told_to_go(), "not disconnected at its time-out")
        other = join(worker).ready(ECHO)
        address, _ = other.request()
        before = bad_frames(device)
        one.reply(old, b"late")
        h.expect(one.told_to_go(), "its late reply was taken")
        other.reply(address, b"in time")
        h.expect(asker.answer(ECHO) == [b"in time"], "the late reply was delivered")
        h.expect(bad_frames(device) == before + 1, "not counted")


def test_21_unknown_commands(test):
    with majordomo(test) as (device, join):
        for command in (b"\x06", b"\x00", b"\xff", b"", REQUEST, b"\x01\x01"):
            one = join(worker).ready(ECHO)
            one.say(command)
            h.expect(one.told_to_go(), f"{command} was accepted")
        h.expect(bad_frames(device) == 6, "not counted")


MALFORMED = [
    [b"one part"], [b""], [b"", CLIENT], [b"", WORKER], [CLIENT, ECHO, b"x"], [b"", WORKER, READY],
    [b"", CLIENT, b"mmi.service"], [b"", b"MDPC02", b"\x01", ECHO, b"x"], [b"MDPC02", b"\x01", ECHO, b"x"],
    [b"", b"MDPW02", b"\x01", ECHO], [b"", WORKER, REPLY, b"client"], [b"", WORKER, REPLY, b"client", b"no", b"x"],
    [b"id", b"", WORKER, READY, ECHO], [b"x" * 100] * 200, [b"", b"", b"", b""], [b"x" * 1_000_000],
]


def test_22_malformed_input_is_dropped_and_counted(test):
    with majordomo(test) as (device, join):
        one, asker = join(worker).ready(ECHO), join(client)
        for number, parts in enumerate(MALFORMED, 1):
            join(peer).send(*parts)
            h.wait_for(f"{parts[:4]!r:.80} to be counted", lambda n=number: bad_frames(device) == n)
            asker.ask(ECHO, b"%d" % number)
            address, body = one.request()
            one.reply(address, *body)
            h.expect(asker.answer(ECHO) == [b"%d" % number], "other peers are disturbed")


def test_23_probe_router(test):
    with majordomo(test) as (_, join):
        one, asker = join(worker, probe_router=1).ready(ECHO), join(client, probe_router=1)
        asker.ask(ECHO, b"x")
        address, _ = one.request()
        one.reply(address, b"y")
        h.expect(asker.answer(ECHO) == [b"y"], "another reply")


def test_28_no_body_is_an_empty_one(test):
    with majordomo(test) as (_, join):
        one, asker = join(worker).ready(ECHO), join(client)
        asker.ask(ECHO)
        address, body = one.request()
        h.expect(body == [b""], f"the request came as {body}")
        one.reply(address)
        h.expect(asker.answer(ECHO) == [b""], "another reply")


def test_29_mmi_service(test):
    with majordomo(test) as (device, join):
        asker = join(client)
        asker.ask(ECHO, b"x")
        h.expect(asker.call(b"mmi.service", ECHO) == [b"404"], "a name that was only asked for")
        one = join(worker).ready(ECHO)
        one.request()
        h.expect(asker.call(b"mmi.service", ECHO) == [b"200"], "a busy worker is one")
        streams = len(device.channel_status()["streams"])
        for name in (b"ech", b"echo\0", b"", b"x" * 1000, *(b"name%d" % n for n in range(200))):
            h.expect(asker.call(b"mmi.service", name) == [b"404"], f"{name[:20]} has no workers")
        h.expect(len(device.channel_status()["streams"]) == streams, "a query made a service")


def test_30_other_names_of_mmi(test):
    with majordomo(test) as (_, join):
        asker = join(client)
        h.expect(asker.call(b"mmi.other", b"keep", b"x") == [b"keep", b"501"], "not 501")
        h.expect(asker.call(b"mmi.", b"x") == [b"501"], "not 501")


def test_31_the_client_is_gone_when_its_reply_comes(test):
    with majordomo(test) as (device, join):
        one = join(worker).ready(ECHO)
        gone, address = busy(join, one)
        gone.close()
        one.reply(address, b"x")
        h.wait_for("the request answered", lambda: device.count("acked", "echo") == 1)
        other, address = busy(join, one, (b"next",))
        one.reply(address, b"y")
        h.expect(other.answer(ECHO) == [b"y"], "another reply")


def test_32_names_of_services(test):
    with majordomo(test) as (device, join):
        for name in (b"e\0x", b"\0", b"", b"x" * 250):
            before = bad_frames(device)
            h.expect(join(worker).ready(name).told_to_go(), f"{name[:9]} was accepted")
            join(client).ask(name, b"x")
            h.wait_for("both counted", lambda b=before: bad_frames(device) == b + 2)
        for name in (b"\xff\x01 ", b"x" * 249):
            one, asker = join(worker).ready(name), join(client)
            asker.ask(name, b"x")
            address, _ = one.request()
            one.reply(address, b"y")
            h.expect(asker.answer(name) == [b"y"], "another reply")


def test_33_heartbeats_to_idle_and_busy_workers(test):
    with majordomo(test) as (_, join):
        idle, at_work = join(worker).ready(b"idle"), join(worker).ready(ECHO)
        busy(join, at_work)
        for one in (idle, at_work):
            with contextlib.suppress(silent):
                one.command(within=5 * BEAT, beating=one is idle)
            h.expect(one.beats >= 3, f"{one.beats} heartbeats in five intervals")


def test_34_a_worker_with_a_slower_rate(test):
    with majordomo(test) as (_, join):
        slow, asker = join(worker, heartbeat=3 * BEAT).ready(ECHO), join(client)
        with contextlib.suppress(silent):
            slow.command(within=8 * BEAT)  # learns
        with contextlib.suppress(silent):
            h.expect(not slow.told_to_go(within=6 * BEAT), "disconnected by the device's own rate")
        h.expect(asker.has_workers(ECHO), "not enlisted any more")
        h.expect(slow.told_to_go(within=20 * BEAT), "never disconnected")


def test_an_address_stack_comes_back(test):
    with majordomo(test) as (_, join):
        one = join(worker).ready(ECHO)
        correlate = join(client, kind=zmq.REQ, req_correlate=1, req_relaxed=1)
        correlate.ask(ECHO, b"x")
        address, _ = one.request()
        one.reply(address, b"y")
        h.expect(correlate.answer(ECHO) == [b"y"], "another reply")
        far = join(peer)
        far.send(b"proxy", b"\0\1\2\3", b"", CLIENT, ECHO, b"x")
        address, _ = one.request()
        one.reply(address, b"y")
        h.expect(far.receive(10) == [b"proxy", b"\0\1\2\3", b"", CLIENT, ECHO, b"y"], "the stack differs")


def test_repeats_are_not_matched_by_identity(test):
    with majordomo(test) as (device, _):
        for count in range(1, 4):
            with client(device.endpoint, routing_id=b"the same") as asker:
                asker.ask(ECHO, b"x")
                h.wait_for("one more, not matched", lambda n=count: device.count("in", "echo") == n)


def test_a_device_killed_with_workers_and_requests(test):
    """Workers notice nothing but an instant DISCONNECT, register again, and what was stored is served."""
    with majordomo(test) as (device, join):
        crew = [process(test, device, f"w{n}", "--slow", "1") for n in range(2)]
        for one in crew:
            one.wait_line("ready")
        asker = join(client)
        for number in range(2):
            asker.ask(ECHO, b"%d" % number)
        for one in crew:
            one.wait_line("got")
        device.restart()
        for one in crew:
            one.tell("")  # their replies and heartbeats come from nobody the device knows
            one.wait_line("disconnected", within=2)
            one.wait_line("ready")
        wait_workers(join(client))
        h.wait_for("both answered", lambda: device.count("acked", "echo") == 2)
        h.expect(asker.call(ECHO, b"next")[1] == b"next", "no service after the restart")


def test_500_seeds_of_random_multiparts(test):
    with majordomo(test) as (device, join):
        one, asker = join(worker).ready(ECHO), join(client)
        known = [b"", b"", CLIENT, WORKER, READY, REQUEST, REPLY, HEARTBEAT, DISCONNECT, b"noise", b"mmi.x"]
        senders = [join(peer) for _ in range(4)]
        before = device.rss_anon()
        for seed in range(500):
            any_of = random.Random(test.seed + seed)
            for _ in range(8):
                parts = [any_of.choice(known) if any_of.random() < 0.8 else any_of.randbytes(any_of.randrange(300))
                         for _ in range(any_of.randrange(1, 8))]
                any_of.choice(senders).send(*parts)
            if seed % 100 == 0:
                asker.ask(ECHO, b"%d" % seed)
                address, body = one.request()
                one.reply(address, *body)
                h.expect(asker.answer(ECHO) == [b"%d" % seed], "other peers are disturbed")
        h.wait_for("the bad ones to be counted", lambda: bad_frames(device) > 1000)
        h.expect(device.rss_anon() < before + (64 << 20), "memory grows with garbage")


if __name__ == "__main__":
    h.main(globals())
