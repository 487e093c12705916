#!/usr/bin/python3
"""A detector of 200 frames a second, 2 MB each with a JSON header; a writer that is too slow for it; and
a live viewer that wants the newest frame alone. All three are plain ZeroMQ. The writer has a durable
subscription: it gets every frame, in order, however far behind it is. The viewer's endpoint is
lossy: what it has no time for is gone.

Usage: detector.py [--seconds N] [--rate N] [--program PATH]     everything, on a device of its own
       detector.py source ENDPOINT SECONDS RATE | writer ENDPOINT | viewer ENDPOINT"""

import hashlib
import json
import os
import sys
import tempfile
import time
import zlib

import zmq

import lab

FRAME_BYTES = 2_000_000
SCREEN_HZ = 25


def source(endpoint, seconds, rate):
    out = zmq.Context.instance().socket(zmq.XPUB)  # a PUB that can see its subscriptions
    out.sndhwm = 16
    out.setsockopt(zmq.XPUB_NODROP, 1)  # full: it waits, and does not throw away
    out.connect(endpoint)
    out.recv()  # the device is there
    frames = [os.urandom(FRAME_BYTES) for _ in range(8)]
    sums = [zlib.crc32(frame) for frame in frames]
    count, begun = int(float(seconds) * float(rate)), time.monotonic()
    for number in range(1, count + 1):
        which = number % len(frames)
        header = {"frame": number, "shape": [1000, 1000], "dtype": "<u2", "crc32": sums[which]}
        out.send_multipart([b"camera", json.dumps(header).encode(), frames[which]], copy=False)
        time.sleep(max(0.0, begun + number / float(rate) - time.monotonic()))
    took = time.monotonic() - begun
    out.send_multipart([b"camera", json.dumps({"end": count}).encode()])
    print(f"source: {count} frames in {took:.1f} s, {count / took:.0f} a second")
    out.close()
    zmq.Context.instance().term()


def subscribe(endpoint):
    made = zmq.Context.instance().socket(zmq.SUB)
    made.rcvhwm = 2
    made.subscribe("camera")
    made.connect(endpoint)
    return made


def intact(header, frame):
    return len(frame) == FRAME_BYTES and zlib.crc32(frame) == header["crc32"]


def writer(endpoint):
    """Two digests of each frame stand for the work of a slow disk."""
    frames, last = subscribe(endpoint), 0
    while True:
        _, text, *frame = frames.recv_multipart(copy=False)
        header = json.loads(bytes(text))
        if "end" in header:
            break
        if header["frame"] != last + 1 or not intact(header, frame[0].buffer):
            sys.exit(f"writer: frame {header['frame']} came after {last}, or damaged")
        hashlib.sha512(frame[0].buffer)
        hashlib.blake2b(frame[0].buffer)
        last += 1
    if last != header["end"]:
        sys.exit(f"writer: {last} of {header['end']} frames")
    print(f"writer: {last} frames, each once, in order and intact")


def viewer(endpoint):
    frames, shown, newest = subscribe(endpoint), 0, 0
    frames.rcvtimeo = 10_000
    while True:
        try:
            _, text, *frame = frames.recv_multipart(copy=False)
        except zmq.Again:
            break
        frames.rcvtimeo = 1000  # nothing for so long: the detector has ended
        header = json.loads(bytes(text))
        if "end" in header:
            break
        if header["frame"] <= newest or not intact(header, frame[0].buffer):
            sys.exit(f"viewer: frame {header['frame']} came after {newest}, or damaged")
        shown, newest = shown + 1, header["frame"]
        time.sleep(1 / SCREEN_HZ)  # the screen
    print(f"viewer: {shown} frames shown, the newest {newest}")
    sys.exit(0 if shown else 1)


def main():
    options = lab.arguments(seconds=3.0, rate=200.0)
    with tempfile.TemporaryDirectory() as home:
        into, all_of_it, live = (f"ipc://{home}/{name}" for name in ("in", "all", "live"))
        device = lab.run(options.program, home, {
            "name": "frames", "pattern": "pubsub", "in": ["@" + into],
            "out": [{"endpoint": "@" + all_of_it, "durable": "writer"},
                    {"endpoint": "@" + live, "peers": "lossy", "send_hwm": 2}]})
        slow, screen = lab.python(__file__, "writer", all_of_it), lab.python(__file__, "viewer", live)
        lab.wait_until(lambda: any(group["attached"] for stream in lab.channel_status(
            options.program, home)["streams"] for group in stream["groups"] if group["name"] == "writer"))
        camera = lab.python(__file__, "source", into, options.seconds, options.rate)
        outcomes = []
        for process in (camera, screen, slow):
            print(process.communicate()[0], end="", flush=True)
            outcomes.append(process.returncode)
        lab.stop(device)
    sys.exit(max(map(abs, outcomes)))


if __name__ == "__main__":
    roles = {"source": source, "writer": writer, "viewer": viewer}
    if len(sys.argv) > 1 and sys.argv[1] in roles:
        roles[sys.argv[1]](*sys.argv[2:])
    else:
        main()
