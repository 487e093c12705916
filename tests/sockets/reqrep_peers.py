"""Plain clients and workers as processes of their own.

    reqrep_peers.py rep ENDPOINT LOG [--pause-us N]       answers each request with its parts and `!`
    reqrep_peers.py req ENDPOINT CLIENTS COUNT [--kind req|correlate|dealer]
                                                          so many clients on threads, each with COUNT
                                                          requests of its own, every reply checked

The worker logs (client, number) of each request it was given before it answers. The clients print
`client I done` each, and end with a report: `wrong N`.
"""

import argparse
import os
import struct
import sys
import threading
import time

import zmq

import peers

RECORD = struct.Struct("<II")


def reply_to(arguments):
    context = zmq.Context()
    log = os.open(arguments.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    made = context.socket(zmq.REP)
    made.connect(arguments.endpoint)
    peers.say("connected")
    while True:
        parts = made.recv_multipart()
        os.write(log, parts[0][:RECORD.size])
        if arguments.pause_us:
            time.sleep(arguments.pause_us / 1e6)  # the work
        made.send_multipart([*parts, b"!"])


def open_client(context, kind, endpoint):
    made = context.socket(zmq.DEALER if kind == "dealer" else zmq.REQ)
    made.linger = 0
    if kind == "correlate":
        made.setsockopt(zmq.REQ_CORRELATE, 1)
    made.connect(endpoint)
    return made


def ask(context, arguments, client, wrong):
    made = open_client(context, arguments.kind, arguments.endpoint)
    for number in range(1, arguments.count + 1):
        question = [RECORD.pack(client, number), b"", b"x" * (number % 100)]
        delimiter = [b""] if arguments.kind == "dealer" else []
        made.send_multipart(delimiter + question)
        answer = made.recv_multipart()
        if answer != delimiter + question + [b"!"]:
            wrong.append((client, number, answer))
            break
    # One request, one answer: nothing more may come.
    if arguments.kind == "dealer" and made.poll(200):
        wrong.append((client, "more", made.recv_multipart()))
    peers.say(f"client {client} done")
    made.close()


def request(arguments):
    context = zmq.Context()
    wrong = []
    clients = [threading.Thread(target=ask, args=(context, arguments, arguments.first + i, wrong))
               for i in range(arguments.clients)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    peers.say(f"wrong {len(wrong)} {wrong[:2]}")


def main():
    parser = argparse.ArgumentParser()
    roles = parser.add_subparsers(dest="role", required=True)
    rep = roles.add_parser("rep")
    rep.add_argument("endpoint")
    rep.add_argument("log")
    rep.add_argument("--pause-us", type=int, default=0)
    req = roles.add_parser("req")
    req.add_argument("endpoint")
    req.add_argument("clients", type=int)
    req.add_argument("count", type=int)
    req.add_argument("--first", type=int, default=1)
    req.add_argument("--kind", default="req", choices=("req", "correlate", "dealer"))
    arguments = parser.parse_args()
    (reply_to if arguments.role == "rep" else request)(arguments)


if __name__ == "__main__":
    main()
