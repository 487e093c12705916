#!/usr/bin/python3
"""Prints each message as a line, with a plain PULL socket. It knows nothing of Holdfast: only the
endpoint is the device's. Usage: plain_consumer.py [ENDPOINT [COUNT]]"""

import itertools
import sys

import zmq

endpoint = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5556"
count = range(int(sys.argv[2])) if len(sys.argv) > 2 else itertools.count()
with zmq.Context() as context, context.socket(zmq.PULL) as socket:
    socket.connect(endpoint)
    for _ in count:
        print(b"\t".join(socket.recv_multipart()).decode(errors="replace"), flush=True)
