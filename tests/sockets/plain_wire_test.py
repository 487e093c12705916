"""Bound plain inputs read ZMTP themselves: foreign peers of every kind they may meet, over TCP and ipc,
beside libzmq's own."""

import os
import resource
import socket
import time

import zmq

import harness as h
from zmtp import GREETING, SIGNATURE, connect, frame, hello

HELLO = hello(b"PUSH")


def lab(test, **more):
    entry = h.tcp()
    made = h.device(test, **{"in": ["@" + entry]}, reliable=["@" + h.tcp()], **more).start()
    return made, entry


def taken(device):
    return device.channel_status()["endpoints"][0]["messages"]


def test_old_peers_and_slow_ones_are_served(test):
    device, entry = lab(test)
    old = connect(entry)
    old.sendall(SIGNATURE + b"\1\x08" + frame(b"") + frame(b"old", 1) + frame(b"peer"))
    slow = connect(entry)
    slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for one in HELLO + frame(b"slow"):
        slow.sendall(bytes([one]))
    h.wait_for("both messages", lambda: taken(device) == 2)
    h.expect(old.recv(100).startswith(SIGNATURE + b"\3\7"), "no greeting of version 2.0")


def test_who_breaks_the_protocol_loses_its_connection_alone(test):
    device, entry = lab(test)
    good = connect(entry)
    good.sendall(HELLO + frame(b"one"))
    h.wait_for("a message", lambda: taken(device) == 1)
    for wrong in (b"GET / HTTP/1.1\r\n\r\n", GREETING.replace(b"NULL", b"CURV"), GREETING + frame(b"no READY"),
                  hello(b"PULL"),
                  HELLO + b"\2" + b"\xff" * 8, HELLO + frame(b"", 4)):
        bad = connect(entry)
        bad.sendall(wrong)
        while bad.recv(4096):
            pass
    good.sendall(frame(b"two"))
    h.wait_for("the other message", lambda: taken(device) == 2)
    h.expect("is cut" in device.process.errors(), device.process.errors())


def test_what_was_sent_before_the_end_is_taken(test):
    device, entry = lab(test)
    wanted = 0
    for size in (1, 300, 70_000, 3_000_000):
        peer = connect(entry)
        peer.sendall(HELLO)
        answer = b""
        while not answer.endswith(b"PULL"):  # what is unread at its end would reset the connection
            answer += peer.recv(4096)
        peer.sendall(frame(os.urandom(size)) * 5 + frame(b"half of it", 1))
        peer.close()
        wanted += 5
    h.wait_for("all whole messages", lambda: taken(device) == wanted)


def test_many_peers_of_libzmq_take_turns(test):
    device, entry = lab(test)
    context = zmq.Context()
    peers = []
    for _ in range(200):
        peers.append(context.socket(zmq.PUSH))
        # An answer that came too late would cost a peer what is under way.
        peers[-1].heartbeat_ivl, peers[-1].heartbeat_timeout = 100, 60_000
        peers[-1].connect(entry)
    for turn in range(50):
        for index, peer in enumerate(peers):
            peer.send_multipart([b"%d" % index, b"%d" % turn, b"x" * test.random.randrange(2000)])
    h.wait_for("all messages", lambda: taken(device) == 200 * 50)
    context.destroy(linger=0)


def test_a_stopped_device_holds_its_senders_and_loses_nothing(test):
    device, entry = lab(test, top={"disk_limit": "24MiB", "segment_size": "1MiB"})
    context = zmq.Context()
    idle = context.socket(zmq.PUSH)
    idle.heartbeat_ivl, idle.heartbeat_timeout = 50, 1500
    heard = idle.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
    idle.connect(entry)
    h.expect(heard.poll(10_000), "the idle peer was not let in")
    heard.recv_multipart()
    peer = context.socket(zmq.PUSH)
    peer.sndhwm = 10
    peer.sndtimeo = 2000
    peer.connect(entry)
    sent = 0
    try:
        while sent < 1000:
            peer.send(b"y" * 100_000)
            sent += 1
    except zmq.Again:
        pass
    h.expect(20 < sent < 1000, f"{sent} messages left before the device held its sender")
    h.expect(not heard.poll(3500), "the device answers no pings while it holds its senders")
    late = context.socket(zmq.PUSH)
    late_heard = late.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    late.connect(entry)
    h.expect(late_heard.poll(10_000), "nobody is let in while the device holds its senders")
    idle.disable_monitor()
    late.disable_monitor()
    context.destroy(linger=0)


def free_descriptor(pid):
    """The lowest number that a process does not use: with this as its limit it can open nothing more."""
    used = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    return next(number for number in range(len(used) + 1) if number not in used)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_out_of_descriptors_those_who_are_there_are_served_and_new_ones_wait(test):
    entry = h.tcp()
    device = h.device(test, **{"in": ["@" + entry]}, reliable=["@" + h.tcp()])
    device.log = "debug"
    device.start()
    good = connect(entry)
    good.sendall(HELLO + frame(b"one"))
    h.wait_for("a message", lambda: taken(device) == 1)
    before = resource.prlimit(device.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(device.pid, resource.RLIMIT_NOFILE, (free_descriptor(device.pid), before[1]))
    waiting = [connect(entry) for _ in range(3)]
    for peer in waiting:
        peer.sendall(HELLO + frame(b"late"))

    def tries():
        return device.process.errors().count("new peers wait: Too many open files")
    h.wait_for("word of it", lambda: tries() > 0)
    begun, worked = time.monotonic(), cpu_seconds(device.pid)
    good.sendall(frame(b"two"))
    h.wait_for("more tries", lambda: tries() > 4)
    worked, took = cpu_seconds(device.pid) - worked, time.monotonic() - begun
    h.expect(took > 1, f"the door was tried {tries()} times in {took:.2f} s")
    h.expect(worked < took / 2, f"{worked:.2f} s of work in {took:.2f} s while new peers wait")
    resource.prlimit(device.pid, resource.RLIMIT_NOFILE, before)
    h.wait_for("all messages", lambda: taken(device) == 5)


def test_ipc_is_served_too(test):
    path = "ipc://" + test.path("entry")
    device = h.device(test, **{"in": ["@" + path]}, reliable=["@" + h.tcp()]).start()
    context = zmq.Context()
    peer = context.socket(zmq.PUSH)
    peer.connect(path)
    for number in range(1000):
        peer.send(b"%d" % number)
    h.wait_for("all messages", lambda: taken(device) == 1000)
    context.destroy(linger=0)


if __name__ == "__main__":
    h.main(globals())
