#include "patterns/reqrep/service.hpp"

#include <algorithm>
#include <cstring>

#include "base/planted.hpp"

namespace holdfast {
namespace {

constexpr std::size_t rows_a_piece = 1024;

void put(state_writer& rows, const bytes16& id) {
  rows.raw(id);
}
bytes16 get_id(state_reader& row) {
  bytes16 id{};
  const bytes_view taken = row.raw(id.size());
  if (taken.size() == id.size()) std::memcpy(id.data(), taken.data(), id.size());
  return id;
}

}  // namespace

service::entry_is service::add_request(const stored_request& r, const entry& e) {
  const std::optional<request_head> head = decode_request_head(e.part(0));
  if (!head) return entry_is::unreadable;
  request_row row;
  row.id = head->id;
  row.kind = head->kind;
  row.client = r.producer;
  row.attempts_max = head->attempts_max;
  constexpr std::uint64_t latest_ms = never_ns / ms_ns - 1;
  row.deadline_ns = head->deadline_ms ? std::min(head->deadline_ms, latest_ms) * ms_ns
                                      : r.time_ns + r.deadline_after_ns;
  if (row.client != 0 && !claim({row.client, row.id}, r) && !planted(bug::repeat_executed))
    return entry_is::repeated;
  pending.try_emplace(r.sequence, std::move(row));
  return entry_is::fresh;
}

/// The key is the request's, unless another has it. A closed reply's has run out after a time: by
/// the record's clock, so that replay decides alike.
bool service::claim(const request_key& key, const stored_request& r) {
  const auto [at, added] = keys_.try_emplace(key, request_place{r.sequence, 0});
  if (added || at->second.request == r.sequence) return true;
  const auto reply = at->second.reply ? stored.find(at->second.reply) : stored.end();
  const bool over = at->second.request == 0 &&
                    (reply == stored.end() ||
                     (reply->second.closed && reply->second.time_ns + r.ttl_ns <= r.time_ns));
  if (over) at->second = {r.sequence, 0};
  return over;
}

void service::drop_request(std::map<std::uint64_t, request_row>::iterator at, std::uint64_t reply) {
  const request_row& row = at->second;
  const auto key = row.client ? keys_.find({row.client, row.id}) : keys_.end();
  if (key != keys_.end() && key->second.request == at->first) {
    if (reply)
      key->second = {0, reply};
    else
      keys_.erase(key);
  }
  pending.erase(at);
}

reply_row& service::add_reply(std::uint64_t sequence, const reply_row& row) {
  const auto [at, added] = stored.try_emplace(sequence, row);
  if (!added) return at->second;
  if (at->second.client) keys_[{at->second.client, at->second.id}] = {0, sequence};
  closed += at->second.closed;
  return at->second;
}

void service::drop_reply(std::map<std::uint64_t, reply_row>::iterator at) {
  const reply_row& row = at->second;
  const auto key = row.client ? keys_.find({row.client, row.id}) : keys_.end();
  if (key != keys_.end() && key->second.reply == at->first) keys_.erase(key);
  closed -= row.closed;
  stored.erase(at);
}

void service::close_reply(reply_row& row) {
  if (std::exchange(row.closed, true)) return;
  ++closed;
}

// u32 stream, u32 n, n times {u64 sequence, id, u8 kind, u32 client, u16 attempts, u64 deadline,
// u8 dead, text reason}. Returns where to go on; 0 = all written.
std::uint64_t service::write_requests(state_writer& rows, std::uint64_t from,
                                      std::size_t budget) const {
  const std::size_t begin = rows.size();
  auto at = pending.lower_bound(from);
  while (at != pending.end()) {
    auto end = at;
    std::uint32_t n = 0;
    for (; end != pending.end() && n < rows_a_piece; ++end) ++n;
    rows.begin(row_kind::request);
    rows.u32(requests_.def().stream);
    rows.u32(n);
    for (; at != end; ++at) {
      const request_row& r = at->second;
      rows.u64(at->first);
      put(rows, r.id);
      rows.u8(static_cast<std::uint8_t>(r.kind));
      rows.u32(r.client);
      rows.u16(r.attempts_max);
      rows.u64(r.deadline_ns);
      rows.u8(r.dead);
      rows.text(r.reason);
    }
    rows.end();
    if (at != pending.end() && rows.size() - begin >= budget) return at->first;
  }
  return 0;
}

void service::read_requests(state_reader& row) {
  const std::uint32_t n = row.u32();
  for (std::uint32_t i = 0; i < n && !row.failed(); ++i) {
    const std::uint64_t sequence = row.u64();
    request_row r;
    r.id = get_id(row);
    r.kind = static_cast<request_kind>(row.u8());
    r.client = row.u32();
    r.attempts_max = row.u16();
    r.deadline_ns = row.u64();
    r.dead = row.u8() != 0;
    r.reason = row.text();
    if (row.failed()) return;
    if (r.client) keys_[{r.client, r.id}] = {sequence, 0};
    pending.insert_or_assign(sequence, std::move(r));
  }
}

// u32 stream, u32 n, n times {u64 sequence, id, u32 client, u64 bytes, u64 time, u8 closed}.
std::uint64_t service::write_replies(state_writer& rows, std::uint64_t from,
                                     std::size_t budget) const {
  const std::size_t begin = rows.size();
  auto at = stored.lower_bound(from);
  while (at != stored.end()) {
    auto end = at;
    std::uint32_t n = 0;
    for (; end != stored.end() && n < rows_a_piece; ++end) ++n;
    rows.begin(row_kind::reply);
    rows.u32(replies_.def().stream);
    rows.u32(n);
    for (; at != end; ++at) {
      const reply_row& r = at->second;
      rows.u64(at->first);
      put(rows, r.id);
      rows.u32(r.client);
      rows.u64(r.bytes);
      rows.u64(r.time_ns);
      rows.u8(r.closed);
    }
    rows.end();
    if (at != stored.end() && rows.size() - begin >= budget) return at->first;
  }
  return 0;
}

void service::read_replies(state_reader& row) {
  const std::uint32_t n = row.u32();
  for (std::uint32_t i = 0; i < n && !row.failed(); ++i) {
    const std::uint64_t sequence = row.u64();
    reply_row r;
    r.id = get_id(row);
    r.client = row.u32();
    r.bytes = row.u64();
    r.time_ns = row.u64();
    r.closed = row.u8() != 0;
    if (!row.failed()) add_reply(sequence, r);
  }
}

}  // namespace holdfast
