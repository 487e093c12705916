"""Every example as a user runs it, with its outcome checked. (The typed ones: serializers_test; the
embedded device, and the robot whose base is killed: sidecar_test.)
"""

import os
import shutil
import signal
import subprocess
import sys

import harness as h

EXAMPLES = os.path.join(h.HERE, "..", "..", "examples")
LINES = [f"line {n}" for n in range(1, 201)]


def script(name, *arguments, within=60, wrapper=(), text_in=None):
    """Runs an example in Python to its end; gives what it printed."""
    command = [*wrapper, sys.executable, os.path.join(EXAMPLES, name), *map(str, arguments)]
    # A session of its own: an example that hangs is ended with all that it started.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True, preexec_fn=h.die_with_parent) as process:
        try:
            printed, errors = process.communicate(text_in, timeout=within * h.SCALE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            printed, errors = process.communicate()
    h.expect(process.returncode == 0, f"{name} ended with {process.returncode}: {printed}{errors}")
    return printed


def program(name):
    path = os.path.join(os.path.dirname(h.options.bin), "examples", name)
    if not os.access(path, os.X_OK):
        raise h.skip("the examples are not built")
    return path


def run(name, *arguments, text_in=None, within=30):
    """Runs an example in C++ to its end; gives the lines it printed."""
    done = subprocess.run([program(name), *map(str, arguments)], input=text_in, capture_output=True, text=True,
                          timeout=within * h.SCALE, check=False, preexec_fn=h.die_with_parent)
    h.expect(done.returncode == 0, f"{name} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout.splitlines()


def text(lines):
    return "".join(line + "\n" for line in lines)


def device(test, **channel):
    endpoint = h.tcp()
    return h.device(test, reliable=["@" + endpoint], **channel).start(), endpoint


def test_producer_and_worker(test):
    made, endpoint = device(test)
    h.expect(run("producer", endpoint, text_in=text(LINES)) == ["200 messages accepted"], "producer")
    h.expect(run("worker", endpoint, 200) == LINES, "the worker printed something else")
    h.expect(made.count("acked") == 200, "not everything is acked")


def test_publisher_and_subscriber(test):
    """The durable subscription goes on where its first run ended; a topic leaves out the others."""
    _, endpoint = device(test, pattern="pubsub")
    published = [f"{'cam' if n % 2 else 'mic'} {n}" for n in range(1, 201)]
    h.expect(run("publisher", endpoint, text_in=text(published)) == ["200 messages accepted"], "publisher")
    wanted = [f"cam\t{n}" for n in range(1, 201, 2)]
    for part in (wanted[:40], wanted[40:]):
        h.expect(run("subscriber", endpoint, "cam", "archive", len(part)) == part, "the subscriber missed something")


def test_requester_and_replier(test):
    made, endpoint = device(test, pattern="reqrep")
    replier = test.child("replier", [program("replier"), endpoint, "turn", "200"])
    replies = run("requester", endpoint, "turn", text_in=text(LINES))
    h.expect(replies == [line[::-1] for line in LINES], "the replies are others, or in another order")
    h.expect(replier.wait_exit() == 0, lambda: f"replier: {replier.errors()}")
    h.expect(made.count("acked", "turn") == 200, "not every request is done")


def test_simulated_orders(_):
    """The handler that charges twice is caught with a seed, the mended one passes 500 of them."""
    printed = text(run("simulated_orders", within=180))
    h.expect("charge:\nseed " in printed and "was charged 2 times" in printed, printed)
    h.expect("charge_once:\n500 seeds," in printed and printed.endswith("no violation\n"), printed)


def test_the_simple_form(test):
    _, endpoint = device(test)
    printed = script("simple_form.py", "publish", endpoint, text_in=text(LINES))
    h.expect(printed == "200 accepted\n", printed)
    h.expect(script("simple_form.py", "consume", endpoint, 200).splitlines() == LINES, "consume")


def test_plain_producer_and_consumer(test):
    into, out = h.tcp(), h.tcp()
    h.device(test, **{"in": ["@" + into], "out": ["@" + out]}).start()
    script("plain_producer.py", into, text_in=text(LINES))
    h.expect(script("plain_consumer.py", out, 200).splitlines() == LINES, "the consumer printed something else")


def test_demo(_):
    last = script("demo.py", "--messages", 100_000, "--program", h.options.bin).splitlines()[-1]
    h.expect(last.startswith("sent 100000, accepted 100000, received 100000, lost 0"), last)


def test_detector(_):
    """300 frames of 2 MB: the writer has each, the viewer the newest ones."""
    printed = script("detector.py", "--program", h.options.bin, "--seconds", 1.5, "--rate", 200)
    print("     " + "\n     ".join(printed.splitlines()))
    h.expect("writer: 300 frames, each once, in order and intact" in printed, printed)
    shown = int(printed.split("viewer: ")[1].split()[0])
    h.expect(0 < shown < 300, printed)


def test_service_whose_workers_are_killed(_):
    printed = script("service.py", "--program", h.options.bin, "--requests", 1000)
    h.expect("1000 requests, each answered once and rightly" in printed, printed)
    h.expect("; 0 given to a second worker" not in printed, printed)


def test_robot_whose_network_goes_away(_):
    """In a network namespace whose only link goes down for longer than a session lives."""
    h.need_root()
    for tool in ("unshare", "ip"):
        if not shutil.which(tool):
            raise h.skip(f"needs {tool}")
    if subprocess.run(["unshare", "-n", "ip", "link", "set", "lo", "up"], capture_output=True,
                      check=False).returncode != 0:
        raise h.skip("cannot make a network namespace")
    wrapper = ("unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$0" "$@"')
    printed = script("robot_sidecar.py", "--program", h.options.bin, "--seconds", 6, "--away", 4,
                     "--cut", "ip link set lo down", "--mend", "ip link set lo up", wrapper=wrapper)
    h.expect("the base is gone" in printed and "each once and in order" in printed, printed)


if __name__ == "__main__":
    h.main(globals())
