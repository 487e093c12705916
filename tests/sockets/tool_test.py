"""The command line against real devices and journals, live and dead: what it prints and its exit status."""

import glob
import json
import os
import time

import harness as h
import hfp

GOOD = """devices:
  - name: lab
    data: ./data
    channels:
      - {name: work, pattern: pipeline, in: ["@tcp://127.0.0.1:5555"]}
"""


def stored(test, count=50, **channel):
    """A device with `count` messages behind it."""
    endpoint = h.tcp()
    device = h.device(test, reliable=["@" + endpoint], **channel).start()
    with hfp.producer(endpoint, "p") as producer:
        producer.publish_block([[b"line %d" % n, b"second part"] for n in range(1, count + 1)])
        producer.wait_accepted(20 * h.SCALE)
    return device, endpoint


def expect_exit(done, code):
    h.expect(done.returncode == code, f"exit {done.returncode}, not {code}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def test_usage_and_help(test):
    h.expect("0." in expect_exit(h.run("--version"), 0), "no version")
    h.expect("pipeline" in expect_exit(h.run("--help"), 0), "help does not name pipeline")
    h.expect("push" in expect_exit(h.run("psh"), 2), "no suggestion for a mistyped verb")
    h.expect("--count" in expect_exit(h.run("pull", "tcp://127.0.0.1:1", "--cuont", "1"), 2),
             "no suggestion for a mistyped option")
    for verb in ("run", "pipeline", "push", "pull", "status", "check"):
        expect_exit(h.run(verb, "--help"), 0)
    expect_exit(h.run(), 2)


def test_check(test):
    path = test.path("lab.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(GOOD)
    expect_exit(h.run("check", path), 0)
    with open(path, "w", encoding="utf-8") as file:
        file.write(GOOD.replace("pattern:", "patern:") + "      - {name: work, pattern: pipelin, inn: []}\n")
    text = expect_exit(h.run("check", path), 1)
    for place in (f"{path}:5:", f"{path}:6:", "pattern", "pipeline"):
        h.expect(place in text, f"{place} is missing in: {text}")
    expect_exit(h.run("check", test.path("none.yaml")), 1)


def journal_verbs(device, count):
    """What journal ls|info|cat|verify say; the same for a live and a dead journal."""
    h.expect("seg" in expect_exit(h.run("journal", "ls", device.data), 0), "ls names no segment")
    expect_exit(h.run("journal", "info", device.data), 0)
    text = expect_exit(h.run("journal", "cat", device.data), 0)
    h.expect(f"line {count}" in text, "cat does not show the last message")
    expect_exit(h.run("journal", "verify", device.data), 0)


def test_journal_live_and_dead(test):
    device, _ = stored(test)
    journal_verbs(device, 50)
    device.kill()
    journal_verbs(device, 50)
    device.start().terminate()
    journal_verbs(device, 50)


def flip(path, needle):
    """Changes one bit where `needle` stands in a file."""
    with open(path, "r+b") as file:
        data = file.read()
        at = data.find(needle)
        if at < 0:
            return False
        file.seek(at)
        file.write(bytes([data[at] ^ 1]))
    return True


def test_verify_finds_rot(test):
    device, endpoint = stored(test)
    with hfp.producer(endpoint, "q") as producer:
        producer.publish_block([[b"later"]])
        producer.wait_accepted(20 * h.SCALE)
    device.terminate()
    segments = glob.glob(os.path.join(device.data, "**", "*.seg"), recursive=True)
    h.expect(any([flip(path, b"line 25") for path in segments]), f"the message is in none of {segments}")
    text = expect_exit(h.run("journal", "verify", device.data), 3)
    h.expect("corrupt" in text or "rot" in text, f"verify says {text}")


def test_journal_of_nothing(test):
    os.mkdir(test.path("empty"))
    for verb in ("ls", "info", "cat", "verify"):
        expect_exit(h.run("journal", verb, test.path("empty")), 1)
        expect_exit(h.run("journal", verb, test.path("none")), 1)


def test_push_and_pull(test):
    endpoint, into, out = h.tcp(), h.tcp(), h.tcp()
    device = h.device(test, reliable=["@" + endpoint],
                      **{"in": ["@" + into], "out": [{"endpoint": "@" + out, "queue": "other"}]}).start()
    lines = "".join(f"message {n}\n" for n in range(1000))
    expect_exit(h.run("push", endpoint, text_in=lines), 0)
    h.expect(device.count("in") == 1000, "push ended before all was accepted")
    done = h.run("pull", endpoint, "--count", "1000", "--timeout", "20s")
    h.expect(done.returncode == 0 and done.stdout == lines, f"pull: {done.returncode} {done.stderr}")
    h.wait_for("all acked", lambda: device.count("acked") == 1000)
    expect_exit(h.run("pull", endpoint, "--count", "1", "--timeout", "100ms"), 1)
    expect_exit(h.run("push", endpoint, "--queue", "other", text_in="one\ntwo\n"), 0)
    done = h.run("pull", "--plain", out, "--count", "2", "--timeout", "20s")
    h.expect(done.stdout == "one\ntwo\n", f"plain pull printed {done.stdout!r} {done.stderr}")
    expect_exit(h.run("push", "--plain", into, text_in="three\n"), 0)
    done = h.run("pull", endpoint, "--count", "1", "--timeout", "20s")
    h.expect(done.stdout == "three\n", f"pull printed {done.stdout!r} {done.stderr}")
    device.check_identity()


def test_status(test):
    device, endpoint = stored(test)
    text = expect_exit(h.run("status", device.data), 0)
    h.expect("work" in text and "50" in text, f"status says {text}")
    journal = json.loads(expect_exit(h.run("status", device.data, "--json"), 0))["journal"]
    h.expect(journal["live_bytes"] > 0, f"50 messages are live, but {journal}")
    h.expect({"recycled", "relocated", "rewritten", "held", "full"} <= set(journal), f"not all figures: {journal}")
    h.expect(f"{journal['segments']} segments" in text and " live" in text, f"not a word about the journal: {text}")
    text = expect_exit(h.run("status", f"ipc://{device.data}/admin"), 0)
    h.expect("50 in" in text, f"status of the admin endpoint says {text}")
    text = expect_exit(h.run("status", endpoint), 0)
    h.expect("50 in" in text, f"status of a reliable endpoint says {text}")
    device.kill()
    begun = time.monotonic()
    text = expect_exit(h.run("status", device.data), 1)
    h.expect(time.monotonic() - begun < h.SCALE, "a dead device is not told at once")
    h.expect(f"no device is running on '{device.data}'" in text, f"status of a dead device says {text}")
    device.start()
    expect_exit(h.run("status", device.data), 0)


def test_device_from_the_command_line(test):
    endpoint, into, out = h.tcp(), h.tcp(), h.tcp()
    device = test.child("direct", [
        h.options.bin, "pipeline", "--data", test.path("data"), "--in", "@" + into, "--out", "@" + out,
        "--reliable", "@" + endpoint, "--durability", "process", "--name", "direct"])
    device.wait_line("holdfast: ready")
    expect_exit(h.run("push", "--plain", into, text_in="hello\n"), 0)
    done = h.run("pull", "--plain", out, "--count", "1", "--timeout", "20s")
    h.expect(done.stdout == "hello\n", f"{done.stdout!r} {done.stderr}")
    text = expect_exit(h.run("status", test.path("data")), 0)
    h.expect("direct" in text, f"status says {text}")


if __name__ == "__main__":
    h.main(globals())
