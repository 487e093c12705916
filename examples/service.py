#!/usr/bin/python3
"""A service whose workers are killed in the middle of their work. The clients are plain REQs that know no
time-outs and no retries, the workers are plain REPs; each request is journaled until its reply, and goes
to another worker when the one that had it is gone.

Usage: service.py [--requests N] [--kills N] [--program PATH]     everything, on a device of its own
       service.py client ENDPOINT FIRST LAST | worker ENDPOINT"""

import sys
import tempfile
import threading
import time

import zmq

import lab

CLIENTS, WORKERS = 4, 2
WORK_S = 0.005


def worker(endpoint):
    socket = zmq.Context.instance().socket(zmq.REP)
    socket.connect(endpoint)
    while True:
        number = int(socket.recv())
        time.sleep(WORK_S)  # the work, in whose middle it is killed
        socket.send_string(f"{number} squared is {number * number}")


def client(endpoint, first, last):
    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.connect(endpoint)
    for number in range(int(first), int(last) + 1):
        socket.send_string(str(number))
        reply = socket.recv_string()
        if reply != f"{number} squared is {number * number}":
            sys.exit(f"client: {number} was answered with '{reply}'")
        print(number)


class asking(threading.Thread):
    """A client process, and the requests that it has the reply to."""

    def __init__(self, endpoint, first, last):
        super().__init__()
        self.process = lab.python(__file__, "client", endpoint, first, last)
        self.wanted, self.answered = list(range(first, last + 1)), []
        self.start()

    def run(self):
        for line in self.process.stdout:
            self.answered.append(int(line))


def kill_workers(options, clients, workers, out):
    """kill -9 of busy workers, spread over the requests; a new one for each."""
    for kill in range(1, options.kills + 1):
        goal = options.requests * kill // (options.kills + 1)
        lab.wait_until(lambda: sum(len(one.answered) for one in clients) >= goal, 60)
        workers.pop(0).kill()
        workers.append(lab.python(__file__, "worker", out))
        print(f"after {goal} replies: a worker is killed -9, another one starts", flush=True)


def main():
    options = lab.arguments(requests=2000, kills=5)
    with tempfile.TemporaryDirectory() as home:
        into, out = f"ipc://{home}/clients", f"ipc://{home}/workers"
        device = lab.run(options.program, home, {
            "name": "square", "pattern": "reqrep", "in": ["@" + into], "out": ["@" + out],
            "attempts_max": 0, "backoff_min": "10ms"})
        workers = [lab.python(__file__, "worker", out) for _ in range(WORKERS)]
        share = options.requests // CLIENTS
        clients = [asking(into, 1 + i * share, (i + 1) * share) for i in range(CLIENTS)]
        kill_workers(options, clients, workers, out)
        for one in clients:
            one.join()
        status = lab.channel_status(options.program, home)
        lab.stop(device, *workers)
    again = sum(stream["redelivered"] for stream in status["streams"])
    right = all(one.answered == one.wanted for one in clients)
    print(f"{CLIENTS * share} requests, {'each answered once and rightly' if right else 'NOT each answered rightly'}; "
          f"{again} given to a second worker")
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    roles = {"client": client, "worker": worker}
    if len(sys.argv) > 1 and sys.argv[1] in roles:
        roles[sys.argv[1]](*sys.argv[2:])
    else:
        main()
