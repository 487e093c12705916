#include <charconv>
#include <cmath>

#include "plugins/json/convert.hpp"
#include "plugins/json/document.hpp"
#include "plugins/json/text.hpp"

namespace holdfast::json {
namespace {

using kind = item::kind;

// An open container: how many items of it are to come. A map's are keys and values in turn.
struct level {
  std::uint64_t left = 0;
  bool map = false;
  bool odd = false;        ///< to be written in the `map` form
  std::size_t number = 0;  ///< of a map, in the order they begin
  bool first = true;
  bool at_key() const noexcept { return map && left % 2 == 0; }
};

bool container(const item& one) noexcept {
  return one.what == kind::array || one.what == kind::map;
}

// A map that does not fit into an object, or would look like a mark.
bool odd_key(const item& key, const level& in) {
  if (key.what != kind::text || !is_utf8(key.text)) return true;
  return in.first && in.left <= 4 && mark_of(key.text) != mark::none;
}

class writer {
 public:
  writer(const std::vector<bool>& odd, std::string& out) : odd_(odd), out_(out) {}

  void put(const item& one) {
    begin();
    if (container(one)) {
      open(one);
    } else {
      scalar(one);
      finish();
    }
  }

 private:
  void begin() {
    if (levels_.empty()) return;
    level& in = levels_.back();
    if ((!in.map || in.at_key()) && !in.first) out_ += ',';
    if (in.odd && in.at_key()) out_ += '[';
    in.first = false;
  }

  void open(const item& one) {
    level opened{one.natural, one.what == kind::map};
    if (opened.map) {
      opened.left *= 2;
      opened.odd = odd_[maps_++];
    }
    out_ += !opened.map ? "[" : opened.odd ? "{\"map\":[" : "{";
    levels_.push_back(opened);
    if (opened.left == 0) close();
  }

  void close() {
    const level& ended = levels_.back();
    out_ += !ended.map ? "]" : ended.odd ? "]}" : "}";
    levels_.pop_back();
    finish();
  }

  // An item is complete: what it completes around it.
  void finish() {
    if (levels_.empty()) return;
    level& in = levels_.back();
    const bool key = in.at_key();
    --in.left;
    if (in.odd) out_ += key ? ',' : ']';
    if (in.map && !in.odd && key) out_ += ':';
    if (in.left == 0) close();
  }

  void scalar(const item& one) {
    switch (one.what) {
      case kind::nil: out_ += "null"; return;
      case kind::boolean: out_ += one.truth ? "true" : "false"; return;
      case kind::integer: out_ += std::to_string(one.integer); return;
      case kind::natural: out_ += std::to_string(one.natural); return;
      case kind::real: return real(one.real);
      case kind::text:
        if (is_utf8(one.text)) return put_quoted(one.text, out_);
        return marked("{\"text\":\"", one.text);
      case kind::bytes: return marked("{\"base64\":\"", one.text);
      case kind::extension:
        return marked("{\"ext\":" + std::to_string(one.type) + ",\"base64\":\"", one.text);
      case kind::array:
      case kind::map: return;  // open() writes them
    }
  }

  void marked(const std::string& before, std::string_view bytes) {
    out_ += before;
    put_base64(bytes, out_);
    out_ += "\"}";
  }

  void real(double value) {
    if (std::isnan(value)) {
      out_ += "{\"float\":\"nan\"}";
    } else if (std::isinf(value)) {
      out_ += value > 0 ? "{\"float\":\"inf\"}" : "{\"float\":\"-inf\"}";
    } else {
      char digits[32];
      const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
      const std::string_view text(digits, static_cast<std::size_t>(end - digits));
      out_ += text;
      // Without it the number would come back as a whole one.
      if (text.find_first_of(".e") == text.npos) out_ += ".0";
    }
  }

  const std::vector<bool>& odd_;
  std::string& out_;
  std::vector<level> levels_;
  std::size_t maps_ = 0;
};

}  // namespace

int survey(holdfast_call* call, std::string_view document, std::vector<bool>* odd) {
  document_reader reader(document);
  std::vector<level> levels;
  std::size_t maps = 0;
  patience wait(call);
  item one;
  do {
    if (!reader.next(one))
      return say(call, HOLDFAST_MALFORMED, "not MessagePack, or it ends early");
    if (wait.over()) return say(call, HOLDFAST_LIMIT, "out of time");
    if (odd != nullptr && !levels.empty() && levels.back().at_key() && odd_key(one, levels.back()))
      (*odd)[levels.back().number] = true;
    if (!levels.empty()) levels.back().first = false;
    if (container(one)) {
      if (levels.size() == depth_max) return say(call, HOLDFAST_LIMIT, "deeper than 128 levels");
      const bool map = one.what == kind::map;
      levels.push_back({map ? one.natural * 2 : one.natural, map, false, maps});
      if (map) ++maps;
      if (map && odd != nullptr) odd->push_back(false);
      if (one.natural != 0) continue;
      levels.pop_back();
    }
    while (!levels.empty() && --levels.back().left == 0) levels.pop_back();
  } while (!levels.empty());
  if (!reader.at_end()) return say(call, HOLDFAST_MALFORMED, "more than one object");
  return HOLDFAST_OK;
}

int to_json(holdfast_call* call, std::string_view document, std::string& out) {
  std::vector<bool> odd;
  if (int code = survey(call, document, &odd); code != HOLDFAST_OK) return code;
  document_reader reader(document);
  writer into(odd, out);
  patience wait(call);
  for (item one; reader.next(one);) {
    into.put(one);
    if (out.size() > call->output_max) return say(call, HOLDFAST_LIMIT, "too large as JSON");
    if (wait.over()) return say(call, HOLDFAST_LIMIT, "out of time");
  }
  return HOLDFAST_OK;
}

}  // namespace holdfast::json
