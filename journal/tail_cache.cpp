#include "journal/tail_cache.hpp"

#include <algorithm>

namespace holdfast {

const placed& tail_cache::push(const record_head& head, buffer_ref&& body, std::uint64_t position,
                               ticket number) {
  const placed& record = records_.emplace_back(placed{head, std::move(body), position, number});
  bytes_ += record.charge();
  if (record.is_new_block()) places_of(head.stream, pushed_).push_back(end_ordinal() - 1);
  return record;
}

tail_cache::places& tail_cache::places_of(stream_id stream, memo& last) {
  if (!last.of || last.stream != stream) last = {stream, &streams_[stream]};
  return *last.of;
}

void tail_cache::shrink(std::uint64_t bound, std::uint64_t synced) {
  while (bytes_ > bound && !records_.empty() && records_.front().position < synced) {
    const placed& oldest = records_.front();
    bytes_ -= oldest.charge();
    if (oldest.is_new_block()) forget_oldest_of(oldest.head.stream);
    records_.pop_front();
    ++first_;
  }
}

void tail_cache::forget_oldest_of(stream_id stream) {
  places& of = places_of(stream, dropped_);
  of.pop_front();
  if (!of.empty()) return;
  streams_.erase(stream);
  dropped_ = {};
  if (pushed_.stream == stream) pushed_ = {};
}

std::uint64_t tail_cache::lower_bound(std::uint64_t position) const noexcept {
  std::size_t low = 0;
  std::size_t high = records_.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (records_[middle].position < position)
      low = middle + 1;
    else
      high = middle;
  }
  return first_ + low;
}

// Index of the first of the stream's blocks that ends after `sequence`.
std::size_t tail_cache::place_of(const places& of, std::uint64_t sequence) const noexcept {
  std::size_t low = 0;
  std::size_t high = of.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const record_head& head = records_[of[middle] - first_].head;
    if (head.first_sequence + head.count <= sequence)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

std::uint64_t tail_cache::find(stream_id stream, std::uint64_t sequence) const noexcept {
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return end_ordinal();
  const std::size_t place = place_of(it->second, sequence);
  if (place == it->second.size()) return end_ordinal();
  const std::uint64_t ordinal = it->second[place];
  return records_[ordinal - first_].head.first_sequence <= sequence ? ordinal : end_ordinal();
}

std::uint64_t tail_cache::next_of(stream_id stream, std::uint64_t ordinal) const noexcept {
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return end_ordinal();
  const record_head& head = records_[ordinal - first_].head;
  const std::size_t place = place_of(it->second, head.first_sequence + head.count);
  return place == it->second.size() ? end_ordinal() : it->second[place];
}

std::uint64_t tail_cache::first_sequence(stream_id stream, std::uint64_t from) const noexcept {
  const auto it = streams_.find(stream);
  if (it == streams_.end()) return ~std::uint64_t{0};
  const std::size_t place = place_of(it->second, from);
  if (place == it->second.size()) return ~std::uint64_t{0};
  return std::max(from, records_[it->second[place] - first_].head.first_sequence);
}

}  // namespace holdfast
