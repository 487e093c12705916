// record_walker: goes through the records of one segment by reading windows of its file, and says
// of each what is wrong with it. Recovery, replay and the tools see a segment through this.
//
// Contract: blocking reads through the function given. A view is valid until the next call that
// moves. Memory: one window (1 MiB) or the largest record met, whichever is more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "holdfast/status.hpp"
#include "journal/format.hpp"

namespace holdfast {

/// Reads exactly `into.size()` bytes at an offset of the segment's file.
using segment_bytes_reader = std::function<status(std::uint64_t offset, std::span<std::byte> into)>;

enum class verdict : std::uint8_t {
  good,
  bad_body,    ///< the header is right, the body is not
  bad_header,  ///< no record can begin here
  end,         ///< nothing more fits before the end
};

struct walked {
  verdict what = verdict::end;
  record_header header;  ///< good, bad_body
  bytes_view body;       ///< good
  bytes_view bytes;      ///< good: header and body as they lie in the file
  std::uint64_t position = 0;
  std::uint64_t size = 0;  ///< good, bad_body: of the record with its padding
};

class record_walker {
 public:
  /// Positions [from, to) of the segment whose file begins at `base`.
  record_walker(segment_bytes_reader read, std::uint64_t base, std::uint64_t key,
                std::uint64_t from, std::uint64_t to);

  /// Looks at the record at position(); moves behind it if its header is right.
  walked next();
  /// Moves to the first place at or behind position() where a whole good record lies; false, at the
  /// end, if there is none.
  bool resync();
  std::uint64_t position() const noexcept { return at_; }
  /// next() would not need to read: views handed out before stay valid.
  bool buffered();

 private:
  bytes_view bytes_at(std::uint64_t position, std::uint64_t size);
  bool in_window(std::uint64_t position, std::uint64_t size) const noexcept;
  walked look(std::uint64_t position);

  segment_bytes_reader read_;
  std::uint64_t base_;
  std::uint64_t key_;
  std::uint64_t at_;
  std::uint64_t to_;
  std::vector<std::byte> window_;
  std::uint64_t window_at_ = 0;     // position of the window's first byte
  std::uint64_t narrow_until_ = 0;  // windows below are as small as what is asked for
};

}  // namespace holdfast
