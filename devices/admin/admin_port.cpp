#include "devices/admin/admin_port.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>

#include "base/checksum.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t request_bytes_max = 64 * 1024;
constexpr int requests_a_turn = 16;

namespace fs = std::filesystem;

fs::path note_in(const std::string& directory) {
  return fs::path(directory) / "admin.path";
}

std::string hashed_name(const std::string& directory) {
  std::error_code error;
  const std::string full = fs::weakly_canonical(directory, error).string();
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(checksum(as_bytes_view(full.data(), full.size()))));
  return "ipc://@holdfast-admin-" + std::string(text);
}

/// The plain form, or the hashed one where the path is too long.
std::string address_for(const std::string& directory) {
  const std::string path = (fs::path(directory) / "admin").string();
  return path.size() <= ipc_path_max ? "ipc://" + path : hashed_name(directory);
}

status note_address(const std::string& directory, const std::string& address) {
  std::error_code error;
  if (!address.starts_with("ipc://@")) {
    fs::remove(note_in(directory), error);
    return {};
  }
  std::ofstream note(note_in(directory), std::ios::trunc);
  note << address << '\n';
  note.flush();
  if (note.good()) return {};
  return {errc::io, "cannot write " + note_in(directory).string()};
}

}  // namespace

result<endpoint> admin_endpoint_of(const std::string& directory) {
  std::ifstream note(note_in(directory));
  std::string address;
  if (!note || !std::getline(note, address)) address = address_for(directory);
  return parse_endpoint(address, endpoint_role::connect);
}

result<std::unique_ptr<admin_port>> admin_port::open(const context& in,
                                                     const std::string& directory) {
  auto made = std::make_unique<admin_port>();
  const std::string address = address_for(directory);
  auto where = parse_endpoint(address, endpoint_role::bind);
  if (!where) return where.take_status();
  socket_options o = router::reliable_options();
  o.max_part = static_cast<std::int64_t>(request_bytes_max);
  o.own_user_only = true;
  auto opened = router::open(in, made->next_peer_, o, 256);
  if (!opened) return opened.take_status();
  made->router_ = std::move(*opened);
  if (status outcome = made->router_.attach(*where); !outcome) return outcome;
  if (status outcome = note_address(directory, address); !outcome) return outcome;
  made->actual_ = address;
  return made;
}

void admin_port::answer(const std::function<std::string(std::string_view)>& how) {
  peer_id from = 0;
  for (int i = 0; i < requests_a_turn; ++i) {
    const io outcome = router_.receive(from, parts_, request_bytes_max);
    if (outcome == io::would_block || outcome == io::failed) break;
    // REQ sends an empty delimiter first, DEALER need not.
    const bool enveloped = parts_.size() == 2 && parts_[0].size() == 0;
    if (outcome != io::done || (parts_.size() != 1 && !enveloped)) continue;
    const bytes_view request = parts_.back().bytes();
    const std::string text = how({reinterpret_cast<const char*>(request.data()), request.size()});
    const part_out reply[] = {{{}, nullptr}, {as_bytes_view(text.data(), text.size()), nullptr}};
    router_.send(from, std::span(reply).subspan(enveloped ? 0 : 1));
    router_.displaced().clear();
  }
  parts_.clear();
}

}  // namespace holdfast
