// own_rows: the journal's own rows of a checkpoint, written in slices while the log goes on:
// segments, streams, what is finished, and where messages are.
//
// Segments are as of the checkpoint's position. All else is as of the slice it is in, so the
// checkpoint holds only once the log is durable up to its last slice: replay adds nothing twice.
//
// Contract: one thread. A slice looks at about `slice_rows` rows. Streams that come meanwhile are
// behind the others and are written too.
#pragma once

#include "journal/checkpoint_file.hpp"
#include "journal/core.hpp"

namespace holdfast {

class own_rows {
 public:
  static constexpr std::size_t slice_rows = 4096;

  explicit own_rows(core& shared) : core_(shared) {}

  /// Begins anew: the segments, as chunks from offset `at` of the file on.
  void begin(std::vector<std::byte>& to, const checkpoint_header& of, std::uint64_t at);
  /// The next slice.
  void step(std::vector<std::byte>& to, const checkpoint_header& of, std::uint64_t at);
  bool done() const noexcept { return next_ == core_.index.streams().size(); }

 private:
  struct makers;
  bool put_finished(const stream_rows& of, makers& to);
  void put_places(const stream_rows& of, makers& to);

  core& core_;
  std::uint64_t position_ = 0;       // of the checkpoint
  std::size_t next_ = 0;             // ordinal of a stream
  std::uint64_t finished_from_ = 0;  // of that stream, where to go on
  std::size_t looked_ = 0;           // at so many rows in this slice
};

}  // namespace holdfast
