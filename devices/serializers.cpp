#include "devices/serializers.hpp"

#include <cstdlib>

#include "base/check.hpp"
#include "plugins/json/json.hpp"
#include "plugins/msgpack/msgpack.hpp"
#include "plugins/raw/raw.hpp"

namespace holdfast {

plugins::registry make_registry() {
  const char* path = std::getenv("HOLDFAST_PLUGIN_PATH");
  plugins::registry made(
      plugins::plugin_directories(path != nullptr ? path : "", HOLDFAST_PLUGIN_DIRECTORY));
  made.add_built_in(holdfast_raw_entry);
  made.add_built_in(holdfast_msgpack_entry);
  made.add_built_in(holdfast_json_entry);
  return made;
}

result<plugins::serializer> open_serializer(plugins::registry& in, std::string_view reference) {
  auto type = in.find(reference);
  if (!type) return type.take_status();
  return plugins::serializer::create(**type);
}

result<message_decoder> message_decoder::open(std::string_view reference) {
  plugins::registry known = make_registry();
  auto from = open_serializer(known, reference);
  if (!from) return from.take_status();
  auto json = open_serializer(known, "json");
  check(json.ok(), "json is built in");
  return message_decoder(std::move(*from), std::move(*json));
}

std::size_t message_decoder::own_parts(std::size_t of) const noexcept {
  return from_.type().whole_message() ? of : 1;
}

status message_decoder::value(std::span<const bytes_view> message, std::string& out) {
  if (status told = from_.decode(from_.own_parts(message), document_); !told) return told;
  if (status told = json_.encode(document_.bytes(), text_); !told) return told;
  const bytes_view text = text_.bytes();
  out.append(reinterpret_cast<const char*>(text.data()), text.size());
  return {};
}

}  // namespace holdfast
