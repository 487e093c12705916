#include "devices/cli/freed_memory.hpp"

#include <malloc.h>
#include <sys/resource.h>

#include "base/clock.hpp"
#include "base/slab_memory.hpp"

namespace holdfast::cli {
namespace {

// What comes to rest after a burst frees memory at its own time, the journal a second later.
constexpr unsigned idle_looks_max = 10;
constexpr std::uint64_t work_min_ns = 10 * ms_ns;  // heartbeats and timers are less in a second

std::uint64_t worked() noexcept {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto ns = [](const timeval& t) {
    return static_cast<std::uint64_t>(t.tv_sec) * second_ns +
           static_cast<std::uint64_t>(t.tv_usec) * (ms_ns / 1000);
  };
  return ns(used.ru_utime) + ns(used.ru_stime);
}

}  // namespace

// Big messages come and go: given back to the system at once, each would cost a page fault for each
// 4 KiB of it. One arena for all threads: what one frees another uses again; the others' heaps end
// with their last block, whatever the threshold.
void keep_freed_memory() noexcept {
#ifdef M_TRIM_THRESHOLD
  constexpr int kept_bytes = 64 << 20, mapped_bytes = 32 << 20;
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, kept_bytes);
  mallopt(M_MMAP_THRESHOLD, mapped_bytes);
#endif
}

void freed_memory::look() noexcept {
  const std::uint64_t before = worked_ns_;
  worked_ns_ = worked();
  if (worked_ns_ - before >= work_min_ns) idle_looks_ = 0;
  if (++idle_looks_ == 1 || idle_looks_ > idle_looks_max) return;
  free_kept_slabs();
#ifdef M_TRIM_THRESHOLD
  malloc_trim(0);
#endif
}

}  // namespace holdfast::cli
