#include "patterns/reqrep/conversation.hpp"

#include <algorithm>
#include <array>

namespace holdfast {
namespace {

constexpr std::uint32_t answers_credit = 4096;
constexpr std::size_t early_max = 1024, forgotten_max = 16'384;

outbox_options outbox_of(const conversation_options& options) {
  outbox_options made;
  made.address = options.service;
  made.need = options.need;
  made.named = options.named;
  made.window_messages = options.requests_max;
  made.window_bytes = options.window_bytes;
  made.max_message = options.max_message;
  return made;
}

// The parts after the head, in the body they came in.
reply_taken reply_of(const reply_head& head, delivered_run& run, const entry& message) {
  reply_taken made;
  made.status = head.status;
  made.sequence = head.sequence;
  made.body = std::move(run.body);
  made.data = message.data.subspan(message.part(0).size());
  if (message.lengths.size() > 4) made.lengths = message.lengths.subspan(4);
  return made;
}

assignment_options answers_of(const conversation_options& options) {
  assignment_options made;
  made.address = options.service;
  made.role = attach_role::replies;
  made.whole_blocks = false;
  made.credit_messages = answers_credit;
  return made;
}

}  // namespace

conversation::conversation(const conversation_options& options)
    : outbox_(outbox_of(options)),
      acks_(answers_of(options)),
      requests_max_(options.requests_max),
      keep_(options.keep),
      keeps_early_(options.keep || options.named) {}

status conversation::ask(const request_terms& terms, std::span<const bytes_view> parts,
                         instant at) {
  if (!failure().ok()) return failure().copy();
  if (parts.empty()) return {errc::invalid, "a request has at least one part"};
  if (parts.size() >= parts_max) return {errc::invalid, "a request has at most 65 534 parts"};
  if (pending_.contains(terms.id))
    return {errc::in_use, "a request of this id waits for its reply"};
  if (pending_.size() >= requests_max_) return {errc::would_block, "too many requests are open"};
  if (claim_early(terms)) return {};
  request_head head;
  head.id = terms.id;
  head.deadline_ms = terms.deadline_ms;
  head.attempts_max = terms.attempts_max;
  std::array<std::byte, request_head_bytes> bytes{};
  const std::size_t size = encode(bytes, head);
  std::vector<bytes_view> all;
  all.reserve(parts.size() + 1);
  all.push_back(bytes_view(bytes).first(size));
  all.insert(all.end(), parts.begin(), parts.end());
  auto number = outbox_.submit(all, at.real_ns);
  if (!number) return number.take_status();
  pending made;
  made.number = *number;
  made.deadline_ns = terms.deadline_ns;
  pending_.emplace(terms.id, std::move(made));
  return {};
}

result<reply_taken> conversation::take(const bytes16& id, instant at) {
  sort_out_rejections();
  const auto found = pending_.find(id);
  if (found == pending_.end()) return {errc::not_found, "no request of this id waits here"};
  pending& one = found->second;
  if (one.order != 0) {
    in_order_.erase(one.order);
    if (keep_) return one.reply;
    reply_taken reply = std::move(one.reply);
    // A reply whose session is gone comes again, and is acked then, unseen.
    (void)acks_.acked(one.ticket);
    remember(id);
    pending_.erase(found);
    return reply;
  }
  status why;
  if (!one.refused.ok())
    why = std::move(one.refused);
  else if (!failure().ok())
    why = failure().copy();
  else if (at.now_ns >= one.deadline_ns)
    why = {errc::expired, "no reply came within the deadline"};
  else
    return {errc::would_block, "no reply yet"};
  if (!keep_) remember(id);
  pending_.erase(found);
  return why;
}

void conversation::forget(const bytes16& id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  if (found->second.order != 0) {
    (void)acks_.acked(found->second.ticket);
    in_order_.erase(found->second.order);
  }
  remember(id);
  pending_.erase(found);
}

// Its reply may come again in a new session, and is no early one then.
void conversation::remember(const bytes16& id) {
  if (!keeps_early_ || !forgotten_.insert(id).second) return;
  forgotten_in_order_.push_back(id);
  if (forgotten_in_order_.size() <= forgotten_max) return;
  forgotten_.erase(forgotten_in_order_.front());
  forgotten_in_order_.pop_front();
}

std::uint64_t conversation::deadline_ns(const bytes16& id) const noexcept {
  const auto found = pending_.find(id);
  return found == pending_.end() ? 0 : found->second.deadline_ns;
}

std::optional<bytes16> conversation::next_answered() const {
  if (in_order_.empty()) return std::nullopt;
  return in_order_.begin()->second;
}

void conversation::drain() {
  delivered_run run;
  entry message;
  while (acks_.take(run, message)) {
    const auto head = decode_reply_head(message.part(0));
    const auto found = head ? pending_.find(head->id) : pending_.end();
    if (found == pending_.end()) {  // taken before, not asked yet, or nobody waits for it any more
      if (head && keeps_early_ && !was_forgotten(head->id))
        keep_early(head->id, run.next, reply_of(*head, run, message));
      else
        (void)acks_.acked(run.next);
      continue;
    }
    pending& one = found->second;
    one.ticket = run.next;
    if (one.order != 0) continue;  // the same reply, in a new session
    one.order = next_order_++;
    in_order_.emplace(one.order, head->id);
    one.reply = reply_of(*head, run, message);
  }
}

// A reply to an earlier run of this requester: whoever asks again with its id gets it.
void conversation::keep_early(const bytes16& id, const delivery_ticket& at, reply_taken reply) {
  if (const auto known = early_.find(id); known != early_.end()) {
    known->second.ticket = at;  // the same reply, in a new session
    return;
  }
  if (early_.size() == early_max) {
    const auto oldest = early_.find(early_in_order_.begin()->second);
    (void)acks_.acked(oldest->second.ticket);
    early_.erase(oldest);
    early_in_order_.erase(early_in_order_.begin());
  }
  const std::uint64_t order = next_order_++;
  early_in_order_.emplace(order, id);
  early_.emplace(id, early{order, at, std::move(reply)});
}

bool conversation::claim_early(const request_terms& terms) {
  const auto found = early_.find(terms.id);
  if (found == early_.end()) return false;
  pending made;
  made.deadline_ns = terms.deadline_ns;
  made.order = found->second.order;
  made.ticket = found->second.ticket;
  made.reply = std::move(found->second.reply);
  in_order_.emplace(made.order, terms.id);
  early_in_order_.erase(made.order);
  early_.erase(found);
  pending_.emplace(terms.id, std::move(made));
  return true;
}

void conversation::sort_out_rejections() {
  if (outbox_.rejections() == 0) return;
  for (rejection& r : outbox_.take_rejections()) {
    const auto found = std::find_if(pending_.begin(), pending_.end(), [&](const auto& p) {
      return p.second.number == r.number && p.second.order == 0;
    });
    if (found != pending_.end()) found->second.refused = {r.code, std::move(r.text)};
  }
}

}  // namespace holdfast
