// jsonl_sink: JSON Lines, one message a line (docs/journal_tools.md has the fields).
//
// Contract: of message_sink. Text that is not UTF-8 is {"base64": "..."}. With a decoder a line
// ends with the value instead of the parts it was decoded from; where that fails it has all parts,
// and why.
#pragma once

#include "devices/export/message_sink.hpp"
#include "devices/export/output_file.hpp"
#include "devices/serializers.hpp"

namespace holdfast {

class jsonl_sink final : public message_sink {
 public:
  /// Neither is owned; `decode` may be null.
  jsonl_sink(output_file& to, message_decoder* decode) : to_(to), decode_(decode) {}
  status put(const stored_message& message) override;
  status finish() override { return {}; }

 private:
  output_file& to_;
  message_decoder* decode_;
  std::string line_, value_;
};

/// The line's object without its closing brace and parts: for those who add to it.
void put_message_facts(const stored_message& message, std::string& out);
/// The heads of request-reply as members of an object that is being written; nothing for neither.
void put_heads(const std::optional<request_head>& request, const std::optional<reply_head>& reply,
               std::string& out);
/// A JSON string, or {"base64": "..."} where it is not UTF-8.
void put_bytes(bytes_view bytes, std::string& out);

}  // namespace holdfast
