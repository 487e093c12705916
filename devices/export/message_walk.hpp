// message_walk: the messages in a journal's records, with the names of where they belong, cut to
// what was asked for, each once.
//
// Contract: feed it every record in order. A message that was moved to another place in the
// journal, and may be met twice, is handed out where it is met first. Views in a message hold
// during the call that hands it over. Memory: names, and a row for each hole in a stream's
// sequences.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "devices/export/journal_names.hpp"
#include "devices/export/message_choice.hpp"
#include "journal/index_walk.hpp"
#include "patterns/block.hpp"
#include "patterns/reqrep/head.hpp"

namespace holdfast {

struct stored_message {
  record_head block;               ///< of the block it came in
  std::uint64_t position = 0;      ///< of that block
  const stream_def* in = nullptr;  ///< null: its definition is not readable
  std::string_view pattern;
  std::string_view address;  ///< queue, service, or the topic of a message of pub/sub
  std::uint64_t sequence = 0;
  std::uint64_t time_ns = 0;  ///< when the device took it, with the sender's distances in a block
  const producer_def* producer = nullptr;  ///< null: a plain sender, or not known
  std::uint64_t producer_number = 0;       ///< of this message; 0 = none
  bytes_view properties;                   ///< as stored
  std::span<const bytes_view> parts;       ///< all, as stored
  std::size_t before = 0;  ///< parts that are no payload: a topic, or a head of reqrep
  std::optional<request_head> request;
  std::optional<reply_head> reply;
  std::span<const bytes_view> payload() const noexcept { return parts.subspan(before); }
};

class message_walk {
 public:
  explicit message_walk(message_choice wanted = {}) : wanted_(std::move(wanted)) {}
  journal_names& names() noexcept { return names_; }

  /// Calls `take` for each wanted message of the record until it returns false.
  using taker = std::function<bool(const stored_message&)>;
  bool feed(const record_view& record, const taker& take);
  /// Which records it needs, by the names known at the moment they are asked for.
  record_choice choice() const;

 private:
  using sequences = std::map<std::uint64_t, std::uint64_t>;  // first -> end

  bool wants(const stored_message& m) const;
  bool wants_address(std::string_view address) const;
  bool wants_stream(stream_id stream) const;
  bool wants_block(const record_view& record) const;
  void tell_apart(stored_message& m);

  message_choice wanted_;
  journal_names names_;
  std::map<stream_id, sequences> met_;
  std::vector<bytes_view> parts_;
};

/// The head that the first part of a message of request-reply is, by its address; neither where it
/// cannot be read.
void decode_heads(std::string_view address, bytes_view first_part,
                  std::optional<request_head>& request, std::optional<reply_head>& reply);

}  // namespace holdfast
