"""holdfast journal repair on the journal of a real device: what it says, what it changes, its exit status."""

import glob
import json
import os

import harness as h
import hfp

COUNT = 300


def stopped(test):
    """A device that was stopped in good order with COUNT messages on many segments behind it."""
    endpoint = h.tcp()
    device = h.device(test, top={"segment_size": "16KiB"}, reliable=["@" + endpoint]).start()
    with hfp.producer(endpoint, "p") as producer:
        for at in range(0, COUNT, 10):
            producer.publish_block([[line(n)] for n in range(at, at + 10)])
        producer.wait_accepted(20 * h.SCALE)
    device.terminate()
    return device, endpoint


def line(number):
    return b"message %d %s" % (number, b"x" * 200)


def tree(directory):
    files = glob.glob(os.path.join(directory, "**"), recursive=True)
    return {path: open(path, "rb").read() for path in files if os.path.isfile(path)}


def spoil(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(b"rot" * 10)


def repair(device, code, *more):
    done = h.run("journal", "repair", device.data, *more)
    h.expect(done.returncode == code, f"repair {more}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def pulled(device, endpoint, count):
    device.start()
    done = h.run("pull", endpoint, "--count", str(count), "--timeout", "20s")
    device.terminate()
    h.expect(done.returncode == 0, f"pull: {done.stderr}")
    return done.stdout.splitlines()


def test_repair_of_a_device_s_journal(test):
    device, endpoint = stopped(test)
    h.expect("nothing to repair" in repair(device, 0), "a sound journal is not called sound")
    segments = sorted(glob.glob(device.data + "/seg/*.seg"))
    spoil(segments[0], 20)
    spoil(segments[1], 2048 + 20)
    before = tree(device.data)
    text = repair(device, 3)
    for name in (segments[0], segments[1]):
        h.expect(f"would rewrite seg/{os.path.basename(name)}" in text, f"repair says {text}")
    h.expect(tree(device.data) == before, "repair without --yes changed something")
    rows = [json.loads(row) for row in repair(device, 3, "--json").splitlines()]
    h.expect([row["offset"] for row in rows] == [0, 2048] and not any(row["done"] for row in rows), f"{rows}")
    device.start()
    h.expect("stop it first" in repair(device, 1, "--yes"), "a journal in use is not refused")
    device.terminate()
    # The device has begun a segment of its own; the damage is as it was.
    repair(device, 0, "--yes")
    h.expect(len(glob.glob(device.data + "/quarantine/*/seg/*.seg")) == 2, "not both files were copied aside")
    report, = glob.glob(device.data + "/quarantine/*/report.json")
    with open(report, encoding="utf-8") as file:
        h.expect(len(json.load(file)["changes"]) == 2, "the report does not name both changes")
    h.expect("nothing to repair" in repair(device, 0, "--yes"), "a second repair found more")
    h.expect(h.run("journal", "verify", device.data).returncode == 0, "verify still finds something")
    h.expect(pulled(device, endpoint, COUNT) == [line(n).decode() for n in range(COUNT)], "not all came back")


def test_rot_is_named_and_passed_over(test):
    device, endpoint = stopped(test)
    for path in sorted(glob.glob(device.data + "/seg/*.seg")):
        with open(path, "rb") as file:
            at = file.read().find(line(125))
        if at >= 0:
            spoil(path, at + 50)
            break
    before = tree(device.data)
    for more in ((), ("--yes",)):
        text = repair(device, 3, *more)
        h.expect(f"seg/{os.path.basename(path)}" in text and "left as it is" in text, f"repair says {text}")
        h.expect(tree(device.data) == before, "repair changed a record, or made a quarantine for nothing")
    rows = [json.loads(row) for row in repair(device, 3, "--json").splitlines()]
    h.expect(rows[0]["first_sequence"] == 121 and rows[0]["count"] == 10, f"the range is not exact: {rows}")
    want = [line(n).decode() for n in range(COUNT) if not 120 <= n < 130]
    h.expect(pulled(device, endpoint, COUNT - 10) == want, "its neighbours were not delivered")


if __name__ == "__main__":
    h.main(globals())
