// specimen: a journal of four small segments, closed, whose every record is known; and what opening
// it must find after some of its bytes were changed.
//
// The two first segments were filled in one life, the others in a second one. All is proven durable
// but the last six records, which were synced with nothing behind them to say so. A worn one had a
// life before: its files are used again, with bytes of their former use behind the records, and a
// checkpoint lies below all that is known here.
#pragma once

#include <string>
#include <vector>

#include "tests/journal/rig.hpp"

namespace holdfast::testing {

/// Bytes [from, to) of a file that are not what they were.
struct touched {
  std::string file;
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};

struct known_record {
  record_header header;
  std::string file;
  std::uint64_t position = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  ///< with padding
};

struct known_segment {
  segment_header header;
  std::string file;
  std::uint64_t end = 0;              ///< of its records, a position
  std::vector<known_record> records;  ///< the journal's own too
};

/// What opening must report.
struct expectation {
  std::vector<std::uint64_t> replayed;  ///< positions of records of users
  std::vector<damage> damaged;
  std::uint64_t cut = 0;
  std::uint64_t behind = 0;  ///< readable messages behind the cut
  std::string text() const;
};

class specimen {
 public:
  explicit specimen(bool worn = false);
  expectation after(const std::vector<touched>& changes) const;
  /// Opens what `disk` holds; empty, or how it differs from `want`.
  std::string compare(virtual_disk& disk, const expectation& want, bool read_all) const;

  rig r;
  std::vector<known_segment> segments;
  std::uint64_t end = 0;  ///< position behind the last record

 private:
  void wear();
  void fill(std::uint64_t segments, bool leave_unproven);
  void learn();
  std::uint64_t next_[3] = {0, 0, 0};
};

/// A record of the specimen is what it was made of.
bool read_back(journal& log, const expectation& want, const specimen& of, std::string& wrong);

}  // namespace holdfast::testing
