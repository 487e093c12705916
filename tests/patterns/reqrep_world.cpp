#include "tests/patterns/reqrep_world.hpp"

#include "patterns/envelope.hpp"

namespace holdfast {
namespace {

std::vector<std::string> parts_of(const frame_out& frame) {
  std::vector<std::string> made;
  check(for_each_envelope_part(frame.envelope.bytes(),
                               [&](bytes_view p) { made.push_back(text_of(p)); }),
        "an envelope can be read");
  return made;
}

}  // namespace

reqrep_world::reqrep_world(reqrep_options options, std::uint64_t seed)
    : channel_world(std::move(options), seed) {
  begin();
}

void reqrep_world::receive_parts(peer_id from, door where, stream_id stream,
                                 const std::vector<std::string>& parts) {
  std::vector<buffer_ref> made;
  for (const std::string& part : parts)
    made.push_back(copy_to_buffer(as_bytes_view(part.data(), part.size())));
  frame_in frame;
  frame.from = from;
  frame.head = made.at(0);
  frame.from_door = where;
  frame.stream = stream;
  receive(frame, std::span(made).subspan(1));
}

void reqrep_world::join(peer_id worker, stream_id stream) {
  plain_peer p;
  p.peer = worker;
  p.name = "worker " + std::to_string(worker);
  p.stream = stream;
  joined(p);
}

void reqrep_world::leaves(const frame_out& frame, reqrep_sent made) {
  if (frame.form == frame_form::enveloped) made.parts = parts_of(frame);
  sent_.push_back(std::move(made));
}

void reqrep_world::cut_run(const frame_out& frame, const run& r) {
  cut done;
  done.token = r.token;
  if (!channel_->awaits(r)) return channel_->on_cut(done, now());
  while (frame.to != stuck && done.count < r.count && (done.count == 0 || done.bytes < r.bytes)) {
    const std::uint64_t sequence = r.first + done.count;
    const fake_log::entry* block = log_.find(r.stream, sequence);
    check(block != nullptr, "a run names messages that are in the log");
    const auto skip = static_cast<std::uint32_t>(sequence - block->head.first_sequence);
    const std::uint32_t count = std::min(block->head.count - skip, r.count - done.count);
    const entry_run part = cut_entries(block->body.bytes(), skip, count, r.bytes - done.bytes);
    reqrep_sent made;
    made.to = frame.to;
    made.form = frame.form;
    made.stream = r.stream;
    made.first = sequence;
    made.count = part.count;
    made.body = block->body.slice(part.at, part.size);
    if (frame.form == frame_form::enveloped) {
      check(part.count == 1, "a foreign peer is sent one message at a time");
      made.parts = parts_of(frame);
      entry e;
      entry_walker(made.body.bytes()).next(e);
      std::size_t index = 0;
      for_each_part(e, [&](bytes_view p) {
        if (index++ >= r.skip_parts) made.parts.push_back(text_of(p));
      });
    } else {
      deliver d;
      d.stream = r.stream;
      d.first_sequence = sequence;
      d.count = static_cast<std::uint16_t>(part.count);
      small_head head = frame.head;
      patch_deliver(head, d);
      made.head.assign(head.bytes().begin(), head.bytes().end());
    }
    sent_.push_back(std::move(made));
    done.count += part.count;
    done.bytes += part.size;
    if (part.count < count) break;
  }
  channel_->on_cut(done, now());
}

stream_id reqrep_world::stream_of(const std::string& address) const {
  const stream_def* def = names_->find_stream(options_.name, address);
  return def ? def->stream : 99;
}

identity reqrep_world::counts(const std::string& address) {
  identity found;
  channel_->for_each_queue([&](const work_queue& q) {
    if (q.def().address == address) found = q.counts();
  });
  return found;
}

void reqrep_world::check_accounts() {
  channel_->for_each_queue([](work_queue& q) { check_accounts_of(q); });
  channel_->for_each_service([&](const service& of) {
    const identity& c = of.requests().counts();
    check(of.pending.size() == c.ready + c.in_flight + c.delayed,
          "a request without a reply has a row, and no other");
    check(of.stored.size() - of.closed == of.replies().counts().ready + of.answered.count(),
          "a reply that is not over has a row, and no other");
  });
}

}  // namespace holdfast
