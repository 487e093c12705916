#include "patterns/catalog.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "patterns/ready.hpp"
#include "patterns/records.hpp"

namespace holdfast {
namespace {

/// Numbers are dense but for records that were lost: one so far behind the last is no stream's, and
/// must not size the table.
constexpr stream_id ahead_max = 1 << 20;

std::string joined(std::string_view channel, std::string_view address) {
  std::string key;
  key.reserve(channel.size() + 1 + address.size());
  key.append(channel).push_back('\0');
  return key.append(address);
}

}  // namespace

void catalog::define_channel(std::string_view channel, std::string_view pattern, instant at,
                             ready& out) {
  auto& known = channels_[std::string(channel)];
  if (known == pattern) return;
  known = pattern;
  out.records.push_back(encode_record(at, channel_def{std::string(channel), std::string(pattern)}));
}

const stream_def& catalog::define_stream(std::string_view channel, std::string_view address,
                                         instant at, ready& out) {
  if (const stream_def* known = find_stream(channel, address)) return *known;
  stream_def made{static_cast<stream_id>(streams_.size() + 1), 1, std::string(channel),
                  std::string(address)};
  out.records.push_back(encode_record(at, made));
  take_in(std::move(made));
  return streams_.back();
}

// At least the journal's epoch: should this record be lost in its turn, the next one is higher.
void catalog::raise_epochs(std::string_view channel, level durability, instant at, ready& out) {
  const bool forgotten = durability != level::disk || forgotten_.at_disk;
  if (forgotten_.journal_epoch == 0 || !forgotten) return;
  for (stream_def& def : streams_) {
    if (def.stream == no_stream || def.channel != channel) continue;
    def.epoch = std::max(def.epoch + 1, forgotten_.journal_epoch);
    out.records.push_back(encode_record(at, def));
  }
}

const stream_def* catalog::find_stream(std::string_view channel, std::string_view address) const {
  const auto at = stream_by_name_.find(joined(channel, address));
  return at == stream_by_name_.end() ? nullptr : find_stream(at->second);
}

const stream_def* catalog::find_stream(stream_id stream) const {
  if (stream == no_stream || stream > streams_.size()) return nullptr;
  const stream_def& def = streams_[stream - 1];
  return def.stream == no_stream ? nullptr : &def;
}

const producer_def* catalog::find_producer(std::string_view id) const {
  const auto at = producer_by_id_.find(std::string(id));
  return at == producer_by_id_.end() ? nullptr : find_producer(at->second);
}

const producer_def* catalog::find_producer(std::uint32_t number) const {
  const auto at = producers_.find(number);
  return at == producers_.end() ? nullptr : &at->second;
}

const producer_def& catalog::define_producer(std::string_view id, bool named, std::uint32_t epoch,
                                             const bytes16& nonce, instant at, ready& out) {
  const producer_def* known = find_producer(id);
  producer_def made{known ? known->number : next_producer_, std::string(id), named, epoch, nonce};
  out.records.push_back(encode_record(at, made));
  const std::uint32_t number = made.number;
  take_in(std::move(made));
  return producers_.at(number);
}

void catalog::forget_producer(std::uint32_t number, instant at, ready& out) {
  const auto known = producers_.find(number);
  if (known == producers_.end()) return;
  out.records.push_back(encode_producer_gone(at, number));
  producer_by_id_.erase(known->second.id);
  producers_.erase(known);
}

void catalog::take_in(stream_def def) {
  if (def.stream == no_stream || def.stream > streams_.size() + ahead_max) return;
  if (streams_.size() < def.stream) streams_.resize(def.stream);
  if (streams_[def.stream - 1].stream == no_stream) ++stream_count_[def.channel];
  stream_by_name_[joined(def.channel, def.address)] = def.stream;
  streams_[def.stream - 1] = std::move(def);
}

void catalog::take_in(producer_def def) {
  next_producer_ = std::max(next_producer_, def.number + 1);
  producer_by_id_[def.id] = def.number;
  producers_[def.number] = std::move(def);
}

void catalog::replay(std::span<const record_view> records) {
  for (const record_view& record : records) {
    switch (record.head.type) {
      case record_type::channel_def:
        if (auto def = decode_channel_def(record.body)) channels_[def->name] = def->pattern;
        break;
      case record_type::stream_def:
        if (auto def = decode_stream_def(record.body)) take_in(std::move(*def));
        break;
      case record_type::producer_def:
        if (auto def = decode_producer_def(record.body)) take_in(std::move(*def));
        break;
      case record_type::producer_gone:
        if (const auto known = producers_.find(record.head.producer); known != producers_.end()) {
          producer_by_id_.erase(known->second.id);
          producers_.erase(known);
        }
        next_producer_ = std::max(next_producer_, record.head.producer + 1);
        break;
      default: break;
    }
  }
}

// Rows repeat the records' bodies; a producer's number that was given and forgotten stays used, so
// the first row of channels carries the next number.
void catalog::restore(state_reader& rows) {
  while (rows.next()) {
    if (rows.kind() == row_kind::channel) {
      next_producer_ = std::max(next_producer_, rows.u32());
      std::string name(rows.text());
      if (!name.empty()) channels_[std::move(name)] = rows.text();
    } else if (rows.kind() == row_kind::stream) {
      if (auto def = decode_stream_def(rows.raw(rows.left()))) take_in(std::move(*def));
    } else if (rows.kind() == row_kind::producer) {
      if (auto def = decode_producer_def(rows.raw(rows.left()))) take_in(std::move(*def));
    }
  }
}

bool catalog::snapshot(state_writer& rows, std::size_t budget) {
  const std::size_t begin = rows.size();
  const auto spent = [&] { return rows.size() - begin >= budget; };
  const auto body = [&](row_kind kind, const append_item& item) {
    rows.begin(kind);
    rows.raw(item.body.bytes());
    rows.end();
  };
  // Channels and producers in the first slice: they are few beside streams, and their maps may not
  // be left and come back to while they change.
  if (snapshot_stream_ == 0) {
    rows.begin(row_kind::channel);
    rows.u32(next_producer_);
    rows.text("");
    rows.end();
    for (const auto& [name, pattern] : channels_) {
      rows.begin(row_kind::channel);
      rows.u32(next_producer_);
      rows.text(name);
      rows.text(pattern);
      rows.end();
    }
    for (const auto& [number, def] : producers_) body(row_kind::producer, encode_record({}, def));
  }
  while (snapshot_stream_ < streams_.size()) {  // one at least, else a small budget never ends
    const stream_def& def = streams_[snapshot_stream_++];
    if (def.stream != no_stream) body(row_kind::stream, encode_record({}, def));
    if (spent()) break;
  }
  if (snapshot_stream_ < streams_.size()) return false;
  snapshot_stream_ = 0;
  return true;
}

}  // namespace holdfast
