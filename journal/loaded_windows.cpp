#include "journal/loaded_windows.hpp"

#include <algorithm>
#include <utility>

namespace holdfast {
namespace {

constexpr std::uint64_t window_bytes = 1ull << 20;
constexpr std::size_t windows_max = 64;
constexpr std::uint64_t ask_again_ns = 100 * ms_ns;

}  // namespace

std::uint64_t loaded_windows::readable_end(const segment& in) const noexcept {
  return core_.synced_position > in.base() ? std::min(in.end, core_.synced_position) : in.end;
}

const loaded_windows::window* loaded_windows::get(const segment& in, std::uint64_t position,
                                                  std::uint64_t size) {
  window* w = find(in, position, size);
  if (!w) w = load(in, position, size);
  if (!w) return nullptr;
  w->used = ++clock_;
  w->asked_in = core_.turn;
  w->read = !w->loading;
  return w->loading ? nullptr : w;
}

loaded_windows::window* loaded_windows::find(const segment& in, std::uint64_t position,
                                             std::uint64_t size) {
  for (window& w : windows_)
    if (w.segment == in.base() && position >= w.from && position + size <= w.from + w.size)
      return &w;
  return nullptr;
}

loaded_windows::window* loaded_windows::load(const segment& in, std::uint64_t position,
                                             std::uint64_t size) {
  window* into = free_window();
  if (!into) return nullptr;
  window& made = *into;
  made = {};
  made.segment = in.base();
  made.from = position;
  made.size = std::min(std::max(window_bytes, size), readable_end(in) - position);
  made.tag = next_tag_++;
  made.loading = true;
  ask(made, in);
  return into;
}

// The one that was used longest ago, of those that nobody waits for; null if there is none.
loaded_windows::window* loaded_windows::free_window() {
  if (windows_.size() < windows_max) return &windows_.emplace_back();
  window* oldest = nullptr;
  for (window& w : windows_) {
    const bool awaited = !w.read && !core_.gave_up(w.asked_in);
    if (!awaited && (!oldest || w.used < oldest->used)) oldest = &w;
  }
  turned_away_ |= oldest == nullptr;
  return oldest;
}

void loaded_windows::ask(const window& what, const segment& in) {
  io_op op = make_op(io_op::kind::load, in.file, make_tag(asker::load, what.tag));
  op.at = what.from - in.base();
  op.size = what.size;
  core_.submit(std::move(op));
  ++core_.stats.loads;
}

void loaded_windows::begin_turn() noexcept {
  turned_away_ = false;
}

void loaded_windows::on_time() {
  if (core_.now.now_ns < again_at_) return;
  again_at_ = never_ns;
  for (window& w : windows_)
    if (const segment* in = core_.segments.find(w.from); in && std::exchange(w.put_off, false))
      ask(w, *in);
}

void loaded_windows::on_result(const io_result& done) {
  for (window& w : windows_) {
    if (w.tag != number_of(done.tag)) continue;
    if (want_of_descriptors(done.error)) {
      w.put_off = true;
      again_at_ = core_.now.now_ns + ask_again_ns;
      return;
    }
    w.loading = false;
    w.bad = done.error != 0 || !core_.segments.find(w.from);
    if (!w.bad) w.bytes = done.bytes;
    return;
  }
}

bool loaded_windows::is_past(const io_result& done) const noexcept {
  return std::none_of(windows_.begin(), windows_.end(),
                      [&](const window& w) { return w.tag == number_of(done.tag); });
}

std::uint64_t loaded_windows::deadline() const noexcept {
  const bool loading =
      std::any_of(windows_.begin(), windows_.end(), [](const window& w) { return w.loading; });
  return turned_away_ && !loading ? 0 : again_at_;
}

void loaded_windows::forget(std::uint64_t base) {
  std::erase_if(windows_, [base](const window& w) { return w.segment == base; });
}

}  // namespace holdfast
