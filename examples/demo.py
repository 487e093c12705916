#!/usr/bin/python3
"""Two producers at full speed, two consumers that verify, and a device that is killed -9 and
restarted in the middle. The last line counts: sent, accepted, received, lost, duplicated.

Usage: demo.py [--messages N] [--kills N] [--durability disk|process] [--program PATH]"""

import argparse
import collections
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PRODUCERS = CONSUMERS = 2
PATIENCE_S = 60  # the longest time without any progress


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=1)
    parser.add_argument("--durability", default="disk")
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/holdfast"))
    return parser.parse_args()


def free_endpoint():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"


class device:
    def __init__(self, options, data, endpoint):
        self.command = [options.program, "pipeline", "--data", data, "--reliable", "@" + endpoint,
                        "--durability", options.durability, "--log", "error"]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "holdfast: ready\n":
            sys.exit("demo: the device did not start")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()


class producer(threading.Thread):
    """`holdfast push`, fed with numbered lines. Its exit status 0 means: every line was accepted."""

    def __init__(self, options, endpoint, name):
        super().__init__(daemon=True)
        self.name, self.count, self.sent, self.accepted = name, options.messages // PRODUCERS, 0, 0
        self.process = subprocess.Popen([options.program, "push", endpoint], stdin=subprocess.PIPE)

    def run(self):
        while self.sent < self.count:
            batch = range(self.sent, min(self.sent + 1000, self.count))
            self.process.stdin.write("".join(f"{self.name} {n}\n" for n in batch).encode())
            self.sent = batch.stop
        self.process.stdin.close()
        self.accepted = self.sent if self.process.wait() == 0 else 0


class consumer(threading.Thread):
    """`holdfast pull`: each line is acked once it was written to us."""

    def __init__(self, options, endpoint, seen):
        super().__init__(daemon=True)
        self.seen = seen
        self.process = subprocess.Popen([options.program, "pull", endpoint], stdout=subprocess.PIPE)

    def run(self):
        for line in self.process.stdout:
            self.seen.add(line)

    def stop(self):
        """Asks it to end and reads to the end: killed, it could leave half a line of a repeat."""
        self.process.terminate()
        self.join(PATIENCE_S)
        self.process.kill()


class ledger:
    """How often each message came."""

    def __init__(self, options):
        self.lock = threading.Lock()
        self.times = {f"producer-{n}": bytearray(options.messages // PRODUCERS)
                      for n in range(PRODUCERS)}
        self.received = self.foreign = 0

    def add(self, line):
        name, _, number = line.decode().rstrip("\n").partition(" ")
        with self.lock:
            if name not in self.times or not number.isdigit() or int(number) >= len(self.times[name]):
                self.foreign += 1
                return
            times = self.times[name]
            self.received += times[int(number)] == 0
            times[int(number)] = min(times[int(number)] + 1, 255)

    def tally(self):
        return collections.Counter(times for row in self.times.values() for times in row)


def progress(seen, total, goal):
    """Waits until `goal` messages were received; false when nothing comes any more."""
    last, since = -1, time.monotonic()
    while seen.received < goal:
        if seen.received != last:
            last, since = seen.received, time.monotonic()
        if time.monotonic() - since > PATIENCE_S:
            return False
        time.sleep(0.02)
    print(f"demo: {seen.received} of {total} received", flush=True)
    return True


def main():
    options = arguments()
    total = options.messages // PRODUCERS * PRODUCERS
    endpoint = free_endpoint()
    seen = ledger(options)
    with tempfile.TemporaryDirectory(prefix="holdfast-demo-") as data:
        broker = device(options, data, endpoint)
        producers = [producer(options, endpoint, name) for name in seen.times]
        consumers = [consumer(options, endpoint, seen) for _ in range(CONSUMERS)]
        for thread in producers + consumers:
            thread.start()
        for kill in range(options.kills):
            progress(seen, total, total * (kill + 1) // (options.kills + 1))
            broker.kill()
            print("demo: the device is killed -9; it starts again on its journal", flush=True)
            broker.start()
        progress(seen, total, total)
        for one in producers:
            one.join(PATIENCE_S)
        for one in consumers:
            one.stop()
        for one in producers:
            one.process.kill()
        broker.stop()
    return report(producers, seen, total)


def report(producers, seen, total):
    accepted = sum(one.accepted for one in producers)
    tally = seen.tally()
    duplicated = sum((times - 1) * count for times, count in tally.items() if times > 1)
    lost = tally[0] if accepted == total else max(0, accepted - seen.received)
    if seen.foreign:
        print(f"demo: {seen.foreign} messages came that nobody sent")
    print(f"sent {sum(one.sent for one in producers)}, accepted {accepted}, received {seen.received}, "
          f"lost {lost}, duplicated {duplicated}")
    return 0 if accepted == total and lost == 0 and not seen.foreign else 1


if __name__ == "__main__":
    sys.exit(main())
