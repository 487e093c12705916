// mcap_sink: messages as an MCAP file: one MCAP channel for each address, whose topic is
// channel/address (docs/journal_tools.md states every field).
//
// Contract: of message_sink. A payload of one part is the message's data as it is, of the encoding
// and schema that was given; one of several parts is framed as `holdfast.parts` on an MCAP channel
// of its own with the same topic. With a decoder what it decodes is JSON.
#pragma once

#include <array>
#include <unordered_map>

#include "devices/export/mcap_writer.hpp"
#include "devices/export/message_sink.hpp"
#include "devices/serializers.hpp"

namespace holdfast {

struct mcap_form {
  std::string encoding = "application/octet-stream";  ///< of payloads of one part
  std::string schema_name, schema_encoding;           ///< of those; empty: none
  std::string schema;
  std::string library;  ///< who writes
};

class mcap_sink final : public message_sink {
 public:
  /// Neither `to` nor `decode` is owned; `decode` may be null.
  static result<std::unique_ptr<mcap_sink>> open(output_file& to, mcap_form form,
                                                 message_decoder* decode);
  status put(const stored_message& message) override;
  status finish() override { return writer_.finish(); }

 private:
  enum class shape : std::uint8_t { one, parts, value };

  mcap_sink(output_file& to, mcap_form form, message_decoder* decode)
      : writer_(to), form_(std::move(form)), decode_(decode) {}
  result<std::uint16_t> channel_of(const stored_message& message, shape as);
  result<std::uint16_t> schema_of(shape as);
  std::string_view encoding_of(shape as) const noexcept;
  bool decoded(const stored_message& message);

  mcap_writer writer_;
  mcap_form form_;
  message_decoder* decode_;
  std::unordered_map<std::string, std::uint16_t> channels_;
  std::array<std::uint16_t, 3> schemas_{};  // by shape; 0 = not made yet
  std::string key_, value_;
  std::vector<std::byte> table_;
  std::vector<bytes_view> pieces_;
};

}  // namespace holdfast
