#!/usr/bin/python3
"""Sends each line of standard input as a message, with a plain PUSH socket. It knows nothing of
Holdfast: only the endpoint is the device's. Usage: plain_producer.py [ENDPOINT]"""

import sys

import zmq

endpoint = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5555"
with zmq.Context() as context, context.socket(zmq.PUSH) as socket:
    socket.linger = -1  # leave only when the network took everything
    socket.connect(endpoint)
    for line in sys.stdin.buffer:
        socket.send(line.rstrip(b"\n"))
