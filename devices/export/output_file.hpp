// output_file: where an export goes: standard output, or a file that appears under its name only
// when it is whole.
//
// Contract: one thread; writes gather in 256 KiB. A file is written as NAME.part, synced and
// renamed by commit(); without it the part is removed. An existing NAME is refused, never replaced.
#pragma once

#include <string>
#include <vector>

#include "base/coding.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

class output_file {
 public:
  output_file() noexcept = default;  ///< standard output
  output_file(output_file&& other) noexcept;
  output_file& operator=(output_file&&) = delete;
  ~output_file();
  static result<output_file> create(const std::string& name);

  status write(bytes_view bytes);
  status write(std::string_view text) { return write(as_bytes_view(text.data(), text.size())); }
  status commit();
  /// Bytes taken so far.
  std::uint64_t size() const noexcept { return size_; }

 private:
  static constexpr std::size_t pending_bytes_max = 256 * 1024;
  status put(bytes_view bytes);
  status broken(const char* what, int error) const;

  std::string name_;  // empty: standard output
  int fd_ = 1;
  std::vector<std::byte> pending_;
  std::uint64_t size_ = 0;
};

}  // namespace holdfast
