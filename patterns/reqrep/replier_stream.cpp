#include "patterns/reqrep/replier_stream.hpp"

#include <array>
#include <iterator>

#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

assignment_options work_of(const replier_stream_options& options) {
  assignment_options made;
  made.address = options.service;
  made.whole_blocks = false;
  made.credit_messages = options.credit_messages;
  made.credit_bytes = options.credit_bytes;
  return made;
}

}  // namespace

replier_stream::replier_stream(replier_stream_options options)
    : options_(std::move(options)), work_(work_of(options_)) {}

bool replier_stream::take(request_taken& into) {
  entry message;
  while (work_.take(into.run, message)) {
    const bytes_view first = message.part(0);
    const auto head = decode_request_head(first);
    if (!head) {
      (void)work_.refused(into.run.next, nack_kind::reject, 0, "not a request");
      continue;
    }
    into.head = *head;
    into.data = message.data.subspan(first.size());
    into.lengths = message.lengths.size() > 4 ? message.lengths.subspan(4) : bytes_view{};
    return true;
  }
  return false;
}

status replier_stream::reply(const delivery_ticket& request, std::uint16_t attempt,
                             const bytes16& id, std::uint16_t code,
                             std::span<const bytes_view> parts, std::uint64_t time_ns) {
  if (parts.empty() || parts.size() >= parts_max)
    return {errc::invalid, "a reply has 1 to 65 534 parts"};
  std::uint64_t bytes = 0;
  for (const bytes_view part : parts) bytes += part.size();
  if (bytes > message_bytes_hard_max - head_bytes_max)
    return {errc::too_large, "the reply has " + std::to_string(bytes) + " bytes"};
  const auto sequence = work_.let_go(request);
  if (!sequence) return {sequence.kind(), std::string(sequence.text())};
  reply_head head;
  head.status = code;
  head.id = id;
  head.sequence = *sequence;
  head.worker = options_.worker;
  std::array<std::byte, head_bytes_max> room{};
  const std::size_t size = encode(room, head);
  std::vector<bytes_view> all;
  all.reserve(parts.size() + 1);
  all.push_back(bytes_view(room).first(size));
  all.insert(all.end(), parts.begin(), parts.end());
  if (!goes_on(*sequence, attempt) || !packer_.fits(bytes + size, all.size())) seal();
  if (packer_.empty()) packed_ = {stream_, {*sequence, 0}, attempt, 0};
  packer_.add(all, time_ns);
  ++packed_.requests.count;
  waiting_.insert(*sequence);
  return {};
}

bool replier_stream::goes_on(std::uint64_t sequence, std::uint16_t attempt) const noexcept {
  return sequence == packed_.requests.end() && attempt == packed_.attempt &&
         packed_.requests.count < block_messages_max;
}

// What was packed so far is a frame.
void replier_stream::seal() {
  if (packer_.empty()) return;
  sealed_block block = packer_.seal();
  packed_.body_sum = block.body_sum;
  replies_.push_back({packed_, std::move(block.body)});
}

void replier_stream::on_attached(const attached& f, const welcome& limits, instant at) {
  stream_ = f.stream;
  work_.on_attached(f, limits, at);
}

void replier_stream::on_session_lost() {
  stream_ = no_stream;
  lost_ += waiting_.size();
  waiting_.clear();
  seal();
  replies_.clear();
  sent_ = 0;
  work_.on_session_lost();
}

bool replier_stream::on_frame(const client_input& in, instant at) {
  if (in.type != frame_type::replied) return work_.on_frame(in, at);
  const auto f = decode_replied(in.head.bytes());
  if (!f) return false;
  const auto first = waiting_.lower_bound(f->requests.first),
             end = waiting_.lower_bound(f->requests.end());
  const auto count = static_cast<std::uint64_t>(std::distance(first, end));
  waiting_.erase(first, end);
  (f->outcome == reply_outcome::stored ? stored_ : late_) += count;
  return count != 0;
}

bool replier_stream::next(client_frame& out, std::uint32_t session, instant at) {
  if (stream_ == no_stream) return false;
  seal();
  if (sent_ == replies_.size()) return work_.next(out, session, at);
  sealed_replies& reply = replies_[sent_++];
  encode(out.head, session, reply.head);
  out.body = std::move(reply.body);
  if (sent_ == replies_.size()) {
    replies_.clear();
    sent_ = 0;
  }
  return true;
}

}  // namespace holdfast
