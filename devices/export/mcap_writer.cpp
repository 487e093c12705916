#include "devices/export/mcap_writer.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "devices/export/crc32.hpp"

namespace holdfast {
namespace {

constexpr std::array<std::uint8_t, 8> magic{0x89, 'M', 'C', 'A', 'P', 0x30, '\r', '\n'};
constexpr std::size_t record_prefix_bytes = 1 + 8;
constexpr std::size_t message_head_bytes = 2 + 4 + 8 + 8;
constexpr std::uint64_t message_bytes_max = 0xffff'ffffULL - message_head_bytes;

enum opcode : std::uint8_t {
  header = 0x01,
  footer = 0x02,
  schema = 0x03,
  channel = 0x04,
  message = 0x05,
  chunk = 0x06,
  message_index = 0x07,
  chunk_index = 0x08,
  statistics = 0x0B,
  summary_offset = 0x0E,
  data_end = 0x0F,
};

using bytes = std::vector<std::byte>;

template <class T>
void put(bytes& to, T value) {
  const std::size_t at = to.size();
  to.resize(at + sizeof value);
  store(&to[at], value);
}
void put_raw(bytes& to, bytes_view from) {
  to.insert(to.end(), from.begin(), from.end());
}
void put_text(bytes& to, std::string_view text) {
  put(to, static_cast<std::uint32_t>(text.size()));
  put_raw(to, as_bytes_view(text.data(), text.size()));
}

// Begins a record; its length is filled in when this ends.
class record {
 public:
  record(bytes& to, opcode what) : to_(to) {
    put(to_, static_cast<std::uint8_t>(what));
    put(to_, std::uint64_t{0});
    start_ = to_.size();
  }
  record(const record&) = delete;
  record& operator=(const record&) = delete;
  ~record() { store(&to_[start_ - 8], static_cast<std::uint64_t>(to_.size() - start_)); }

 private:
  bytes& to_;
  std::size_t start_ = 0;
};

// The byte length of a map or an array, filled in when this ends.
class counted {
 public:
  explicit counted(bytes& to) : to_(to) {
    put(to_, std::uint32_t{0});
    start_ = to_.size();
  }
  counted(const counted&) = delete;
  counted& operator=(const counted&) = delete;
  ~counted() { store(&to_[start_ - 4], static_cast<std::uint32_t>(to_.size() - start_)); }

 private:
  bytes& to_;
  std::size_t start_ = 0;
};

status too_many(const char* what) {
  return {errc::too_large, std::string("an MCAP file has at most 65 535 ") + what +
                               "; export fewer addresses (--channel, --address, --topic), or as "
                               "JSON Lines"};
}

}  // namespace

status mcap_writer::write(bytes_view from) {
  data_crc_ = crc32(from, data_crc_);
  return to_.write(from);
}

status mcap_writer::begin(std::string_view library) {
  bytes head;
  put_raw(head, std::as_bytes(std::span(magic)));
  {
    const record r(head, header);
    put_text(head, "");  // no profile
    put_text(head, library);
  }
  return write(head);
}

result<std::uint16_t> mcap_writer::add_schema(std::string_view name, std::string_view encoding,
                                              bytes_view data) {
  if (schema_count_ == std::numeric_limits<std::uint16_t>::max()) return too_many("schemas");
  const std::size_t before = schemas_.size();
  {
    const record r(schemas_, schema);
    put(schemas_, ++schema_count_);
    put_text(schemas_, name);
    put_text(schemas_, encoding);
    put(schemas_, static_cast<std::uint32_t>(data.size()));
    put_raw(schemas_, data);
  }
  put_raw(records_, bytes_view(schemas_).subspan(before));
  return schema_count_;
}

result<std::uint16_t> mcap_writer::add_channel(std::uint16_t schema_id, std::string_view topic,
                                               std::string_view message_encoding,
                                               const mcap_metadata& metadata) {
  if (channel_count_ == std::numeric_limits<std::uint16_t>::max()) return too_many("channels");
  const std::size_t before = channels_.size();
  {
    const record r(channels_, channel);
    put(channels_, ++channel_count_);
    put(channels_, schema_id);
    put_text(channels_, topic);
    put_text(channels_, message_encoding);
    const counted map(channels_);
    for (const auto& [key, value] : metadata) {
      put_text(channels_, key);
      put_text(channels_, value);
    }
  }
  put_raw(records_, bytes_view(channels_).subspan(before));
  channel_messages_.push_back(0);
  return channel_count_;
}

status mcap_writer::add_message(std::uint16_t to, std::uint32_t sequence, std::uint64_t log_time_ns,
                                std::uint64_t publish_time_ns, std::span<const bytes_view> data) {
  std::uint64_t size = 0;
  for (const bytes_view piece : data) size += piece.size();
  if (size > message_bytes_max)
    return {errc::too_large, "a message of " + std::to_string(size) +
                                 " bytes does not fit an MCAP file; export as JSON Lines"};
  index_[to].push_back({log_time_ns, records_.size()});
  put(records_, static_cast<std::uint8_t>(message));
  put(records_, message_head_bytes + size);
  put(records_, to);
  put(records_, sequence);
  put(records_, log_time_ns);
  put(records_, publish_time_ns);
  for (const bytes_view piece : data) put_raw(records_, piece);
  chunk_first_ns_ = std::min(chunk_first_ns_, log_time_ns);
  chunk_last_ns_ = std::max(chunk_last_ns_, log_time_ns);
  ++channel_messages_[to - 1u];
  ++messages_;
  return records_.size() >= chunk_bytes ? flush_chunk() : status{};
}

status mcap_writer::flush_chunk() {
  if (records_.empty()) return {};
  chunk_row row;
  row.first_ns = index_.empty() ? 0 : chunk_first_ns_;
  row.last_ns = chunk_last_ns_;
  row.at = to_.size();
  row.bytes = records_.size();
  bytes head;
  put(head, static_cast<std::uint8_t>(chunk));
  put(head, std::uint64_t{0});
  put(head, row.first_ns);
  put(head, row.last_ns);
  put(head, row.bytes);
  put(head, crc32(records_));
  put_text(head, "");  // not compressed
  put(head, row.bytes);
  row.size = head.size() + row.bytes;
  store(&head[1], row.size - record_prefix_bytes);
  if (status wrote = write(head); !wrote) return wrote;
  if (status wrote = write(records_); !wrote) return wrote;
  if (status wrote = write_indexes(row); !wrote) return wrote;
  first_ns_ = index_.empty() ? first_ns_ : std::min(first_ns_, chunk_first_ns_);
  last_ns_ = std::max(last_ns_, chunk_last_ns_);
  chunks_.push_back(std::move(row));
  records_.clear();
  index_.clear();
  chunk_first_ns_ = ~std::uint64_t{0};
  chunk_last_ns_ = 0;
  return {};
}

status mcap_writer::write_indexes(chunk_row& row) {
  bytes out;
  for (const auto& [of, entries] : index_) {
    row.indexes.emplace_back(of, to_.size() + out.size());
    const record r(out, message_index);
    put(out, of);
    const counted array(out);
    for (const index_entry& e : entries) {
      put(out, e.time_ns);
      put(out, e.offset);
    }
  }
  row.index_bytes = out.size();
  return write(out);
}

void mcap_writer::put_statistics(bytes& to) const {
  const record r(to, statistics);
  put(to, messages_);
  put(to, schema_count_);
  put(to, std::uint32_t{channel_count_});
  put(to, std::uint32_t{0});  // attachments
  put(to, std::uint32_t{0});  // metadata records
  put(to, static_cast<std::uint32_t>(chunks_.size()));
  put(to, messages_ == 0 ? 0 : first_ns_);
  put(to, last_ns_);
  const counted map(to);
  for (std::size_t i = 0; i < channel_messages_.size(); ++i) {
    put(to, static_cast<std::uint16_t>(i + 1));
    put(to, channel_messages_[i]);
  }
}

void mcap_writer::put_chunk_index(const chunk_row& row, bytes& to) const {
  const record r(to, chunk_index);
  for (const std::uint64_t field : {row.first_ns, row.last_ns, row.at, row.size}) put(to, field);
  {
    const counted map(to);
    for (const auto& [of, at] : row.indexes) {
      put(to, of);
      put(to, at);
    }
  }
  put(to, row.index_bytes);
  put_text(to, "");
  put(to, row.bytes);
  put(to, row.bytes);
}

status mcap_writer::finish() {
  if (status wrote = flush_chunk(); !wrote) return wrote;
  const std::uint32_t data_crc = data_crc_;
  bytes end;
  {
    const record r(end, data_end);
    put(end, data_crc);
  }
  if (status wrote = to_.write(end); !wrote) return wrote;
  return write_summary();
}

status mcap_writer::write_summary() {
  const std::uint64_t start = to_.size();
  bytes out;
  std::vector<group> groups;
  const auto add_group = [&](opcode what, auto&& fill) {
    const std::size_t before = out.size();
    fill();
    if (out.size() != before) groups.push_back({what, start + before, out.size() - before});
  };
  add_group(schema, [&] { put_raw(out, schemas_); });
  add_group(channel, [&] { put_raw(out, channels_); });
  add_group(statistics, [&] { put_statistics(out); });
  add_group(chunk_index, [&] {
    for (const chunk_row& row : chunks_) put_chunk_index(row, out);
  });
  const std::uint64_t offsets_start = start + out.size();
  for (const group& g : groups) {
    const record r(out, summary_offset);
    put(out, g.opcode);
    put(out, g.at);
    put(out, g.size);
  }
  put(out, static_cast<std::uint8_t>(footer));
  put(out, std::uint64_t{8 + 8 + 4});
  put(out, start);
  put(out, offsets_start);
  put(out, crc32(out));
  put_raw(out, std::as_bytes(std::span(magic)));
  return to_.write(out);
}

}  // namespace holdfast
