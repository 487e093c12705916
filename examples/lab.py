"""What the examples in Python have in common: where the program is, starting it, a free port."""

import argparse
import json
import os
import socket
import subprocess
import sys
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def arguments(**numbers):
    """Options of an example: --program, and those named here with their defaults."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=os.path.join(ROOT, "build/release/holdfast"))
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    return parser.parse_args()


def start(*command):
    """A device, once it is ready."""
    process = subprocess.Popen([*command, "--log", "error"], stdout=subprocess.PIPE, text=True)
    if process.stdout.readline() != "holdfast: ready\n":
        sys.exit(f"{command[1]} did not start")
    return process


def run(program, home, channel):
    """A device of one channel with its journal in `home`."""
    config = os.path.join(home, "device.yaml")
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"devices": [{"name": "example", "data": home + "/journal", "channels": [channel]}]}, file)
    return start(program, "run", config)


def channel_status(program, home):
    done = subprocess.run([program, "status", home + "/journal", "--json"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)["channels"][0]


def python(script, *words):
    """Another process of the same example."""
    return subprocess.Popen([sys.executable, "-u", script, *map(str, words)], stdout=subprocess.PIPE, text=True)


def wait_until(condition, patience_s=20):
    end = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > end:
            sys.exit("waited in vain")
        time.sleep(0.02)


def stop(*processes):
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait()


def free_endpoint():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{probe.getsockname()[1]}"
