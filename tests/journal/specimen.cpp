#include "tests/journal/specimen.hpp"

#include <algorithm>
#include <utility>

#include "journal/record_walker.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint64_t segment_bytes = 16 << 10;
constexpr std::size_t unproven = 6;

bool overlaps(const touched& t, const std::string& file, std::uint64_t from, std::uint64_t to) {
  return t.file == file && t.from < to && from < t.to;
}

enum class hit : std::uint8_t { none, body, header };

hit hit_of(const known_record& r, const std::vector<touched>& changes) {
  hit worst = hit::none;
  for (const touched& t : changes) {
    const std::uint64_t body = r.offset + record_header_bytes;
    if (overlaps(t, r.file, r.offset, body)) return hit::header;
    if (overlaps(t, r.file, body, body + r.header.body_len)) worst = hit::body;
  }
  return worst;
}

}  // namespace

std::string expectation::text() const {
  std::string all = std::to_string(replayed.size()) + " records, cut at " + std::to_string(cut);
  for (const damage& d : damaged)
    all += ", damage " + std::to_string(d.position) + "+" + std::to_string(d.size);
  return all;
}

specimen::specimen(bool worn) {
  r.options.segment_bytes = segment_bytes;
  r.options.reserve_segments = 0;
  r.options.clock = [] { return instant{1, 1}; };
  if (worn) wear();
  fill(2, false);
  fill(2, true);
  learn();
  // A spare is no part of it.
  for (const std::string& name : r.disk.names()) {
    const auto header = decode_segment_header(r.disk.content(name));
    if (name.starts_with("seg/") && (!header || header->spare)) r.disk.remove_file(name);
  }
}

void specimen::wear() {
  r.must_open();
  for (int i = 0; i < 100; ++i) {
    const stream_id stream = 1 + static_cast<stream_id>(next_[0]++ % 2);
    r.append(block_item(stream, ++next_[stream], 1, 1000));
    r.settle_down();
  }
  for (const stream_id stream : {1u, 2u}) r.log->trim(stream, next_[stream] + 1);
  for (int i = 0; i < 3; ++i) r.checkpoint({});
  r.log.reset();
}

void specimen::fill(std::uint64_t count, bool leave_unproven) {
  r.must_open();
  r.settle_down();
  const std::uint64_t until = r.log->next_position() - records_at + count * segment_bytes;
  const auto one = [&](std::size_t size) {
    const stream_id stream = 1 + static_cast<stream_id>(next_[0]++ % 2);
    next_[stream] += 1;
    return block_item(stream, next_[stream], 1, size);
  };
  std::size_t size = 100;
  while (r.log->next_position() + 3 * 1500 + unproven * 600 < until) {
    size = (size * 7 + 211) % 1400;
    if (next_[0] % 9 == 5) {  // a batch now and then
      std::vector<append_item> batch;
      for (int i = 0; i < 3; ++i) batch.push_back(one(300));
      batch[0].head.flags = batch[1].head.flags = record_flag::batch_more;
      batch[2].head.flags = record_flag::batch_end;
      r.log->append(batch);
    } else {
      r.append(one(size));
    }
    r.settle_down();
  }
  if (leave_unproven) {
    std::vector<append_item> last;
    for (std::size_t i = 0; i < unproven; ++i) last.push_back(one(420));
    r.log->append(last);
    r.settle_down();
  }
  r.log.reset();
}

void specimen::learn() {
  for (const std::string& name : r.disk.names()) {
    if (!name.starts_with("seg/")) continue;
    const std::vector<std::byte> bytes = r.disk.content(name);
    const auto header = decode_segment_header(bytes);
    if (!header || header->spare || header->base < r.report.checkpoint) continue;
    known_segment found{*header, name, 0, {}};
    record_walker walker(
        [&bytes](std::uint64_t at, std::span<std::byte> into) {
          std::copy_n(&bytes[at], into.size(), into.begin());
          return status{};
        },
        header->base, segment_key(header->journal_id, header->epoch), header->base + records_at,
        header->base + header->size);
    for (walked w = walker.next(); w.what == verdict::good; w = walker.next())
      found.records.push_back({w.header, name, w.position, w.position - header->base, w.size});
    found.end = walker.position();
    end = std::max(end, found.end);
    segments.push_back(std::move(found));
  }
  std::sort(segments.begin(), segments.end(),
            [](const auto& a, const auto& b) { return a.header.base < b.header.base; });
}

// The rules of docs/journal_format.md, "Recovery", 3 and 4, over records that are known.
expectation specimen::after(const std::vector<touched>& changes) const {
  struct stretch {
    std::uint64_t from, to;
    const known_record* only;  // its header is right
    std::uint64_t batch = 0;   // that was open there
  };
  std::vector<stretch> bad;
  std::uint64_t watermark = r.report.checkpoint;
  std::uint64_t open = 0;
  for (const known_segment& s : segments) {
    if (s.header.previous_durable) watermark = std::max(watermark, s.header.previous_end);
    const auto& all = s.records;
    for (std::size_t i = 0; i < all.size();) {
      const hit here = hit_of(all[i], changes);
      if (here != hit::header) {
        watermark = std::max(watermark, all[i].position - all[i].header.durable_delta);
        if (all[i].header.batch_back == 0) open = 0;
        if (here == hit::body)
          bad.push_back({all[i].position, all[i].position + all[i].size, &all[i], open});
        const bool more = (all[i].header.head.flags & record_flag::batch_more) != 0;
        open = more ? all[i].position - all[i].header.batch_back : 0;
        ++i;
        continue;
      }
      const std::uint64_t from = all[i].position;
      while (i < all.size() && hit_of(all[i], changes) != hit::none) ++i;
      const bool open_end = i == all.size() && &s == &segments.back();
      const std::uint64_t to = i < all.size() ? all[i].position : open_end ? ~0ull : s.end;
      bad.push_back({from, to, nullptr, std::exchange(open, 0)});
    }
  }
  bad.push_back({end, ~0ull, nullptr, open});
  expectation want;
  for (const stretch& b : bad) {
    const std::uint64_t to = std::min(b.to, watermark);
    if (b.from < watermark) {
      damage row{b.only ? damage_kind::body : damage_kind::header, b.from, to - b.from, 0, {}};
      if (b.only && b.only->header.head.type == record_type::block) {
        row.stream = b.only->header.head.stream;
        row.messages = {b.only->header.head.first_sequence, b.only->header.head.count};
      }
      want.damaged.push_back(row);
    }
    want.cut = b.batch >= watermark && b.batch != 0 ? b.batch : std::max(b.from, watermark);
    if (b.to > watermark) break;
  }
  for (const known_segment& s : segments)
    for (const known_record& one : s.records) {
      if (hit_of(one, changes) != hit::none || is_own_record(one.header.head.type)) continue;
      if (one.position < want.cut)
        want.replayed.push_back(one.position);
      else
        want.behind += one.header.head.count;
    }
  return want;
}

namespace {

std::string compare_report(const open_report& report, const expectation& want) {
  if (report.tail != want.cut) return "cut at " + std::to_string(report.tail);
  if (report.damaged.size() != want.damaged.size())
    return std::to_string(report.damaged.size()) + " rows of damage";
  for (std::size_t i = 0; i < want.damaged.size(); ++i) {
    const damage& a = report.damaged[i];
    const damage& b = want.damaged[i];
    if (a.what != b.what || a.position != b.position || a.size != b.size || a.stream != b.stream ||
        !(a.messages == b.messages))
      return "damage " + std::to_string(a.position) + "+" + std::to_string(a.size);
  }
  std::uint64_t behind = 0;
  for (const possibly_accepted& p : report.possibly) behind += p.messages.count;
  if (behind != want.behind) return std::to_string(behind) + " messages possibly accepted";
  return {};
}

}  // namespace

std::string specimen::compare(virtual_disk& disk, const expectation& want, bool read) const {
  open_report report;
  auto log = open_journal(disk.mount(), r.options, report);
  if (!log) return "open: " + std::string(log.text());
  std::vector<std::uint64_t> got;
  bool exact = true;
  const status replayed = (*log)->replay([&](std::span<const record_view> batch) {
    for (const record_view& v : batch) {
      if (v.lost) continue;
      got.push_back(v.position);
      exact = exact && right(v);
    }
  });
  if (!replayed.ok()) return "replay: " + std::string(replayed.text());
  if (!exact) return "wrong bytes delivered";
  std::string wrong = compare_report(report, want);
  if (wrong.empty() && got != want.replayed)
    wrong = std::to_string(got.size()) + " records, or others";
  if (!wrong.empty()) return "found " + wrong + "; expected " + want.text();
  if (read) read_back(**log, want, *this, wrong);
  return wrong;
}

// Every message that was replayed can be read, with the bytes it was made of; what is missing
// between them is a gap of exactly that.
bool read_back(journal& log, const expectation& want, const specimen& of, std::string& wrong) {
  std::map<stream_id, std::vector<std::uint64_t>> sequences;
  for (const known_segment& s : of.segments)
    for (const known_record& one : s.records)
      if (std::binary_search(want.replayed.begin(), want.replayed.end(), one.position))
        sequences[one.header.head.stream].push_back(one.header.head.first_sequence);
  for (const auto& [stream, there] : sequences) {
    std::uint64_t from = 1;
    std::vector<std::uint64_t> got;
    std::vector<block> blocks;
    for (int i = 0; i < 10'000 && from <= there.back(); ++i) {
      blocks.clear();
      const fetched f = log.read(stream, from, {16, 1 << 20}, blocks);
      if (f.outcome == fetch::pending) log.progress();
      if (f.outcome == fetch::gap) from = f.missing.end();
      if (f.outcome == fetch::end) break;
      for (const block& b : blocks) {
        if (!right(b)) wrong = "wrong bytes read";
        got.push_back(b.first);
        from = b.first + b.count;
      }
    }
    if (got != there) wrong = "stream " + std::to_string(stream) + " reads differently";
  }
  return wrong.empty();
}

}  // namespace holdfast::testing
