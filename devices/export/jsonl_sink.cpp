#include "devices/export/jsonl_sink.hpp"

#include "devices/export/time_text.hpp"
#include "plugins/json/text.hpp"

namespace holdfast {
namespace {

void put_key(std::string_view key, std::string& out) {
  out += out.ends_with('{') ? "\"" : ",\"";
  out.append(key) += "\":";
}

void put_number(std::string_view key, std::uint64_t value, std::string& out) {
  put_key(key, out);
  out += std::to_string(value);
}

void put_text(std::string_view key, std::string_view text, std::string& out) {
  put_key(key, out);
  put_bytes(as_bytes_view(text.data(), text.size()), out);
}

void put_id(const bytes16& id, std::string& out) {
  std::string hex;
  for (const auto b : id) {
    hex += "0123456789abcdef"[static_cast<unsigned>(b) >> 4];
    hex += "0123456789abcdef"[static_cast<unsigned>(b) & 15];
  }
  put_text("id", hex, out);
}

constexpr const char* kind_name(request_kind kind) {
  switch (kind) {
    case request_kind::plain: return "plain";
    case request_kind::reliable: return "reliable";
    case request_kind::mdp: return "mdp";
  }
  return "unknown";
}

void put_parts(std::span<const bytes_view> parts, std::string& out) {
  put_key("parts", out);
  out += '[';
  for (const bytes_view part : parts) {
    if (!out.ends_with('[')) out += ',';
    put_bytes(part, out);
  }
  out += ']';
}

}  // namespace

void put_bytes(bytes_view bytes, std::string& out) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (json::is_utf8(text)) return json::put_quoted(text, out);
  out += "{\"base64\":\"";
  json::put_base64(text, out);
  out += "\"}";
}

void put_heads(const std::optional<request_head>& request, const std::optional<reply_head>& reply,
               std::string& out) {
  if (request) {
    put_key("request", out);
    out += '{';
    put_id(request->id, out);
    put_text("kind", kind_name(request->kind), out);
    if (request->deadline_ms != 0) put_number("deadline_ms", request->deadline_ms, out);
    if (request->attempts_max != 0) put_number("attempts_max", request->attempts_max, out);
    out += '}';
  }
  if (reply) {
    put_key("reply", out);
    out += '{';
    put_id(reply->id, out);
    put_number("status", reply->status, out);
    put_number("sequence", reply->sequence, out);
    if (!reply->worker.empty()) put_text("worker", reply->worker, out);
    out += '}';
  }
}

void put_message_facts(const stored_message& m, std::string& out) {
  out += '{';
  if (m.in != nullptr) {
    put_text("channel", m.in->channel, out);
    put_text("address", m.address, out);
  } else {
    put_number("stream", m.block.stream, out);
  }
  put_number("sequence", m.sequence, out);
  put_number("time_ns", m.time_ns, out);
  put_text("time", time_text(m.time_ns), out);
  if (m.producer != nullptr) put_text("producer", producer_text(*m.producer), out);
  if (m.producer_number != 0) put_number("producer_number", m.producer_number, out);
  put_heads(m.request, m.reply, out);
  if (!m.properties.empty()) {
    put_key("properties", out);
    put_bytes(m.properties, out);
  }
}

// The parts of pub/sub keep their topic: they are what was sent. A head of reqrep never was.
status jsonl_sink::put(const stored_message& m) {
  line_.clear();
  put_message_facts(m, line_);
  std::span<const bytes_view> parts = m.request || m.reply ? m.payload() : m.parts;
  if (decode_ != nullptr && !parts.empty()) {
    value_.clear();
    const status told = decode_->value(parts, value_);
    if (told) {
      put_parts(parts.first(parts.size() - decode_->own_parts(parts.size())), line_);
      line_.append(",\"value\":").append(value_);
    } else {
      put_parts(parts, line_);
      put_text("error", told.text(), line_);
    }
  } else {
    put_parts(parts, line_);
  }
  line_ += "}\n";
  return to_.write(line_);
}

}  // namespace holdfast
