"""Plain ZeroMQ peers as processes of their own: unmodified pyzmq sockets, to be killed and stopped.

    peers.py pull ENDPOINT LOG [--take N] [--ack ENDPOINT]    logs what it received, one record each
    peers.py push ENDPOINT SENDER COUNT [--shape S]           sends numbered messages

The receiver writes each record with one write() before it takes the next message, so the log tells
what had been received at the moment of a kill -9. It prints `connected` when the connection stands,
and takes on standard input: `take N` (receive N more), `ack N` (acknowledge the N oldest unacked),
`close` (close the socket in good order and end).
"""

import argparse
import os
import select
import sys

import zmq
from zmq.utils.monitor import recv_monitor_message

import messages


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def connect(context, kind, endpoint):
    """A connected socket; returns when the handshake is done."""
    made = context.socket(kind)
    made.linger = -1 if kind == zmq.PUSH else 0
    monitor = made.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    made.connect(endpoint)
    recv_monitor_message(monitor)
    made.disable_monitor()
    return made


class puller:
    def __init__(self, arguments):
        self.context = zmq.Context()
        self.ack_to = None
        self.log = os.open(arguments.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        if arguments.ack:
            self.ack_to = connect(self.context, zmq.PUSH, arguments.ack)
        self.socket = connect(self.context, zmq.PULL, arguments.endpoint)
        self.left = arguments.take
        self.unacked = []
        say("connected")

    def receive(self):
        parts = self.socket.recv_multipart()
        if self.ack_to:
            self.unacked.append(parts.pop())
        who = messages.identify(parts)
        sender, number, exact = who or (0, 0, False)
        os.write(self.log, messages.RECORD.pack(sender, number, int(exact)))
        self.left -= 1
        if self.left == 0:
            say("took")

    def command(self):
        words = sys.stdin.readline().split()
        if not words:
            sys.exit(0)
        if words[0] == "take":
            self.left = int(words[1])
        elif words[0] == "ack":
            for _ in range(int(words[1])):
                self.ack_to.send(self.unacked.pop(0))
            say("acked")
        elif words[0] == "close":
            self.socket.close()
            if self.ack_to:
                self.ack_to.close(linger=5000)
            self.context.term()
            say("closed")
            sys.exit(0)

    def run(self):
        poller = zmq.Poller()
        poller.register(sys.stdin.fileno(), zmq.POLLIN)
        poller.register(self.socket, zmq.POLLIN)
        while True:
            if self.left <= 0:
                select.select([sys.stdin], [], [])
                self.command()
                continue
            ready = dict(poller.poll())
            if sys.stdin.fileno() in ready:
                self.command()
            elif self.socket in ready:
                self.receive()


def push(arguments):
    context = zmq.Context()
    socket = connect(context, zmq.PUSH, arguments.endpoint)
    say("connected")
    for number in range(1, arguments.count + 1):
        socket.send_multipart(messages.make(arguments.sender, number, 0, arguments.shape))
    say("sent")
    socket.close()
    context.term()
    say("flushed")


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    pull = verbs.add_parser("pull")
    pull.add_argument("endpoint")
    pull.add_argument("log")
    pull.add_argument("--take", type=int, default=1 << 60)
    pull.add_argument("--ack", default="")
    send = verbs.add_parser("push")
    send.add_argument("endpoint")
    send.add_argument("sender", type=int)
    send.add_argument("count", type=int)
    send.add_argument("--shape", type=int, default=messages.SMALL)
    arguments = parser.parse_args()
    if arguments.verb == "pull":
        puller(arguments).run()
    else:
        push(arguments)


if __name__ == "__main__":
    main()
