#include "devices/admin/ask.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "base/clock.hpp"
#include "devices/admin/admin_port.hpp"
#include "devices/transport/poller.hpp"
#include "journal/lock_file.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t answer_bytes_max = 1ull << 30;
constexpr std::uint64_t ask_again_ns = second_ns;  // a device answers so many a second, then none

bool names_endpoint(const std::string& target) {
  return target.find("://") != std::string::npos;
}

// Says at once what waiting could not change.
status refuse_hopeless(const std::string& directory) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error))
    return {errc::not_found, "there is no directory '" + directory + "'"};
  if (journal_in_use(directory)) return {};
  return {errc::not_found, "no device is running on '" + directory +
                               "': nobody holds its lock; holdfast journal info " + directory +
                               " looks at the journal"};
}

// Sends `question`, again every second, until a frame comes back; its last part.
result<buffer_ref> exchange(const context& in, const endpoint& where, bytes_view question,
                            std::uint64_t timeout_ns) {
  auto opened = socket::open(in, socket_kind::dealer, {});
  if (!opened) return opened.take_status();
  if (status outcome = opened->connect(where); !outcome) return outcome;
  poller waiting;
  waiting.add(*opened, false, true);
  const part_out parts_to[] = {{question, nullptr}};
  const std::uint64_t last = monotonic_now() + timeout_ns;
  std::uint64_t again = 0;
  std::vector<buffer_ref> parts;
  for (std::uint64_t now = monotonic_now(); now < last; now = monotonic_now()) {
    const bool due = now >= again;
    if (due && opened->send(parts_to) == io::done) again = now + ask_again_ns;
    const bool sent = now < again;
    waiting.want(0, true, !sent);
    waiting.wait(std::min(last, sent ? again : last) - now);
    if (opened->receive(parts, answer_bytes_max) == io::done && !parts.empty()) return parts.back();
  }
  return {errc::timeout, "no device answers at " + where.address +
                             "; is one running there, and is it its reliable or admin endpoint?"};
}

result<std::string> text_of(result<buffer_ref> answer) {
  if (!answer) return answer.take_status();
  const bytes_view text = answer->bytes();
  return std::string(reinterpret_cast<const char*>(text.data()), text.size());
}

constexpr std::string_view request = "status";

}  // namespace

result<std::string> ask_status(const context& in, const std::string& target,
                               std::uint64_t timeout_ns) {
  const bytes_view question = as_bytes_view(request.data(), request.size());
  if (!names_endpoint(target)) {
    if (status hopeless = refuse_hopeless(target); !hopeless) return hopeless;
    auto where = admin_endpoint_of(target);
    if (!where) return where.take_status();
    return text_of(exchange(in, *where, question, timeout_ns));
  }
  auto where = parse_endpoint(target, endpoint_role::connect);
  if (!where) return where.take_status();
  small_head describe;
  encode_bare(describe, frame_type::describe, 0);
  auto answer = exchange(in, *where, describe.bytes(), timeout_ns);
  if (!answer) return answer.take_status();
  const auto prefix = decode_prefix(answer->bytes());
  // An admin socket knows no frames: it is asked in its own words.
  if (!prefix) return text_of(exchange(in, *where, question, timeout_ns));
  if (prefix->type != frame_type::described)
    return {errc::bad_frame,
            "the peer at " + where->address + " is no device that describes itself"};
  auto text = decode_described(answer->bytes());
  if (!text) return text.take_status();
  return std::string(*text);
}

}  // namespace holdfast
