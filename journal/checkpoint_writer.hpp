// checkpoint_writer: writes checkpoints in slices into a file made beforehand, and puts them in
// force: log durable to what the last slice is as of, file synced, renamed, directory synced. Two
// are kept.
//
// Contract: no blocking; a failure leaves the former checkpoints in force and frees the writer for
// another try. The journal's own rows follow in slices of advance(). Memory: one chunk (1 MiB) and
// a slice.
#pragma once

#include "journal/checkpoint_search.hpp"
#include "journal/log_writer.hpp"
#include "journal/own_rows.hpp"

namespace holdfast {

class checkpoint_writer {
 public:
  checkpoint_writer(core& shared, log_writer& log) : core_(shared), log_(log), own_(shared) {}

  /// A checkpoint found when opening; oldest first.
  void adopt(const kept_checkpoint& found);
  /// Makes the file for the next one. Once, when going live.
  void prepare();

  bool due() const noexcept;
  /// Monotonic: when one is due for want of space, or goes on.
  std::uint64_t deadline() const noexcept;
  void note_append(bool oversize) noexcept;
  /// Space could be freed by a checkpoint.
  void set_pressed(bool on) noexcept { pressed_ = on; }
  /// It could free several segments: one is due early, as far as its own bytes allow.
  void set_crowded(bool on) noexcept { crowded_ = on; }
  bool begin();
  void add(bytes_view rows);
  void finish();
  bool running() const noexcept { return state_ != state::idle; }
  /// All rows of the patterns were given.
  bool closing() const noexcept { return running() && (given_ || state_ != state::adding); }
  /// The position it was begun at does not stand any more.
  void abort();
  void on_result(const io_result& done);
  void advance();

 private:
  enum class state : std::uint8_t { idle, adding, syncing, naming };
  void put(io_op op);
  void write_out();
  void go_on();
  void close_file();
  void put_in_force();
  void set_aside();

  core& core_;
  log_writer& log_;
  std::vector<kept_checkpoint> kept_;
  checkpoint_header header_;
  own_rows own_;
  state state_ = state::idle;
  bool given_ = false;       // finish() was called
  std::uint64_t as_of_ = 0;  // position of the latest row
  file_id file_ = 0;
  std::uint64_t file_size_ = 0;
  std::uint64_t at_ = 0;  // offset of the next write
  std::vector<std::byte> rows_;
  std::vector<std::byte> out_;
  std::uint64_t tag_ = 0;
  std::uint64_t first_tag_ = 1;  // results of before are of no interest
  std::uint32_t outstanding_ = 0;
  bool bad_ = false;
  std::uint64_t next_number_ = 1;
  std::uint64_t begun_at_ = 0;     // monotonic, of the last one
  std::uint64_t begun_bytes_ = 0;  // next_position then
  bool changed_ = false;
  bool oversize_ = false;
  bool pressed_ = false;
  bool crowded_ = false;
};

}  // namespace holdfast
