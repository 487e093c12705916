"""Unmodified pyzmq peers for the gate's tests.

gate_peer.py pull|rep|curve ENDPOINT [SERVER_KEY]: prints "connected", then obeys standard input:
"take N" receives N messages; each is printed as a line of its parts' sizes and then the parts' bytes.
"reply TEXT" (rep) answers one request and closes at once. "quit" closes.
"""

import sys

import zmq


def show(parts):
    out = sys.stdout.buffer
    out.write(b" ".join(b"%d" % len(part) for part in parts) + b"\n")
    for part in parts:
        out.write(part)
    out.flush()


def open_socket(context, kind, server_key):
    made = context.socket(zmq.REP if kind == "rep" else zmq.PULL)
    if kind == "curve":
        made.curve_publickey, made.curve_secretkey = zmq.curve_keypair()
        made.curve_serverkey = server_key.encode()
    return made


def main():
    kind, endpoint, *key = sys.argv[1:]
    context = zmq.Context()
    peer = open_socket(context, kind, *(key or [""]))
    peer.connect(endpoint)
    print("connected", flush=True)
    for line in sys.stdin:
        verb, *rest = line.split()
        if verb == "take":
            for _ in range(int(rest[0])):
                show(peer.recv_multipart())
        elif verb == "reply":
            peer.recv_multipart()
            peer.send_string(rest[0])
            break
        else:
            break
    peer.close(1000)
    context.term()


if __name__ == "__main__":
    main()
