#include "devices/export/journal_names.hpp"

#include "journal/reader.hpp"
#include "patterns/records.hpp"
#include "patterns/state.hpp"
#include "plugins/json/text.hpp"

namespace holdfast {
namespace {

template <class Map, class Key>
auto find_in(const Map& map, const Key& key) {
  const auto at = map.find(key);
  return at == map.end() ? nullptr : &at->second;
}

}  // namespace

void journal_names::take_rows(bytes_view rows) {
  state_reader row(rows);
  while (row.next()) {
    if (row.kind() == row_kind::channel) {
      row.u32();  // the next producer's number
      std::string name(row.text());
      channels_[std::move(name)] = row.text();
    } else if (row.kind() == row_kind::stream) {
      if (auto def = decode_stream_def(row.raw(row.left()))) streams_[def->stream] = *def;
    } else if (row.kind() == row_kind::producer) {
      if (auto def = decode_producer_def(row.raw(row.left()))) producers_[def->number] = *def;
    }
  }
}

void journal_names::take(const record_view& record) {
  if (record.head.type == record_type::channel_def) {
    if (auto def = decode_channel_def(record.body)) channels_[def->name] = def->pattern;
  } else if (record.head.type == record_type::stream_def) {
    if (auto def = decode_stream_def(record.body)) streams_[def->stream] = *def;
  } else if (record.head.type == record_type::producer_def) {
    if (auto def = decode_producer_def(record.body)) producers_[def->number] = *def;
  }
}

const stream_def* journal_names::stream(stream_id number) const {
  return find_in(streams_, number);
}

const producer_def* journal_names::producer(std::uint32_t number) const {
  return find_in(producers_, number);
}

std::string_view journal_names::pattern(const std::string& channel) const {
  const std::string* known = find_in(channels_, channel);
  return known == nullptr ? std::string_view{} : std::string_view(*known);
}

status learn_names(journal_reader& from, std::uint64_t until, journal_names& names) {
  auto rows = from.checkpoint_rows();
  if (!rows) return rows.take_status();
  names.take_rows(*rows);
  const checkpoint_info* newest = from.info().newest_checkpoint();
  return from.walk(newest != nullptr ? newest->position : 0, [&](const seen_record& seen) {
    if (seen.record.position >= until) return false;
    if (seen.what == verdict::good) names.take(seen.record);
    return true;
  });
}

std::string_view own_id(const producer_def& of) {
  const std::string_view whole = of.id;
  return whole.substr(whole.find('\0') + 1);
}

std::string producer_text(const producer_def& of) {
  const std::string_view own = own_id(of);
  if (of.named && json::is_utf8(own)) return std::string(own);
  std::string text;
  for (const char c : own) {
    text += "0123456789abcdef"[(static_cast<unsigned char>(c) >> 4) & 15];
    text += "0123456789abcdef"[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

}  // namespace holdfast
