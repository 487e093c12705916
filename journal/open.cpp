#include "journal/open.hpp"

#include "base/random.hpp"
#include "journal/boot_id.hpp"

namespace holdfast {

result<std::unique_ptr<journal>> open_journal(const std::string& directory, journal_options options,
                                              open_report& report) {
  result<std::unique_ptr<storage>> files = open_file_storage(
      directory, {.zero_copy = options.zero_copy, .read_files_max = options.read_files_max});
  if (!files) return files.take_status();
  if (options.boot_id == bytes16_id{}) options.boot_id = system_boot_id();
  if (options.seed == 0) options.seed = system_seed();
  return open_journal(std::move(files).value(), std::move(options), report);
}

}  // namespace holdfast
