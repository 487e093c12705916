"""A full disk: producers are held, acks still count, and all goes on by itself when there is room."""

import concurrent.futures
import subprocess
import threading

import zmq

import harness as h
import hfp
import messages

SIZE_MIB = 96
BODY = 64 * 1024


def small_disk(test):
    """A directory on a tmpfs of its own."""
    h.need_root()
    where = test.path("disk")
    h.os.mkdir(where)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "holdfast-test", where],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise h.skip(f"cannot mount a tmpfs: {done.stderr.strip()}")
    test.on_end(lambda: subprocess.run(["umount", "-l", where], check=False))
    return where


def full_device(test):
    into, reliable = h.tcp(), h.tcp()
    made = h.device(test, data=h.os.path.join(small_disk(test), "lab"), top={"segment_size": "4MiB"},
                    **{"in": ["@" + into], "reliable": ["@" + reliable]}).start()
    return made, into, reliable


class pusher(threading.Thread):
    """A plain PUSH producer that blocks when the device does not read."""

    def __init__(self, endpoint, count, size=BODY):
        super().__init__(daemon=True)
        self.endpoint, self.count, self.sent, self.body = endpoint, count, 0, bytes(size)

    def run(self):
        with zmq.Context.instance().socket(zmq.PUSH) as socket:
            socket.linger = -1
            socket.sndhwm = 10
            socket.connect(self.endpoint)
            while self.sent < self.count:
                parts = messages.make(1, self.sent + 1)
                socket.send_multipart([self.body, *parts])
                self.sent += 1


def fill(device, producer, ahead=60):
    """Publishes blocks until the device refuses for want of room; how many messages were sent. `ahead`:
    messages that may be under way."""
    body = bytes(BODY)
    sent = 0

    def refused_yet():
        return any(kind == hfp.REFUSE for kind, _ in producer.waiting)

    while not refused_yet():
        producer.publish_block([[b"%d" % (sent + n), body] for n in range(1, 4)])
        sent += 3
        while producer.pump(0):
            pass
        h.expect(sent * BODY < (SIZE_MIB << 20) * 2, "the device took more than the disk holds")
        # A refusal holds for all that follows: nothing more comes behind it.
        producer.wait_until(lambda: refused_yet() or producer.next - producer.accepted <= ahead,
                            20 * h.SCALE, "an accept or a refusal")
    refused = producer.wait_frame(hfp.REFUSE, 1)
    h.expect((refused["code"], refused["permanent"]) == (hfp.FULL, False), f"refused as {refused}")
    h.expect(device.alive(), "the device is gone")
    return sent, refused["first"]


def drain(worker, first, last):
    """Receives and acks numbers first..last; each must come once, in order."""
    for number in range(first, last + 1):
        got = worker.receive(30 * h.SCALE)
        h.expect(int(got.parts[0]) == number, f"{got.parts[0]} came where {number} was due")
        worker.ack(got)


def test_reliable_producer_is_held_and_resumes(test):
    device, _, reliable = full_device(test)
    with hfp.producer(reliable, "p") as producer:
        sent, first_refused = fill(device, producer)
        in_full = first_refused - 1
        h.wait_for("what came before to be stored", lambda: device.count("in") == in_full)
        with hfp.consumer(reliable, window=1) as worker:
            drain(worker, 1, 5)
            worker.wait_acked(20 * h.SCALE)
            h.expect(device.count("acked") == 5, "acks do not count on a full disk")
            h.expect(device.count("in") == in_full, "something was stored on a full disk")
            drain(worker, 6, in_full)
            worker.wait_acked(20 * h.SCALE)
            resumed = producer.wait_frame(hfp.RESUME, 30 * h.SCALE)
            h.expect(resumed["expected"] == first_refused, f"resumed at {resumed}")
            producer.publish_block([[b"%d" % n] for n in range(first_refused, sent + 1)],
                                   number=first_refused)
            producer.wait_accepted(20 * h.SCALE)
            drain(worker, first_refused, sent)
            worker.wait_acked(20 * h.SCALE)
    counts = device.check_identity()["streams"][0]["counts"]
    h.expect(counts["acked"] == counts["in"] == sent, f"{sent} sent, counts {counts}")


def forbid_new_files(test, device):
    """Nothing can be made in seg/ any more, while what is open there can be written; what undoes it."""
    h.need_root()
    folder = h.os.path.join(device.data, "seg")
    # What is made while it is mounted would keep it writable.
    h.wait_for("the reserve to be made", lambda: len(h.os.listdir(folder)) >= 3)

    def allow():
        subprocess.run(["umount", "-l", folder], check=True)

    done = subprocess.run(["mount", "-o", "bind,ro", folder, folder], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise h.skip(f"cannot mount: {done.stderr.strip()}")
    test.on_end(lambda: subprocess.run(["umount", "-l", folder], capture_output=True, check=False))
    return allow


def test_files_that_cannot_be_made_are_like_a_full_disk(test):
    """The disk has room, but no file can be made: producers are held, acks count, and it resumes."""
    reliable = h.tcp()
    device = h.device(test, top={"segment_size": "1MiB"}, reliable=["@" + reliable]).start()
    allow = forbid_new_files(test, device)
    with hfp.producer(reliable, "p") as producer, hfp.consumer(reliable, window=1) as worker:
        # A burst of more than the reserve before the first failure is known would use that up.
        sent, first_refused = fill(device, producer, ahead=1)
        h.expect("Read-only file system" in device.process.errors(), "not a word about it")
        drain(worker, 1, 5)
        worker.wait_acked(20 * h.SCALE)
        h.expect(device.count("acked") == 5, "acks do not count while files cannot be made")
        h.expect(device.status()["journal"]["failure"] == "", "the journal gave up")
        allow()
        resumed = producer.wait_frame(hfp.RESUME, 30 * h.SCALE)
        h.expect(resumed["expected"] == first_refused, f"resumed at {resumed}")
        producer.publish_block([[b"%d" % n] for n in range(first_refused, sent + 1)], number=first_refused)
        producer.wait_accepted(20 * h.SCALE)
        drain(worker, 6, sent)
        worker.wait_acked(20 * h.SCALE)
    counts = device.check_identity()["streams"][0]["counts"]
    h.expect(counts["acked"] == counts["in"] == sent, f"{sent} sent, counts {counts}")


def test_plain_producer_is_held_and_resumes(test):
    plain_is_held_and_resumes(test, BODY)


def test_a_large_plain_message_waits_for_room(test):
    """Its size is known only once it was read."""
    plain_is_held_and_resumes(test, 13 << 20)


def plain_is_held_and_resumes(test, size):
    device, into, reliable = full_device(test)
    count = (SIZE_MIB << 20) // size * 2
    source = pusher(into, count, size)
    source.start()
    before = h.wait_for("the input to pause", lambda: paused_at(device, source))
    h.expect(0 < before < count, f"{before} of {count} stored on {SIZE_MIB} MiB")
    with hfp.consumer(reliable, window=16) as worker:
        for number in range(1, count + 1):
            got = worker.receive(30 * h.SCALE)
            _, came, exact = messages.identify(got.parts[1:])
            h.expect(came == number and exact and got.parts[0] == source.body, f"{number} came as {came}")
            worker.ack(got)
        worker.wait_acked(20 * h.SCALE)
    source.join()
    h.expect(device.count("acked") == count, "not all acked")
    device.check_identity()


def paused_at(device, source):
    """What is stored once neither the sender nor the device moves on, else 0: the same figures in
    twenty statuses one after another."""
    before = (source.sent, device.count("in"))
    for _ in range(20):
        if (source.sent, device.count("in")) != before:
            return 0
    return before[1]


def asker(endpoint, count):
    """Plain clients' requests, more than the disk holds, and how often each was answered."""
    answered = {}
    with zmq.Context.instance().socket(zmq.DEALER) as socket:
        socket.linger, socket.sndhwm = 0, 10
        socket.connect(endpoint)
        sent = 0
        while len(answered) < count:
            ready = socket.poll(60_000 * h.SCALE, zmq.POLLIN | (zmq.POLLOUT if sent < count else 0))
            h.expect(ready != 0, f"{sent} of {count} requests sent, {len(answered)} answered")
            if ready & zmq.POLLOUT:
                sent += 1
                socket.send_multipart([b"", b"%d" % sent, bytes(BODY)])
            if ready & zmq.POLLIN:
                _, number, body = socket.recv_multipart()
                h.expect(body == bytes(BODY), f"the answer to {number} was changed")
                answered[int(number)] = answered.get(int(number), 0) + 1
    return answered


def test_requests_wait_and_replies_make_room(test):
    """No worker: requests fill the disk, then wait in their clients. A worker: all are answered."""
    into, out = h.tcp(), h.tcp()
    count = (SIZE_MIB << 20) // BODY * 3 // 2
    device = h.device(test, pattern="reqrep", data=h.os.path.join(small_disk(test), "lab"),
                      top={"segment_size": "4MiB"}, deadline="1h",
                      **{"in": ["@" + into], "out": ["@" + out]}).start()
    with concurrent.futures.ThreadPoolExecutor() as threads:
        done = threads.submit(asker, into, count)
        stored = h.wait_for("the disk to be full", lambda: full_at(device))
        h.expect(0 < stored < count, f"{stored} of {count} stored on {SIZE_MIB} MiB")
        with zmq.Context.instance().socket(zmq.REP) as worker:
            worker.connect(out)
            while not done.done():
                if worker.poll(100):
                    worker.send_multipart(worker.recv_multipart())
        answered = done.result()
    h.expect(answered == dict.fromkeys(range(1, count + 1), 1), "not each request answered once")
    device.check_identity()


def full_at(device):
    """What is stored once nothing more is, else 0: the same figure in twenty statuses."""
    before = device.count("in", "default")
    return before if all(device.count("in", "default") == before for _ in range(20)) else 0


def test_a_restart_on_a_full_disk(test):
    device, _, reliable = full_device(test)
    with hfp.producer(reliable, "p") as producer:
        _, first_refused = fill(device, producer)
        # What is not accepted yet may go with the device.
        producer.wait_accepted(20 * h.SCALE, through=first_refused - 1)
    in_full = device.count("in")
    h.expect(in_full == first_refused - 1, f"in is {in_full}, refused at {first_refused}")
    device.restart()
    device.check_identity()
    h.expect(device.count("in") == in_full, "messages are missing after the restart")
    with hfp.consumer(reliable, window=1) as worker:
        drain(worker, 1, in_full)
        worker.wait_acked(20 * h.SCALE)
    device.check_identity()


if __name__ == "__main__":
    h.main(globals())
