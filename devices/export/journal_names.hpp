// journal_names: what the numbers in a journal's records stand for: streams, channels, producers.
//
// Contract: feed it the newest checkpoint's rows, then every record in order; definitions older
// than the checkpoint are in its rows, later ones come before the records that use them. Numbers
// are never given twice, so a name once known stays right, also after its producer is gone. Memory:
// a function of streams and producers. One thread; pointers hold until the next call that feeds.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "base/record.hpp"
#include "patterns/catalog.hpp"

namespace holdfast {

class journal_reader;

class journal_names {
 public:
  void take_rows(bytes_view rows);
  void take(const record_view& record);

  /// Null where it is not known.
  const stream_def* stream(stream_id number) const;
  const producer_def* producer(std::uint32_t number) const;
  /// "pipeline", "pubsub", "reqrep"; empty where it is not known.
  std::string_view pattern(const std::string& channel) const;

 private:
  std::unordered_map<stream_id, stream_def> streams_;
  std::unordered_map<std::uint32_t, producer_def> producers_;
  std::unordered_map<std::string, std::string> channels_;  // name -> pattern
};

/// What is defined before position `until`: the newest checkpoint's rows and the records behind it.
/// For those who begin to read there.
status learn_names(journal_reader& from, std::uint64_t until, journal_names& names);

/// A producer's id without the channel that a device keeps before it.
std::string_view own_id(const producer_def& of);
/// The same as text: an id that was drawn at random, or is not UTF-8, in hexadecimal digits.
std::string producer_text(const producer_def& of);

}  // namespace holdfast
