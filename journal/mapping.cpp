#include "journal/mapping.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <csignal>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

namespace holdfast {
namespace {

namespace ipc = boost::interprocess;

// ---- which maps there are, to name the file of an address -------------------------------------

struct place {
  std::size_t size = 0;
  std::string path;
};
std::mutex maps_guard;
std::map<std::uintptr_t, place>& all_maps() {
  static std::map<std::uintptr_t, place> maps;
  return maps;
}

// ---- pages that are gone -----------------------------------------------------------------------

constexpr std::size_t lost_max = 64;
std::array<std::atomic<std::uintptr_t>, lost_max> lost_pages;
std::atomic<std::size_t> lost_count{0};
std::size_t page_bytes = 4096;  // set before the handler is
struct sigaction before_us {};
thread_local int guarded = 0;

// In a handler: system calls and atomics only.
void on_lost_page(int number, siginfo_t* about, void*) {
  const auto page = reinterpret_cast<std::uintptr_t>(about->si_addr) / page_bytes * page_bytes;
  if (guarded != 0) {
    void* zeros = ::mmap(reinterpret_cast<void*>(page), page_bytes, PROT_READ,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros != MAP_FAILED) {
      lost_pages[lost_count.fetch_add(1) % lost_max] = page;
      return;
    }
  }
  constexpr char why[] =
      "holdfast: SIGBUS: if a file of the journal was truncated while a block of it was being "
      "sent, "
      "zero_copy: off avoids this; nothing accepted in other files is lost\n";
  [[maybe_unused]] const auto told = ::write(STDERR_FILENO, why, sizeof why - 1);
  ::sigaction(number, &before_us, nullptr);  // the access is repeated, and ends as it would have
}

void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction ours {};
    ours.sa_sigaction = on_lost_page;
    ours.sa_flags = SA_SIGINFO;
    ::sigaction(SIGBUS, &ours, &before_us);
  });
}

class mapped_file final : public buffer {
 public:
  explicit mapped_file(const std::string& path)
      : buffer(kind::map),
        region_(ipc::file_mapping(path.c_str(), ipc::read_only), ipc::read_only) {
    bytes_ = {static_cast<const std::byte*>(region_.get_address()), region_.get_size()};
    const std::lock_guard lock(maps_guard);
    all_maps()[address()] = {region_.get_size(), path};
  }
  ~mapped_file() override {
    const std::lock_guard lock(maps_guard);
    all_maps().erase(address());
  }

 private:
  std::uintptr_t address() const { return reinterpret_cast<std::uintptr_t>(region_.get_address()); }
  ipc::mapped_region region_;
};

}  // namespace

result<buffer_ref> map_file(const std::string& path) {
  install_handler();
  try {
    return buffer_ref(new mapped_file(path));
  } catch (const std::exception& why) {
    return {errc::io, path + ": cannot be mapped: " + why.what()};
  }
}

map_guard::map_guard() noexcept {
  ++guarded;
}
map_guard::~map_guard() {
  --guarded;
}

std::vector<std::string> take_lost_places() {
  static std::atomic<std::size_t> told{0};
  std::vector<std::string> found;
  const std::size_t end = lost_count.load();
  std::size_t at = told.exchange(end);
  if (at == end) return found;
  if (end - at > lost_max) at = end - lost_max;
  const std::lock_guard lock(maps_guard);
  const place* last = nullptr;  // one place a file says enough
  for (; at < end; ++at) {
    const std::uintptr_t page = lost_pages[at % lost_max];
    const auto next = all_maps().upper_bound(page);
    if (next == all_maps().begin()) continue;
    const auto& [base, of] = *std::prev(next);
    if (page - base < of.size && std::exchange(last, &of) != &of)
      found.push_back(of.path + ": offset " + std::to_string(page - base) +
                      " and behind it cannot be read: the file was truncated");
  }
  return found;
}

}  // namespace holdfast
