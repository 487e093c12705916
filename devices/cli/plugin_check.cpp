#include "devices/cli/plugin_check.hpp"

#include <algorithm>
#include <string_view>

namespace holdfast::cli {
namespace {

using namespace std::string_view_literals;
using plugins::output;
using plugins::serializer;

// One MessagePack object each: what any program may send.
constexpr std::string_view documents[] = {
    "\xc0"sv,                             // nil
    "\xc3"sv,                             // true
    "\x2a"sv,                             // 42
    "\xd3\x80\0\0\0\0\0\0\0"sv,           // the least whole number
    "\xcb\x3f\xf8\0\0\0\0\0\0"sv,         // 1.5
    "\xa5hello"sv,                        // a text
    "\xc4\x03\0\xff\x80"sv,               // bytes
    "\x93\x01\xa1x\x90"sv,                // [1, "x", []]
    "\x82\xa2id\x07\xa4name\xa5hello"sv,  // {"id": 7, "name": "hello"}
    "\xd6\xff\x5e\0\0\0"sv,               // a timestamp
};
constexpr std::string_view garbage[] = {""sv,
                                        "\0"sv,
                                        "\xff\xff\xff\xff"sv,
                                        "{\"a\":"sv,
                                        "\x93\x01"sv,
                                        "\xdd\xff\xff\xff\xff"sv,
                                        "\xc1\x80\0\0\0\0\0\0\0\0\0\0\0\0\0"sv};

bytes_view bytes(std::string_view text) {
  return as_bytes_view(text.data(), text.size());
}

std::vector<bytes_view> parts_of(const output& made) {
  std::vector<bytes_view> parts;
  for (std::size_t i = 0; i < made.parts(); ++i) parts.push_back(made.part(i));
  return parts;
}

bool same(const output& a, const output& b) {
  if (a.parts() != b.parts()) return false;
  for (std::size_t i = 0; i < a.parts(); ++i)
    if (!std::ranges::equal(a.part(i), b.part(i))) return false;
  return true;
}

class checker {
 public:
  checker(serializer& tried, serializer& msgpack) : tried_(tried), msgpack_(msgpack) {}

  // What was encoded must decode, and encode to the same again.
  status round_trip(bytes_view document, bool required = false) {
    output first, back, again;
    if (status told = tried_.encode(document, first); !told) {
      if (required) return told;
      ++verdict_.declined;
      return {};
    }
    if (status told = tried_.decode(parts_of(first), back); !told) return told;
    if (status good = judge(back); !good) return good;
    if (status told = tried_.encode(back.bytes(), again); !told) return told;
    if (!same(first, again))
      return wrong("what it encoded and decoded is another document than before");
    ++verdict_.round_trips;
    return {};
  }

  // Any answer will do, but for a document that is none.
  status broken(std::string_view text) {
    const bytes_view part = bytes(text);
    output made;
    ++verdict_.garbage;
    return tried_.decode({&part, 1}, made) ? judge(made) : status{};
  }

  const plugin_verdict& verdict() const { return verdict_; }

 private:
  status judge(const output& made) {
    const bytes_view document = made.bytes();
    if (status told = msgpack_.validate({&document, 1}); !told)
      return wrong("what it decoded is no document: " + std::string(told.text()));
    return {};
  }
  status wrong(const std::string& what) const {
    return {errc::schema, "serializer '" + std::string(tried_.type().name()) + "' (" +
                              tried_.type().origin + "): " + what};
  }

  serializer& tried_;
  serializer& msgpack_;
  plugin_verdict verdict_;
};

}  // namespace

result<plugin_verdict> check_serializer(const plugins::serializer_type& type, serializer& msgpack,
                                        bytes_view document) {
  auto tried = serializer::create(type);
  if (!tried) return tried.take_status();
  checker check(*tried, msgpack);
  const bool decodes = type.can(HOLDFAST_CAN_DECODE);
  if (decodes && type.can(HOLDFAST_CAN_ENCODE))
    for (const std::string_view one : documents)
      if (status good = check.round_trip(bytes(one)); !good) return good;
  if (!document.empty())
    if (status good = check.round_trip(document, true); !good) return good;
  if (decodes)
    for (const std::string_view text : garbage)
      if (status good = check.broken(text); !good) return good;
  return check.verdict();
}

}  // namespace holdfast::cli
