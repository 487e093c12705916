// A real small journal, with checkpoints and files used again, changed by a list of steps, then
// opened, read, written and opened again. While no step forges a sum, every byte that comes out
// must be one that was put in.
#include <map>

#include "journal/journal.hpp"
#include "sim/virtual_disk.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/seals.hpp"

namespace holdfast::testing {
namespace {

constexpr stream_id streams = 3;

const std::vector<std::byte>& body_of(stream_id stream, std::uint64_t first) {
  static std::map<std::pair<stream_id, std::uint64_t>, std::vector<std::byte>> made;
  std::vector<std::byte>& bytes = made[{stream, first}];
  if (!bytes.empty()) return bytes;
  if (made.size() > 10'000) made.clear();
  random_source random(first * 7919 + stream);
  std::vector<std::byte> fresh(40 + random.below(1500));
  for (std::byte& b : fresh) b = static_cast<std::byte>(random.next());
  return made[{stream, first}] = std::move(fresh);
}

append_item item_of(stream_id stream, std::uint64_t first) {
  const std::vector<std::byte>& body = body_of(stream, first);
  append_item item;
  item.head.type = record_type::block;
  item.head.stream = stream;
  item.head.first_sequence = first;
  item.head.count = 1;
  item.head.body_sum = checksum(body);
  item.body = copy_to_buffer(body);
  return item;
}

bool right(stream_id stream, std::uint64_t first, bytes_view body) {
  const std::vector<std::byte>& want = body_of(stream, first);
  return std::equal(want.begin(), want.end(), body.begin(), body.end());
}

journal_options small() {
  journal_options options;
  options.segment_bytes = 16 << 10;
  options.reserve_segments = 1;
  options.tail_bytes = 0;
  options.clock = [] { return instant{1, 1}; };
  return options;
}

void turn(journal& log) {
  for (int i = 0; i < 12; ++i) log.progress();
}

// Two lives; in the first one enough is trimmed that files are used again.
std::unique_ptr<virtual_disk> make_journal() {
  auto disk = std::make_unique<virtual_disk>();
  std::uint64_t next[streams + 1] = {};
  for (int life = 0; life < 2; ++life) {
    open_report report;
    auto log = open_journal(disk->mount(), small(), report);
    must(log.ok() && (*log)->replay([](std::span<const record_view>) {}).ok());
    for (int i = 0; i < (life == 0 ? 150 : 25); ++i) {
      const auto stream = static_cast<stream_id>(1 + i % static_cast<int>(streams));
      append_item item = item_of(stream, ++next[stream]);
      (*log)->append({&item, 1});
      turn(**log);
      if (life == 0 && next[stream] > 8) (*log)->trim(stream, next[stream] - 8);
      if (i % 20 != 19) continue;
      must((*log)->begin_checkpoint());
      (*log)->add_checkpoint_rows(body_of(9, next[1]));
      (*log)->finish_checkpoint();
      turn(**log);
    }
  }
  return disk;
}

const virtual_disk& original() {
  static const std::unique_ptr<virtual_disk> made = make_journal();
  return *made;
}

struct damaged_disk {
  explicit damaged_disk(std::uint64_t seed) : disk(original().clone(seed)), names(disk->names()) {}

  void step(fuzz_input& in) {
    const auto what = in.take<std::uint8_t>() % 9;
    const std::string name = names[in.take<std::uint8_t>() % names.size()];
    std::vector<std::byte> bytes = disk->content(name);
    if (bytes.empty()) return;
    const std::uint64_t at = in.take<std::uint16_t>() * 4u % bytes.size();
    switch (what) {
      case 0: overwrite(bytes, at, in.take_bytes(in.take<std::uint8_t>() % 64)); break;
      case 1: bytes[at] ^= std::byte{1} << in.take<std::uint8_t>() % 8; break;
      case 2:
        std::fill_n(&bytes[at / 512 * 512],
                    std::min<std::size_t>(512, bytes.size() - at / 512 * 512), std::byte{0});
        break;
      case 3: copy_sector(in, bytes, at); break;
      case 4: disk->truncate(name, at); return;
      case 5: disk->remove_file(name); return;
      case 6: seal_record(bytes, at / 16 * 16); break;
      case 7:
        seal_segment_header(
            std::span(bytes).subspan(at < 2048 ? 0 : std::min<std::size_t>(2048, bytes.size())));
        forged = true;
        break;
      default:
        seal_checkpoint(bytes, true);
        forged = true;
        break;
    }
    disk->damage(name, 0, bytes);
  }

  std::unique_ptr<virtual_disk> disk;
  std::vector<std::string> names;
  bool forged = false;

 private:
  static void overwrite(std::vector<std::byte>& bytes, std::uint64_t at, bytes_view with) {
    std::copy_n(with.begin(), std::min(with.size(), bytes.size() - at), &bytes[at]);
  }
  void copy_sector(fuzz_input& in, std::vector<std::byte>& bytes, std::uint64_t at) {
    const std::vector<std::byte> from =
        disk->content(names[in.take<std::uint8_t>() % names.size()]);
    const std::uint64_t where = in.take<std::uint8_t>() * 512u;
    if (where + 512 > from.size() || at / 512 * 512 + 512 > bytes.size()) return;
    std::copy_n(&from[where], 512, &bytes[at / 512 * 512]);
  }
  void seal_record(std::vector<std::byte>& bytes, std::uint64_t at) {
    const auto header = decode_segment_header(bytes);
    if (!header || at + record_header_bytes > bytes.size()) return;
    forged = true;
    const std::span<std::byte> head(&bytes[at], record_header_bytes);
    const std::uint64_t body = load<std::uint32_t>(&head[4]);
    if (body <= bytes.size() - at - record_header_bytes)
      store(&head[32], checksum({&bytes[at] + record_header_bytes, body}));
    store(head.data(), checksum32(head.subspan(4), segment_key(header->journal_id, header->epoch) +
                                                       header->base + at));
  }
};

void read_all(journal& log, bool forged) {
  for (stream_id s = 1; s <= streams + 1; ++s) {
    std::uint64_t from = 1;
    std::vector<block> got;
    for (int i = 0; i < 400; ++i) {
      got.clear();
      const fetched f = log.read(s, from, {16, 1 << 16}, got);
      if (f.outcome == fetch::end) break;
      if (f.outcome == fetch::pending) log.progress();
      if (f.outcome == fetch::gap) {
        must(f.missing.first == from && f.missing.count > 0);
        from = f.missing.end();
      }
      for (const block& b : got) {
        must(forged || right(b.stream, b.first, b.body.bytes()));
        from = b.first + b.count;
      }
    }
  }
}

// True if it could be opened. `look_for`: the sequence of stream 1 that must be there; 0 = none.
bool open_and_use(damaged_disk& of, std::uint64_t append, std::uint64_t look_for) {
  open_report report;
  auto log = open_journal(of.disk->mount(), small(), report);
  if (!log) {
    must(!log.text().empty());
    return false;
  }
  bool found = look_for == 0;
  (void)(*log)->replay([&](std::span<const record_view> batch) {
    for (const record_view& r : batch) {
      must(of.forged ||
           (r.lost ? r.body.empty() : right(r.head.stream, r.head.first_sequence, r.body)));
      found = found || (!r.lost && r.head.stream == 1 && r.head.first_sequence == look_for);
    }
  });
  must(found || of.forged);
  read_all(**log, of.forged);
  append_item item = item_of(1, append);
  (*log)->append({&item, 1});
  turn(**log);
  must((*log)->progress().synced == 1);
  if (look_for != 0 && (*log)->begin_checkpoint()) (*log)->finish_checkpoint();
  turn(**log);
  return true;
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  damaged_disk damaged(1);
  for (int i = 0; i < 40 && !in.empty(); ++i) damaged.step(in);
  constexpr std::uint64_t appended = 1'000'000;
  if (!open_and_use(damaged, appended, 0)) return 0;
  must(open_and_use(damaged, appended + 1, appended));
  return 0;
}
