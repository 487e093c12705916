#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "plugins/json/convert.hpp"
#include "plugins/json/document.hpp"
#include "plugins/json/text.hpp"

namespace holdfast::json {
namespace {

using json_type = nlohmann::json;
using kind = item::kind;

// The `map` form takes three levels of JSON for one of a document.
constexpr std::size_t text_depth_max = 3 * depth_max + 2;

// Writes MessagePack as the parser meets things. Heads of containers say a count that is known only
// at their end, so the body is written without them and they are put in at last.
class sax final : public nlohmann::json_sax<json_type> {
 public:
  explicit sax(holdfast_call* call) : call_(call), wait_(call) {}

  int outcome() const noexcept { return outcome_; }
  void compose(std::string& out) const {
    std::size_t at = 0;
    for (const head& one : heads_) {
      out.append(body_, at, one.at - at);
      at = one.at + one.skip;
      if (one.what == head::kind::array) put_array(one.count, out);
      if (one.what == head::kind::map) put_map(one.count, out);
    }
    out.append(body_, at);
  }

  bool null() override {
    body_ += '\xc0';
    return value();
  }
  bool boolean(bool truth) override {
    body_ += truth ? '\xc3' : '\xc2';
    return value();
  }
  bool number_integer(std::int64_t number) override {
    put_integer(number, body_);
    return value();
  }
  bool number_unsigned(std::uint64_t number) override {
    put_natural(number, body_);
    return value();
  }
  bool number_float(double number, const std::string& text) override {
    if (text.find_first_of(".eE") == text.npos)
      return stop(HOLDFAST_UNSUPPORTED, "a whole number of more than 64 bits");
    put_real(number, body_);
    return value();
  }
  bool string(std::string& text) override {
    put_text(text, body_);
    return value();
  }
  bool binary(json_type::binary_t&) override { return false; }  // not in JSON

  bool start_object(std::size_t) override { return open(true); }
  bool start_array(std::size_t) override { return open(false); }
  bool key(std::string& text) override {
    level& in = levels_.back();
    if (in.count == 0) in.first_key = mark_of(text);
    put_text(text, body_);
    return true;
  }
  bool end_array() override {
    const level ended = close();
    return value(ended.count == 2, ended.all_pairs);
  }
  bool end_object() override {
    const level ended = close();
    if (ended.first_key != mark::none && ended.count <= 2) replace(ended);
    return value();
  }
  bool parse_error(std::size_t at, const std::string&,
                   const nlohmann::detail::exception& error) override {
    const bool range = error.id == 406;
    return stop(range ? HOLDFAST_UNSUPPORTED : HOLDFAST_MALFORMED,
                (range ? "a number beyond what 64 bits hold, at byte " : "not JSON, at byte ") +
                    std::to_string(at));
  }

 private:
  struct head {
    enum class kind : std::uint8_t { none, array, map };
    std::size_t at = 0;
    std::uint32_t count = 0, skip = 0;  // `skip` bytes of the body are left out
    kind what = kind::none;
    std::size_t parent = 0;
  };
  struct level {
    std::size_t head = 0;
    std::uint32_t count = 0;
    mark first_key = mark::none;
    bool all_pairs = true;    // every element so far is an array of two
    bool pairs_last = false;  // the last value is an array whose elements all are
  };

  bool stop(int code, const std::string& words) {
    outcome_ = say(call_, code, words);
    return false;
  }

  // A value is complete.
  bool value(bool pair = false, bool pairs = false) {
    if (!levels_.empty()) {
      level& in = levels_.back();
      if (in.count == std::numeric_limits<std::uint32_t>::max())
        return stop(HOLDFAST_LIMIT, "more than 2^32 entries");
      ++in.count;
      in.all_pairs = in.all_pairs && pair;
      in.pairs_last = pairs;
    }
    return !wait_.over() || stop(HOLDFAST_LIMIT, "out of time");
  }

  bool open(bool object) {
    if (levels_.size() == text_depth_max) return stop(HOLDFAST_LIMIT, "deeper than 128 levels");
    const std::size_t parent = levels_.empty() ? heads_.size() : levels_.back().head;
    levels_.push_back({heads_.size()});
    heads_.push_back({body_.size(), 0, 0, object ? head::kind::map : head::kind::array, parent});
    return true;
  }

  level close() {
    const level ended = levels_.back();
    levels_.pop_back();
    heads_[ended.head].count = ended.count;
    return ended;
  }

  // An object that begins with a mark becomes what it stands for, if it is well formed.
  void replace(const level& object) {
    if (object.first_key == mark::map && object.count == 1 && object.pairs_last)
      return replace_map(object.head);
    if (heads_.size() != object.head + 1) return;  // something is nested in it
    const std::size_t at = heads_[object.head].at;
    std::string made;
    if (!stands_for(object, std::string_view(body_).substr(at), made)) return;
    body_.resize(at);
    heads_.resize(object.head);
    body_ += made;
  }

  void replace_map(std::size_t object) {
    head& list = heads_[object + 1];
    for (std::size_t i = object + 2; i < heads_.size(); ++i)
      if (heads_[i].parent == object + 1) heads_[i].what = head::kind::none;
    list.what = head::kind::map;
    heads_[object].what = head::kind::none;
    heads_[object].skip = 4;  // the key
  }

  static bool stands_for(const level& object, std::string_view body, std::string& made) {
    document_reader reader(body);
    item first_key, first, second_key, second;
    if (!reader.next(first_key) || !reader.next(first)) return false;
    std::string bytes;
    if (object.first_key == mark::extension) {
      if (object.count != 2 || !reader.next(second_key) || second_key.text != "base64")
        return false;
      if (!reader.next(second) || second.what != kind::text || !in_byte(first)) return false;
      if (!from_base64(second.text, bytes)) return false;
      put_extension(
          static_cast<std::int8_t>(first.natural + static_cast<std::uint64_t>(first.integer)),
          bytes, made);
      return true;
    }
    if (object.count != 1 || first.what != kind::text) return false;
    if (object.first_key == mark::real) return put_special(first.text, made);
    if (object.first_key == mark::map || !from_base64(first.text, bytes)) return false;
    object.first_key == mark::base64 ? put_bytes(bytes, made) : put_text(bytes, made);
    return true;
  }

  static bool in_byte(const item& one) {
    return (one.what == kind::natural && one.natural <= 127) ||
           (one.what == kind::integer && one.integer >= -128);
  }

  static bool put_special(std::string_view name, std::string& made) {
    using limits = std::numeric_limits<double>;
    if (name == "nan") put_real(limits::quiet_NaN(), made);
    if (name == "inf") put_real(limits::infinity(), made);
    if (name == "-inf") put_real(-limits::infinity(), made);
    return !made.empty();
  }

  holdfast_call* call_;
  patience wait_;
  std::string body_;
  std::vector<head> heads_;
  std::vector<level> levels_;
  int outcome_ = HOLDFAST_OK;
};

}  // namespace

int from_json(holdfast_call* call, std::string_view text, std::string& out) {
  sax into(call);
  const bool parsed = json_type::sax_parse(text.begin(), text.end(), &into);
  if (into.outcome() != HOLDFAST_OK) return into.outcome();
  if (!parsed) return say(call, HOLDFAST_MALFORMED, "not JSON");
  const std::size_t before = out.size();
  into.compose(out);
  return survey(call, std::string_view(out).substr(before), nullptr);
}

}  // namespace holdfast::json
