"""Unmodified clients and REP workers through a device: each request answered once, to its own client."""

import os
import signal
import sys
import time

import harness as h
import messages
import reqrep_peers


class service:
    """A request-reply device with one endpoint each side."""

    def __init__(self, test, **channel):
        self.test = test
        self.into, self.out = h.tcp(), h.tcp()
        self.device = h.device(test, pattern="reqrep", **{
            "in": ["@" + self.into], "out": ["@" + self.out], "attempts_max": 0,
            "backoff_min": "1ms", "backoff_max": "10ms", **channel}).start()
        self.workers = []
        self.started = 0

    def peer(self, name, *arguments):
        return self.test.child(name, [
            sys.executable, "-u", os.path.join(h.HERE, "reqrep_peers.py"), *map(str, arguments)])

    def worker(self, *arguments):
        self.started += 1
        name = f"rep{self.started}"
        log = self.test.path(name + ".log")
        made = self.peer(name, "rep", self.out, log, *arguments)
        made.wait_line("connected")
        made.log = log
        self.workers.append(made)
        return made

    def clients(self, count, requests, *arguments, name="clients"):
        return self.peer(name, "req", self.into, count, requests, *arguments)

    def answered(self):
        return self.device.count("acked", "default")


def given(worker):
    return messages.whole_records(worker.log, reqrep_peers.RECORD)


def expect_done(clients, within):
    wrong = clients.wait_line("wrong", within)
    h.expect(wrong.startswith("wrong 0 "), f"{clients.name}: {wrong}")


def each_kind(test, kind):
    here = service(test, durability="process")
    here.worker()
    here.worker()
    clients = here.clients(4, 200, "--kind", kind)
    expect_done(clients, 30)
    h.expect(here.answered() == 800, lambda: f"answered {here.answered()} of 800")
    asked = [one for worker in here.workers for one in given(worker)]
    h.expect(len(asked) == len(set(asked)) == 800, "nobody was killed: each request was given once")
    here.device.check_identity()


def test_req(test):
    each_kind(test, "req")


def test_req_correlate(test):
    each_kind(test, "correlate")


def test_dealer(test):
    each_kind(test, "dealer")


def test_busy_workers_are_killed(test):
    """20 clients of 2000 requests each, while busy workers are killed -9 at random: each request is
    answered once, to its own client."""
    here = service(test, durability="process")
    for _ in range(4):
        here.worker("--pause-us", 100)
    programs, each, requests, kills = 4, 5, 2000, 40
    total = programs * each * requests
    clients = [here.clients(each, requests, "--first", 1 + i * each, name=f"clients{i}")
               for i in range(programs)]
    for kill in range(kills):
        goal = total * (kill + 1) // (kills + 1)
        h.wait_for(f"{goal} are answered", lambda: here.answered() >= goal, 60)
        victim = here.test.random.randrange(len(here.workers))
        here.workers.pop(victim).kill()
        here.worker("--pause-us", 100)
    for one in clients:
        expect_done(one, 60)
    h.expect(here.answered() == total, lambda: f"answered {here.answered()}")
    here.device.check_identity()


def test_worker_that_vanishes(test):
    """The request of a killed worker is another's within a second; the attempt would last 60."""
    here = service(test, attempt="60s", deadline="120s")
    dying = here.worker("--pause-us", 60_000_000)
    clients = here.clients(1, 1)
    h.wait_for("it has the request", lambda: given(dying))
    here.worker()
    dying.kill()
    begun = time.monotonic()
    expect_done(clients, 30)
    took = time.monotonic() - begun
    h.expect(took < 1 * h.SCALE, f"it took {took:.1f} s")


def test_worker_that_stops(test):
    """A worker stopped for longer than the attempt: another answers, and its late reply is nobody's."""
    here = service(test, attempt="500ms")
    stopped = here.worker("--pause-us", 1000)
    clients = here.clients(1, 300)
    h.wait_for("it works", lambda: len(given(stopped)) > 20)
    stopped.signal(signal.SIGSTOP)
    here.worker()
    expect_done(clients, 60)
    stopped.signal(signal.SIGCONT)
    more = here.clients(4, 100, "--first", 100, name="more")
    expect_done(more, 60)
    h.expect(here.answered() == 700, lambda: f"answered {here.answered()}")
    here.device.check_identity()


def test_device_is_killed(test):
    """Requests the device took in are answered after its kill -9, to clients that ask again."""
    here = service(test, durability="process")
    first = here.clients(4, 50)
    h.wait_for("requests wait", lambda: here.device.count("in", "default") == 4)
    first.kill()
    here.device.restart()
    here.worker()
    h.wait_for("they are answered", lambda: here.answered() == 4)
    again = here.clients(4, 50, name="again")
    expect_done(again, 30)
    h.expect(here.answered() == 204, lambda: f"answered {here.answered()}")
    here.device.check_identity()


if __name__ == "__main__":
    h.main(globals())
