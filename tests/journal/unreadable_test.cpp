// Real files of which a part cannot be read: a load brings the rest.
#include <doctest/doctest.h>

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "journal/file_storage.hpp"
#include "tests/temporary_directory.hpp"

namespace holdfast::testing {
namespace {

io_result load(storage& files, file_id file, std::uint64_t at, std::uint64_t size) {
  io_op op;
  op.what = io_op::kind::load;
  op.file = file;
  op.at = at;
  op.size = size;
  files.submit({&op, 1});
  std::vector<io_result> done;
  while (files.poll(done) == 0) files.wait();
  return done[0];
}

TEST_CASE("of a file cut short under its map, a load brings what is there, and zero") {
  for (const bool zero_copy : {true, false}) {
    const temporary_directory own;
    const std::string& name = own.path;
    std::ofstream(name + "/bytes", std::ios::binary) << std::string(12288, 'Z');
    {
      file_storage_options options;
      options.zero_copy = zero_copy;
      auto files = open_file_storage(name, options);
      REQUIRE(files.ok());
      auto file = (*files)->open_file("bytes");
      REQUIRE(file.ok());
      CHECK(load(**files, *file, 0, 12288).error == 0);
      std::filesystem::resize_file(name + "/bytes", 5000);
      const io_result cut = load(**files, *file, 0, 12288);
      REQUIRE(cut.error == 0);
      std::size_t there = 0;
      while (there < cut.bytes.size() && cut.bytes.data()[there] == std::byte{'Z'}) ++there;
      CHECK(there == 5000);
      CHECK(cut.bytes.data()[there] == std::byte{0});
      CHECK(cut.bytes.data()[12287] == std::byte{0});
      CHECK(load(**files, *file, 8192, 4096).error == EIO);
    }
  }
}

}  // namespace
}  // namespace holdfast::testing
