#!/usr/bin/python3
"""Reads the values of typed_producer as JSON, on a plain PULL socket: the device of typed.yaml
transcodes them. Prints one line each.

Usage: typed_reader.py [ENDPOINT [COUNT]]"""

import json
import sys

import zmq


def main():
    endpoint = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5556"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    socket = zmq.Context.instance().socket(zmq.PULL)
    socket.connect(endpoint)
    for _ in range(count):
        topic, text = socket.recv_multipart()
        value = json.loads(text)
        print(topic.decode(), value["number"], value["sensor"], value["celsius"], value["counts"],
              flush=True)


main()
