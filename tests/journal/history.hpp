// history: every record that was given to a journal, in order, and what must be true of whatever is
// found on a disk later.
//
// The claim: what is recovered is, in order and to the byte, a prefix of what was submitted; it
// holds everything accepted at the level the crash respects; it ends between batches; what is live
// in it can be read; and no damage is reported where there is none.
//
// Contract: streams are numbered 1 to `streams`, their sequences are dense from 1. An ack is a
// record of type group_ack: count 0 finishes everything of its stream below first_sequence, else
// the messages it names, each once and never below what was finished before.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "journal/journal.hpp"
#include "sim/virtual_disk.hpp"

namespace holdfast::testing {

class history {
 public:
  static constexpr std::size_t streams = 4;
  struct place {  // of one stream, after some prefix
    std::uint64_t floor = 1;
    std::uint64_t next = 1;
    std::vector<range> settled;  ///< above the floor
  };
  using places = std::array<place, streams + 1>;
  struct finding {
    std::string wrong;      ///< empty: all is well
    std::size_t total = 0;  ///< records recovered
  };
  struct hooks {
    std::function<void(std::size_t total)> opened;  ///< replayed, nothing read from it yet
    std::function<void(journal& log, std::size_t total)> compared;  ///< all is well so far
  };

  void add(const append_item& item);
  std::size_t size() const noexcept { return records_.size(); }
  /// Forgets what was not recovered.
  void cut(std::size_t total);
  places places_at(std::size_t total) const;
  /// The first block of the stream that begins at or behind `from`; count 0 if there is none.
  range block_at_or_behind(stream_id stream, std::uint64_t from) const;
  /// What a checkpoint begun now contains.
  std::vector<std::byte> rows() const;

  /// Opens the journal on `disk` and compares; `must` records at least have to be there.
  finding check(virtual_disk& disk, const journal_options& options, std::size_t must,
                const hooks& then = {}) const;
  /// The same of a journal that was just opened. `replayed` counts on from what `rows` say.
  std::string compare_rows(bytes_view rows, std::size_t& total) const;
  bool same(const record_view& found, std::size_t at) const;
  std::string compare_end(std::size_t total, std::size_t must, const open_report& report) const;
  /// Tells the journal what is finished, and reads everything else.
  std::string read_live(journal& log, std::size_t total) const;

 private:
  std::string read_stream(journal& log, stream_id stream, const place& at, std::size_t total) const;

  std::vector<append_item> records_;
  std::vector<std::uint64_t> sums_;  // of the records up to and with this one
  std::vector<std::size_t> acks_;    // ordinals
  std::array<std::vector<std::size_t>, streams + 1> blocks_;
};

}  // namespace holdfast::testing
