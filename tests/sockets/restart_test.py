"""Stopping and starting: SIGTERM drains, a restart finds everything, and starting again changes nothing."""

import signal

import zmq

import harness as h
import hfp
import messages
from parts_exact_test import plain_device, receiver


def counts(device):
    return device.stream()["counts"]


def test_sigterm_keeps_everything(test):
    for level in ("process", "interval:50ms", "disk"):
        device, into, out, _ = plain_device(test, durability=level)
        context = zmq.Context()
        with context.socket(zmq.PUSH) as push:
            push.linger = -1
            push.connect(into)
            for number in range(1, 201):
                push.send_multipart(messages.make(1, number))
            h.wait_for("all stored", lambda: device.count("in") == 200)
        device.terminate()
        device.start()
        h.expect(device.count("in") == 200, f"{level}: in is {device.count('in')} after the restart")
        with receiver(context, out) as pull:
            numbers = [messages.identify(pull.recv_multipart())[1] for _ in range(200)]
        h.expect(numbers == list(range(1, 201)), f"{level}: not all, or not in order")
        device.check_identity()
        device.terminate()
        h.shutil.rmtree(device.data)


def test_starting_again_and_again_changes_nothing(test):
    device, into, out, reliable = plain_device(test)
    with hfp.producer(reliable, "p") as producer:
        producer.publish_block([[b"%d" % n] for n in range(1, 101)])
        producer.wait_accepted(20 * h.SCALE)
    with hfp.consumer(reliable, window=40) as worker:
        got = [worker.receive(20 * h.SCALE) for _ in range(40)]
        worker.ack(*got[:30:2])
        worker.wait_acked(20 * h.SCALE)
    want = {"in": 100, "acked": 15}
    for turn in range(6):
        device.terminate() if turn % 2 else device.kill()
        device.start()
        now = counts(device)
        h.expect({key: now[key] for key in want} == want, f"after start {turn + 2}: {now}")
        h.expect(now["ready"] + now["delayed"] == 85, f"after start {turn + 2}: {now}")
        device.check_identity()
    with hfp.consumer(reliable, window=100) as worker:
        rest = sorted(int(worker.receive(20 * h.SCALE).parts[0]) for _ in range(85))
    acked = {int(one.parts[0]) for one in got[:30:2]}
    h.expect(rest == sorted(set(range(1, 101)) - acked), "not exactly the unacked came")


def test_a_second_device_on_the_same_journal_is_refused(test):
    device, *_ = plain_device(test)
    second = h.device(test, name="other", data=device.data, **{"in": ["@" + h.tcp()]})
    second.write_config()
    done = h.run("run", second.config)
    h.expect(done.returncode == 1, f"ended with {done.returncode}")
    h.expect(device.data in done.stderr, f"does not name the journal: {done.stderr}")
    device.check_identity()


def test_sigint_ends_it_too_and_a_port_in_use_is_named(test):
    device, into, *_ = plain_device(test)
    rival = h.device(test, name="rival", **{"in": ["@" + into]})
    rival.write_config()
    done = h.run("run", rival.config)
    h.expect(done.returncode == 1 and into in done.stderr, f"{done.returncode}: {done.stderr}")
    device.process.signal(signal.SIGINT)
    h.expect(device.process.wait_exit() == 0, "SIGINT did not end it in good order")


def test_a_crash_in_the_middle_of_a_start(test):
    """kill -9 while the journal is being opened, again and again; then everything is there."""
    device, _, _, reliable = plain_device(test)
    with hfp.producer(reliable, "p") as producer:
        for first in range(1, 20_001, 1000):
            producer.publish_block([[b"%d" % n] for n in range(first, first + 1000)])
        producer.wait_accepted(30 * h.SCALE)
    device.kill()
    for _ in range(10):
        half = h.child("half", [h.options.bin, "run", device.config], test.dir, stdin=False)
        half.read_lines(test.random.random() * 0.03)  # until it is ready, or this moment
        half.close()
    device.start()
    h.expect(device.count("in") == 20_000, f"in is {device.count('in')}")
    device.check_identity()


def test_few_descriptors_are_enough(test):
    """The soft limit is raised to the hard one; a backlog in hundreds of segments takes no descriptor each."""
    for soft, hard in ((64, 4096), (80, 80)):
        endpoint = h.tcp()
        device = h.device(test, name=f"lab{hard}", top={"segment_size": "16KiB"}, reliable=["@" + endpoint])
        device.under = ["prlimit", f"--nofile={soft}:{hard}"]
        device.start()
        with open(f"/proc/{device.pid}/limits", encoding="ascii") as file:
            limit = next(line.split()[3] for line in file if line.startswith("Max open files"))
        h.expect(limit == str(hard), f"the soft limit is {limit}")
        with hfp.producer(endpoint, "p") as producer:
            for first in range(1, 1201, 2):
                producer.publish_block([[b"%d" % n, bytes(1700)] for n in range(first, first + 2)])
            producer.wait_accepted(60 * h.SCALE)
        segments = device.status()["journal"]["segments"]
        h.expect(segments > 150, f"only {segments} segments")
        h.expect(len(h.os.listdir(f"/proc/{device.pid}/fd")) < hard, "too many descriptors")
        device.restart()
        with hfp.consumer(endpoint, window=64) as worker:
            for number in range(1, 1201):
                got = worker.receive(20 * h.SCALE)
                h.expect(int(got.parts[0]) == number, f"{got.parts[0]} came where {number} was due")
                worker.ack(got)
            worker.wait_acked(20 * h.SCALE)
        h.expect("cannot" not in device.process.errors(), lambda: device.process.errors())
        device.check_identity()
        device.terminate()


if __name__ == "__main__":
    h.main(globals())
