// checkpointer: writes a checkpoint in slices between turns, so that no turn waits for all of it.
//
// Contract: step() at the end of a turn, when everything the patterns asked for was appended. A
// slice writes about `slice_bytes` of rows. One thread.
#pragma once

#include <cstdint>
#include <functional>

#include "patterns/state.hpp"

namespace holdfast {

class journal;

/// What takes checkpoints: the journal (journal_checkpoints) or a test's.
class checkpoint_target {
 public:
  virtual ~checkpoint_target() = default;
  virtual bool due() const = 0;
  virtual bool begin() = 0;
  virtual void add(bytes_view rows) = 0;
  virtual void finish() = 0;
  virtual bool running() const = 0;
  virtual std::uint64_t next_position() const = 0;
};

class journal_checkpoints final : public checkpoint_target {
 public:
  explicit journal_checkpoints(journal& to) noexcept : to_(&to) {}
  bool due() const override;
  bool begin() override;
  void add(bytes_view rows) override;
  void finish() override;
  bool running() const override;
  std::uint64_t next_position() const override;

 private:
  journal* to_;
};

class checkpointer {
 public:
  /// Writes rows of part `index` (0, 1, ...) until `budget` bytes; true when that part is complete.
  using writer = std::function<bool(std::size_t index, state_writer& rows, std::size_t budget)>;

  checkpointer(checkpoint_target& to, std::size_t parts, std::size_t slice_bytes, writer write)
      : to_(&to), parts_(parts), slice_bytes_(slice_bytes), write_(std::move(write)) {}

  /// Begins when one is due, goes on with one begun. True while there is more to write at once.
  bool step();
  /// Begins one now, due or not, unless one is under way.
  bool force();
  bool writing() const noexcept { return writing_; }

 private:
  checkpoint_target* to_;
  std::size_t parts_, slice_bytes_;
  writer write_;
  state_writer rows_;
  std::size_t part_ = 0;
  bool writing_ = false;
};

}  // namespace holdfast
