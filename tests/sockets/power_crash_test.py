"""Power lost under load: the device's journal on an ext4 and an XFS of its own (a loop device), whose
`xfs_io -x -c shutdown` drops what was never flushed, as a power cut does. Then the file system is mounted
again, under another boot id, and the device started.

At level `disk` nothing accepted is lost, no ack that was confirmed is forgotten; at `interval` what is lost
was accepted within the last interval. Quick form: 2 cycles of each file system and level in turn; long form: 50.
"""

import bisect
import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import threading
import time
import uuid

import crash
import evidence
import harness as h
import load

CYCLES_QUICK, CYCLES_LONG = 2, 50
IMAGE_MIB = 400
INTERVAL_MS = 100
SLACK_S = 0.1 * h.SCALE  # a sync itself, and how exactly the moment of an accept is known
CLONE_NEWNS = 0x00020000
BOOT_ID = "/proc/sys/kernel/random/boot_id"


def command(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False)


def must(*words):
    done = command(*words)
    h.expect(done.returncode == 0, lambda: f"{' '.join(words)}: {done.stderr.strip()}")


class machine:
    """A mount namespace of this process with a boot id of its own and a file system that can lose power."""

    def __init__(self, test, kind):
        h.need_root()
        self.kind, self.image, self.where = kind, test.path(f"{kind}.img"), test.path(f"{kind}.mnt")
        if not getattr(machine, "alone", False):
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.unshare(CLONE_NEWNS) != 0 or command("mount", "--make-rprivate", "/").returncode != 0:
                raise h.skip("no mount namespace of its own")
            machine.alone = True
        os.makedirs(self.where, exist_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(IMAGE_MIB << 20)
        must("mkfs.xfs" if kind == "xfs" else "mkfs.ext4", "-q", self.image)
        self.boot_id = test.path("boot_id")
        self.boot()
        if command("mount", "--bind", self.boot_id, BOOT_ID).returncode != 0:
            raise h.skip("a boot id cannot be bound")
        test.on_end(lambda: command("umount", "-l", BOOT_ID))
        self.mount(first=True)
        test.on_end(lambda: command("umount", "-l", self.where))

    def boot(self):
        with open(self.boot_id, "w", encoding="ascii") as file:
            file.write(f"{uuid.uuid4()}\n")

    def mount(self, first=False):
        done = command("mount", "-o", "loop", self.image, self.where)
        if done.returncode != 0 and first:
            raise h.skip(f"no loop devices here: {done.stderr.strip()}")
        h.expect(done.returncode == 0, lambda: f"mounting {self.kind} again: {done.stderr}")

    def cut_power(self):
        """What was not flushed is gone, writes fail from here on."""
        must("xfs_io", "-x", "-c", "shutdown", self.where)

    def power_on(self):
        must("umount", self.where)
        self.boot()
        self.mount()


class accept_watch(threading.Thread):
    """When each producer's accepts were logged: the moments are late by one round of looking."""

    def __init__(self, producers):
        super().__init__(daemon=True)
        self.producers, self.seen, self.over = producers, {one.sender: [] for one in producers}, threading.Event()

    def run(self):
        while not self.over.wait(0.002):  # the interval of looking
            for one in self.producers:
                now, accepted = time.monotonic(), newest(one.log)
                past = self.seen[one.sender]
                if accepted and (not past or past[-1][1] != accepted):
                    past.append((now, accepted))

    def accepted_by(self, sender, moment):
        past = self.seen[sender]
        at = bisect.bisect_right(past, (moment, 1 << 63))
        return past[at - 1][1] if at else 0


def newest(log):
    """The last accept of a log, without reading all of it."""
    with contextlib.suppress(OSError, IndexError), open(log, "rb") as file:
        whole = os.fstat(file.fileno()).st_size // load.ACCEPTED.size
        file.seek(max(0, whole - 1) * load.ACCEPTED.size)
        return load.ACCEPTED.unpack(file.read(load.ACCEPTED.size))[0] if whole else 0
    return 0


class power_cycle:
    """One file system, its device and its load."""

    def __init__(self, test, number, kind, level, under=()):
        self.test, self.level, self.random = test, level, test.random
        self.salt = test.random.randrange(1 << 63)
        self.disk = machine(test, kind)
        self.endpoint = h.tcp()
        self.device = h.device(test, name=f"lab{number}", data=os.path.join(self.disk.where, "lab"),
                               top={"segment_size": "4MiB"}, durability=level, heartbeat="300ms",
                               reliable=["@" + self.endpoint])
        self.device.under = list(under)
        self.device.start()
        self.device.under = []  # what it does after the cut is the real thing

    def begin(self, worker=True):
        self.workers = [load.worker(self.test, self.endpoint, salt=self.salt)] if worker else []
        self.producers = [load.producer(self.test, self.endpoint, sender=sender, count=0, size=32, spread=2000,
                                        rate=3000, salt=self.salt) for sender in (1, 2)]

    def cut(self, at_once=False):
        """Power goes at a random moment under load. Returns that moment. `at_once`: the device stands still
        from then on, as a machine without power does; else it lives on with a disk that fails. A sync that
        the shutdown of XFS overtakes may return as if it had worked, which no power cut can do to anybody."""
        h.wait_for("the load to flow", lambda: min(one.accepted() for one in self.producers) > 300)
        time.sleep(self.random.uniform(0.25, 0.75))  # the moment of the fault, not a wait for something
        if at_once:
            self.device.process.signal(signal.SIGSTOP)
            h.wait_for("the device to stand still", lambda: stopped(self.device.pid))
        moment = time.monotonic()
        self.disk.cut_power()
        return moment

    def come_back(self):
        h.expect(self.device.alive(), lambda: "the device ended when its disk failed: "
                 + self.device.process.errors()[-2000:])
        self.device.kill()
        self.disk.power_on()
        self.device.start()
        self.device.check_identity()

    def verify(self):
        done = h.run("journal", "verify", self.device.data)
        h.expect(done.returncode == 0, lambda: f"journal verify: {done.returncode} {done.stdout} {done.stderr}")

    def close(self):
        self.device.terminate()
        for one in (*self.workers, *self.producers):
            one.close()
        must("umount", self.disk.where)
        command("umount", BOOT_ID)
        os.unlink(self.disk.image)


def stopped(pid):
    """Every thread of the process is stopped, or waits for the disk."""
    states = set()
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii", errors="replace") as file:
            states.add(file.read().rsplit(")", 1)[1].split()[0])
    return states <= {"T", "D"} and "T" in states


def at_disk(test, number, kind):
    """Peers live on: they resend what was not accepted, and every checker of the kill tests must hold."""
    one = power_cycle(test, number, kind, "disk")
    one.begin()
    one.cut(at_once=True)
    one.come_back()
    stored = load.stop_all(one.producers)
    h.wait_for("the backlog to drain", lambda: drained(one.device), 60)
    one.verify()
    crash.expect_clean(evidence.judge, evidence.evidence.gather(one.producers, one.workers))
    one.close()
    return f"{stored} accepted, none lost"


def at_interval(test, number, kind):
    """Peers die with the machine; what the journal still has is compared with what was accepted when."""
    one = power_cycle(test, number, kind, f"interval:{INTERVAL_MS}ms")
    one.begin(worker=False)
    watch = accept_watch(one.producers)
    watch.start()
    moment = one.cut()
    for producer in one.producers:
        producer.kill()
    watch.over.set()
    watch.join()
    one.come_back()
    one.verify()
    one.workers = [load.worker(test, one.endpoint, salt=one.salt)]
    h.wait_for("the backlog to drain", lambda: drained(one.device), 60)
    lost = check_interval(watch, moment, {p.sender: p.accepted() for p in one.producers},
                          {p.sender: one.workers[0].numbers(p.sender) for p in one.producers})
    one.close()
    return f"{lost} accepted within the last {INTERVAL_MS} ms were lost, no older one"


def check_interval(watch, moment, accepted, survived):
    """Everything accepted before the last interval is there; how many of the later ones are not."""
    lost = 0
    for sender, through in accepted.items():
        safe = watch.accepted_by(sender, moment - INTERVAL_MS / 1000 - SLACK_S)
        h.expect(safe > 0, "nothing was accepted before the last interval")
        missing = [n for n in range(1, safe + 1) if n not in survived[sender]]
        h.expect(not missing, lambda: f"sender {sender}: {len(missing)} accepted longer ago than the interval "
                 f"are lost, from {missing[:5]} of {safe}")
        highest = max(survived[sender])
        h.expect(survived[sender] == set(range(1, highest + 1)), f"sender {sender}: a hole below {highest}")
        lost += max(0, through - highest)
    return lost


def drained(device):
    counts = device.stream().get("counts", {})
    return counts and not any(counts[key] for key in ("ready", "in_flight", "delayed"))


def test_power_lost_under_load(test):
    cycles = CYCLES_LONG if h.options.long else CYCLES_QUICK
    cycles = min(cycles, crash.ROUNDS or cycles)
    print(f"     seed {test.seed}, {cycles} cycles", flush=True)
    forms = [(at_disk, "ext4"), (at_interval, "xfs"), (at_disk, "xfs"), (at_interval, "ext4")]
    for number in range(cycles):
        form, kind = forms[number % len(forms)]
        print(f"     {kind}, {form.__name__}: {form(test, number, kind)}", flush=True)


def test_a_device_that_never_syncs_is_found_out(test):
    """The planted bug: every fdatasync of the device is left out. What is lost then must be seen."""
    if not shutil.which("strace"):
        raise h.skip("no strace")
    one = power_cycle(test, 1000, "ext4", "disk",
                      under=("strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync",
                             "-e", "inject=fdatasync:retval=0"))
    one.begin(worker=False)
    one.cut()
    for producer in one.producers:
        producer.kill()
    one.come_back()
    stored, accepted = one.device.count("in"), sum(producer.accepted() for producer in one.producers)
    h.expect(stored < accepted, f"{accepted} accepted, {stored} there, though nothing was ever synced")
    one.close()


def test_the_checker_sees_its_bug(_):
    """What is older than the interval and missing is found; what is younger is not held against it."""
    watch = accept_watch([])
    bound = 11.0 - INTERVAL_MS / 1000 - SLACK_S
    watch.seen = {1: [(bound - 0.8, 100), (bound - 0.3, 150), (bound + 0.1, 190)]}
    h.expect(check_interval(watch, 11.0, {1: 190}, {1: set(range(1, 151))}) == 40, "a sound run is found guilty")
    for survived in (set(range(1, 150)), set(range(1, 151)) - {70}):
        try:
            check_interval(watch, 11.0, {1: 190}, {1: survived})
        except h.failure:
            continue
        raise h.failure("a loss older than the interval was not seen")


if __name__ == "__main__":
    h.main(globals())
