"""What every socket test stands on: devices and other children as processes, waiting for conditions,
status and its identity, and the runner.

Contract: every child dies with the test that started it. Ports are free loopback ports below the
ephemeral range. Nothing sleeps to synchronise: tests wait for a condition with a deadline, and a
deadline that passes is a failure that says what was waited for. HOLDFAST_TEST_SCALE stretches all
deadlines (sanitizers, slow machines).
"""

import argparse
import contextlib
import ctypes
import functools
import itertools
import json
import os
import random
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
SANITIZED = os.environ.get("HOLDFAST_SANITIZED") == "1"  # then memory and time say nothing of the product
SCALE = float(os.environ.get("HOLDFAST_TEST_SCALE", "5" if SANITIZED else "1"))
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1

options = argparse.Namespace(bin="", tools="", long=False, repeat=1, only="", seed=0, keep=False)


class skip(Exception):
    """This test cannot run here; the reason is its text."""


class failure(AssertionError):
    """A guarantee does not hold."""


def expect(condition, text):
    if not condition:
        raise failure(text() if callable(text) else text)


def wait_for(what, condition, within=15.0):
    """Returns the first true value of condition(); a failure naming `what` after `within` seconds."""
    end = time.monotonic() + within * SCALE
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise failure(f"waited {within * SCALE:.0f} s in vain for: {what}")
        time.sleep(pause)  # the interval of asking, not a guess how long something takes
        pause = min(pause * 1.5, 0.05)


class port_range:
    """Ports of this process alone: no two calls within a turn of the range give the same one.

    A range belongs to the process that holds its first port bound, so tests that run side by side
    never meet; the ranges lie below what outgoing connections take.
    """
    WIDTH, LOWEST, HIGHEST = 100, 12000, 32000

    def __init__(self):
        starts = list(range(self.LOWEST, self.HIGHEST, self.WIDTH))
        random.SystemRandom().shuffle(starts)
        for start in starts:
            self.claim = socket.socket()
            with contextlib.suppress(OSError):
                self.claim.bind(("127.0.0.1", start))
                self.ports = itertools.cycle(range(start + 1, start + self.WIDTH))
                return
            self.claim.close()
        raise failure(f"no free range of ports between {self.LOWEST} and {self.HIGHEST}")

    def take(self):
        """The next port of the range that nobody listens on."""
        for port in itertools.islice(self.ports, self.WIDTH):
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
                return port
        raise failure(f"no free port of {self.WIDTH} in this range")


@functools.cache
def own_ports():
    return port_range()


def free_port():
    """A loopback port nobody listens on and nobody else was given."""
    return own_ports().take()


def tcp(port=None):
    return f"tcp://127.0.0.1:{port or free_port()}"


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class child:
    """One process started by a test; its standard error goes to a file, its lines are events."""

    def __init__(self, name, command, where, stdin=True):
        self.name = name
        self.error_path = os.path.join(where, f"{name}.stderr")
        with open(self.error_path, "ab") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=errors, preexec_fn=die_with_parent)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.buffer = b""
        self.lines = []

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def read_lines(self, wait):
        """Takes in what the child has printed, waiting at most `wait` seconds for something."""
        with selectors.DefaultSelector() as ready:
            ready.register(self.process.stdout, selectors.EVENT_READ)
            if not ready.select(wait):
                return True
        piece = self.process.stdout.read(1 << 20)
        if piece == b"":
            return False
        self.buffer += piece or b""
        *whole, self.buffer = self.buffer.split(b"\n")
        self.lines += [line.decode(errors="replace") for line in whole]
        return True

    def wait_line(self, beginning, within=20.0):
        """The first line not yet taken that begins so; earlier ones are taken with it."""
        end = time.monotonic() + within * SCALE
        while True:
            for index, line in enumerate(self.lines):
                if line.startswith(beginning):
                    del self.lines[: index + 1]
                    return line
            left = end - time.monotonic()
            expect(left > 0, f"{self.name} did not say '{beginning}' within {within * SCALE:.0f} s")
            expect(self.read_lines(left), lambda: f"{self.name} ended without saying '{beginning}': "
                   f"{self.errors()[-2000:]}")

    def signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        """kill -9, and waits until it is gone."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
        self.process.wait()

    def wait_exit(self, within=20.0):
        try:
            return self.process.wait(within * SCALE)
        except subprocess.TimeoutExpired:
            raise failure(f"{self.name} did not end within {within * SCALE:.0f} s") from None

    def errors(self):
        with open(self.error_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self):
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


class device:
    """A `holdfast run` process with one channel; can be killed and started again on its journal."""

    def __init__(self, test, name="lab", data=None, top=None, **channel):
        self.test = test
        self.name = name
        self.data = data or os.path.join(test.dir, name)
        self.channel = {"name": "work", "pattern": "pipeline", "durability": "process", **channel}
        self.top = top or {}
        self.config = os.path.join(test.dir, f"{name}.yaml")
        self.process = None
        self.starts = 0
        self.under = []  # a command that runs the program, as strace does
        self.log = "info"
        test.devices.append(self)
        test.on_end(self.stop_hard)

    def write_config(self):
        device_map = {"name": self.name, "data": self.data, **self.top, "channels": [self.channel]}
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump({"devices": [device_map]}, file, indent=2)  # JSON is YAML

    def start(self, within=20.0):
        self.write_config()
        self.starts += 1
        self.process = child(self.name, [*self.under, options.bin, "run", "--log", self.log, self.config], self.test.dir,
                             stdin=False)
        self.process.wait_line("holdfast: ready", within)
        return self

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.alive()

    def kill(self):
        self.process.close()

    def terminate(self, within=20.0):
        """SIGTERM; the device drains and ends with status 0."""
        self.process.signal(signal.SIGTERM)
        code = self.process.wait_exit(within)
        expect(code == 0, lambda: f"after SIGTERM the device ended with {code}: "
               f"{self.process.errors()[-2000:]}")

    def restart(self):
        self.kill()
        return self.start()

    def stop_hard(self):
        if self.process:
            self.process.close()

    def status(self):
        done = run("status", self.data, "--json")
        expect(done.returncode == 0, lambda: f"status failed: {done.stderr}")
        return json.loads(done.stdout)

    def stream(self, address=None):
        """The figures of one address of the only channel, or {} while it has none."""
        streams = self.channel_status()["streams"]
        for stream in streams:
            if address is None or stream["address"] == address:
                return stream
        return {}

    def channel_status(self):
        return self.status()["channels"][0]

    def count(self, what, address=None):
        return self.stream(address).get("counts", {}).get(what, 0)

    def check_identity(self):
        """`in` equals the sum of where every message is, in every stream and group. Returns the figures."""
        channel = self.channel_status()
        for stream in channel["streams"]:
            for one in (stream, *stream.get("groups", [])):
                counts = one["counts"]
                rest = sum(counts[key] for key in IDENTITY)
                expect(counts["in"] == rest, f"identity broken in {stream['address']} {one.get('name', '')}: "
                       f"in {counts['in']} but the rest sums to {rest}: {counts}")
        return channel

    def rss_anon(self):
        """Anonymous resident memory in bytes."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("RssAnon:"):
                    return int(line.split()[1]) * 1024
        raise failure("no RssAnon in /proc")


IDENTITY = ("acked", "settled", "in_doubt", "ready", "in_flight", "delayed", "prepared", "expired",
            "dead", "redriven", "purged", "dropped", "lost_at_power")


def run(*arguments, within=60.0, text_in=None):
    """Runs a holdfast command to its end."""
    return subprocess.run([options.bin, *arguments], input=text_in, capture_output=True, text=True,
                          timeout=within * SCALE, check=False, preexec_fn=die_with_parent)


class scene:
    """What one test function gets: a directory, a seeded random source, children that end with it."""

    def __init__(self, name, seed):
        self.name = name
        self.seed = seed
        self.random = random.Random(seed)
        self.dir = tempfile.mkdtemp(prefix="hf-")
        self.ends = []
        self.devices, self.children = [], []
        self.histories = False  # load programs write down what a checker of histories reads

    def on_end(self, call):
        self.ends.append(call)

    def child(self, name, command):
        made = child(name, command, self.dir)
        self.children.append(made)
        self.on_end(made.close)
        return made

    def script(self, name, *arguments):
        return self.child(name, [sys.executable, "-u", os.path.join(HERE, "peers.py"), *arguments])

    def tool(self, name, program, *arguments):
        return self.child(name, [os.path.join(options.tools, program), *map(str, arguments)])

    def path(self, name):
        return os.path.join(self.dir, name)

    def finish(self):
        for call in reversed(self.ends):
            call()
        if not options.keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    def print_errors(self):
        for one in self.children:
            print(f"--- {one.name}: exit {one.process.poll()}, unread lines {one.lines[:5]}")
        for one in self.devices:
            with contextlib.suppress(Exception):
                print(f"--- {one.name}: {json.dumps(one.status()['channels'])}"[:4000])
        for name in sorted(os.listdir(self.dir)):
            if name.endswith(".stderr"):
                with open(os.path.join(self.dir, name), encoding="utf-8", errors="replace") as file:
                    text = file.read()
                if text:
                    print(f"--- {name}\n{text[-3000:]}", flush=True)


HELD, SKIPPED, FAILED = "held", "skipped", "failed"
SKIP_STATUS = 77  # what ctest takes as a skip: never when anything failed


def run_one(function, seed):
    """How one test ended: HELD, SKIPPED or FAILED."""
    test = scene(function.__name__, seed)
    begun = time.monotonic()
    try:
        function(test)
        test.finish()
        print(f"ok   {function.__name__} {time.monotonic() - begun:.1f} s", flush=True)
        return HELD
    except skip as reason:
        test.finish()
        print(f"SKIP: {function.__name__}: {reason}", flush=True)
        return SKIPPED
    except Exception:
        print(f"FAIL {function.__name__} (--only {function.__name__} --seed {seed})")
        traceback.print_exc(file=sys.stdout)
        with contextlib.suppress(Exception):
            test.print_errors()
            for call in reversed(test.ends):
                call()
        shutil.rmtree(test.dir, ignore_errors=True) if not options.keep else print(test.dir)
        return FAILED


def need_root():
    if os.geteuid() != 0:
        raise skip("needs root")


def main(tests):
    """Runs every test_* of a module. Exit status: 1 if one failed, else SKIP_STATUS if one was skipped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", default=os.environ.get("HOLDFAST_BIN", ""))
    parser.add_argument("--tools", default=os.environ.get("HOLDFAST_TEST_TOOLS", ""))
    parser.add_argument("--long", action="store_true",
                        default=os.environ.get("HOLDFAST_LONG") == "1", help="the full form")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--only", default="", help="one test function")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="leave the directory")
    vars(options).update(vars(parser.parse_args()))  # a namespace given to argparse keeps its own defaults
    if not os.access(options.bin, os.X_OK):
        sys.exit("give the holdfast program with --bin or HOLDFAST_BIN")
    os.environ["PYTHONUNBUFFERED"] = "1"
    chosen = [call for name, call in tests.items()
              if name.startswith("test_") and callable(call) and options.only in ("", name)]
    if not chosen:
        sys.exit(f"no test function is named {options.only}")
    ended = {HELD: 0, SKIPPED: 0, FAILED: 0}
    for turn in range(options.repeat):
        seed = (options.seed or random.SystemRandom().randrange(1, 1 << 32)) + turn
        for function in chosen:
            ended[run_one(function, seed)] += 1
    print(", ".join(f"{count} {how}" for how, count in ended.items()), flush=True)
    sys.exit(1 if ended[FAILED] else SKIP_STATUS if ended[SKIPPED] else 0)
