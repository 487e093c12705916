// Arbitrary bytes through the built-in serializers. The first byte says how: as JSON text, as a
// MessagePack document, or through a transcoder. What one of them takes comes back the same, within
// its limits; a message that cannot be converted stays as it was.
#include <nlohmann/json.hpp>

#include "devices/transcoder.hpp"
#include "plugins/json/json.hpp"
#include "plugins/msgpack/msgpack.hpp"
#include "plugins/raw/raw.hpp"
#include "tests/fuzz/input.hpp"

namespace holdfast::testing {
namespace {

using plugins::output;
using plugins::serializer;

instant stopped_clock() noexcept {
  return {};
}

serializer make(holdfast_plugin_entry_function entry) {
  auto types = plugins::read_tables(entry, "built in");
  must(types.ok());
  plugins::call_limits limits;
  limits.output_bytes = 1 << 16;
  auto made = serializer::create(types->front(), {}, limits, stopped_clock);
  must(made.ok());
  return std::move(*made);
}

bool same(bytes_view a, bytes_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

bool told(const status& outcome, const output& into) {
  must(outcome.ok() ? into.bytes().size() <= 1 << 16
                    : !outcome.text().empty() && into.bytes().empty());
  return outcome.ok();
}

bool is_json(bytes_view text) {
  return nlohmann::json::accept(text.begin(), text.end());
}

// document -> JSON -> document -> JSON: the two texts are one, and a document that was in its
// shortest form is itself again.
void document(bytes_view bytes) {
  static serializer json = make(holdfast_json_entry), msgpack = make(holdfast_msgpack_entry);
  output text, back, again, kept;
  const bool packed = told(msgpack.encode(bytes, kept), kept);
  must(!packed || same(kept.bytes(), bytes));
  if (!told(json.encode(bytes, text), text)) return;
  must(packed && is_json(text.bytes()));
  const bytes_view part = text.bytes();
  must(json.validate({&part, 1}).ok() && json.decode({&part, 1}, back).ok());
  must(msgpack.encode(back.bytes(), kept).ok());
  must(json.encode(back.bytes(), again).ok() && same(text.bytes(), again.bytes()));
}

// JSON -> document -> JSON -> document: the two documents are one.
void json_text(bytes_view text) {
  static serializer json = make(holdfast_json_entry), msgpack = make(holdfast_msgpack_entry);
  output made, back, again, kept;
  const bool decoded = told(json.decode({&text, 1}, made), made);
  must(json.validate({&text, 1}).ok() == decoded);
  if (!decoded) return;
  must(is_json(text) && told(msgpack.encode(made.bytes(), kept), kept));
  if (!told(json.encode(made.bytes(), back), back)) return;  // too large
  const bytes_view part = back.bytes();
  must(json.decode({&part, 1}, again).ok() && same(made.bytes(), again.bytes()));
}

void transcode(fuzz_input in) {
  static transcoder to_json(make(holdfast_msgpack_entry), make(holdfast_json_entry));
  static transcoder to_msgpack(make(holdfast_json_entry), make(holdfast_msgpack_entry));
  static transcoder to_raw(make(holdfast_json_entry), make(holdfast_raw_entry));
  const std::vector<bytes_view> message = in.take_pieces(4);
  for (transcoder* by : {&to_json, &to_msgpack, &to_raw}) {
    const std::uint64_t failed = by->report().failed;
    const auto parts = by->apply(message);
    by->sent();
    must(!parts.empty());
    if (by->report().failed == failed) continue;
    must(parts.data() == message.data() && parts.size() == message.size());
  }
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  switch (in.take<std::uint8_t>() % 3) {
    case 0: json_text(in.rest()); break;
    case 1: document(in.rest()); break;
    default: transcode(in); break;
  }
  return 0;
}
