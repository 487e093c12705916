"""Reliable requesters and repliers: every request answered once to its own requester, whoever is killed;
a repeated id gets the stored reply and is never executed again.
"""

import crash
import harness as h
import load
import reqrep_evidence as evidence


def channel(test, **settings):
    endpoint = h.tcp()
    return h.device(test, pattern="reqrep", reliable=["@" + endpoint], **settings).start(), endpoint


def finish(requesters, repliers):
    """Waits until each request has its reply, and judges what was logged."""
    for one in requesters:
        one.wait_stopped(120)
    found = evidence.evidence.gather(requesters, repliers)
    crash.expect_clean(evidence.judge, found)
    return found


def test_verbs(test):
    _, endpoint = channel(test)
    test.child("rep", [h.options.bin, "rep", endpoint, "upper", "--exec", "tr a-z A-Z"])
    done = h.run("req", endpoint, "upper", "hello", "--timeout", "20")
    h.expect(done.returncode == 0 and done.stdout == "HELLO\n", f"{done.stdout}{done.stderr}")
    test.child("bad", [h.options.bin, "rep", endpoint, "bad", "--exec", "exit 3"])
    done = h.run("req", endpoint, "bad", "hello", "--timeout", "20")
    h.expect(done.returncode == 1 and "500" in done.stderr, f"{done.stdout}{done.stderr}")


def test_each_request_is_answered_once_to_its_own(test):
    _, endpoint = channel(test)
    repliers = [load.replier(test, endpoint) for _ in range(3)]
    requesters = [load.requester(test, endpoint, sender, 500) for sender in range(1, 5)]
    found = finish(requesters, repliers)
    h.expect(evidence.repeats(found) == 0, "nobody was killed: each request is executed once")


def test_the_device_is_killed(test):
    device, endpoint = channel(test)
    repliers = [load.replier(test, endpoint) for _ in range(3)]
    requesters = [load.requester(test, endpoint, sender, 2000) for sender in range(1, 4)]
    for turn in range(5):
        h.wait_for("more replies", lambda: len(requesters[0].answered()) >= 250 * (turn + 1), 60)
        device.restart()
    finish(requesters, repliers)
    device.check_identity()
    h.expect(device.count("acked", load.SERVICE) == 6000, "each accepted request is answered")


def test_workers_are_killed(test):
    _, endpoint = channel(test)
    requesters = [load.requester(test, endpoint, sender, 500) for sender in range(1, 4)]
    replier = load.replier(test, endpoint)
    for turn in range(5):
        have = len(requesters[0].answered())
        h.wait_for("more replies", lambda: len(requesters[0].answered()) >= have + 30, 60)
        replier.restart(torn=turn == 2)
    finish(requesters, [replier])


def test_a_repeated_id_gets_the_stored_reply(test):
    """A requester that was killed before it took its replies asks the same ids again: from another
    process, and after a restart of the device. It gets what is stored; nothing is executed again."""
    count = 50
    for restart_device in (False, True):
        device, endpoint = channel(test, name=f"lab{restart_device}")
        replier = load.replier(test, endpoint)
        first = load.requester(test, endpoint, 1, count, take=False)
        first.wait_line(f"asked {count}")
        h.wait_for("every reply to be stored", lambda: device.count("acked", load.SERVICE) == count)
        first.kill()
        h.expect(not first.answered(), "the first requester took nothing")
        if restart_device:
            device.restart()
        again = load.requester(test, endpoint, 1, count)
        again.wait_stopped()
        h.expect(again.answered() == {n: 1 for n in range(1, count + 1)}, f"replies: {again.answered()}")
        # One more request, after which nothing can be on its way to the replier any more.
        marker = load.requester(test, endpoint, 2, 1)
        marker.wait_stopped()
        executed = replier.executed()
        h.expect(sorted(executed) == [*((1, n) for n in range(1, count + 1)), (2, 1)],
                 f"executed: {sorted(executed)}")
        third = load.requester(test, endpoint, 1, count)  # taken, so closed: told so, not executed
        third.wait_stopped()
        statuses = {attempt for _, kind, _, attempt, _, _ in third.raw() if kind in (load.ANSWERED, load.WRONG)}
        h.expect(statuses == {410} and replier.executed() == executed, f"statuses {statuses} of closed requests")


if __name__ == "__main__":
    h.main(globals())
