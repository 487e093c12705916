"""holdfast journal backup and restore: of a device under load, of one that was killed; a backup
command that is killed; a backup that lost something. What was accepted and not acked is in the copy to
the byte, what was acked is not, and nothing that was never sent."""

import glob
import json
import os
import shutil
import time

import crash
import harness as h
import hfp
import load

PRODUCERS = 2
HELD = 200
SEGMENT = "256KiB"
# Of a producer, messages a second: where six processes share a core, copying is still faster.
RATE = 1000 if h.SANITIZED else 5000
BACKUPS_QUICK, BACKUPS_LONG = 8, 60
FLOW = 30000  # messages acked between two backups: every other time a checkpoint, which frees segments
KILLS_QUICK, KILLS_LONG = 25, 400


def expect_exit(done, code):
    h.expect(done.returncode == code, f"exit {done.returncode}, not {code}: {done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def backup(source, target):
    done = h.run("journal", "backup", source, target, "--json", within=120)
    return json.loads(expect_exit(done, 0))


class line:
    """A device with producers and a worker at full speed, and a worker that acks nothing."""

    def __init__(self, test, number):
        self.level = crash.LEVELS[number % len(crash.LEVELS)]
        self.endpoint = h.tcp()
        self.salt = test.random.randrange(1 << 63)
        self.device = h.device(test, name=f"lab{number}", top={"segment_size": SEGMENT}, durability=self.level,
                               heartbeat="300ms", lease="10m", reliable=["@" + self.endpoint]).start()
        self.holder = load.worker(test, self.endpoint, hold=HELD, salt=self.salt)
        self.producers = [self.make_producer(test, sender) for sender in range(1, PRODUCERS + 1)]
        self.holder.wait_holding()
        self.workers = [load.worker(test, self.endpoint, salt=self.salt) for _ in range(2)]
        h.wait_for("the load to flow", lambda: self.device.count("acked") > 2000)

    def make_producer(self, test, sender):
        return load.producer(test, self.endpoint, sender=sender, count=0, size=32, spread=1500, rate=RATE,
                             salt=self.salt)

    def accepted(self):
        return {one.sender: one.accepted() for one in self.producers}

    def delivered(self):
        """By the workers that ack: what may have been acked so far."""
        return {(one[0], one[4]) for worker in self.workers for one in worker.raw()}

    def confirmed(self):
        return {(one[0], one[4]) for worker in self.workers for one in worker.raw()
                if one[1] == load.ACK_CONFIRMED}

    def held(self):
        return {(one.sender, one.number) for one in self.holder.records() if one.delivered}

    def stop(self):
        load.stop_all(self.producers)
        return {one.sender: one.last for one in self.producers}

    def close(self):
        for one in (*self.workers, *self.producers, self.holder):
            one.close()
        self.device.kill()


class claim:
    """What must be true of a copy, by what was known when the backup began and when it had ended."""

    def __init__(self, accepted, confirmed, held, delivered_by_then, sent=None):
        self.accepted, self.confirmed, self.held = accepted, confirmed, held
        self.delivered, self.sent = delivered_by_then, sent


def lost(was, found):
    """Accepted before the backup began, acked by nobody before it ended, and not in the copy."""
    have = {(sender, number) for sender, number, _ in found}
    for sender, through in was.accepted.items():
        want = {(sender, number) for number in range(1, through + 1)}
        missing = sorted(want - have - was.delivered)
        if missing:
            yield f"sender {sender}: {len(missing)} of {through}, from {missing[:5]}"
    missing = sorted(was.held - have)
    if missing:
        yield f"{len(missing)} that a worker held, from {missing[:5]}"


def repeated(was, found):
    """In the copy although its ack had been confirmed before the backup began."""
    again = sorted({(sender, number) for sender, number, _ in found} & was.confirmed)
    if again:
        yield f"{len(again)}, from {again[:5]}"


def invented(was, found):
    for sender, number, _ in found:
        if not 1 <= number <= was.sent.get(sender, 0):
            yield f"sender {sender}: {number} was never sent"


def changed(was, found):
    for sender, number, kind in found:
        if kind == load.CHANGED:
            yield f"sender {sender}: {number} came changed"


def judge(was, found):
    for checker in (lost, repeated, invented, changed):
        for text in list(checker(was, found))[:crash.FINDINGS_MAX]:
            yield f"{checker.__name__}: {text}"


def drain(test, data, level, salt, name):
    """Starts a second device on a directory and takes all there is: [(sender, number, kind)]."""
    endpoint = h.tcp()
    device = h.device(test, name=name, data=data, top={"segment_size": SEGMENT}, durability=level,
                      heartbeat="300ms", reliable=["@" + endpoint]).start()
    device.check_identity()
    worker = load.worker(test, endpoint, salt=salt)
    h.wait_for("the copy to drain", lambda: not any(
        device.count(what) for what in ("ready", "in_flight", "delayed")), 60)
    device.check_identity()
    device.terminate()
    found = [(one[0], one[4], one[1]) for one in worker.raw() if one[1] in load.RECEIVED]
    worker.close()
    return found


def restored(test, target, name):
    data = test.path(name)
    text = expect_exit(h.run("journal", "restore", target, data), 0)
    h.expect("start the device" in text, f"restore does not say what to do next: {text}")
    return data


def test_backup_of_a_device_under_load(test):
    number = test.random.randrange(len(crash.LEVELS))
    one = line(test, number)
    claims, checkpoints = [], set()
    for turn in range(BACKUPS_LONG if h.options.long else BACKUPS_QUICK):
        target = test.path(f"backup{turn}")
        accepted, confirmed, held = one.accepted(), one.confirmed(), one.held()
        begun = time.monotonic()
        told = backup(one.device.data, target)
        took = time.monotonic() - begun
        checkpoints.add(told.get("checkpoint", 0))
        claims.append((target, claim(accepted, confirmed, held, one.delivered())))
        h.expect(told["live"] and told["messages"] >= HELD, f"backup says {told}")
        print(f"     level {one.level}: position {told['position']}, {told['messages']} messages in "
              f"{told['segments']} segments, {took:.2f} s, not included {told['not_included_bytes']} B", flush=True)
        flow = one.device.count("acked") + test.random.randrange(FLOW // 2, FLOW * 3 // 2)
        h.wait_for("the load to go on", lambda: one.device.count("acked") > flow, 60)
    sent = one.stop()
    one.close()
    h.expect(len(checkpoints) > 2, f"only checkpoints {checkpoints}: nothing was freed meanwhile")
    for turn, (target, was) in enumerate(claims):
        was.sent = sent
        expect_exit(h.run("journal", "verify", target), 0)
        # Every other one without restore: the backup's directory is a journal itself.
        data = restored(test, target, f"again{turn}") if turn % 2 == 0 else target
        problems = list(judge(was, drain(test, data, one.level, one.salt, f"copy{turn}")))
        h.expect(not problems, lambda: "\n".join(problems))
        shutil.rmtree(data)


def test_backup_of_a_killed_device(test):
    """Everything that a restart would find is there, the part that is in memory only as well."""
    one = line(test, 0)
    one.device.kill()
    accepted, confirmed, held = one.accepted(), one.confirmed(), one.held()
    told = backup(one.device.data, test.path("backup"))
    h.expect(not told["live"], f"a killed device is said to be alive: {told}")
    was = claim(accepted, confirmed, held, one.delivered())
    copy = drain(test, restored(test, test.path("backup"), "again"), one.level, one.salt, "copy")
    original = drain(test, one.device.data, one.level, one.salt, "original")
    was.sent = {sender: 1 << 60 for sender in accepted}
    problems = list(judge(was, copy))
    h.expect(not problems, lambda: "\n".join(problems))
    h.expect(sorted(copy) == sorted(original),
             f"{len(copy)} messages in the copy, {len(original)} in the journal itself")
    one.close()


def test_a_killed_backup_leaves_nothing_that_looks_whole(test):
    one = line(test, 1)
    target = test.path("backup")
    kills = unfinished = refused = 0
    h.wait_for("a journal that takes a while to copy", lambda: one.device.count("acked") > 30000, 60)
    longest = 0.02
    while kills < (KILLS_LONG if h.options.long else KILLS_QUICK):
        process = h.child("backup", [h.options.bin, "journal", "backup", one.device.data, target],
                          test.dir, stdin=False)
        process.read_lines(test.random.uniform(0.0, longest))  # the moment of the fault
        refused += not process.alive() and process.process.returncode != 0
        process.close()
        if os.path.exists(target):
            expect_exit(h.run("journal", "restore", target, test.path("again")), 0)
            shutil.rmtree(test.path("again"))
            shutil.rmtree(target)
            longest *= 0.9
            continue
        kills += 1
        begun = os.path.exists(target + ".unfinished")
        longest *= 1.05 if begun else 1.5  # a process that starts slowly has to be given longer
        if begun:
            unfinished += 1
            for verb in ("verify", "info", "cat"):
                expect_exit(h.run("journal", verb, target + ".unfinished"), 1)
            expect_exit(h.run("journal", "restore", target + ".unfinished", test.path("again")), 1)
    h.expect(refused == 0, f"{refused} copies were refused for what a killed one had left")
    h.expect(unfinished > 0, "no kill came while the copy was at work")
    print(f"     {kills} kills, {unfinished} left an unfinished directory", flush=True)
    backup(one.device.data, target)
    h.expect(not os.path.exists(target + ".unfinished"), "the unfinished directory is still there")
    expect_exit(h.run("journal", "verify", target), 0)
    one.close()


def small_backup(test):
    """A live device on many small segments, its lines in 100 blocks, and a backup of it."""
    endpoint = h.tcp()
    device = h.device(test, top={"segment_size": "16KiB"}, reliable=["@" + endpoint]).start()
    lines = [f"message {n} {'x' * 100}" for n in range(1000)]
    with hfp.producer(endpoint, "p") as producer:
        for at in range(0, 1000, 10):
            producer.publish_block([[line.encode()] for line in lines[at:at + 10]])
        producer.wait_accepted(20 * h.SCALE)
    backup(device.data, test.path("backup"))
    return device, endpoint, "".join(line + "\n" for line in lines)


def places(directory, segments):
    """One place in a message of each segment that has one."""
    for name in segments:
        with open(os.path.join(directory, name), "rb") as file:
            at = file.read().find(b"message ")
        if at >= 0:
            yield name, at


def test_restore_refuses_what_is_not_whole(test):
    device, _, _ = small_backup(test)
    good, bad, into = test.path("backup"), test.path("bad"), test.path("into")
    segments = sorted(os.path.relpath(path, good) for path in glob.glob(good + "/seg/*.seg"))
    checkpoints = [os.path.basename(path) for path in glob.glob(good + "/checkpoint.*")]
    h.expect(len(segments) > 3, f"only {segments}")

    def lose(name):
        return lambda: os.remove(os.path.join(bad, name))

    def shorten(name, size):
        return lambda: os.truncate(os.path.join(bad, name), size)

    def flip(name, at):
        def change():
            with open(os.path.join(bad, name), "r+b") as file:
                file.seek(at)
                byte = file.read(1)[0]
                file.seek(at)
                file.write(bytes([byte ^ 1]))
        return change

    spoilers = [lose(name) for name in segments + checkpoints]
    spoilers += [shorten(name, 4100) for name in segments]
    spoilers += [shorten(name, 100) for name in [*checkpoints, "BACKUP"]]
    spoilers += [flip(name, at) for name in segments for at in (4096, 4159)]
    spoilers += [flip(name, at) for name, at in places(good, segments)]
    spoilers += [flip("BACKUP", 40)]
    for number, spoil in enumerate(spoilers):
        shutil.copytree(good, bad)
        spoil()
        done = h.run("journal", "restore", bad, into)
        h.expect(done.returncode in (1, 3) and done.stderr, f"spoiler {number}: {done}")
        h.expect(not os.path.exists(into) and not os.path.exists(into + ".unfinished"),
                 f"spoiler {number}: something was left at the target")
        shutil.rmtree(bad)
    device.kill()


def test_targets_that_are_refused(test):
    device, endpoint, lines = small_backup(test)
    good = test.path("backup")
    text = expect_exit(h.run("journal", "backup", device.data, good), 2)
    h.expect("not empty" in text, f"backup onto a backup says {text}")
    h.expect("a device has it open" in expect_exit(h.run("journal", "restore", good, device.data), 1),
             "restore onto a device does not say why it refuses")
    expect_exit(h.run("journal", "restore", device.data, test.path("x")), 1)
    expect_exit(h.run("journal", "backup", test.path("none"), test.path("x")), 1)
    os.mkdir(test.path("empty"))
    expect_exit(h.run("journal", "restore", good, test.path("empty")), 0)
    device.kill()
    other = h.device(test, name="other", data=test.path("empty"), reliable=["@" + endpoint]).start()
    done = h.run("pull", endpoint, "--count", "1000", "--timeout", "20s")
    h.expect(done.stdout == lines, "the restored device gives other lines than were pushed")
    expect_exit(h.run("journal", "restore", good, other.data), 1)
    expect_exit(h.run("journal", "restore", other.data, test.path("x")), 1)


def test_each_checker_sees_its_bug(_):
    """Planted bugs: each is found, and by its own checker."""
    def sound():
        was = claim({1: 10}, {(1, 1), (1, 2)}, {(1, 9)}, {(1, n) for n in range(1, 5)}, {1: 12})
        return was, [(1, number, load.DELIVERED) for number in range(4, 13)]

    def spoil(name):
        was, found = sound()
        if name == "lost":
            found.remove((1, 7, load.DELIVERED))
        elif name == "held":
            found.remove((1, 9, load.DELIVERED))
            was.delivered.add((1, 9))
            name = "lost"
        elif name == "repeated":
            found.append((1, 2, load.DELIVERED))
        elif name == "invented":
            found.append((1, 13, load.DELIVERED))
        elif name == "changed":
            found[0] = (1, 4, load.CHANGED)
        return name, list(judge(was, found))

    h.expect(not list(judge(*sound())), lambda: f"a sound run is found guilty: {list(judge(*sound()))}")
    for what in ("lost", "held", "repeated", "invented", "changed"):
        name, problems = spoil(what)
        h.expect(any(text.startswith(name + ":") for text in problems), f"{what} was not seen: {problems}")


if __name__ == "__main__":
    h.main(globals())
