"""Reads an MCAP file, from the published specification alone (mcap.dev/spec, major version 0), and fails
where the file breaks it: lengths, orders, references, CRCs, every index entry against what stands there.

Nothing of Holdfast is used. read(bytes) returns a file_content; not compressed chunks only.
"""

import collections
import struct
import zlib

MAGIC = b"\x89MCAP0\r\n"
HEADER, FOOTER, SCHEMA, CHANNEL, MESSAGE, CHUNK, MESSAGE_INDEX, CHUNK_INDEX = 1, 2, 3, 4, 5, 6, 7, 8
STATISTICS, SUMMARY_OFFSET, DATA_END = 11, 14, 15

schema = collections.namedtuple("schema", "id name encoding data")
channel = collections.namedtuple("channel", "id schema topic encoding metadata")
message = collections.namedtuple("message", "channel sequence log_time publish_time data")
record = collections.namedtuple("record", "opcode at end body")  # at: of the opcode


class broken(Exception):
    """The file is not what the specification asks for."""


def need(condition, what):
    if not condition:
        raise broken(what)


class fields:
    """The fields of one record, front to back."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        need(self.at + size <= len(self.data), f"a field of {size} bytes goes beyond its record")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, code):
        return struct.unpack("<" + code, self.take(struct.calcsize(code)))[0]

    def text(self):
        return bytes(self.take(self.number("I"))).decode()  # strict: strings are UTF-8

    def pairs(self, key, value):
        """Map or Array<Tuple>: a byte length, then pairs."""
        inner = fields(self.take(self.number("I")))
        found = []
        while inner.at < len(inner.data):
            found.append((key(inner), value(inner)))
        return found

    def map(self, key, value):
        found = self.pairs(key, value)
        need(len(dict(found)) == len(found), "a map has a key twice")
        return dict(found)

    def end(self):
        need(self.at == len(self.data), f"{len(self.data) - self.at} bytes too many in a record")


def u16(f):
    return f.number("H")


def u64(f):
    return f.number("Q")


def records(data, at, end):
    while at < end:
        need(at + 9 <= end, "a record is cut short")
        opcode, size = data[at], struct.unpack_from("<Q", data, at + 1)[0]
        need(at + 9 + size <= end, f"a record of opcode {opcode} goes beyond its section")
        yield record(opcode, at, at + 9 + size, data[at + 9:at + 9 + size])
        at += 9 + size


def parse_schema(body):
    f = fields(body)
    found = schema(f.number("H"), f.text(), f.text(), bytes(f.take(f.number("I"))))
    f.end()
    need(found.id != 0, "a schema has the id 0")
    need(found.encoding or not found.data, "a schema without an encoding has data")
    return found


def parse_channel(body):
    f = fields(body)
    found = channel(f.number("H"), f.number("H"), f.text(), f.text(), f.map(fields.text, fields.text))
    f.end()
    return found


def parse_message(body):
    f = fields(body)
    return message(f.number("H"), f.number("I"), f.number("Q"), f.number("Q"), bytes(f.data[22:]))


class file_content:
    def __init__(self, data):
        self.data = data
        self.schemas, self.channels, self.messages = {}, {}, []
        self.chunks = []  # of the data section, as the chunk indexes should have them
        self.library = self.statistics = None

    def define(self, known, found):
        need(known.setdefault(found.id, found) == found, f"two definitions of id {found.id} differ")

    def take_channel(self, body):
        found = parse_channel(body)
        need(found.schema == 0 or found.schema in self.schemas, f"channel {found.id} before its schema")
        self.define(self.channels, found)

    def take_chunk(self, found):
        f = fields(found.body)
        first, last, size, crc = f.number("Q"), f.number("Q"), f.number("Q"), f.number("I")
        need(f.text() == "", "a chunk is compressed")
        inside = f.take(f.number("Q"))
        f.end()
        need(len(inside) == size, "uncompressed_size is not the size")
        need(crc != 0 and zlib.crc32(inside) == crc, "the CRC of a chunk does not hold")
        chunk = {"first": first, "last": last, "at": found.at, "size": found.end - found.at,
                 "bytes": size, "indexes": {}, "index_bytes": 0, "messages": {}}
        times = []
        for one in records(inside, 0, size):
            if one.opcode == SCHEMA:
                self.define(self.schemas, parse_schema(one.body))
            elif one.opcode == CHANNEL:
                self.take_channel(one.body)
            else:
                need(one.opcode == MESSAGE, f"opcode {one.opcode} in a chunk")
                told = parse_message(one.body)
                need(told.channel in self.channels, f"a message before its channel {told.channel}")
                self.messages.append(told)
                chunk["messages"].setdefault(told.channel, []).append((told.log_time, one.at))
                times.append(told.log_time)
        need((first, last) == ((min(times), max(times)) if times else (0, 0)), "times of a chunk")
        self.chunks.append(chunk)

    def take_message_index(self, found):
        need(self.chunks, "a message index before any chunk")
        f = fields(found.body)
        of, entries = f.number("H"), f.pairs(u64, u64)
        f.end()
        chunk = self.chunks[-1]
        need(of not in chunk["indexes"], f"two message indexes of channel {of}")
        need(sorted(entries) == sorted(chunk["messages"].get(of, [])),
             f"the message index of channel {of} is not what stands in the chunk")
        chunk["indexes"][of] = found.at
        chunk["index_bytes"] += found.end - found.at

    def take_data(self, start, end):
        after_chunk = False
        for one in records(self.data, start, end):
            if one.opcode == DATA_END:
                return one
            need(one.opcode != MESSAGE_INDEX or after_chunk, "message indexes do not follow their chunk")
            if one.opcode == CHUNK:
                self.close_chunk()
                self.take_chunk(one)
            elif one.opcode == MESSAGE_INDEX:
                self.take_message_index(one)
            else:
                raise broken(f"opcode {one.opcode} in the data section: none is written by this writer")
            after_chunk = True
        raise broken("the data section has no end")

    def close_chunk(self):
        if self.chunks:
            need(set(self.chunks[-1]["indexes"]) == set(self.chunks[-1]["messages"]),
                 "a channel of a chunk has no message index")

    def take_statistics(self, body):
        need(self.statistics is None, "two statistics")
        f = fields(body)
        names = ("messages", "schemas", "channels", "attachments", "metadata", "chunks", "first", "last")
        self.statistics = {name: f.number(code) for name, code in zip(names, "QHIIIIQQ")}
        self.statistics["by_channel"] = f.map(u16, u64)
        f.end()

    def check_chunk_index(self, number, body):
        need(number < len(self.chunks), "more chunk indexes than chunks")
        f, chunk = fields(body), self.chunks[number]
        told = {"first": u64(f), "last": u64(f), "at": u64(f), "size": u64(f), "indexes": f.map(u16, u64),
                "index_bytes": u64(f), "compression": f.text(), "compressed": u64(f), "bytes": u64(f)}
        f.end()
        real = {**chunk, "compression": "", "compressed": chunk["bytes"]}
        for name, value in told.items():
            need(real[name] == value, f"chunk index {number}: {name} is {value}, not {real[name]}")

    def take_summary(self, start, end):
        groups, schemas, channels, indexes = [], {}, {}, 0
        for one in records(self.data, start, end):
            if not groups or groups[-1][0] != one.opcode:
                groups.append([one.opcode, one.at, 0])
            groups[-1][2] += one.end - one.at
            if one.opcode == SCHEMA:
                schemas[parse_schema(one.body).id] = parse_schema(one.body)
            elif one.opcode == CHANNEL:
                channels[parse_channel(one.body).id] = parse_channel(one.body)
            elif one.opcode == STATISTICS:
                self.take_statistics(one.body)
            elif one.opcode == CHUNK_INDEX:
                self.check_chunk_index(indexes, one.body)
                indexes += 1
            else:
                raise broken(f"opcode {one.opcode} in the summary: none is written by this writer")
        need(len({group[0] for group in groups}) == len(groups), "the summary is not grouped by opcode")
        need(schemas == self.schemas, "schemas of the summary are not those of the data")
        need(channels == self.channels, "channels of the summary are not those of the data")
        need(indexes == len(self.chunks), f"{indexes} chunk indexes for {len(self.chunks)} chunks")
        return groups

    def check_offsets(self, groups, start, end):
        told = []
        for one in records(self.data, start, end):
            need(one.opcode == SUMMARY_OFFSET, f"opcode {one.opcode} among the summary offsets")
            f = fields(one.body)
            told.append([f.number("B"), f.number("Q"), f.number("Q")])
            f.end()
        need(told == groups, f"summary offsets {told} are not the groups {groups}")

    def check_statistics(self):
        by_channel = collections.Counter(one.channel for one in self.messages)
        times = [one.log_time for one in self.messages] or [0]
        real = {"messages": len(self.messages), "schemas": len(self.schemas), "channels": len(self.channels),
                "attachments": 0, "metadata": 0, "chunks": len(self.chunks), "first": min(times),
                "last": max(times), "by_channel": {of: by_channel[of] for of in self.channels}}
        need(self.statistics == real, f"statistics {self.statistics} are not {real}")


def read(data):
    """Everything in the file, all of it checked."""
    need(data.startswith(MAGIC) and data.endswith(MAGIC), "the magic bytes are missing")
    found = file_content(data)
    footer_at = len(data) - 8 - 29
    header = next(records(data, 8, footer_at))
    need(header.opcode == HEADER, "the first record is no header")
    f = fields(header.body)
    need(f.text() == "", "a profile nobody asked for")
    found.library = f.text()
    f.end()
    end = found.take_data(header.end, footer_at)
    found.close_chunk()
    need(struct.unpack("<I", end.body)[0] == zlib.crc32(data[:end.at]), "the CRC of the data does not hold")
    need(data[footer_at] == FOOTER and struct.unpack_from("<Q", data, footer_at + 1)[0] == 20,
         "the last record is no footer")
    start, offsets, crc = struct.unpack_from("<QQI", data, footer_at + 9)
    need(start == end.end, "summary_start is not where the data ends")
    need(crc == zlib.crc32(data[start:footer_at + 9 + 16]), "the CRC of the summary does not hold")
    groups = found.take_summary(start, offsets)
    found.check_offsets(groups, offsets, footer_at)
    found.check_statistics()
    return found
