// segment_copies: the segments of a journal as far as they were copied, and which of them the copy
// of the journal needs.
//
// Contract: blocking, tools only, one thread. Segments go by the positions of their bases. What was
// copied is kept when the copy of the journal starts over, until it is forgotten.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "journal/segment_copy.hpp"

namespace holdfast {

class segment_copies {
 public:
  /// Of the journal in `source`, into files in the directory `to`.
  segment_copies(std::string source, std::string to)
      : source_(std::move(source)), to_(std::move(to)) {}

  /// The copy of this segment, to go on with.
  segment_copy& of(const segment_header& header);
  segment_copy& at(std::uint64_t base) { return *copies_.at(base); }
  const segment_copy& at(std::uint64_t base) const { return *copies_.at(base); }
  void forget(std::uint64_t base);

  /// Needed from now on; none lies below those that are.
  void need(std::uint64_t base);
  void need_none() { needed_.clear(); }
  /// Bases, rising.
  const std::vector<std::uint64_t>& needed() const noexcept { return needed_; }
  /// Everything below is proven durable by what was copied.
  std::uint64_t watermark() const;
  /// A file that held one of them, from `position` on, holds another one now.
  bool used_again(std::uint64_t position) const;
  /// Drops what lies above `limit`; how many bytes that were.
  result<std::uint64_t> cut(std::uint64_t limit);
  /// Each slot once, and nothing that is not needed.
  void drop_what_is_not_needed();

 private:
  std::string source_;
  std::string to_;
  std::map<std::uint64_t, std::unique_ptr<segment_copy>> copies_;  // by base
  std::vector<std::uint64_t> needed_;
};

}  // namespace holdfast
