// servers: programs of others as brokers: found, started on loopback with their files in a scratch
// directory, waited for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/line/ends.hpp"

namespace holdfast::bench {

/// The path of a program; gives up where it is not installed.
std::string installed(const std::string& name);

/// A setup with its scratch directory, to start a server in.
setup setup_in_scratch();
/// Starts `command` as the broker and waits until it listens.
void start_server(setup& of, const std::vector<std::string>& command, std::uint16_t port);

/// Writes a file of the server's into its scratch directory, and gives its path.
std::string write_scratch(const setup& of, const std::string& name, const std::string& text);

}  // namespace holdfast::bench
