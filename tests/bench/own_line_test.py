#!/usr/bin/python3
"""`holdfast bench` measures the lines of a running device, of each pattern, again and again, and lets
alone what is not its own. Figures are not looked at. Usage: own_line_test.py DEVICE"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile

PATTERNS = ("pipeline", "pubsub", "reqrep")


def free_endpoint():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{one.getsockname()[1]}"


class running_device:
    """A device of one channel with a reliable endpoint, a plain one to put in and one to take out."""

    def __init__(self, program, pattern, folder):
        self.reliable, self.inner, self.outer = (free_endpoint() for _ in range(3))
        self.process = subprocess.Popen(
            [program, pattern, "--data", os.path.join(folder, pattern), "--log", "warning",
             "--durability", "process", "--reliable", "@" + self.reliable, "--in", "@" + self.inner,
             "--out", "@" + self.outer], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "holdfast: ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.process.stdout.close()


def run(program, *words):
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=120)


def bench(program, *words):
    return run(program, "bench", *words, "--seconds", "0.2")


def measured(program, *words):
    done = bench(program, *words, "--json")
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["messages"] > 0 and row["messages_per_s"] > 0, row
    return row


def check_pattern(program, pattern, folder):
    with running_device(program, pattern, folder) as at:
        reliable = (at.reliable, at.reliable, "--pattern", pattern, "--durability", "process")
        measured(program, *reliable, "--name", "one")
        measured(program, at.inner, at.outer, "--pattern", pattern, "--plain")
        row = measured(program, at.inner, at.reliable, "--pattern", pattern, "--plain-to", "--rate",
                       "500", "--size", "1000")
        assert row["size"] == 1000 and 0 < row["p50_us"] <= row["p99_us"] <= row["p999_us"], row


def check_text(program, folder):
    with running_device(program, "pipeline", folder) as at:
        done = bench(program, at.reliable, at.reliable, "--durability", "process")
        assert done.returncode == 0 and "each came once, whole, in order" in done.stdout, done


def check_somebody_elses(program, folder):
    """A message that waits in the line ends the run, and waits there still."""
    with running_device(program, "pipeline", folder) as at:
        sent = subprocess.run([program, "push", at.reliable], input="precious\n", text=True,
                              check=False, timeout=60)
        assert sent.returncode == 0
        done = bench(program, at.reliable, at.reliable)
        assert done.returncode == 1 and "a message of somebody else came" in done.stderr, done
        left = run(program, "pull", at.reliable, "--count", "1", "--timeout", "30s")
        assert left.stdout == "precious\n", left


def check_mistakes(program):
    for words, status, said in (
            (["tcp://127.0.0.1:1"], 2, "FROM is required"),
            (["@tcp://127.0.0.1:1", "tcp://127.0.0.1:1"], 1, "a reliable end connects"),
            (["inproc://a", "inproc://b", "--plain"], 1, "inproc does not reach"),
            (["tcp://127.0.0.1:1", "tcp://127.0.0.1:1", "--pattern", "queue"], 2, "--pattern")):
        done = run(program, "bench", *words)
        assert done.returncode == status and said in done.stderr, (words, done)
    assert "TO" in run(program, "bench", "--help").stdout


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        for pattern in PATTERNS:
            check_pattern(program, pattern, os.path.join(folder, "of"))
        check_text(program, os.path.join(folder, "text"))
        check_somebody_elses(program, os.path.join(folder, "else"))
    check_mistakes(program)


if __name__ == "__main__":
    main()
