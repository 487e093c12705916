// loaded_windows: pieces of segments that the storage has loaded, 1 MiB each or one record where
// that is larger.
//
// Contract: one thread; asks and never waits. Memory: about 90 B a window, at most 64 of them; what
// a window holds belongs to the storage (a map in production). A window that somebody waits for
// stays until he has read it, so that however many read, each gets on.
#pragma once

#include "journal/core.hpp"

namespace holdfast {

class loaded_windows {
 public:
  struct window {
    std::uint64_t from = 0;  ///< position
    std::uint64_t size = 0;
    buffer_ref bytes;
    bool bad = false;  ///< the file could not be read there

   private:
    friend class loaded_windows;
    std::uint64_t segment = 0;  // base
    std::uint64_t tag = 0;
    std::uint64_t used = 0;
    std::uint64_t asked_in = 0;  // turn in which somebody looked last
    bool loading = false;
    bool read = false;
    bool put_off = false;  // could not be loaded now
  };

  explicit loaded_windows(core& shared) : core_(shared) {}

  /// The window that holds [position, position + size) of a segment, which must be readable; null
  /// while it has to be waited for. Valid until the next call.
  const window* get(const segment& in, std::uint64_t position, std::uint64_t size);
  /// Where what can be loaded of a segment ends: the rest of the active one is not written yet.
  std::uint64_t readable_end(const segment& in) const noexcept;

  void on_result(const io_result& done);
  /// The result is of a window whose segment is gone, or that was needed for another.
  bool is_past(const io_result& done) const noexcept;
  void begin_turn() noexcept;
  /// Asks again for what could not be loaded for want of descriptors.
  void on_time();
  /// At once if somebody found no window free and no load is on its way, whose end would wake him.
  std::uint64_t deadline() const noexcept;
  /// The segment at `base` is gone.
  void forget(std::uint64_t base);

 private:
  window* find(const segment& in, std::uint64_t position, std::uint64_t size);
  window* load(const segment& in, std::uint64_t position, std::uint64_t size);
  window* free_window();
  void ask(const window& what, const segment& in);

  core& core_;
  std::vector<window> windows_;
  std::uint64_t next_tag_ = 1;
  std::uint64_t clock_ = 0;
  bool turned_away_ = false;
  std::uint64_t again_at_ = never_ns;
};

}  // namespace holdfast
