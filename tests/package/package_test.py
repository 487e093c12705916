#!/usr/bin/python3
"""Uses Holdfast as strangers do: installs the library into an empty place and builds a small program
against it, and an example of the simulator. Usage: package_test.py WAY SOURCE BUILD, WAY is find_package, pkg_config,
add_subdirectory, or plugin: the example plugin, checked and used by the program of the build."""

import base64
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

GREETING = "invalid"
PROGRAMS = ("consumer", "simulated_orders")


def run(*words, **options):
    """The standard output of a command that must succeed."""
    print("+", *words, flush=True)
    made = subprocess.run([str(word) for word in words], text=True, stdout=subprocess.PIPE, **options)
    if made.returncode != 0:
        sys.exit(f"{made.stdout[-8000:]}\nexit status {made.returncode}")
    return made.stdout


def launcher():
    return ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []


def install(build, prefix):
    run("cmake", "--install", build, "--prefix", prefix, "--component", "library")


def cmake_build(consumer, place, *options):
    run("cmake", "-G", "Ninja", "-S", consumer, "-B", place / "build", *launcher(), *options)
    run("cmake", "--build", place / "build", "--target", *PROGRAMS, "-j", "2")
    return [place / "build" / name for name in PROGRAMS]


def find_package(consumer, source, build, place):
    install(build, place / "prefix")
    return cmake_build(consumer, place, f"-DCMAKE_PREFIX_PATH={place / 'prefix'}")


def add_subdirectory(consumer, source, build, place):
    """Compiling the library once more takes minutes, so the quick form ends with the consumer's object; the
    long form links and runs it."""
    options = (f"-DHOLDFAST_SOURCE={source}", "-DCMAKE_BUILD_TYPE=Debug")
    if os.environ.get("HOLDFAST_LONG"):
        return cmake_build(consumer, place, *options)
    run("cmake", "-G", "Ninja", "-S", consumer, "-B", place / "build", *launcher(), *options)
    run("ninja", "-C", place / "build", "CMakeFiles/consumer.dir/main.cpp.o")
    return []


def pkg_config(consumer, source, build, place):
    install(build, place / "prefix")
    folders = [str(path.parent) for path in (place / "prefix").rglob("holdfast.pc")]
    sources = (consumer / "main.cpp", pathlib.Path(source) / "examples" / "simulated_orders.cpp")
    for package, text, name in zip(("holdfast", "holdfast-sim"), sources, PROGRAMS):
        flags = run("pkg-config", "--cflags", "--libs", package,
                    env=os.environ | {"PKG_CONFIG_PATH": ":".join(folders)}).split()
        run("c++", "-std=c++20", text, "-o", place / name, *flags)
    return [place / name for name in PROGRAMS]


def expect(said, *words):
    for word in words:
        assert word in said, f"no {word!r} in {said!r}"


def decode_with_it(program, place, environment):
    """A message of a C struct through a device, read back from its journal through the plugin."""
    endpoint, data = f"ipc://{place}/reliable", place / "journal"
    sample = base64.b64encode(struct.pack("<Id", 7, 1.5)).decode()
    device = subprocess.Popen([program, "pipeline", "--data", data, "--reliable", endpoint],
                              stdout=subprocess.PIPE, text=True)
    try:
        expect(device.stdout.readline(), "ready")
        run(program, "push", endpoint, "--json", "--timeout", "60s",
            input=json.dumps({"parts": ["topic", {"base64": sample}]}) + "\n")
    finally:
        device.terminate()
        device.wait()
    expect(run(program, "journal", "cat", data, "--decode", "sample", env=environment),
           'topic\t{"number":7,"value":1.5}')


def plugin(source, build, place):
    install(build, place / "prefix")
    run("cmake", "-G", "Ninja", "-S", pathlib.Path(source) / "examples/plugin", "-B", place / "build",
        f"-DCMAKE_PREFIX_PATH={place / 'prefix'}")
    run("cmake", "--build", place / "build")
    made, program = place / "build" / "sample.so", pathlib.Path(build) / "holdfast"
    symbols = run("nm", "-D", "--defined-only", made).split()[2::3]
    assert symbols == ["holdfast_plugin_entry"], f"it exports {symbols}"
    document = '{"number": 7, "value": 1.5}'
    expect(run(program, "plugin", "check", made, "--document", document), "round_trips 1,", "version 1.0")
    environment = os.environ | {"HOLDFAST_PLUGIN_PATH": str(place / "build")}
    expect(run(program, "plugin", "ls", env=environment), f"serializer sample, origin {made}")
    decode_with_it(program, place, environment)


def main():
    if sys.argv[1] == "plugin":
        with tempfile.TemporaryDirectory() as temporary:
            return plugin(sys.argv[2], sys.argv[3], pathlib.Path(temporary))
    way, source, build = sys.argv[1], sys.argv[2], sys.argv[3]
    consumer = pathlib.Path(source) / "tests/package/consumer"
    with tempfile.TemporaryDirectory() as temporary:
        place = pathlib.Path(temporary)
        said = [run(program).strip() for program in globals()[way](consumer, source, build, place)]
        headers = sorted(p.name for p in (place / "prefix").rglob("*.h*"))
        print("headers:", *headers)
        if said:
            assert said[0] == GREETING, f"the program said {said[0]!r}"
            expect(said[1], "charge:\nseed ", "times\n", "charge_once:\n500 seeds,", "no violation")
        if way != "add_subdirectory":
            promised = sorted(p.name for p in (pathlib.Path(source) / "include/holdfast").glob("*.h*"))
            assert headers == promised, "installed headers are not the public ones"


main()
