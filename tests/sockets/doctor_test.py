"""`holdfast doctor`: what is promised at each endpoint, asked of the directory and of reliable endpoints
over the network, without becoming a consumer."""

import json
import os

import harness as h

PATTERNS = {"pipeline": ("plain PUSH", "plain PULL"), "pubsub": ("plain PUB", "plain SUB"),
            "reqrep": ("plain REQ", "plain REP")}


def lab(test, pattern):
    reliable = h.tcp()
    made = h.device(test, name=pattern, pattern=pattern, **{"in": ["@" + h.tcp()], "out": ["@" + h.tcp()]},
                    reliable=["@" + reliable]).start()
    return made, reliable


def test_every_pattern_names_its_endpoints(test):
    for pattern, (senders, receivers) in PATTERNS.items():
        device, reliable = lab(test, pattern)
        for target in (device.data, reliable):
            done = h.run("doctor", target, "--json")
            h.expect(done.returncode == 0, done.stderr)
            found = {one["role"]: one for one in json.loads(done.stdout)["endpoints"]}
            h.expect(set(found) == {"in", "out", "reliable"}, f"{pattern}: {sorted(found)}")
            h.expect(found["in"]["peers"].startswith(senders), found["in"])
            h.expect(found["out"]["peers"].startswith(receivers), found["out"])
            h.expect(found["reliable"]["endpoint"] == reliable, found["reliable"])
            for one in found.values():
                h.expect(one["level"].startswith("process") and one["promised"] and one["in_doubt"]
                         and one["loss_points"], one)
            unread = {"pipeline": "256 KiB", "pubsub": "1000 messages", "reqrep": ""}[pattern]
            h.expect(any(unread in point for point in found["in"]["loss_points"]), found["in"]["loss_points"])
        text = h.run("doctor", device.data)
        h.expect(text.returncode == 0 and "may be lost:" in text.stdout and "in doubt:" in text.stdout,
                 text.stdout + text.stderr)
        device.terminate()


def loss_points(device, role="reliable"):
    done = h.run("doctor", device.data, "--json")
    h.expect(done.returncode == 0, done.stderr)
    return [point for one in json.loads(done.stdout)["endpoints"] if one["role"] == role
            for point in one["loss_points"]]


def test_what_a_channel_lets_go_of_is_a_loss_point(test):
    for pattern, limits, said in (
            ("pipeline", {"retention_age": "60s", "retention_records": 10},
             "what is older than 60 s or beyond 10 messages and nobody holds is dropped, and counted"),
            ("reqrep", {"retention_bytes": "4MiB"},
             "what is beyond 4 MiB and nobody holds is dropped, and counted"),
            ("pubsub", {"retention_age": 0, "retention_bytes": "8MiB", "retention_records": 5},
             "what is beyond 8 MiB or beyond 5 messages goes: who is further behind is told of the gap")):
        device = h.device(test, name=pattern, pattern=pattern, reliable=["@" + h.tcp()], **limits).start()
        h.expect(said in loss_points(device), loss_points(device))
        device.terminate()
    endless = h.device(test, name="endless", pattern="pipeline", durability="disk",
                       reliable=["@" + h.tcp()]).start()
    h.expect(loss_points(endless) == ["none: what was accepted is kept"], loss_points(endless))
    endless.terminate()


def test_asking_leaves_no_trace(test):
    device, reliable = lab(test, "pipeline")
    for _ in range(5):
        h.expect(h.run("status", reliable, "--json").returncode == 0, "status over the network failed")
    channel = device.channel_status()
    h.expect(channel["sessions"] == 0 and channel["bad_frames"] == 0, channel)
    h.expect(not any(stream["consumers"] for stream in channel["streams"]), channel["streams"])


def test_nobody_there_is_said(test):
    nowhere = os.path.join(test.dir, "nothing")
    done = h.run("doctor", nowhere)
    h.expect(done.returncode == 1 and "no directory" in done.stderr, done.stderr)
    done = h.run("doctor", h.tcp())
    h.expect(done.returncode == 1 and "no device answers" in done.stderr, done.stderr)


if __name__ == "__main__":
    h.main(globals())
