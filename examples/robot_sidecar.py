#!/usr/bin/python3
"""A robot whose network goes away. Its program pushes readings into a plain PUSH socket and knows
nothing of Holdfast; the sidecar beside it keeps them while the base station is unreachable. At the
end every reading stands at the base once and in order.

Usage: robot_sidecar.py [--seconds N] [--away N] [--cut COMMAND --mend COMMAND] [--program PATH]

The base is killed and started again; or, with commands that do it, the network goes away. As root:
  unshare -n sh -c 'ip link set lo up; $0 --cut "ip link set lo down" --mend "ip link set lo up"' examples/robot_sidecar.py
"""

import subprocess
import sys
import tempfile
import time

import zmq

import lab

RATE = 200  # readings a second


class base_station:
    """The device far away. It is cut off by commands if they are given, else by killing it."""

    def __init__(self, options, home, endpoint):
        self.options = options
        self.command = (options.program, "pipeline", "--data", home + "/base", "--reliable", "@" + endpoint)
        self.process = lab.start(*self.command)
        self.gone = False

    def cut(self):
        self.gone = True
        if self.options.cut:
            subprocess.run(self.options.cut, shell=True, check=True)
        else:
            self.process.kill()
            self.process.wait()

    def mend(self):
        if self.options.cut:
            subprocess.run(self.options.mend, shell=True, check=True)
        else:
            self.process = lab.start(*self.command)
        self.gone = False


def main():
    options = lab.arguments(seconds=6.0, away=3.0, cut="", mend="")
    with tempfile.TemporaryDirectory() as home:
        base_at, robot_at = lab.free_endpoint(), f"ipc://{home}/robot"
        base = base_station(options, home, base_at)
        side = lab.start(options.program, "sidecar", "--data", home + "/robot-data", "--pull", "@" + robot_at,
                         "--to", base_at)
        out = zmq.Context.instance().socket(zmq.PUSH)
        out.connect(robot_at)
        sent = drive(options, base, out)
        got = subprocess.run([options.program, "pull", base_at, "--count", str(sent), "--timeout", "20s"],
                             stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()
        in_order = got == [f"reading {i}" for i in range(1, sent + 1)]
        print(f"{sent} readings sent, {len(got)} at the base, "
              f"{'each once and in order' if in_order else 'NOT each once and in order'}")
        lab.stop(side, base.process)
    sys.exit(0 if in_order else 1)


def drive(options, base, out):
    """Readings for so many seconds, in whose midst the base is away; how many."""
    begun, sent, was_away = time.monotonic(), 0, False
    while (now := time.monotonic() - begun) < options.seconds:
        if now > 1 and not was_away:
            base.cut()  # the robot goes on
            was_away = True
            print(f"after {sent} readings: the base is gone", flush=True)
        if base.gone and now > 1 + options.away:
            base.mend()
            print(f"after {sent} readings: the base is back", flush=True)
        sent += 1
        out.send_string(f"reading {sent}")
        time.sleep(1 / RATE)
    if base.gone:
        base.mend()
    return sent


if __name__ == "__main__":
    main()
