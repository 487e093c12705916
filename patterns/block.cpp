#include "patterns/block.hpp"

#include <algorithm>
#include <bit>

#include "base/check.hpp"
#include "base/checksum.hpp"

namespace holdfast {
namespace {

constexpr std::size_t slab_bytes_min = 4 * 1024;
constexpr std::uint64_t dt_unit_ns = 16'000;
constexpr std::size_t sum_end = 8;  // an entry's sum covers what follows len and sum
constexpr std::uint8_t known_flags = entry_flag::multipart | entry_flag::props | entry_flag::voided;

// Takes `size` bytes off the front; false when there are fewer.
bool take(bytes_view& from, std::size_t size, bytes_view& into) noexcept {
  if (size > from.size()) return false;
  into = from.first(size);
  from = from.subspan(size);
  return true;
}

bool decode_props(bytes_view& rest, entry& into) noexcept {
  bytes_view size;
  return take(rest, 2, size) && take(rest, load<std::uint16_t>(size.data()), into.props);
}

bool decode_lengths(bytes_view& rest, entry& into) noexcept {
  bytes_view count;
  if (!take(rest, 2, count)) return false;
  const std::size_t parts = load<std::uint16_t>(count.data());
  if (parts == 0 || !take(rest, parts * 4, into.lengths)) return false;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < into.lengths.size(); i += 4)
    total += load<std::uint32_t>(into.lengths.data() + i);
  return total == rest.size();
}

std::byte* put_lengths(std::byte* to, std::span<const bytes_view> parts) noexcept {
  store(to, static_cast<std::uint16_t>(parts.size()));
  to += 2;
  for (const bytes_view part : parts) {
    store(to, static_cast<std::uint32_t>(part.size()));
    to += 4;
  }
  return to;
}

// The head but for the sum, and the padding's zeros: the rest follows, then its sum.
void put_head(std::byte* at, std::uint64_t len, std::uint8_t flags, std::uint16_t dt) noexcept {
  store(at, static_cast<std::uint32_t>(len));
  store(at + 8, std::uint16_t{flags});  // and the byte behind them, which is 0
  store(at + 10, dt);
  for (std::uint64_t i = len; i % 4 != 0; ++i) at[i] = std::byte{0};
}

void put_sum(std::byte* at, std::uint64_t len) noexcept {
  store(at + 4, checksum32({at + sum_end, len - sum_end}));
}

bool all_zero(bytes_view bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

bytes_view entry::part(std::size_t index) const noexcept {
  if (!(flags & entry_flag::multipart)) return data;
  std::size_t at = 0;
  for (std::size_t i = 0; i < index; ++i) at += load<std::uint32_t>(lengths.data() + i * 4);
  return data.subspan(at, load<std::uint32_t>(lengths.data() + index * 4));
}

bool entry::sum_holds() const noexcept {
  return load<std::uint32_t>(whole.data() + 4) == checksum32(whole.subspan(sum_end));
}

bool entry_walker::decode_extras(entry& into, std::size_t padded) noexcept {
  if ((into.flags & ~known_flags) != 0) return false;
  if (!all_zero(rest_.subspan(into.whole.size(), padded - into.whole.size()))) return false;
  if ((into.flags & entry_flag::props) && !decode_props(into.data, into)) return false;
  return !(into.flags & entry_flag::multipart) || decode_lengths(into.data, into);
}

body_verdict walk(bytes_view body, std::uint16_t count, std::uint8_t props_mask,
                  std::uint64_t max_message) noexcept {
  body_verdict verdict;
  if (count == 0 || count > block_messages_max) return verdict;
  if (count > 1 && body.size() > block_bytes_max) return verdict;
  entry_walker walker(body);
  entry e;
  std::uint32_t seen = 0;
  for (; seen < count && walker.next(e); ++seen) {
    verdict.bad_entry = static_cast<std::uint16_t>(seen);
    if ((e.flags & entry_flag::props) && props_mask == 0) return verdict;
    if (e.data.size() > max_message) {
      verdict.code = errc::too_large;
      return verdict;
    }
    for (std::size_t i = 0; i < e.lengths.size(); i += 4)
      if (load<std::uint32_t>(e.lengths.data() + i) > part_bytes_max) return verdict;
    verdict.voids += e.voided();
  }
  verdict.bad_entry = static_cast<std::uint16_t>(std::min<std::uint32_t>(seen, count - 1u));
  verdict.ok = seen == count && walker.left() == 0;
  if (verdict.ok) verdict.bad_entry = 0;
  return verdict;
}

entry_run cut_entries(bytes_view body, std::uint32_t skip, std::uint32_t count,
                      std::uint64_t bytes_max) noexcept {
  // The body was checked, so the lengths alone lead from entry to entry.
  const auto padded = [&](std::size_t at) {
    return static_cast<std::size_t>(align_up(load<std::uint32_t>(body.data() + at), 4));
  };
  entry_run cut;
  for (; skip > 0 && cut.at < body.size(); --skip) cut.at += padded(cut.at);
  while (cut.count < count && cut.at + cut.size < body.size()) {
    const std::size_t size = padded(cut.at + cut.size);
    if (cut.count > 0 && cut.size + size > bytes_max) break;
    cut.size += size;
    ++cut.count;
  }
  return cut;
}

bytes_view cut_body(bytes_view body, std::uint32_t skip, std::uint32_t count) noexcept {
  const entry_run run = cut_entries(body, skip, count, ~std::uint64_t{0});
  return body.subspan(run.at, run.size);
}

sealed_block enclose(buffer* owner, std::byte* message, std::size_t size) {
  std::byte* const at = message - entry_head_bytes;
  const std::uint64_t len = entry_bytes(size, 1);
  put_head(at, len, 0, 0);
  put_sum(at, len);
  sealed_block made;
  made.body = buffer_ref(owner, {at, align_up(len, 4)});
  made.count = 1;
  made.body_sum = checksum(made.body.bytes());
  return made;
}

void block_packer::add(std::span<const bytes_view> parts, std::uint64_t time_ns) {
  std::uint64_t bytes = 0;
  for (const bytes_view part : parts) bytes += part.size();
  check(fits(bytes, parts.size()), "a message is added to a block only where it fits");
  const std::uint64_t len = entry_bytes(bytes, parts.size());
  std::byte* at = open_entry(len, parts.size() == 1 ? 0 : entry_flag::multipart, time_ns);
  std::byte* to = at + entry_head_bytes;
  if (parts.size() != 1) to = put_lengths(to, parts);
  for (const bytes_view part : parts) {
    if (!part.empty()) std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  put_sum(at, len);
}

void block_packer::add_void(std::uint64_t time_ns, std::string_view reason) {
  reason = reason.substr(0, void_reason_bytes_max);
  check(fits(reason.size(), 1), "a void entry is added to a block only where it fits");
  const std::uint64_t len = entry_bytes(reason.size(), 1);
  std::byte* at = open_entry(len, entry_flag::voided, time_ns);
  if (!reason.empty()) std::memcpy(at + entry_head_bytes, reason.data(), reason.size());
  put_sum(at, len);
}

void block_packer::add_entry(bytes_view whole) {
  check(empty() || fits_beside(whole.size()), "an entry is copied into a block only where it fits");
  std::byte* at = reserve(align_up(whole.size(), 4));
  std::memcpy(at, whole.data(), whole.size());
  std::memset(at + whole.size(), 0, align_up(whole.size(), 4) - whole.size());
  ++count_;
}

sealed_block block_packer::seal() {
  check(!empty(), "only a block with messages is sealed");
  sealed_block made;
  made.body = buffer_ref(holder_.owner(), {slab_->data() + start_, used_});
  made.count = count_;
  made.body_sum = checksum(made.body.bytes());
  largest_ = std::max(largest_, used_);
  start_ += used_;
  if (slab_->capacity() > block_bytes_max) drop_slab();  // made for one big message alone
  used_ = 0;
  count_ = 0;
  return made;
}

// Writes the head but for the sum; the caller fills in the rest, and then the sum.
std::byte* block_packer::open_entry(std::uint64_t len, std::uint8_t flags, std::uint64_t time_ns) {
  if (empty()) first_time_ns_ = time_ns;
  const std::uint64_t ago = time_ns > first_time_ns_ ? (time_ns - first_time_ns_) / dt_unit_ns : 0;
  std::byte* at = reserve(align_up(len, 4));
  put_head(at, len, flags, static_cast<std::uint16_t>(std::min<std::uint64_t>(ago, 0xffff)));
  ++count_;
  return at;
}

// Blocks follow one another in a slab, so that lonely small messages share one allocation; a block
// that outgrows its slab moves once to a bigger one.
void block_packer::move_to_fresh_slab(std::size_t more) {
  std::size_t capacity = used_ + more;
  if (capacity <= block_bytes_max) {
    const std::size_t wanted = std::max(capacity * (used_ ? 2 : 1), largest_ * 4);
    capacity = std::clamp(std::bit_ceil(wanted), slab_bytes_min, block_bytes_max);
  }
  auto* fresh = new slab(capacity);
  fresh->set_size(capacity);
  buffer_ref holder(fresh);
  if (used_) std::memcpy(fresh->data(), slab_->data() + start_, used_);
  slab_ = fresh;
  holder_ = std::move(holder);
  start_ = 0;
  largest_ = 0;
}

void block_packer::drop_slab() noexcept {
  slab_ = nullptr;
  holder_ = {};
  start_ = 0;
}

}  // namespace holdfast
