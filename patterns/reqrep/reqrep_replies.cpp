// What becomes of replies: stored, shown once durable, closed, too old.
#include <algorithm>

#include "patterns/reqrep/reqrep.hpp"

namespace holdfast {
namespace {

constexpr std::size_t closed_max = 65'536;  // ids of acked replies that are still known

}  // namespace

/// How a reply ends its request. Live and in replay alike.
finish reqrep::finish_of(std::uint16_t status) noexcept {
  if (status == reply_status::expired) return finish::expired;
  if (status == reply_status::dropped) return finish::retention;
  return status == reply_status::closed ? finish::settled : finish::acked;
}

/// The reply to `row`, which goes: parts_ but for the first, which the head becomes.
void reqrep::store_reply(service& of, const request_row& row, std::uint64_t request,
                         std::uint16_t status, std::string_view by) {
  reply_row made;
  made.id = row.id;
  made.client = row.client;
  made.time_ns = now_.at.real_ns;
  made.peer = row.peer;
  made.envelope = row.envelope;
  const reply_head head{status, row.id, request, by};
  std::array<std::byte, reply_head_bytes + worker_name_bytes_max> buffer;
  parts_[0] = bytes_view(buffer).first(encode(buffer, head));
  for (const bytes_view part : parts_) made.bytes += part.size();
  if (!of.answered.fits(made.bytes, parts_.size())) seal_replies(of);
  will_seal(of);
  const std::uint64_t sequence = of.replies().next_sequence() + of.answered.count();
  of.answered.add(parts_, now_.at.real_ns);
  keep_reply(of, sequence, made, request);
}

/// The row of a reply that is numbered; the request's goes.
void reqrep::keep_reply(service& of, std::uint64_t sequence, const reply_row& row,
                        std::uint64_t request) {
  stored_bytes_ += row.bytes;
  by_age_.push_back({&of, sequence});
  of.add_reply(sequence, row);
  if (const auto at = of.pending.find(request); at != of.pending.end())
    of.drop_request(at, sequence);
}

void reqrep::store_text(service& of, const request_row& row, std::uint64_t request,
                        std::uint16_t status, std::string_view text) {
  parts_.assign({bytes_view{}, as_bytes_view(text.data(), text.size())});
  store_reply(of, request_row(row), request, status, {});
}

void reqrep::seal_replies(service& of) {
  sealed_block made = of.answered.seal();
  append_item item;
  item.head.count = made.count;
  item.head.body_sum = made.body_sum;
  item.head.props_mask = made.props_mask;
  item.body = std::move(made.body);
  append_replies(of, std::move(item));
}

ordinal reqrep::append_replies(service& of, append_item item) {
  work_queue& q = of.replies();
  const range messages{q.next_sequence(), item.head.count};
  item.head.type = record_type::block;
  item.head.stream = q.def().stream;
  item.head.first_sequence = messages.first;
  item.head.time_ns = now_.at.real_ns;
  const std::uint64_t bytes = item.body.size();
  const ordinal record = out_.add(std::move(item));
  q.append(static_cast<std::uint32_t>(messages.count), bytes, record, now_.at);
  replies_.mark(q);
  visible_waits_.push_back({record, &of, messages});
  return record;
}

/// Replies that became durable leave.
void reqrep::show_replies() {
  const ordinal reached = out_.reached();
  while (!visible_waits_.empty() && visible_waits_.front().after <= reached) {
    const visible_wait w = visible_waits_.front();
    visible_waits_.pop_front();
    for (std::uint64_t s = w.messages.first; s < w.messages.end(); ++s) {
      const auto row = w.of->stored.find(s);
      if (row == w.of->stored.end()) continue;
      row->second.visible = true;
      outlets_.offer(*w.of, s, row->second);
    }
  }
}

/// The reply is over and nobody asks for it again.
void reqrep::end_reply(service& of, std::uint64_t sequence, finish how) {
  const auto row = of.stored.find(sequence);
  if (row == of.stored.end() || row->second.closed) return;
  of.replies().close({sequence, 1}, how);
  replies_.mark(of.replies());
  stored_bytes_ -= row->second.bytes;
  of.drop_reply(row);
}

/// Acked by its requester: the id is known for a while, so that a repeat is not executed again.
void reqrep::close_replies(const session& s, service& of, const range& r) {
  const std::uint64_t end = r.count > ~r.first ? never_ns : r.end();
  for (auto row = of.stored.lower_bound(r.first); row != of.stored.end() && row->first < end;
       ++row) {
    if (row->second.client != s.producer || row->second.closed || !row->second.visible) continue;
    of.replies().close({row->first, 1}, finish::acked);
    replies_.mark(of.replies());
    stored_bytes_ -= row->second.bytes;
    of.close_reply(row->second);
    closed_by_age_.push_back({&of, row->first});
  }
  forget_closed();
}

void reqrep::forget_closed() {
  while (!closed_by_age_.empty()) {
    const stored_at oldest = closed_by_age_.front();
    const auto row = oldest.of->stored.find(oldest.sequence);
    const bool there = row != oldest.of->stored.end();
    const bool over = !there || closed_by_age_.size() > closed_max ||
                      row->second.time_ns + options_.reply_ttl_ns <= now_.at.real_ns;
    if (!over) return;
    if (there) oldest.of->drop_reply(row);
    closed_by_age_.pop_front();
  }
}

/// Too old, or too many bytes: the oldest go.
void reqrep::expire_replies() {
  while (!by_age_.empty()) {
    const stored_at oldest = by_age_.front();
    const auto row = oldest.of->stored.find(oldest.sequence);
    if (row != oldest.of->stored.end() && !row->second.closed) {
      const bool over = stored_bytes_ > options_.reply_bytes_max ||
                        row->second.time_ns + options_.reply_ttl_ns <= now_.at.real_ns;
      if (!over) break;
      end_reply(*oldest.of, oldest.sequence, finish::expired);
    }
    by_age_.pop_front();
  }
  forget_closed();
}

}  // namespace holdfast
