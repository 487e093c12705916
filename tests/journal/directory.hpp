// directory: a journal in a temporary directory, for tests of what tools do to its files.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "journal/open.hpp"
#include "journal/reader.hpp"
#include "tests/journal/rig.hpp"
#include "tests/temporary_directory.hpp"

namespace holdfast::testing {

namespace fs = std::filesystem;

inline std::string read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

inline void write_at(const std::string& path, std::uint64_t at, const std::string& bytes) {
  std::fstream out(path, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(static_cast<std::streamoff>(at));
  out << bytes;
  REQUIRE(out.good());
}

/// Every file below a directory with its bytes.
inline std::map<std::string, std::string> tree_of(const std::string& directory) {
  std::map<std::string, std::string> tree;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    if (entry.is_regular_file())
      tree[fs::relative(entry.path(), directory).string()] = read_whole(entry.path().string());
  return tree;
}

/// The files of a virtual disk, as a reader of them would see them now.
inline void store(const virtual_disk& disk, const std::string& directory) {
  for (const std::string& name : disk.names()) {
    const fs::path to = fs::path(directory) / name;
    fs::create_directories(to.parent_path());
    const std::vector<std::byte>& bytes = disk.content(name);
    std::ofstream(to, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
}

/// What a journal holds: sequences by stream, every byte checked.
struct content {
  std::map<stream_id, std::vector<std::uint64_t>> sequences;
  open_report report;
  std::vector<std::byte> rows;
};

inline journal_options small_segments() {
  journal_options options;
  options.segment_bytes = 16 << 10;
  options.tail_bytes = 8 << 10;
  options.seed = 3;
  return options;
}

inline std::unique_ptr<journal> open_at(const std::string& path, content& found) {
  auto opened = open_journal(path, small_segments(), found.report);
  REQUIRE_MESSAGE(opened.ok(), opened.text());
  const bytes_view rows = (*opened)->checkpoint_rows();
  found.rows.assign(rows.begin(), rows.end());
  bool exact = true;
  REQUIRE((*opened)
              ->replay([&](std::span<const record_view> batch) {
                for (const record_view& r : batch) {
                  exact &= right(r);
                  if (r.head.type == record_type::block)
                    found.sequences[r.head.stream].push_back(r.head.first_sequence);
                }
              })
              .ok());
  REQUIRE(exact);
  return std::move(opened).value();
}

/// All blocks of a stream that can be read, one message each; every byte checked.
inline std::vector<std::uint64_t> read_stream(journal& log, stream_id stream,
                                              std::uint64_t from = 1) {
  std::vector<std::uint64_t> sequences;
  std::vector<block> all;
  for (;;) {
    all.clear();
    const fetched got = log.read(stream, from, {1, 1 << 20}, all);
    if (got.outcome == fetch::end) return sequences;
    if (got.outcome == fetch::pending) log.progress();
    if (got.outcome == fetch::gap) from = got.missing.end();
    if (got.outcome != fetch::ok) continue;
    for (const block& b : all) {
      REQUIRE(right(b));
      sequences.push_back(b.first);
    }
    from = sequences.back() + 1;
  }
}

inline std::vector<std::uint64_t> count_to(std::uint64_t last) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t n = 1; n <= last; ++n) all.push_back(n);
  return all;
}

}  // namespace holdfast::testing
