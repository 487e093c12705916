"""Plain publishers and subscribers as processes of their own, to be killed, stopped and slowed down.

    pubsub_peers.py sub ENDPOINT LOG [--prefix P]... [--pause-us N] [--keepalive]   logs what it received
    pubsub_peers.py pub ENDPOINT                                      publishes what it is told

The subscriber writes each record (sender, number, exact) with one write() before it takes the next
message. The publisher is an XPUB, so that it can say `subscribed` when the device is there; told
`send FIRST LAST TOPIC...` on standard input it publishes those numbers, topics in turn, and says
`sent LAST`.
"""

import argparse
import os
import sys
import time

import zmq

import messages
import peers

SENDER = 1


def subscribe(arguments):
    context = zmq.Context()
    log = os.open(arguments.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    made = context.socket(zmq.SUB)
    for prefix in arguments.prefix or [""]:
        made.subscribe(prefix)
    if arguments.keepalive:  # who only listens does not notice by itself that the other end was reset
        made.tcp_keepalive, made.tcp_keepalive_idle, made.tcp_keepalive_intvl = 1, 1, 1
    made.connect(arguments.endpoint)
    peers.say("connected")
    while True:
        topic, *parts = made.recv_multipart()
        sender, number, exact = messages.identify(parts) or (0, 0, False)
        exact = exact and topic.decode() in arguments.topics.split(",") if arguments.topics else exact
        os.write(log, messages.RECORD.pack(sender, number, int(exact)))
        if arguments.pause_us:
            until = time.monotonic_ns() + arguments.pause_us * 1000
            while time.monotonic_ns() < until:
                pass


def publish(arguments):
    context = zmq.Context()
    made = context.socket(zmq.XPUB)
    made.sndhwm = 0
    made.linger = -1
    made.connect(arguments.endpoint)
    assert made.recv() == b"\x01"
    peers.say("subscribed")
    for line in sys.stdin:
        _, first, last, *topics = line.split()
        for number in range(int(first), int(last) + 1):
            topic = topics[number % len(topics)].encode()
            made.send_multipart([topic, *messages.make(SENDER, number)])
        peers.say(f"sent {last}")


def main():
    parser = argparse.ArgumentParser()
    roles = parser.add_subparsers(dest="role", required=True)
    sub = roles.add_parser("sub")
    sub.add_argument("endpoint")
    sub.add_argument("log")
    sub.add_argument("--prefix", action="append")
    sub.add_argument("--topics", default="")
    sub.add_argument("--pause-us", type=int, default=0)
    sub.add_argument("--keepalive", action="store_true")
    pub = roles.add_parser("pub")
    pub.add_argument("endpoint")
    arguments = parser.parse_args()
    (subscribe if arguments.role == "sub" else publish)(arguments)


if __name__ == "__main__":
    main()
