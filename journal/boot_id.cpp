#include "journal/boot_id.hpp"

#include <fstream>
#include <string>

namespace holdfast {

bytes16_id system_boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string text;
  std::getline(in, text);
  std::erase(text, '-');
  bytes16_id id{};
  for (std::size_t i = 0; i < id.size() && 2 * i + 1 < text.size(); ++i)
    id[i] = static_cast<std::byte>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
  return id;
}

}  // namespace holdfast
