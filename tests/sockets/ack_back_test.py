"""ack_back: a plain PULL peer sends the last part of each message back; exactly the unacked return."""

import zmq

import harness as h
import messages
from plain_gate_test import receivers, send, wait_peers


def ack_device(test, **channel):
    into, out, back = h.tcp(), h.tcp(), h.tcp()
    made = h.device(test, **{"in": ["@" + into], "ack_back": "@" + back,
                             "out": [{"endpoint": "@" + out, "peers": "ack_back"}]}, **channel).start()
    return made, into, out, back


def test_exactly_the_unacked_return(test):
    device, into, out, back = ack_device(test)
    group = receivers(test, out)
    victim = group.start("--ack", back, "--take", "100")
    send(test, into, 1, 100)
    victim.wait_line("took")
    victim.tell("ack 60")
    h.wait_for("60 acks", lambda: device.count("acked") == 60)
    first = [number for _, number, _ in messages.read_log(victim.log)]
    victim.kill()
    heir = group.start("--ack", back)
    h.wait_for("the 40 others", lambda: len(group.numbers(heir)) >= 40)
    heir.tell("ack 40")
    h.wait_for("all acked", lambda: device.count("acked") == 100)
    h.expect(group.numbers(heir) == set(first[60:]), "not exactly the unacked came back")
    h.expect(len(messages.read_log(heir.log)) == 40, "something came back twice")
    device.check_identity()


def all_written(device):
    """An ack counts at once; it holds across a kill -9 once its record is written."""
    journal = device.status()["journal"]
    return journal["written"] == journal["appended"]


def test_acks_hold_across_a_kill_of_the_device(test):
    device, into, out, back = ack_device(test)
    group = receivers(test, out)
    peer = group.start("--ack", back, "--take", "50")
    send(test, into, 1, 50)
    peer.wait_line("took")
    peer.tell("ack 20")
    h.wait_for("20 acks", lambda: device.count("acked") == 20)
    h.wait_for("their record to be written", lambda: all_written(device))
    first = [number for _, number, _ in messages.read_log(peer.log)]
    peer.kill()
    device.restart()
    device.check_identity()
    heir = group.start("--ack", back)
    h.wait_for("the 30 others", lambda: len(group.numbers(heir)) >= 30)
    h.expect(group.numbers(heir) == set(first[20:]), "not exactly the unacked came back")
    device.check_identity()


def test_a_consumer_that_stops_answering(test):
    """It stays connected, but never acks: its lease ends, and others get what it held."""
    device, into, out, back = ack_device(test, lease="300ms", backoff_min="20ms")
    group = receivers(test, out)
    stuck = group.start("--ack", back, "--take", "10")
    send(test, into, 1, 10)
    stuck.wait_line("took")
    with zmq.Context.instance().socket(zmq.PULL) as pull, \
            zmq.Context.instance().socket(zmq.PUSH) as acks:
        pull.rcvtimeo = int(20_000 * h.SCALE)
        pull.connect(out)
        acks.connect(back)
        while device.count("acked") < 10:
            if pull.poll(100):
                acks.send(pull.recv_multipart()[-1])
    h.expect(stuck.alive(), "the stuck consumer left")
    device.check_identity()


def test_a_repeated_and_a_foreign_ack_change_nothing(test):
    device, into, out, back = ack_device(test)
    context = zmq.Context.instance()
    with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as acks:
        pull.rcvtimeo = int(20_000 * h.SCALE)
        pull.connect(out)
        acks.connect(back)
        wait_peers(device, 1)
        send(test, into, 1, 3)
        ids = [pull.recv_multipart()[-1] for _ in range(3)]
        h.expect(len(set(ids)) == 3 and all(len(one) == 16 for one in ids), "ids are not 16 bytes each")
        for junk in (b"", b"x", bytes(16), bytes([255]) * 16, ids[0] + b"y"):
            acks.send(junk)
        acks.send_multipart([ids[0], ids[1]])
        for one in (ids[0], ids[0], ids[2]):
            acks.send(one)
        h.wait_for("the true acks", lambda: device.count("acked") >= 2)
        ends = [one for one in device.channel_status()["endpoints"] if one["role"] == "ack_back"]
        h.expect(ends[0]["garbage"] >= 3, f"garbage acks are not counted: {ends}")
    device.check_identity()


if __name__ == "__main__":
    h.main(globals())
