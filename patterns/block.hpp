// Blocks: the body that is sent, appended and delivered. A body is a run of entries; any contiguous
// run of entries is itself a valid body. Layout: docs/journal_format.md, "Entries" (the same bytes
// on the wire and on disk).
//
//   u32 len   counts from the entry's first byte, padding excluded
//   u32 sum   low 32 of XXH3-64 of the entry after itself, by whoever packed it
//   u8 flags  multipart, props, void;  u8 0;  u16 dt in 16 us since the block's first entry,
//   saturating [u16 size + TLVs] if props; [u16 n, u32 length[n]] if multipart; the bytes; zero
//   padding to 4
//
// Contract: pure. Bodies from peers are checked once, by walk(), before anything else looks at
// them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/buffer.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

inline constexpr std::size_t entry_head_bytes = 12;
inline constexpr std::size_t block_bytes_max = 256 * 1024;  ///< beyond it only a single message
inline constexpr std::uint32_t block_messages_max = 4096;
inline constexpr std::uint32_t parts_max = 65'535;
inline constexpr std::uint64_t part_bytes_max = 1ull << 30;
inline constexpr std::uint64_t message_bytes_hard_max = 1ull << 30;
inline constexpr std::size_t void_reason_bytes_max = 255;

namespace entry_flag {
inline constexpr std::uint8_t multipart = 1;
inline constexpr std::uint8_t props = 2;
inline constexpr std::uint8_t voided = 4;  ///< holds a number's place; never delivered
}  // namespace entry_flag

/// Property bits of a block's props_mask: the OR over its entries.
namespace props_bit {
inline constexpr std::uint8_t key = 1, priority = 2, expiry = 4, delay = 8, headers = 16;
}

/// Of an entry of so many parts, which have `bytes` together; padding excluded.
constexpr std::uint64_t entry_bytes(std::uint64_t bytes, std::size_t parts) noexcept {
  const std::uint64_t table = parts == 1 ? 0 : 2 + 4 * static_cast<std::uint64_t>(parts);
  return entry_head_bytes + table + bytes;
}

/// One entry, decoded in place. Views are valid while the body is.
struct entry {
  bytes_view whole;  ///< from its first byte, padding excluded
  std::uint8_t flags = 0;
  std::uint16_t dt = 0;
  bytes_view props;    ///< TLVs
  bytes_view lengths;  ///< u32 each, if multipart
  bytes_view data;     ///< all parts, one after another
  std::size_t parts() const noexcept {
    return flags & entry_flag::multipart ? lengths.size() / 4 : 1;
  }
  bytes_view part(std::size_t index) const noexcept;  ///< O(index); use for_each_part in loops
  bool voided() const noexcept { return flags & entry_flag::voided; }
  bool sum_holds() const noexcept;  ///< end-to-end check of this entry alone
};

/// Walks a body. next() is false at the end or at the first bad entry; then ok() tells which.
class entry_walker {
 public:
  explicit entry_walker(bytes_view body) noexcept : rest_(body) {}
  bool next(entry& into) noexcept;
  bool ok() const noexcept { return ok_; }
  std::size_t left() const noexcept { return rest_.size(); }

 private:
  bool decode_extras(entry& into, std::size_t padded) noexcept;

  bytes_view rest_;
  bool ok_ = true;
};

// Most entries are a head and their bytes, without padding: those take few steps, in place.
inline bool entry_walker::next(entry& into) noexcept {
  if (!ok_ || rest_.empty()) return false;
  ok_ = false;  // until this entry proves well formed
  if (rest_.size() < entry_head_bytes) return false;
  const std::byte* const at = rest_.data();
  const std::size_t len = load<std::uint32_t>(at);
  const std::size_t padded = align_up(len, 4);
  if (len < entry_head_bytes || padded > rest_.size()) return false;
  const auto flags = load<std::uint16_t>(at + 8);  // and the byte behind them, which is 0
  into.whole = {at, len};
  into.flags = static_cast<std::uint8_t>(flags);
  into.dt = load<std::uint16_t>(at + 10);
  into.props = into.lengths = {};
  into.data = into.whole.subspan(entry_head_bytes);
  if ((flags != 0 || padded != len) && (flags > 0xff || !decode_extras(into, padded))) return false;
  rest_ = rest_.subspan(padded);
  return ok_ = true;
}

/// What the device checks of a body it is offered: entries are well formed, as many as stated,
/// within limits.
struct body_verdict {
  bool ok = false;
  std::uint16_t bad_entry = 0;  ///< the first bad one
  errc code = errc::bad_frame;
  std::uint32_t voids = 0;  ///< entries that only hold a number's place
};
body_verdict walk(bytes_view body, std::uint16_t count, std::uint8_t props_mask,
                  std::uint64_t max_message) noexcept;

/// Bytes of entries [skip, skip + count) of a checked body, cut to `bytes_max` but at least one
/// entry.
struct entry_run {
  std::size_t at = 0, size = 0;
  std::uint32_t count = 0;
};
entry_run cut_entries(bytes_view body, std::uint32_t skip, std::uint32_t count,
                      std::uint64_t bytes_max) noexcept;

/// Those bytes themselves, all of them.
bytes_view cut_body(bytes_view body, std::uint32_t skip, std::uint32_t count) noexcept;

struct sealed_block {
  buffer_ref body;
  std::uint16_t count = 0;
  std::uint8_t props_mask = 0;
  std::uint64_t body_sum = 0;
};

/// The block of one message of one part, where it lies: writes its head into the entry_head_bytes
/// in front of it, and zeros into up to padding_bytes_max behind; all of them are `owner`'s.
inline constexpr std::size_t padding_bytes_max = 3;
sealed_block enclose(buffer* owner, std::byte* message, std::size_t size);

/// Packs messages into blocks: one copy into a slab, an entry sum each, one body sum at seal().
/// Blocks share slabs (4 to 256 KiB, sized by what came before), so that steady traffic, lonely
/// small messages included, does not allocate per message. A sealed body is a slice of its slab.
class block_packer {
 public:
  block_packer() noexcept = default;
  block_packer(const block_packer&) = delete;  // two packers must not write into one slab
  block_packer& operator=(const block_packer&) = delete;

  /// True if a message of this many bytes and parts still fits beside what is there. An empty
  /// packer takes any message within the hard limits.
  bool fits(std::uint64_t bytes, std::size_t parts) const noexcept {
    if (parts == 0 || parts > parts_max || bytes > message_bytes_hard_max) return false;
    return empty() || fits_beside(entry_bytes(bytes, parts));
  }
  /// Adds one message. `time_ns`: the sender's clock. Call only when fits().
  void add(std::span<const bytes_view> parts, std::uint64_t time_ns);
  /// Adds an entry that only holds its number's place; `reason` is kept in it, cut to
  /// void_reason_bytes_max.
  void add_void(std::uint64_t time_ns, std::string_view reason = {});
  /// Copies an entry of another, checked body as it is, sum and dt included.
  void add_entry(bytes_view whole);
  std::uint16_t count() const noexcept { return count_; }
  std::size_t bytes() const noexcept { return used_; }
  bool empty() const noexcept { return count_ == 0; }
  /// Freezes what was packed and starts afresh.
  sealed_block seal();

 private:
  bool fits_beside(std::uint64_t len) const noexcept {
    return count_ < block_messages_max && used_ + align_up(len, 4) <= block_bytes_max;
  }
  std::byte* open_entry(std::uint64_t len, std::uint8_t flags, std::uint64_t time_ns);
  std::byte* reserve(std::size_t bytes) {
    if (!slab_ || start_ + used_ + bytes > slab_->capacity()) move_to_fresh_slab(bytes);
    return slab_->data() + start_ + std::exchange(used_, used_ + bytes);
  }
  void move_to_fresh_slab(std::size_t more);
  void drop_slab() noexcept;

  slab* slab_ = nullptr;
  buffer_ref holder_;        // keeps slab_ alive
  std::size_t start_ = 0;    // of the block being packed, in slab_
  std::size_t largest_ = 0;  // block sealed from this slab
  std::size_t used_ = 0;
  std::uint16_t count_ = 0;
  std::uint64_t first_time_ns_ = 0;
};

template <class F>
void for_each_part(const entry& e, F&& f) {
  if (!(e.flags & entry_flag::multipart)) return f(e.data);
  std::size_t at = 0;
  for (std::size_t i = 0; i < e.lengths.size(); i += 4) {
    const auto size = load<std::uint32_t>(e.lengths.data() + i);
    f(e.data.subspan(at, size));
    at += size;
  }
}

}  // namespace holdfast
