// Arbitrary records of a journal, exported as JSON Lines and as MCAP, and printed as `journal cat`
// prints them. Whatever they hold, each line is one JSON object, and an MCAP file is a chain of
// records between its two marks.
#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "devices/cli/journal_print.hpp"
#include "devices/export/jsonl_sink.hpp"
#include "devices/export/mcap_sink.hpp"
#include "tests/fuzz/input.hpp"

namespace holdfast::testing {
namespace {

// Standard output, as a file in memory.
class captured_output {
 public:
  captured_output() : fd_(memfd_create("output", 0)) { must(dup2(fd_, 1) == 1); }
  std::string take() const {
    std::string text(static_cast<std::size_t>(lseek(fd_, 0, SEEK_END)), '\0');
    must(pread(fd_, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
    must(ftruncate(fd_, 0) == 0 && lseek(fd_, 0, SEEK_SET) == 0);
    return text;
  }

 private:
  int fd_;
};

struct made_record {
  record_head head;
  std::vector<std::byte> body;
};

std::vector<made_record> take_records(fuzz_input& in) {
  constexpr std::array<std::uint8_t, 16> types = {16, 16, 16, 17, 18, 18, 19, 20,
                                                  24, 25, 26, 27, 28, 64, 65, 66};
  std::vector<made_record> all;
  while (!in.empty() && all.size() < 32) {
    made_record& r = all.emplace_back();
    const auto type = in.take<std::uint8_t>();
    r.head.type = static_cast<record_type>(type < 128 ? types[type % types.size()] : type);
    r.head.flags = in.take<std::uint8_t>();
    r.head.count = in.take<std::uint8_t>() % 8;
    r.head.stream = in.take<std::uint8_t>() % 4;
    r.head.first_sequence =
        in.take<std::uint8_t>() * (in.take<std::uint8_t>() == 0 ? ~0ull / 9 : 1);
    r.head.time_ns = in.take<std::uint32_t>() * (1ull << 32);
    r.head.producer = in.take<std::uint8_t>() % 3;
    r.head.producer_number = in.take<std::uint8_t>();
    const bytes_view body = in.take_bytes(in.take<std::uint16_t>() % 1024);
    r.body.assign(body.begin(), body.end());
  }
  return all;
}

bool put(const std::vector<made_record>& records, message_sink& sink) {
  message_walk walk;
  std::uint64_t position = 4096;
  for (const made_record& r : records) {
    const record_view view{r.head, r.body, position,
                           r.head.type == record_type::block && r.body.empty()};
    position += 64 + r.body.size();
    must(walk.feed(view, [&](const stored_message& m) { return sink.put(m).ok(); }));
  }
  return sink.finish().ok();
}

void must_be_objects(std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    must(end != std::string_view::npos);
    must(nlohmann::json::parse(lines.substr(0, end), nullptr, false).is_object());
    lines.remove_prefix(end + 1);
  }
}

void must_be_mcap(std::string_view file) {
  constexpr std::string_view mark = "\x89MCAP0\r\n";
  must(file.starts_with(mark) && file.ends_with(mark));
  file = file.substr(mark.size(), file.size() - 2 * mark.size());
  while (!file.empty()) {
    must(file.size() >= 9);
    const auto size = load<std::uint64_t>(reinterpret_cast<const std::byte*>(file.data()) + 1);
    must(size <= file.size() - 9);
    file.remove_prefix(9 + size);
  }
}

void print(const std::vector<made_record>& records) {
  journal_names names;
  cli::line_format format;
  format.json = true;
  std::string lines, words;
  for (const made_record& r : records) {
    seen_record seen;
    seen.record = {r.head, r.body, 4096};
    names.take(seen.record);
    cli::print_record(seen, names, format, lines);
    cli::print_record(seen, names, {}, words);
  }
  must_be_objects(lines);
  must(words.empty() == records.empty());
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  using namespace holdfast::testing;
  static const captured_output captured;
  fuzz_input in(data, size);
  auto decoder = message_decoder::open("msgpack");
  must(decoder.ok());
  message_decoder* decode = in.take<std::uint8_t>() % 2 != 0 ? &*decoder : nullptr;
  const std::vector<made_record> records = take_records(in);
  output_file out;
  jsonl_sink lines(out, decode);
  must(put(records, lines) && out.commit().ok());
  must_be_objects(captured.take());
  output_file file;
  auto mcap = mcap_sink::open(file, {}, decode);
  must(mcap.ok() && put(records, **mcap) && file.commit().ok());
  must_be_mcap(captured.take());
  print(records);
  return 0;
}
