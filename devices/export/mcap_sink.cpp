#include "devices/export/mcap_sink.hpp"

#include "plugins/json/text.hpp"

namespace holdfast {
namespace {

constexpr std::string_view parts_encoding = "holdfast.parts";
constexpr std::string_view parts_layout =
    "A message of several parts: u16 n, then n times u32 length, then the parts' bytes one after "
    "another. Little-endian.";

bytes_view as_view(std::string_view text) {
  return as_bytes_view(text.data(), text.size());
}

// MCAP wants UTF-8: other bytes as \xHH, and then a backslash as \\.
std::string topic_text(std::string_view bytes) {
  if (json::is_utf8(bytes)) return std::string(bytes);
  std::string text;
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    if (c == '\\') {
      text += "\\\\";
    } else if (b < 0x80) {
      text += c;
    } else {
      text += "\\x";
      text += "0123456789abcdef"[b >> 4];
      text += "0123456789abcdef"[b & 15];
    }
  }
  return text;
}

// "channel/address"; "channel" where the address is empty; "stream 7" where its definition is lost.
std::string topic_of(const stored_message& m) {
  if (m.in == nullptr) return "stream " + std::to_string(m.block.stream);
  if (m.address.empty()) return topic_text(m.in->channel);
  return topic_text(m.in->channel + "/" + std::string(m.address));
}

mcap_metadata metadata_of(const stored_message& m) {
  mcap_metadata made{{"holdfast.stream", std::to_string(m.block.stream)},
                     {"holdfast.first_sequence", std::to_string(m.sequence)}};
  if (m.in == nullptr) return made;
  made.emplace_back("holdfast.channel", topic_text(m.in->channel));
  made.emplace_back("holdfast.address", topic_text(m.address));
  made.emplace_back("holdfast.pattern", m.pattern);
  made.emplace_back("holdfast.stream_epoch", std::to_string(m.in->epoch));
  return made;
}

}  // namespace

result<std::unique_ptr<mcap_sink>> mcap_sink::open(output_file& to, mcap_form form,
                                                   message_decoder* decode) {
  std::unique_ptr<mcap_sink> made(new mcap_sink(to, std::move(form), decode));
  if (status begun = made->writer_.begin(made->form_.library); !begun) return begun;
  return made;
}

std::string_view mcap_sink::encoding_of(shape as) const noexcept {
  if (as == shape::one) return form_.encoding;
  return as == shape::parts ? parts_encoding : std::string_view("json");
}

result<std::uint16_t> mcap_sink::schema_of(shape as) {
  std::uint16_t& known = schemas_[static_cast<std::size_t>(as)];
  if (known != 0 || (as == shape::one && form_.schema_name.empty() && form_.encoding != "json"))
    return known;
  const bool given = as == shape::one && !form_.schema_name.empty();
  auto made =
      as == shape::parts ? writer_.add_schema(parts_encoding, "text/plain", as_view(parts_layout))
      : given ? writer_.add_schema(form_.schema_name, form_.schema_encoding, as_view(form_.schema))
              : writer_.add_schema("any", "jsonschema", as_view("{}"));
  if (made) known = *made;
  return made;
}

result<std::uint16_t> mcap_sink::channel_of(const stored_message& m, shape as) {
  key_.assign(1, static_cast<char>('0' + static_cast<int>(as)));
  key_.append(std::to_string(m.block.stream)).append("/").append(m.address);
  if (const auto known = channels_.find(key_); known != channels_.end()) return known->second;
  auto schema = schema_of(as);
  if (!schema) return schema.take_status();
  auto made = writer_.add_channel(*schema, topic_of(m), encoding_of(as), metadata_of(m));
  if (made) channels_.emplace(key_, *made);
  return made;
}

// Only what the serializer takes whole: parts it would leave alone have no place in a value.
bool mcap_sink::decoded(const stored_message& m) {
  const auto payload = m.payload();
  if (decode_ == nullptr || payload.empty() || decode_->own_parts(payload.size()) != payload.size())
    return false;
  value_.clear();
  return decode_->value(payload, value_).ok();
}

status mcap_sink::put(const stored_message& m) {
  const auto payload = m.payload();
  shape as = payload.size() == 1 ? shape::one : shape::parts;
  pieces_.clear();
  if (decoded(m)) {
    as = shape::value;
    pieces_.push_back(as_view(value_));
  } else if (as == shape::one) {
    pieces_.push_back(payload[0]);
  } else {
    table_.resize(2 + 4 * payload.size());
    store(table_.data(), static_cast<std::uint16_t>(payload.size()));
    for (std::size_t i = 0; i < payload.size(); ++i)
      store(&table_[2 + 4 * i], static_cast<std::uint32_t>(payload[i].size()));
    pieces_.push_back(table_);
    pieces_.insert(pieces_.end(), payload.begin(), payload.end());
  }
  auto channel = channel_of(m, as);
  if (!channel) return channel.take_status();
  return writer_.add_message(*channel, static_cast<std::uint32_t>(m.sequence), m.time_ns, m.time_ns,
                             pieces_);
}

}  // namespace holdfast
