"""The rules of the house as tables: who may include whom, which library stands where, how big a
thing may be. The words behind them: docs/architecture.md and docs/dependencies.md."""

# Rooms, the longest prefix wins: what each may include of ours.
ARROWS = {
    "include/holdfast/": ["include/holdfast/"],
    "base/": ["base/", "include/holdfast/"],
    "journal/": ["journal/", "base/", "include/holdfast/"],
    "patterns/": ["patterns/*", "base/", "include/holdfast/"],
    "patterns/session/": ["patterns/session/", "patterns/*", "base/", "include/holdfast/"],
    "patterns/queue/": ["patterns/queue/", "patterns/*", "base/", "include/holdfast/"],
    "patterns/pipeline/": ["patterns/pipeline/", "patterns/queue/", "patterns/session/", "patterns/*",
                           "base/", "include/holdfast/"],
    "patterns/pubsub/": ["patterns/pubsub/", "patterns/queue/", "patterns/session/", "patterns/*",
                         "base/", "include/holdfast/"],
    "patterns/reqrep/": ["patterns/reqrep/", "patterns/queue/", "patterns/session/", "patterns/*",
                         "base/", "include/holdfast/"],
    "plugins/host/": ["plugins/host/", "base/", "include/holdfast/"],
    "plugins/raw/": ["plugins/raw/", "include/holdfast/plugin.h"],
    "plugins/msgpack/": ["plugins/msgpack/", "include/holdfast/plugin.h"],
    "plugins/json/": ["plugins/json/", "include/holdfast/plugin.h"],
    "devices/": ["devices/", "plugins/", "patterns/", "journal/", "base/", "include/holdfast/"],
    "sim/": ["sim/", "devices/loop/", "devices/endpoints/handed.hpp", "devices/device_options.hpp", "patterns/", "journal/", "base/",
             "include/holdfast/"],
    "examples/": ["include/holdfast/"],
    "bench/": [""],
    "tests/": [""],
}

# Third-party headers, by how their name begins, and the only places of each. A place that does not
# end in "/" names files by the beginning of their path. Tests and benchmarks are free, but for the
# libraries that stand in a benchmark alone.
LIBRARIES = {
    "zmq": ["devices/transport/"],
    "boost/": ["journal/mapping.cpp"],
    "msgpack": ["patterns/control_map.", "plugins/msgpack/", "include/holdfast/msgpack.hpp"],
    "xxhash": ["base/checksum.cpp"],
    "spdlog": ["devices/logging."],
    "fmt/": ["devices/", "journal/"],
    "yaml-cpp": ["devices/config/"],
    "CLI/": ["devices/cli/"],
    "nlohmann": ["devices/admin/", "devices/cli/", "plugins/json/"],
    "doctest": [],
    "rapidcheck": [],
    "benchmark/": [],
    "amqp": ["bench/contestants/rabbitmq.cpp"],
    "hiredis/": ["bench/contestants/redis.cpp"],
    "mosquitto": ["bench/contestants/mosquitto.cpp"],
    "nats/": ["bench/contestants/nats.cpp"],
}
FREE_ROOMS = ("tests/", "bench/")

# Angle includes with a slash that are the system's.
SYSTEM_PREFIXES = ("sys/", "linux/", "netinet/", "arpa/", "net/", "holdfast/")

# Patterns are functions of their inputs.
PATTERN_BANNED = {
    "thread", "mutex", "shared_mutex", "condition_variable", "future", "semaphore", "latch",
    "barrier", "stop_token", "chrono", "ctime", "time.h", "random", "fstream", "iostream",
    "filesystem", "unistd.h", "fcntl.h", "pthread.h", "poll.h", "sys/socket.h", "sys/mman.h",
    "sys/stat.h", "sys/time.h", "netinet/in.h",
}

# Time and randomness are passed in: only these files ask the system for them.
CLOCK_CALLS = (
    r"\b(?:system_clock|steady_clock|high_resolution_clock)::now\b|\bclock_gettime\b|"
    r"\bgettimeofday\b|\btime\((?:nullptr|NULL|0)\)|\brandom_device\b|\bs?rand\(\)|\bgetrandom\b")
CLOCK_PLACES = ("base/clock.cpp", "base/random.cpp")
CLOCK_FREE_ROOMS = ("tests/", "bench/", "examples/")

FILE_LINES_MAX = 600
FILE_LINES_P95 = 400
FUNCTION_LINES_MAX = 70
INCLUDE_DEPTH_MAX = 12

# The ratchet: what breaks a rule today, each with its reason. An entry that is no longer needed is
# an error, so the list can only shrink. (rule, path) -> reason
EXCEPTIONS: dict[tuple[str, str], str] = {}
