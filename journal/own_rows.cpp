#include "journal/own_rows.hpp"

#include <algorithm>

namespace holdfast {

struct own_rows::makers {
  makers(std::vector<std::byte>& to, const checkpoint_header& of, std::uint64_t& at)
      : streams(to, of, at, chunk_kind::streams),
        finished(to, of, at, chunk_kind::finished),
        places(to, of, at, chunk_kind::places) {}
  void flush() {
    streams.flush();
    finished.flush();
    places.flush();
  }
  chunk_maker streams, finished, places;
};

void own_rows::begin(std::vector<std::byte>& to, const checkpoint_header& of, std::uint64_t at) {
  position_ = of.position;
  next_ = 0;
  finished_from_ = 0;
  chunk_maker segments(to, of, at, chunk_kind::segments);
  for (const auto& s : core_.segments.all()) {
    if (!s->in_log) continue;
    std::byte* p = segments.row(segment_row_bytes);
    std::ranges::copy(encode_segment_header(s->header), p);
    store(p + segment_header_bytes, s->end);
  }
  segments.flush();
  chunk_maker indexed(to, of, at, chunk_kind::indexed);
  for (const auto& s : core_.segments.all()) {
    s->rows_listed = s->rows_known && !s->indexed;
    if (s->in_log && !s->rows_listed) store(indexed.row(8), s->base());
  }
  indexed.flush();
}

void own_rows::step(std::vector<std::byte>& to, const checkpoint_header& of, std::uint64_t at) {
  makers made(to, of, at);
  looked_ = 0;
  for (; !done() && looked_ < slice_rows; ++next_) {
    const stream_rows& stream = core_.index.streams()[next_];
    if (!put_finished(stream, made)) break;
    std::byte* p = made.streams.row(stream_row_bytes);
    store(p, stream.stream);
    store(p + 8, stream.floor);
    store(p + 16, stream.next);
    put_places(stream, made);
    finished_from_ = 0;
    ++looked_;
  }
  made.flush();
}

// False if the slice ends before all is put.
bool own_rows::put_finished(const stream_rows& of, makers& to) {
  if (!of.finished) return true;
  bool all = true;
  of.finished->for_each(std::max(finished_from_, of.floor),
                        [&](std::uint64_t first, std::uint64_t whole, auto words) {
                          all = looked_ < slice_rows;
                          if (!all) return false;
                          std::byte* p = to.finished.row(finished_head_bytes + words.size() * 8);
                          store(p, of.stream);
                          store(p + 4, static_cast<std::uint32_t>(words.size()));
                          store(p + 8, first);
                          store(p + 16, whole);
                          if (!words.empty())
                            std::memcpy(p + finished_head_bytes, words.data(), words.size() * 8);
                          looked_ += 1 + words.size() / 4;
                          finished_from_ = finished_set::behind(first);
                          return true;
                        });
  return all;
}

void own_rows::put_places(const stream_rows& of, makers& to) {
  for (const index_row& row : of.rows) {
    ++looked_;
    if (row.position >= position_) continue;  // replay finds it
    const segment* in = core_.segments.find(row.position);
    if (!in || !in->rows_listed) continue;  // the segment's index file has it
    std::byte* p = to.places.row(place_row_bytes);
    store(p, of.stream);
    store(p + 4, row.span);
    store(p + 8, row.position);
    store(p + 16, row.first);
    store(p + 24, row.count);
    store(p + 28, row.bytes);
  }
}

}  // namespace holdfast
