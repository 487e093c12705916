"""What `holdfast journal export` writes, of live and dead journals: JSON Lines read with json, MCAP read with a
parser written from the published specification (mcap.py). Every message is compared with what was sent."""

import base64
import json
import os
import pty
import select
import signal
import struct
import subprocess
import time

import msgpack

import harness as h
import hfp
import mcap
import tool_test

PLAIN = "application/octet-stream"


def export(data, *options, code=0):
    """Standard output of an export, as bytes."""
    done = subprocess.run([h.options.bin, "journal", "export", data, *options], capture_output=True,
                          timeout=60 * h.SCALE, check=False, preexec_fn=h.die_with_parent)
    h.expect(done.returncode == code, f"exit {done.returncode}, not {code}: {done.stderr}")
    h.expect(code != 0 or done.stderr == b"", f"no terminal, and it says {done.stderr}")
    return done.stdout


def lines(data, *options):
    return [json.loads(line) for line in export(data, *options).splitlines()]


def exact(part):
    return base64.b64decode(part["base64"]) if isinstance(part, dict) else part.encode()


def parts_of(line):
    return [exact(part) for part in line["parts"]]


def some_messages(random, count):
    """Parts of all kinds: empty, binary, UTF-8, many, large."""
    made = []
    for n in range(count):
        parts = [random.randbytes(random.choice((0, 1, 7, 300, 5000))) for _ in range(random.randrange(1, 5))]
        made.append([b"%d" % n] if n % 3 == 0 else ["grüße \"\\\n".encode(), b""] if n % 7 == 1 else parts)
    return made


class raw_name(str):
    """A queue's name that is no UTF-8: text for the harness, these bytes on the wire."""

    def encode(self, *_):
        return super().encode("latin-1")


def filled(test, queues=("default", "left", "right/\\two", b"\xff\x00q"), count=200, **channel):
    """A pipeline with messages in several queues: the device and {queue as bytes: [parts]}."""
    endpoint = h.tcp()
    device = h.device(test, reliable=["@" + endpoint], **channel).start()
    sent = {}
    for queue in queues:
        name = queue if isinstance(queue, bytes) else queue.encode()
        sent[name] = some_messages(test.random, count)
        with hfp.producer(endpoint, "p-%d" % len(sent), queue=raw_name(name.decode("latin-1"))) as producer:
            for at in range(0, count, 50):
                producer.publish_block(sent[name][at:at + 50])
            producer.wait_accepted(20 * h.SCALE)
    return device, endpoint, sent


def check_lines(found, sent):
    got = {}
    for line in found:
        h.expect(line["channel"] == "work", f"channel of {line}")
        got.setdefault(exact(line["address"]), []).append(line)
    h.expect(set(got) == set(sent), f"addresses {set(got)}, not {set(sent)}")
    for queue, messages in sent.items():
        h.expect([line["sequence"] for line in got[queue]] == list(range(1, len(messages) + 1)), "sequences")
        h.expect([parts_of(line) for line in got[queue]] == messages, f"messages of {queue}")
        for n, line in enumerate(got[queue], 1):
            h.expect(line["producer"].startswith("p-") and line["producer_number"] == n, f"producer of {line}")
            h.expect(abs(line["time_ns"] - time.time_ns()) < 600e9 and line["time"].endswith("Z"), "time")


def unframed(data):
    """The parts of a message on a channel with the encoding holdfast.parts."""
    count = struct.unpack_from("<H", data)[0]
    sizes = struct.unpack_from(f"<{count}I", data, 2)
    parts, at = [], 2 + 4 * count
    for size in sizes:
        parts.append(data[at:at + size])
        at += size
    h.expect(at == len(data), "a framed message has bytes too many")
    return parts


def mcap_messages(content):
    """{topic: [(sequence, parts, time)]}, in the file's order; several MCAP channels may have one topic."""
    found = {}
    for one in content.messages:
        channel = content.channels[one.channel]
        framed = channel.encoding == "holdfast.parts"
        h.expect(framed or channel.encoding == PLAIN, f"encoding {channel.encoding}")
        h.expect(one.log_time == one.publish_time, "without a sender's clock both times are the same")
        parts = unframed(one.data) if framed else [one.data]
        h.expect((len(parts) > 1) == framed, "one part is never framed, several always are")
        found.setdefault(channel.topic, []).append((one.sequence, parts, one.log_time))
    return found


def check_mcap(data, sent, by_line):
    content = mcap.read(data)
    h.expect(content.library.startswith("holdfast "), f"library {content.library}")
    topics = {b"default": "work/default", b"left": "work/left", b"right/\\two": "work/right/\\two",
              b"\xff\x00q": "work/\\xff\x00q"}
    found = mcap_messages(content)
    h.expect(set(found) == {topics[queue] for queue in sent}, f"topics {set(found)}")
    for queue, messages in sent.items():
        got = found[topics[queue]]
        h.expect([parts for _, parts, _ in got] == messages, f"messages of {queue}")
        h.expect([sequence for sequence, _, _ in got] == list(range(1, len(messages) + 1)), "sequences")
        h.expect([at for _, _, at in got] == [line["time_ns"] for line in by_line
                                              if exact(line["address"]) == queue], "log times")
    return content


def test_live_and_dead(test):
    device, endpoint, sent = filled(test)
    check_lines(lines(device.data), sent)
    check_mcap(export(device.data, "--format", "mcap"), sent, lines(device.data))
    with hfp.consumer(endpoint, 1000, queue="left") as consumer:  # what is acked is still in the journal
        for _ in range(20):
            consumer.ack(consumer.receive(20 * h.SCALE))
        consumer.wait_acked(20 * h.SCALE)
    device.kill()
    check_lines(lines(device.data), sent)
    check_mcap(export(device.data, "--format", "mcap"), sent, lines(device.data))
    device.start().terminate()  # names are in the checkpoint alone for what follows it
    check_lines(lines(device.data), sent)
    check_mcap(export(device.data, "--format", "mcap"), sent, lines(device.data))


def test_many_chunks_and_large_messages(test):
    endpoint = h.tcp()
    device = h.device(test, reliable=["@" + endpoint]).start()
    sent = [[test.random.randbytes(test.random.choice((100, 60_000)))] for _ in range(600)]
    sent[300] = [test.random.randbytes(9_000_000)]
    with hfp.producer(endpoint, "p") as producer:
        for one in sent:
            producer.publish_block([one])
        producer.wait_accepted(60 * h.SCALE)
    content = mcap.read(export(device.data, "--format", "mcap"))
    h.expect([[one.data] for one in content.messages] == sent, "messages")
    h.expect(len(content.chunks) >= 5, f"{len(content.chunks)} chunks")


def test_nothing_is_a_valid_file_too(test):
    device, _, _ = filled(test, queues=("default",), count=1)
    content = mcap.read(export(device.data, "--format", "mcap", "--address", "nobody"))
    h.expect(content.messages == [] and content.channels == {} and content.chunks == [], "an empty file")
    h.expect(export(device.data, "--address", "nobody") == b"", "no lines")
    h.expect(export(test.path("none"), code=1) == b"", "of no journal")


def test_the_parser_sees_every_changed_byte(test):
    device, _, _ = filled(test, queues=("left", "right"), count=50)
    good = export(device.data, "--format", "mcap")
    mcap.read(good)
    for at in {test.random.randrange(len(good)) for _ in range(300)} | {8, len(good) - 20, len(good) - 1}:
        bad = bytearray(good)
        bad[at] ^= 1 << test.random.randrange(8)
        try:
            mcap.read(bytes(bad))
        except (mcap.broken, UnicodeDecodeError, struct.error):
            continue
        raise h.failure(f"byte {at} of {len(good)} was changed, and the parser saw nothing")


def test_what_was_asked_for(test):
    device, endpoint, sent = filled(test, queues=("left", "right"), count=100)
    between = time.time_ns()
    h.wait_for("the clock to move", lambda: time.time_ns() > between + 2_000_000)
    with hfp.producer(endpoint, "later", queue="left") as producer:
        producer.publish_block([[b"late"]])
        producer.wait_accepted(20 * h.SCALE)
    data = device.data
    h.expect({line["address"] for line in lines(data, "--address", "left")} == {"left"}, "--address")
    h.expect(len(lines(data, "--address", "left", "--address", "right")) == 201, "--address twice")
    h.expect(len(lines(data, "--topic", "ri")) == 100, "--topic")
    h.expect(lines(data, "--channel", "other") == [], "--channel")
    h.expect(len(lines(data, "--channel", "work")) == 201, "--channel")
    got = lines(data, "--address", "left", "--from", "11", "--to", "21")
    h.expect([line["sequence"] for line in got] == list(range(11, 21)), "sequences: the end is left out")
    h.expect([parts_of(line) for line in got] == sent[b"left"][10:20], "their messages")
    moment = lines(data)[-1]
    h.expect([parts_of(line) for line in lines(data, "--from", moment["time"])] == [[b"late"]], "a time")
    h.expect(len(lines(data, "--to", moment["time"])) == 200, "up to a time")
    h.expect(len(lines(data, "--from", "-10m")) == 201, "how long ago")
    for wrong in (("--from", "soon"), ("--format", "xml"), ("--schema", "x"), ("--encoding", "json")):
        export(data, *wrong, code=2)


def test_a_file_is_whole_or_not_there(test):
    device, _, sent = filled(test, queues=("default",))
    path = test.path("out.mcap")
    told = export(device.data, "--output", path)
    h.expect(b"messages 200" in told, f"it says {told}")
    with open(path, "rb") as file:
        first = file.read()
    check_mcap(first, sent, lines(device.data))  # MCAP by the file's name
    export(device.data, "--output", path, code=2)
    with open(path, "rb") as file:
        h.expect(file.read() == first, "a file that was there was changed")
    export(device.data, "--output", test.path("no/such/place"), code=1)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([h.options.bin, "journal", "export", device.data], stdout=full,
                              stderr=subprocess.PIPE, check=False)
    h.expect(done.returncode == 1 and b"not complete" in done.stderr, f"a full disk: {done}")
    h.expect(not [name for name in os.listdir(test.dir) if name.endswith(".part")], "a part is left")


def test_topics_of_pubsub_and_encodings(test):
    endpoint = h.tcp()
    device = h.device(test, pattern="pubsub", reliable=["@" + endpoint]).start()
    values = [{"n": n, "x": [1.5, None, "text"]} for n in range(50)]
    with hfp.producer(endpoint, "cam") as producer:
        producer.publish_block([[b"cam/%d" % (n % 3), msgpack.packb(value)] for n, value in enumerate(values)])
        producer.publish_block([[b"alone"]])
        producer.wait_accepted(20 * h.SCALE)
    data = device.data
    h.expect([line["address"] for line in lines(data)] == [f"cam/{n % 3}" for n in range(50)] + [""], "topics")
    h.expect(len(lines(data, "--topic", "cam/1")) == 17, "--topic")
    decoded = lines(data, "--decode", "msgpack", "--topic", "cam")
    h.expect([line["value"] for line in decoded] == values, "--decode in JSON Lines")
    content = mcap.read(export(data, "--format", "mcap", "--decode", "msgpack", "--topic", "cam"))
    h.expect([json.loads(one.data) for one in content.messages] == values, "--decode in MCAP")
    h.expect({one.encoding for one in content.channels.values()} == {"json"}, "their encoding")
    h.expect({one.topic for one in content.channels.values()} == {f"work/cam/{n}" for n in range(3)}, "topics")
    with open(test.path("schema"), "w", encoding="utf-8") as file:
        file.write("uint32 n\n")
    content = mcap.read(export(data, "--format", "mcap", "--encoding", "msgpack", "--topic", "cam/0",
                               "--schema", test.path("schema"), "--schema-name", "lab/Frame",
                               "--schema-encoding", "ros2msg"))
    (channel,) = content.channels.values()
    h.expect(channel.encoding == "msgpack" and channel.metadata["holdfast.pattern"] == "pubsub", f"{channel}")
    h.expect(content.schemas[channel.schema][1:] == ("lab/Frame", "ros2msg", b"uint32 n\n"), "the schema")
    h.expect([msgpack.unpackb(one.data) for one in content.messages] == values[::3], "payloads without topic")


def test_more_topics_than_mcap_has_channels(test):
    endpoint = h.tcp()
    device = h.device(test, pattern="pubsub", reliable=["@" + endpoint]).start()
    with hfp.producer(endpoint, "p") as producer:
        for at in range(0, 68_000, 4000):
            producer.publish_block([[b"t%d" % n, b""] for n in range(at, at + 4000)])
            producer.wait_accepted(60 * h.SCALE)
    path = test.path("many.mcap")
    done = h.run("journal", "export", device.data, "-o", path)
    h.expect(done.returncode == 1 and "65 535" in done.stderr and "--topic" in done.stderr, f"{done}")
    h.expect(not os.path.exists(path) and not os.path.exists(path + ".part"), "a half is left")
    content = mcap.read(export(device.data, "--format", "mcap", "--topic", "t1"))
    h.expect(len(content.channels) == len([n for n in range(68_000) if str(n)[0] == "1"]), "topics")
    h.expect(len(lines(device.data)) == 68_000, "JSON Lines have no such limit")


def test_requests_and_replies(test):
    endpoint = h.tcp()
    device = h.device(test, pattern="reqrep", reliable=["@" + endpoint]).start()
    test.child("rep", [h.options.bin, "rep", endpoint, "upper", "--exec", "tr a-z A-Z"])
    done = h.run("req", endpoint, "upper", "hello", "--timeout", "20")
    h.expect(done.stdout == "HELLO\n", f"{done.stdout}{done.stderr}")
    request, reply = lines(device.data)
    h.expect((request["address"], request["parts"]) == ("upper", ["hello"]), f"{request}")
    h.expect((reply["address"], reply["parts"]) == ("upper.reply", ["HELLO"]), f"{reply}")
    h.expect(reply["reply"]["id"] == request["request"]["id"] and reply["reply"]["status"] == 200, f"{reply}")
    content = mcap.read(export(device.data, "--format", "mcap"))
    h.expect([one.data for one in content.messages] == [b"hello", b"HELLO"], "payloads without heads")
    cat = map(json.loads, h.run("journal", "cat", device.data, "--json").stdout.splitlines())
    first, second = [line for line in cat if "parts" in line]
    h.expect((first["request"], second["reply"]) == (request["request"], reply["reply"]), "heads in cat --json")
    h.expect((first["parts"][1:], second["parts"][1:]) == (["hello"], ["HELLO"]), "all parts in cat --json")


def test_rot_is_told_and_the_rest_exported(test):
    device, endpoint, _ = filled(test, queues=("default",), count=1)
    with hfp.producer(endpoint, "q") as producer:
        for n in range(20):
            producer.publish_block([[b"needle %02d" % n]])
            producer.wait_accepted(20 * h.SCALE)
    device.terminate()
    for name in os.listdir(os.path.join(device.data, "seg")):
        tool_test.flip(os.path.join(device.data, "seg", name), b"needle 07")
    got = [json.loads(line)["parts"][0] for line in export(device.data, code=3).splitlines()]
    h.expect(got[1:] == ["needle %02d" % n for n in range(20) if n != 7], f"{got}")


def on_terminal(*command):
    """What a command says to a terminal on standard error."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, preexec_fn=h.die_with_parent)
    os.close(theirs)
    said = b""
    while True:
        if not select.select([ours], [], [], 60 * h.SCALE)[0]:
            process.kill()
            raise h.failure("the command does not end")
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            piece = b""
        if not piece:
            break
        said += piece
    os.close(ours)
    h.expect(process.wait() == 0, f"exit {process.returncode}: {said}")
    return said.decode()


def test_progress_on_a_terminal_only(test):
    """A journal that takes longer to read than the first line of progress takes to come; where this machine
    reads it faster there is nothing to see."""
    endpoint = h.tcp()
    device = h.device(test, reliable=["@" + endpoint]).start()
    body = test.random.randbytes(4_000_000)
    with hfp.producer(endpoint, "p") as producer:
        for _ in range(100):
            producer.publish_block([[body]])
            producer.wait_accepted(60 * h.SCALE)
    begun = time.monotonic()
    silent = h.run("journal", "export", device.data)
    took = time.monotonic() - begun
    h.expect(silent.stderr == "", f"without a terminal it says {silent.stderr}")
    said = on_terminal(h.options.bin, "journal", "export", device.data)
    if took > 1 and "\r" not in said:
        raise h.failure(f"{took:.1f} s, and the terminal saw nothing")
    if "\r" not in said:
        raise h.skip(f"read in {took:.2f} s: too fast for progress")
    for word in ("export: ", " % ", "MiB of ", "MiB/s", " left"):
        h.expect(word.strip() in said, f"no '{word}' in {said!r}")
    h.expect(said.endswith("\r\x1b[K"), f"the line is not wiped: {said[-40:]!r}")
    check_stop(test, device.data)


def check_stop(test, data):
    """A signal ends a long export, and no half of a file is left."""
    path = test.path("long.jsonl")
    one = test.child("export", [h.options.bin, "journal", "export", data, "-o", path])
    h.wait_for("the export to begin", lambda: os.path.exists(path + ".part"))
    one.signal(signal.SIGTERM)
    h.expect(one.wait_exit() == 1 and "stopped by a signal" in one.errors(), f"stopped: {one.errors()}")
    h.expect(not os.path.exists(path) and not os.path.exists(path + ".part"), "a half is left")


if __name__ == "__main__":
    h.main(globals())
