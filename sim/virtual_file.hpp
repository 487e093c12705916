// virtual_file: the bytes of one file of a virtual disk, and of every sector written since the last
// sync what the medium holds instead.
//
// Contract: plain bookkeeping, one thread; copies are independent. Sectors of 512 bytes; what lies
// behind the end of the file counts as zero.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "base/coding.hpp"

namespace holdfast {

class virtual_file {
 public:
  static constexpr std::uint64_t sector = 512;
  struct unsynced {
    std::array<std::byte, sector> before{};  ///< on the medium
    std::uint64_t order = 0;                 ///< of the write that touched it last
    bool lost = false;  ///< a sync failed: clean in memory, never written any more
  };

  /// Made with `size` zero bytes that are durable.
  explicit virtual_file(std::uint64_t size) : now_(size), durable_size_(size) {}

  const std::vector<std::byte>& bytes() const noexcept { return now_; }
  const std::map<std::uint64_t, unsynced>& pending() const noexcept { return pending_; }
  /// False: the medium would show the same bytes.
  bool differs(std::uint64_t s) const {
    const auto it = pending_.find(s);
    if (it == pending_.end()) return false;
    std::array<std::byte, sector> here{};
    copy_out(s, here);
    return here != it->second.before;
  }
  /// The order of the last write there, 0 = none.
  std::uint64_t last_write(std::uint64_t s) const { return s < written_.size() ? written_[s] : 0; }
  bool longer_than_durable() const noexcept { return durable_size_ < now_.size(); }

  void write(std::uint64_t at, bytes_view bytes, std::uint64_t order) {
    if (bytes.empty()) return;
    for (std::uint64_t s = at / sector; s <= (at + bytes.size() - 1) / sector; ++s) {
      const auto [it, fresh] = pending_.try_emplace(s);
      if (fresh) copy_out(s, it->second.before);
      it->second.order = order;
      it->second.lost = false;
      if (written_.size() <= s) written_.resize(s + 1);
      written_[s] = order;
    }
    if (now_.size() < at + bytes.size()) now_.resize(at + bytes.size());
    std::memcpy(now_.data() + at, bytes.data(), bytes.size());
  }
  void sync() {
    durable_size_ = now_.size();
    std::erase_if(pending_, [](const auto& p) { return !p.second.lost; });
  }
  /// As on Linux: the pages are clean now; `reached(sector)` says which of them made it.
  template <class F>
  void failed_sync(F reached) {
    for (auto it = pending_.begin(); it != pending_.end();) {
      const bool kept = !it->second.lost && reached(it->first);
      it->second.lost = true;
      it = kept ? pending_.erase(it) : std::next(it);
    }
  }
  /// What a power failure leaves of an unsynced sector: its first `keep` bytes are new (negative:
  /// its last), the rest as it was. 0 = old, 512 = new.
  void resolve(std::uint64_t s, int keep) {
    const auto it = pending_.find(s);
    if (it == pending_.end()) return;
    if (it->second.lost) keep = 0;
    const std::uint64_t from = keep > 0 ? static_cast<std::uint64_t>(keep) : 0;
    const std::uint64_t to = keep < 0 ? sector - static_cast<std::uint64_t>(-keep) : sector;
    for (std::uint64_t i = from; i < to && s * sector + i < now_.size(); ++i)
      now_[s * sector + i] = it->second.before[i];
    if (keep != 0) durable_size_ = std::max(durable_size_, std::min(now_.size(), (s + 1) * sector));
    pending_.erase(it);
  }
  /// After every sector was resolved. The growth of the file is metadata: it may be lost as well,
  /// but not below a byte that is there.
  void settle_size(bool grown) {
    if (!grown) now_.resize(durable_size_);
    durable_size_ = now_.size();
  }
  /// Changes the medium itself.
  void damage(std::uint64_t at, bytes_view bytes) {
    std::memcpy(now_.data() + at, bytes.data(), bytes.size());
    for (std::size_t i = 0; i < bytes.size() && !pending_.empty(); ++i)
      if (const auto it = pending_.find((at + i) / sector); it != pending_.end())
        it->second.before[(at + i) % sector] = bytes[i];
  }
  void truncate(std::uint64_t size) {
    now_.resize(size);
    durable_size_ = std::min(durable_size_, size);
    std::erase_if(pending_, [size](const auto& p) { return p.first * sector >= size; });
  }

 private:
  void copy_out(std::uint64_t s, std::array<std::byte, sector>& to) const {
    const std::uint64_t at = s * sector;
    if (at < now_.size())
      std::memcpy(to.data(), now_.data() + at, std::min<std::uint64_t>(sector, now_.size() - at));
  }

  std::vector<std::byte> now_;
  std::uint64_t durable_size_;
  std::map<std::uint64_t, unsynced> pending_;
  std::vector<std::uint64_t> written_;  // by sector: the order of the last write
};

}  // namespace holdfast
