#!/usr/bin/python3
"""Instructions a message costs on the block path, counted by callgrind: a figure that hardly differs
from run to run, of whatever machine. Usage: instructions_test.py PROGRAM
"""

import re
import subprocess
import sys
import tempfile

MESSAGES = 8 * 8192  # of the measured rounds of block_path_cost_test.cpp
# A sixth above what they are: what makes one of them dearer says so here, in the same change.
LIMITS = {"producer": 490, "device": 96, "worker": 180}


def instructions(program, who):
    """Of one of the three, a message: sending, one turn after another of the device, receiving and acking."""
    with tempfile.NamedTemporaryFile() as profile:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile.name}", "--collect-atstart=no",
             f"--toggle-collect=*measured_{who}*", program, "--no-skip", "--test-case=block path: instructions"],
            capture_output=True, text=True, timeout=300, check=False)
    collected = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not collected:
        sys.exit(f"callgrind did not count {who}:\n{done.stdout}{done.stderr}")
    return int(collected.group(1)) / MESSAGES


def main(program):
    failed = False
    for who, limit in LIMITS.items():
        spent = instructions(program, who)
        print(f"{who}: {spent:.0f} instructions a message, at most {limit}")
        failed = failed or not 0 < spent <= limit
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
