#!/usr/bin/python3
"""Serializers on real sockets: typed C++ messages read as JSON by Python, transcoding that fails and
loses nothing, and messages decoded by the tools."""

import base64
import json
import os
import sys

import msgpack
import zmq

import harness as h

EXAMPLES = os.path.join(h.HERE, "../../examples")
TRANSCODE = {"from": "msgpack", "to": "json"}
GARBAGE = b"\xc1 is never MessagePack"


def pull_from(test, endpoint):
    socket = zmq.Context.instance().socket(zmq.PULL)
    socket.linger = 0
    socket.rcvtimeo = int(20_000 * h.SCALE)
    socket.connect(endpoint)
    test.on_end(socket.close)
    return socket


def push_all(reliable, messages):
    """Sends messages (lists of bytes) with the tool, waits until all are accepted."""
    lines = [json.dumps({"parts": [part if isinstance(part, str) else {"base64": base64_of(part)}
                                   for part in message]}) for message in messages]
    done = h.run("push", reliable, "--json", text_in="\n".join(lines) + "\n")
    h.expect(done.returncode == 0, f"push failed: {done.stderr}")


def base64_of(data):
    return base64.b64encode(data).decode()


def outputs(device):
    return [e for e in device.channel_status()["endpoints"] if e["role"] == "out"]


def test_typed_messages_read_as_json(test):
    """examples/typed_producer.cpp, typed.yaml and typed_reader.py, as they are but for the ports."""
    reliable, out, count = h.tcp(), h.tcp(), 1000
    with open(os.path.join(EXAMPLES, "typed.yaml"), encoding="utf-8") as file:
        config = file.read()
    for old, new in (("tcp://127.0.0.1:5557", reliable), ("tcp://127.0.0.1:5556", out),
                     ("typed-journal", test.path("journal"))):
        h.expect(old in config, f"typed.yaml has no {old}")
        config = config.replace(old, new)
    with open(test.path("typed.yaml"), "w", encoding="utf-8") as file:
        file.write(config)
    device = test.child("device", [h.options.bin, "run", test.path("typed.yaml")])
    device.wait_line("holdfast: ready")
    reader = test.child("reader", [sys.executable, os.path.join(EXAMPLES, "typed_reader.py"), out,
                                   str(count)])
    program = os.path.join(os.path.dirname(h.options.bin), "examples", "typed_producer")
    producer = test.child("producer", [program, reliable, str(count)])
    producer.wait_line(f"{count} readings accepted")
    for n in range(1, count + 1):
        line = reader.wait_line("readings ")
        h.expect(line == f"readings {n} north {20.5 + n % 4} [1, 2, {n % 100}]", f"line {n}: {line}")
    h.expect(reader.wait_exit() == 0, "the reader failed")


def test_a_failing_serializer_loses_nothing(test):
    """What cannot be transcoded leaves as it came, in its place, counted; the journal has the bytes."""
    reliable, out = h.tcp(), h.tcp()
    device = h.device(test, reliable=[reliable], out=[{"endpoint": out, "transcode": TRANSCODE}])
    device.start()
    values = [{"n": n, "text": "x" * n, "raw": bytes(range(n % 7))} for n in range(200)]
    messages = [["topic", GARBAGE if n % 10 == 3 else msgpack.packb(value)]
                for n, value in enumerate(values)]
    push_all(reliable, messages)
    socket = pull_from(test, out)
    for n, value in enumerate(values):
        topic, part = socket.recv_multipart()
        h.expect(topic == b"topic", f"message {n}: topic {topic}")
        if n % 10 == 3:
            h.expect(part == GARBAGE, f"message {n} changed though it could not: {part}")
            continue
        expected = {**value, "raw": {"base64": base64_of(value["raw"])}}
        h.expect(json.loads(part) == expected, f"message {n}: {part}")
    told = outputs(device)[0]["transcode"]
    h.expect((told["changed"], told["failed"]) == (180, 20), f"status says {told}")
    h.expect("malformed" in told["last_failure"], f"status says {told}")
    device.terminate()
    check_journal(device.data, messages)


def check_journal(data, messages):
    stored = [json.loads(line) for line in h.run("journal", "cat", data, "--json").stdout.splitlines()]
    parts = [line["parts"] for line in stored if "parts" in line]
    h.expect(len(parts) == len(messages), f"{len(parts)} messages in the journal")
    for (_, part), (_, sent) in zip(parts, messages):
        data_of = base64.b64decode(part["base64"]) if isinstance(part, dict) else part.encode()
        h.expect(data_of == sent, f"the journal has {part}, sent was {sent}")
    decoded = h.run("journal", "cat", data, "--json", "--decode", "msgpack").stdout.splitlines()
    decoded = [line for line in map(json.loads, decoded) if "parts" in line]
    h.expect(all("error" in line if sent == GARBAGE else line["value"]["n"] == n
                 for n, (line, (_, sent)) in enumerate(zip(decoded, messages))),
             "journal cat --decode tells other values")


def test_two_forms_of_one_queue(test):
    """Two outputs of one queue: one as it came, one transcoded, each message once."""
    reliable, as_came, as_json = h.tcp(), h.tcp(), h.tcp()
    device = h.device(test, reliable=[reliable],
                      out=[as_came, {"endpoint": as_json, "transcode": TRANSCODE}])
    device.start()
    push_all(reliable, [[msgpack.packb(n)] for n in range(1000)])
    first, second = pull_from(test, as_came), pull_from(test, as_json)
    seen = []
    poller = zmq.Poller()
    for socket in (first, second):
        poller.register(socket, zmq.POLLIN)
    while len(seen) < 1000:
        ready = dict(poller.poll(20_000 * h.SCALE))
        h.expect(ready, f"only {len(seen)} of 1000 came")
        if first in ready:
            seen.append(msgpack.unpackb(first.recv()))
        if second in ready:
            seen.append(json.loads(second.recv()))
    h.expect(sorted(seen) == list(range(1000)), "not every message came once")


def test_a_serializer_that_is_not_there(test):
    """is told by check and by run, with its place in the file, before anything starts."""
    device = h.device(test, out=[{"endpoint": h.tcp(), "transcode": {"from": "msgpack", "to": "jsn"}}])
    device.write_config()
    done = h.run("check", device.config)
    h.expect(done.returncode == 1 and "there is no serializer 'jsn'" in done.stderr, done.stderr)


def test_pull_decodes(test):
    reliable = h.tcp()
    h.device(test, reliable=[reliable]).start()
    push_all(reliable, [["t", msgpack.packb([1, b"\xff"])]])
    done = h.run("pull", reliable, "--count", "1", "--decode", "msgpack", "--timeout", "20s")
    h.expect(done.stdout == 't\t[1,{"base64":"/w=="}]\n', f"{done.stdout!r} {done.stderr}")


if __name__ == "__main__":
    h.main(globals())
