// commands: what each verb of `holdfast` is given, and the function that does it.
//
// Contract: arguments are checked for form by command_line; a command returns the exit status and
// has said why if it is not 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "devices/cli/line_format.hpp"
#include "devices/device_options.hpp"
#include "devices/export/message_choice.hpp"
#include "devices/sidecar/sidecar_options.hpp"

namespace holdfast::cli {

struct run_args {
  std::string config;
  std::string log_level = "info";
};
struct device_args {
  device_options device;  ///< one device with one channel
  std::string log_level = "info";
};
struct sidecar_args {
  sidecar_options sidecar;
  std::string log_level = "info";
};
struct check_args {
  std::string config;
};
struct push_args {
  std::string endpoint;
  std::string queue;
  bool plain = false;
  line_format format;
  std::optional<std::uint64_t> timeout_ns;  ///< longest time without any progress
};
struct pull_args {
  std::string endpoint;
  std::string queue;
  bool plain = false;
  line_format format;
  std::optional<std::uint64_t> count;
  std::optional<std::uint64_t> timeout_ns;  ///< longest wait for the next message
  std::string decode;                       ///< a serializer, or empty
};
struct pub_args {
  std::string endpoint;
  std::optional<std::string> topic;  ///< becomes the first part of every message
  bool plain = false;
  line_format format;
  std::optional<std::uint64_t> timeout_ns;  ///< longest time without any progress
};
struct sub_args {
  std::string endpoint;
  std::vector<std::string> topics;  ///< prefixes of the first part; none: everything
  std::string durable;              ///< name of the subscription, or empty
  std::string from;                 ///< next, first, last, a sequence, a time, or -DURATION
  bool plain = false;
  line_format format;
  std::optional<std::uint64_t> count;
  std::optional<std::uint64_t> timeout_ns;  ///< longest wait for the next message
  std::string decode;                       ///< a serializer, or empty
};
struct req_args {
  std::string endpoint;
  std::string service;
  std::vector<std::string> body;  ///< parts of the one request; none: each line is a request
  bool plain = false;
  line_format format;
  std::optional<std::uint64_t> timeout_ns;  ///< deadline of each request
  std::uint64_t attempts = 0;               ///< 0: what the channel says
};
struct rep_args {
  std::string endpoint;
  std::string service;
  std::string exec;  ///< for the shell: a request on its standard input, the reply on its output
  bool plain = false;
  line_format format;
  std::optional<std::uint64_t> count;
  std::optional<std::uint64_t> timeout_ns;  ///< longest wait for the next request
};
struct bench_args {
  std::vector<std::string> words;  ///< for the program that measures
};
struct status_args {
  std::string target;  ///< endpoint or data directory
  bool json = false;
};
struct doctor_args {
  std::string target;  ///< as of status
  bool json = false;
};
struct journal_args {
  enum class verb : std::uint8_t { ls, info, cat, verify, backup, restore, repair };
  verb what = verb::ls;
  std::string directory;
  std::string target;  ///< backup, restore: the directory to make
  bool yes = false;    ///< repair: change the journal
  bool json = false;
  std::string decode;  ///< cat: a serializer, or empty
};
struct export_args {
  enum class format : std::uint8_t { jsonl, mcap };
  std::string directory;
  format form = format::jsonl;
  bool form_given = false;
  std::string output;  ///< a file, or empty
  message_choice choice;
  std::string decode;                                          ///< a serializer, or empty
  std::string encoding, schema, schema_name, schema_encoding;  ///< mcap; schema is a file's name
};
struct follow_args {
  std::string directory;
  bool json = false;
  std::string decode;                      ///< a serializer, or empty
  std::uint64_t from = ~std::uint64_t{0};  ///< a position, or journal_follower's marks
  std::optional<std::uint64_t> count;
  std::optional<std::uint64_t> timeout_ns;  ///< longest wait for the next record
};
struct plugin_args {
  enum class verb : std::uint8_t { ls, check };
  verb what = verb::ls;
  std::string reference;  ///< check: a path or a name
  std::string document;   ///< check: JSON that must come back too, or empty
  bool json = false;
};

int run(const run_args& args);
int run(const device_args& args);
int run(const sidecar_args& args);
int run(const check_args& args);
int run(const push_args& args);
int run(const pull_args& args);
int run(const pub_args& args);
int run(const sub_args& args);
int run(const req_args& args);
int run(const rep_args& args);
int run(const bench_args& args);
int run(const status_args& args);
int run(const doctor_args& args);
int run(const journal_args& args);
int run(const export_args& args);
int run(const follow_args& args);
int run(const plugin_args& args);
// Verbs of journal in files of their own.
int run_backup(const journal_args& args);
int run_restore(const journal_args& args);
int run_repair(const journal_args& args);

using command = std::variant<run_args, device_args, sidecar_args, check_args, push_args, pull_args,
                             pub_args, sub_args, req_args, rep_args, bench_args, status_args,
                             doctor_args, journal_args, export_args, follow_args, plugin_args>;

}  // namespace holdfast::cli
