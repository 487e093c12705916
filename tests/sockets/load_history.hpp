// load_history: what the load programs tell a checker of histories (tests/history/history.hpp has
// the lines and their meaning): one JSON object a line, written before what it tells has any effect
// elsewhere. Without --history FILE --who NAME nothing is told.
#pragma once

#include <cstdarg>
#include <optional>

#include "tests/sockets/load_message.hpp"

namespace load {

class history {
 public:
  /// `as`: what the program is: "producer", "worker", ...
  history(const arguments& given, const char* as) {
    if (!given.has("history")) return;
    file_.emplace(given.text("history"), log_file::lines);
    who_ = given.text("who");
    add(R"("starts","as":"%s")", as);
    write();
  }

  void sends(std::uint32_t from, std::uint64_t n) { add(R"("sends","from":%u,"n":%lu)", from, n); }
  /// Everything up to there.
  void accepted(std::uint32_t from, std::uint64_t through) {
    add(R"("accepted","from":%u,"n":%lu)", from, through);
  }
  void gets(const record& one, std::uint64_t sequence) {
    add(R"("gets","from":%u,"n":%lu,"seq":%lu,"again":%d,"exact":%d)", one.sender, one.number,
        sequence, one.redelivered, one.what == delivered);
  }
  /// About to be acked or answered.
  void done(const record& one) { add(R"("done","from":%u,"n":%lu)", one.sender, one.number); }
  void confirmed(const record& one, std::uint64_t sequence) {
    add(R"("confirmed","from":%u,"n":%lu,"seq":%lu)", one.sender, one.number, sequence);
  }
  void answered(std::uint32_t from, std::uint64_t n, unsigned status, bool exact) {
    add(R"("answered","from":%u,"n":%lu,"status":%u,"exact":%d)", from, n, status, exact);
  }
  /// All lines since the last one, at once.
  void write() {
    if (!lines_.empty()) file_->write(lines_.data(), lines_.size());
    lines_.clear();
  }

 private:
  [[gnu::format(printf, 2, 3)]] void add(const char* rest, ...) {
    if (!file_) return;
    char text[256];
    std::va_list values;
    va_start(values, rest);
    std::vsnprintf(text, sizeof text, rest, values);
    va_end(values);
    lines_ +=
        "{\"t\":" + std::to_string(now_ns()) + ",\"who\":\"" + who_ + "\",\"what\":" + text + "}\n";
  }

  std::optional<log_file> file_;
  std::string who_, lines_;
};

}  // namespace load
