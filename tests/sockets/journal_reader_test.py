"""holdfast/journal_reader.h through a program in C (journal_dump.c): live and dead journals, every message as it
was sent, and what a caller may do wrong."""

import ctypes
import json
import os
import subprocess

import export_test
import harness as h
import hfp


def program():
    return os.path.join(h.options.tools, "journal_dump")


def dump(data, code=0):
    done = subprocess.run([program(), data], capture_output=True, text=True, timeout=60 * h.SCALE, check=False)
    h.expect(done.returncode == code, f"exit {done.returncode}, not {code}: {done.stderr}")
    return done.stdout.splitlines() if code == 0 else done.stderr


def bytes_of(text):
    return bytes.fromhex(text)


def messages(lines):
    """{address: [(sequence, parts)]} of the lines that are messages."""
    found = {}
    for line in lines:
        words = line.split(" ")
        if words[0] != "message":
            continue
        channel, address = words[3].split("/")
        h.expect(bytes_of(channel) == b"work" and words[4] == "pipeline", f"where: {line}")
        h.expect(bytes_of(words[5]).startswith(b"p-"), f"producer: {line}")
        parts = [bytes_of(part[:-1]) for part in words[6:]]
        found.setdefault(bytes_of(address), []).append((int(words[1]), parts))
    return found


def check(lines, sent):
    want = {queue: list(enumerate(parts, 1)) for queue, parts in sent.items()}
    found = messages(lines)
    h.expect(found == want, lambda: f"{ {q: len(m) for q, m in found.items()} } messages, or other bytes")
    places = [int(line.split()[1]) for line in lines if line.startswith("record")]
    h.expect(places == sorted(set(places)), "records out of order")
    h.expect(not [line for line in lines if line.startswith("gap")], "a gap in a good journal")


def test_live_and_dead(test):
    device, _, sent = export_test.filled(test)
    check(dump(device.data), sent)
    device.kill()
    check(dump(device.data), sent)
    device.start().terminate()
    check(dump(device.data), sent)


def test_it_goes_on_behind_the_end(test):
    device, endpoint, sent = export_test.filled(test, queues=("default",), count=10)
    reader = test.child("dump", [program(), device.data, "--follow"])
    reader.wait_line("end")
    with hfp.producer(endpoint, "p-more") as producer:
        producer.publish_block([[b"more"]])
        producer.wait_accepted(20 * h.SCALE)
    device.restart()
    with hfp.producer(endpoint, "p-more") as producer:
        producer.publish_block([[b"after a restart"]])
        producer.wait_accepted(20 * h.SCALE)
    found = {}

    def asked():
        reader.tell("again")
        reader.read_lines(1)
        found.update(messages(reader.lines))
        return len(found.get(b"default", [])) == 2
    h.wait_for("both messages", asked)
    h.expect(found[b"default"] == [(11, [b"more"]), (12, [b"after a restart"])], f"{found}")


def test_damage_is_a_gap(test):
    device, _, _ = export_test.filled(test, queues=("default",), count=50)
    device.terminate()
    cat = map(json.loads, h.run("journal", "cat", device.data, "--json").stdout.splitlines())
    block = next(line for line in cat if line.get("type") == "block")
    segment = json.loads(h.run("journal", "ls", device.data, "--json").stdout.splitlines()[0])
    with open(os.path.join(device.data, segment["segment"]), "r+b") as file:
        at = block["position"] - (segment["first_position"] - 4096) + 64 + 13  # into the block's body
        file.seek(at)
        was = file.read(1)
        file.seek(at)
        file.write(bytes([was[0] ^ 1]))
    gaps = [[int(word) for word in line.split()[1:]] for line in dump(device.data) if line.startswith("gap")]
    want = [2, block["position"], block["bytes"], block["first_sequence"], block["count"]]
    h.expect(gaps == [want], f"gaps {gaps}, not {want}")


class c_bytes(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_uint8)), ("size", ctypes.c_size_t)]

    def exact(self):
        return ctypes.string_at(self.data, self.size) if self.size else b""


class c_record(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("type", ctypes.c_uint32), ("position", ctypes.c_uint64),
                ("size", ctypes.c_uint64), ("flags", ctypes.c_uint32), ("count", ctypes.c_uint32),
                ("stream", ctypes.c_uint32), ("producer", ctypes.c_uint32),
                ("first_sequence", ctypes.c_uint64), ("producer_number", ctypes.c_uint64),
                ("time_ns", ctypes.c_uint64), ("watermark", ctypes.c_uint64), ("level", ctypes.c_uint32),
                ("gap", ctypes.c_uint32), ("body", c_bytes)]


class c_entry(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("is_void", ctypes.c_uint32), ("sequence", ctypes.c_uint64),
                ("time_ns", ctypes.c_uint64), ("producer_number", ctypes.c_uint64), ("parts", ctypes.c_uint32),
                ("reserved", ctypes.c_uint32), ("properties", c_bytes)]


class c_stream(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_uint32), ("epoch", ctypes.c_uint32), ("channel", c_bytes),
                ("address", c_bytes), ("pattern", c_bytes)]


def python_messages(library, data):
    """{address: [(sequence, parts)]} by ctypes alone."""
    journal, record, found = ctypes.c_void_p(), c_record(ctypes.sizeof(c_record)), {}
    entry, where = c_entry(ctypes.sizeof(c_entry)), c_stream(ctypes.sizeof(c_stream))
    library.holdfast_journal_part.restype = c_bytes
    opened = library.holdfast_journal_open(data.encode(), 1, ctypes.c_uint64(0), ctypes.byref(journal))
    h.expect(opened == 0, "open")
    while library.holdfast_journal_next(journal, ctypes.byref(record)) == 0:
        if record.type != 16:
            continue
        library.holdfast_journal_find_stream(journal, record.stream, ctypes.byref(where))
        while library.holdfast_journal_next_entry(journal, ctypes.byref(entry)) == 0:
            parts = [library.holdfast_journal_part(journal, n).exact() for n in range(entry.parts)]
            found.setdefault(where.address.exact(), []).append((entry.sequence, parts))
    library.holdfast_journal_close(journal)
    return found


def test_python_reads_it_through_a_shared_object(test):
    if h.SANITIZED:
        raise h.skip("a sanitizer's library has to be loaded before anything else, and Python is not built with it")
    device, _, sent = export_test.filled(test)
    library = ctypes.CDLL(os.path.join(h.options.tools, "journal_reader.so"))
    want = {queue: list(enumerate(parts, 1)) for queue, parts in sent.items()}
    h.expect(python_messages(library, device.data) == want, "other messages than were sent")


def test_no_journal(test):
    h.expect(test.path("none") in dump(test.path("none"), 1), "it does not say which journal is not there")


def test_misuse(test):
    device, _, _ = export_test.filled(test, queues=("default",), count=1)
    done = subprocess.run([program(), device.data, "--misuse"], timeout=60 * h.SCALE, check=False)
    h.expect(done.returncode == 0, f"check {done.returncode} of journal_dump.c does not hold")


if __name__ == "__main__":
    h.main(globals())
