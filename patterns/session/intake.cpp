#include "patterns/session/intake.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "base/checksum.hpp"
#include "base/planted.hpp"
#include "patterns/session/replies.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t key_of(std::uint32_t producer, stream_id stream) noexcept {
  return std::uint64_t{producer} << 32 | stream;
}

/// The first entry whose own sum fails: which one to blame when the body's sum does.
std::uint16_t first_bad_entry(bytes_view body) noexcept {
  entry_walker walker(body);
  entry e;
  std::uint16_t at = 0;
  while (walker.next(e)) {
    if (!e.sum_holds()) return at;
    ++at;
  }
  return 0;
}

}  // namespace

intake::intake(intake_options options, const sessions& who, outgoing& out, block_sink& sink,
               frame_counters& counters)
    : options_(options), sessions_(who), out_(out), sink_(sink), counters_(counters) {}

void intake::begin(const step& now) {
  at_ = now.at;
  room_ = now.available.message_bytes;
  failed_ = now.available.failed || now.log.failure != nullptr;
  if (!held_.empty()) resume_held();
}

bool intake::attach(const session& s, stream_id stream, level asked, attached& into) {
  seal_simple();
  if (!by_key_.contains(key_of(s.producer, stream)) && by_key_.size() >= options_.positions_max)
    return false;
  position& p = positions_[row(s.producer, stream)];
  p.session = s.number;
  p.need = std::min(asked, options_.durability);
  if (planted(bug::level_lowered)) p.need = level::process;
  p.gap_told = p.held = p.answer = false;
  p.told_through = through(p);
  into.next_number = p.next;
  into.accepted_through = p.told_through;
  into.effective = p.need;
  return true;
}

void intake::on_publish(const session& s, const frame_in& frame) {
  seal_simple();
  const result<publish> f = decode_publish(frame.head.bytes());
  if (!f) return bad(s, no_stream, 0, 0, "a PUBLISH header that cannot be read");
  if (frame.parts.size() != 1 || f->count == 0 || f->first_number == 0 ||
      f->first_number > ~std::uint64_t{0} - f->count)
    return bad(s, f->stream, f->first_number, f->count, "PUBLISH is a header and one body");
  position* p = find(s, f->stream);
  if (!p) return bad(s, f->stream, f->first_number, f->count, "PUBLISH before ATTACHED");
  const buffer_ref& body = frame.parts[0];
  std::uint32_t voids = 0;
  if (!in_order(*p, s, f->first_number, f->count)) return;
  if (!body_holds(*p, s, *f, body.bytes(), voids)) return;
  if (!admissible(*p, s, *f, body.size())) return;
  append(*p, *f, body, voids);
}

/// True if `first` is the number that comes next. Everything else is answered here.
bool intake::in_order(position& p, const session& s, std::uint64_t first, std::uint64_t count) {
  if (p.held) return false;  // told to wait for RESUME; this was under way
  if (first > p.next && !planted(bug::hole_stored)) {
    if (!p.gap_told) resync(p, s);
    p.gap_told = true;
    return false;
  }
  p.gap_told = false;
  if (first == p.next || planted(bug::repeat_stored)) return true;
  if (first + count <= p.next) {
    duplicates_[p.stream] += count;
    answer(p);
  } else {
    bad(s, p.stream, first, static_cast<std::uint16_t>(count),
        "a block across the expected number");
  }
  return false;
}

bool intake::body_holds(position& p, const session& s, const publish& f, bytes_view body,
                        std::uint32_t& voids) {
  body_verdict verdict = walk(body, f.count, f.props_mask, options_.max_message);
  if (verdict.ok && checksum(body) != f.body_sum) {
    verdict.ok = false;
    verdict.code = errc::bad_frame;
    verdict.bad_entry = first_bad_entry(body);
  }
  if (const auto bad = verdict.ok ? sink_.bad_entry(p.stream, body) : std::nullopt) {
    verdict.ok = false;
    verdict.code = errc::schema;
    verdict.bad_entry = *bad;
  }
  voids = verdict.voids;
  if (verdict.ok) return true;
  if (verdict.code == errc::bad_frame) ++counters_.bad_frames;
  p.gap_told = true;  // the refusal names the number that is expected
  refuse(s, {p.stream, f.first_number, f.count, verdict.code, true, verdict.bad_entry,
             "the block does not hold what its header says"});
  return false;
}

bool intake::admissible(position& p, const session& s, const publish& f, std::uint64_t bytes) {
  const bool takes = sink_.takes(p.stream, f.count);
  if (!failed_ && bytes <= room_ && takes) return true;
  p.held = true;
  p.wanted_bytes = bytes;
  p.wanted_count = f.count;
  held_.push_back(by_key_.at(key_of(p.producer, p.stream)));
  refuse(s, {p.stream, f.first_number, f.count, failed_ ? errc::io : errc::full, false, 0,
             failed_  ? "the journal refuses writes"
             : !takes ? "the stream is full; RESUME follows"
                      : "no room; RESUME follows"});
  return false;
}

void intake::append(position& p, const publish& f, buffer_ref body, std::uint32_t voids) {
  append_item item;
  item.head.type = record_type::block;
  item.head.count = f.count;
  item.head.stream = p.stream;
  item.head.time_ns = at_.real_ns;
  item.head.body_sum = f.body_sum;
  item.head.producer = p.producer;
  item.head.props_mask = f.props_mask;
  item.head.producer_number = f.first_number;
  room_ -= std::min<std::uint64_t>(room_, body.size());
  item.body = std::move(body);
  const ordinal record = sink_.append_block(std::move(item), voids);
  p.next = f.first_number + f.count;
  const index at = by_key_.at(key_of(p.producer, p.stream));
  to_write_.push_back({record, at, p.producer, p.next - 1});
  to_sync_.push_back({record, at, p.producer, p.next - 1});
}

void intake::on_publish_simple(const session& s, const frame_in& frame) {
  const result<publish_simple> f = decode_publish_simple(frame.head.bytes());
  if (!f) return bad(s, no_stream, 0, 0, "a PUBLISH map that cannot be read");
  position* p = find(s, f->stream);
  if (!p || frame.parts.empty() || frame.parts.size() > parts_max || f->number == 0)
    return bad(s, f->stream, f->number, 1, "PUBLISH before ATTACHED, or without parts");
  std::vector<bytes_view> parts;
  std::uint64_t bytes = 0;
  for (const buffer_ref& part : frame.parts) bytes += parts.emplace_back(part.bytes()).size();
  if (simple_for_ != p || f->number != p->next + simple_.count() ||
      !simple_.fits(bytes, parts.size()))
    seal_simple();
  publish head;
  head.stream = f->stream;
  head.first_number = f->number;
  head.count = 1;
  const std::uint64_t expected = p->next + simple_.count();
  if (f->number != expected && !in_order(*p, s, f->number, 1)) return;
  if (p->held) return;
  if (bytes > options_.max_message) {
    p->gap_told = true;
    return refuse(s, {f->stream, f->number, 1, errc::too_large, true, 0, "beyond max_message"});
  }
  if (!sink_.understands(f->stream, parts[0])) {
    p->gap_told = true;
    return refuse(s, {f->stream, f->number, 1, errc::schema, true, 0, "not what the stream holds"});
  }
  if (!admissible(*p, s, head, bytes + simple_.bytes())) return;
  p->gap_told = false;
  if (simple_.empty()) simple_head_ = head;
  simple_for_ = p;
  simple_.add(parts, at_.real_ns);
}

void intake::seal_simple() {
  if (simple_.empty()) return;
  sealed_block block = simple_.seal();
  simple_head_.count = block.count;
  simple_head_.props_mask = block.props_mask;
  simple_head_.body_sum = block.body_sum;
  position* p = std::exchange(simple_for_, nullptr);
  append(*p, simple_head_, std::move(block.body), 0);
}

void intake::on_probe(const session& s, const frame_in& frame) {
  seal_simple();
  const result<probe> f =
      s.simple ? decode_probe_simple(frame.head.bytes()) : decode_probe(frame.head.bytes());
  position* p = f ? find(s, f->stream) : nullptr;
  if (!p) return bad(s, f ? f->stream : no_stream, 0, 0, "PROBE before ATTACHED");
  answer(*p);
  if (!p->held) resync(*p, s);
}

void intake::resync(position& p, const session& s) {
  ++counters_.resyncs;
  reply(out_, s, holdfast::resync{p.stream, p.next});
}

void intake::resume_held() {
  std::erase_if(held_, [&](index at) {
    position& p = positions_[at];
    const session* s = p.held ? sessions_.find(p.session) : nullptr;
    if (!s) return true;
    if (failed_ || p.wanted_bytes > room_ || !sink_.takes(p.stream, p.wanted_count)) return false;
    p.held = p.gap_told = false;
    reply(out_, *s, holdfast::resume{p.stream, p.next});
    return true;
  });
}

void intake::bad(const session& s, stream_id stream, std::uint64_t first, std::uint16_t count,
                 const char* text) {
  ++counters_.bad_frames;
  refuse(s, {stream, first, count, errc::bad_frame, true, 0, text});
}

void intake::refuse(const session& s, const holdfast::refuse& f) {
  ++counters_.refusals;
  out_.send(long_frame(s.peer, s.number, f));
}

void intake::touch(position& p) {
  if (std::exchange(p.dirty, true)) return;
  dirty_.push_back(by_key_.at(key_of(p.producer, p.stream)));
}

void intake::answer(position& p) {
  p.answer = true;
  touch(p);
}

void intake::flush() {
  seal_simple();
  advance(to_write_, out_.reached(level::process), &position::written_through);
  advance(to_sync_, out_.reached(level::disk), &position::synced_through);
  for (const index at : dirty_) {
    position& p = positions_[at];
    if (!std::exchange(p.dirty, false)) continue;
    std::uint64_t now = through(p);
    if (planted(bug::accept_early)) now = p.next - 1;
    if (planted(bug::accept_written)) now = p.written_through;
    const bool due = std::exchange(p.answer, false) || now > p.told_through;
    const session* s = sessions_.find(p.session);
    if (!due || !s || s->producer != p.producer) continue;
    p.told_through = now;
    reply(out_, *s, accept{p.stream, now, p.need});
  }
  dirty_.clear();
}

void intake::advance(std::deque<progress>& line, ordinal reached,
                     std::uint64_t position::*through) {
  while (!line.empty() && line.front().record <= reached) {
    const progress done = line.front();
    line.pop_front();
    position& p = positions_[done.index];
    if (p.producer != done.producer) continue;  // forgotten meanwhile
    p.*through = std::max(p.*through, done.through);
    touch(p);
  }
}

intake::index intake::row(std::uint32_t producer, stream_id stream) {
  const auto [at, added] = by_key_.try_emplace(key_of(producer, stream), 0);
  if (!added) return at->second;
  if (free_.empty()) {
    at->second = static_cast<index>(positions_.size());
    positions_.emplace_back();
  } else {
    at->second = free_.back();
    free_.pop_back();
  }
  position& p = positions_[at->second];
  p.producer = producer;
  p.stream = stream;
  return at->second;
}

intake::position* intake::find(const session& s, stream_id stream) {
  const auto at = by_key_.find(key_of(s.producer, stream));
  if (at == by_key_.end()) return nullptr;
  position& p = positions_[at->second];
  return p.session == s.number || options_.planted_ignore_number ? &p : nullptr;
}

void intake::forget(std::uint32_t producer) {
  seal_simple();
  for (index at = 0; at < positions_.size(); ++at) {
    if (positions_[at].producer != producer) continue;
    by_key_.erase(key_of(producer, positions_[at].stream));
    positions_[at] = position{};
    free_.push_back(at);
  }
}

std::uint64_t intake::duplicates(stream_id stream) const {
  const auto at = duplicates_.find(stream);
  return at == duplicates_.end() ? 0 : at->second;
}

void intake::replay_block(const record_head& head) {
  if (head.producer == 0 || planted(bug::numbers_forgotten)) return;
  position& p = positions_[row(head.producer, head.stream)];
  p.next = std::max(p.next, head.producer_number + head.count);
}

void intake::start() {
  for (position& p : positions_) p.written_through = p.synced_through = p.next - 1;
}

// u32 producer, u32 stream, u64 next number. What is in the row is in the log before the row's
// as_of, and the log is durable to its end before the checkpoint is.
bool intake::snapshot(state_writer& rows, std::size_t budget) {
  const std::size_t begin = rows.size();
  while (snapshot_at_ < positions_.size()) {
    const position& p = positions_[snapshot_at_++];
    if (p.producer != 0) {
      rows.begin(row_kind::position);
      rows.u32(p.producer);
      rows.u32(p.stream);
      rows.u64(p.next);
      rows.end();
    }
    if (rows.size() - begin >= budget && snapshot_at_ < positions_.size()) return false;
  }
  snapshot_at_ = 0;
  return true;
}

}  // namespace holdfast
