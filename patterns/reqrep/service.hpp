// service: what a reqrep channel knows of one service: a row for each request without a reply, a
// row for each stored reply, and which id of which requester is where. The messages themselves are
// in the log; work_queues hold where they stand.
//
// Contract: sans-IO, one thread. Bounded: requests by queue_max, replies by their limits in bytes
// and time, closed ones by closed_max. Rows are idempotent under replay: what a row says is made by
// a block and ended by a later record.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <unordered_map>

#include "patterns/block.hpp"
#include "patterns/queue/work_queue.hpp"
#include "patterns/reqrep/dialect.hpp"
#include "patterns/reqrep/head.hpp"

namespace holdfast {

struct request_row {
  bytes16 id{};
  request_kind kind = request_kind::plain;
  std::uint32_t client = 0;  ///< reliable: the producer
  std::uint16_t attempts_max = 0;
  std::uint64_t deadline_ns = never_ns;  ///< realtime
  // Of this life only.
  peer_id peer = 0;     ///< foreign: where the reply goes; 0 once that is gone
  buffer_ref envelope;  ///< foreign: what stands before the reply
  worker_id worker = 0;
  std::uint16_t failed = 0;
  bool dead = false;  ///< given up; its reply is owed
  std::string reason;
};

struct reply_row {
  bytes16 id{};
  std::uint32_t client = 0;  ///< 0: a foreign client's
  std::uint64_t bytes = 0;
  std::uint64_t time_ns = 0;  ///< realtime
  bool closed = false;        ///< acked; only its id is left, so that a repeat is known
  // Of this life only.
  bool visible = false;  ///< durable
  std::uint8_t delivered = 0;
  peer_id peer = 0;
  buffer_ref envelope;
};

/// Who asked what: a requester's number and its id for the request.
struct request_key {
  std::uint32_t client = 0;
  bytes16 id{};
  friend bool operator==(const request_key&, const request_key&) = default;
};
struct request_key_hash {
  std::size_t operator()(const request_key& k) const noexcept {
    return load<std::uint64_t>(k.id.data()) ^ load<std::uint64_t>(k.id.data() + 8) * 31 ^
           std::uint64_t{k.client} << 20;
  }
};
/// Where the request with a key is.
struct request_place {
  std::uint64_t request = 0;  ///< its row, or 0
  std::uint64_t reply = 0;    ///< else its reply's row
};

/// An entry of a service's stream, as its record says.
struct stored_request {
  std::uint64_t sequence = 0;
  std::uint32_t producer = 0;
  std::uint64_t time_ns = 0;
  std::uint64_t deadline_after_ns = 0;  ///< where the head says none
  std::uint64_t ttl_ns = 0;             ///< a closed reply's id is known so long
};

class service {
 public:
  /// What a stored block's entry turned out to be.
  enum class entry_is : std::uint8_t { fresh, repeated, unreadable };

  service(work_queue& requests, work_queue& replies) : requests_(requests), replies_(replies) {
    keys_.max_load_factor(keys_load);
  }

  work_queue& requests() noexcept { return requests_; }
  work_queue& replies() noexcept { return replies_; }
  const work_queue& requests() const noexcept { return requests_; }
  const work_queue& replies() const noexcept { return replies_; }
  const std::string& name() const noexcept { return requests_.def().address; }

  // Requests.
  std::map<std::uint64_t, request_row> pending;
  /// Makes the row of an entry; a repeated key makes none.
  entry_is add_request(const stored_request& r, const entry& e);
  /// Its row goes; a key points at `reply` from now on, or nowhere.
  void drop_request(std::map<std::uint64_t, request_row>::iterator at, std::uint64_t reply);

  // Replies.
  std::map<std::uint64_t, reply_row> stored;
  std::uint64_t closed = 0;  ///< of them
  /// Keeps the row that is there: one of a checkpoint knows more than its block says.
  reply_row& add_reply(std::uint64_t sequence, const reply_row& row);
  /// The row and, if it points here, the key.
  void drop_reply(std::map<std::uint64_t, reply_row>::iterator at);
  /// Acked: of the row only the id stays.
  void close_reply(reply_row& row);

  const request_place* find(const request_key& key) const {
    const auto at = keys_.find(key);
    return at == keys_.end() ? nullptr : &at->second;
  }

  /// Of this turn, not yet asked for: foreign requests, with where their replies go; replies.
  block_packer asked, answered;
  struct return_address {
    peer_id peer = 0;
    buffer_ref envelope;
  };
  std::vector<return_address> asked_by;
  /// Replay: entries that repeated a key. Those that stay open are seen to at the start.
  std::map<std::uint64_t, request_key> repeats;
  std::uint64_t late = 0;   ///< replies nobody needed any more
  std::size_t workers = 0;  ///< of all kinds

  // State: rows in pieces, resumable by sequence.
  std::uint64_t write_requests(state_writer& rows, std::uint64_t from, std::size_t budget) const;
  std::uint64_t write_replies(state_writer& rows, std::uint64_t from, std::size_t budget) const;
  void read_requests(state_reader& row);
  void read_replies(state_reader& row);

 private:
  /// Most keys are new ones: they are to meet an empty bucket, where others would have to be
  /// fetched from memory to be compared with.
  static constexpr float keys_load = 0.25f;

  bool claim(const request_key& key, const stored_request& r);

  work_queue& requests_;
  work_queue& replies_;
  std::unordered_map<request_key, request_place, request_key_hash> keys_;
};

}  // namespace holdfast
