#include "devices/config/channel_config.hpp"

#include <algorithm>

#include "devices/config/pattern_config.hpp"
#include "devices/config/units.hpp"
#include "devices/loop/channel_kind.hpp"
#include "devices/transcoder.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t gib = 1ull << 30;

// An endpoint's entry is its text or a map; what it leaves out comes from the channel.
class channel_reader {
 public:
  channel_reader(claims& taken, complaints& errors) : taken_(taken), errors_(errors) {}

  channel_options read(const YAML::Node& node) {
    // The pattern first: it says which keys there are.
    if (node.IsMap())
      if (const YAML::Node word = node["pattern"]; word && word.IsScalar())
        choose_pattern(word.Scalar(), made_.pattern);
    // Defaults first: they may stand below the endpoints they are for.
    if (node.IsMap()) {
      complaints already_told;  // the walk below tells them again
      for (const field& f : defaults(already_told))
        if (const YAML::Node value = node[std::string(f.key)]) f.read(value);
    }
    read_map(node, "a channel", fields(), errors_);
    tell(node, claims::check_channel(made_));
    return std::move(made_);
  }

 private:
  std::vector<field> fields() {
    channel_settings& p = made_.settings();
    std::vector<field> all = defaults(errors_);
    std::vector<field> own = pattern_fields(made_.pattern, errors_);
    std::move(own.begin(), own.end(), std::back_inserter(all));
    all.insert(all.end(),
               {name_field("name", p.name, errors_),
                {"pattern", [this](const YAML::Node& n) { read_pattern(n); }, true},
                {"durability", [this](const YAML::Node& n) { read_durability(n); }},
                bytes_field("max_message", p.max_message, 1, gib, errors_),
                number_field("window_messages", p.window_messages, 1, 1u << 24, errors_),
                bytes_field("window_bytes", p.window_bytes, 1024, gib, errors_),
                duration_ms_field("heartbeat", p.heartbeat_ms, errors_),
                number_field("heartbeat_misses", p.heartbeat_misses, 1, 1000, errors_),
                number_field("sessions_max", p.sessions_max, 1, 1'000'000, errors_),
                number_field("producers_max", p.producers_max, 1, 10'000'000, errors_),
                list_field("in", [this](const YAML::Node& n) { read_input(n, made_.in); }),
                list_field("out", [this](const YAML::Node& n) { read_output(n); }),
                list_field("reliable", [this](const YAML::Node& n) { read_reliable(n); })});
    if (words().ack_back)
      all.push_back({"ack_back", [this](const YAML::Node& n) { read_ack_back(n); }});
    if (!words().workers) return all;
    all.push_back(
        list_field("workers", [this](const YAML::Node& n) { read_input(n, made_.workers); }));
    all.push_back(list_field("mdp", [this](const YAML::Node& n) { read_input(n, made_.mdp); }));
    return all;
  }

  // What an output or input takes from its channel when it does not say itself.
  std::vector<field> defaults(complaints& errors) {
    std::vector<field> all = output_fields(output_, errors);
    all.push_back(number_field("receive_hwm", input_.receive_hwm_messages, 1, 1u << 24, errors));
    return all;
  }

  // Asks whether the serializers are there: a file that is checked should start.
  static void read_transcode(const YAML::Node& node, plain_output& out, complaints& errors) {
    std::string from, to;
    field from_field = text_field("from", from, errors), to_field = text_field("to", to, errors);
    from_field.required = to_field.required = true;
    read_map(node, "transcode", {from_field, to_field}, errors);
    if (from.empty() || to.empty()) return;
    if (auto opened = transcoder::open(from, to); !opened)
      errors.add(node.Mark(), "transcode: " + std::string(opened.text()));
    out.transcode_from = from;
    out.transcode_to = to;
  }

  const endpoint_words& words() const { return words_of(made_.pattern); }

  std::vector<field> output_fields(plain_output& out, complaints& errors) {
    std::vector<field> all{peers_field(out, errors)};
    if (!words().in_doubt) return all;
    std::vector<field> more{
        {"transcode", [&](const YAML::Node& n) { read_transcode(n, out, errors); }},
        number_field("send_hwm", out.send_hwm_messages, 1, 1u << 24, errors),
        number_field("in_doubt", out.in_doubt_messages, 1, 1u << 24, errors),
        bytes_field("in_doubt_bytes_min", out.in_doubt_bytes_min, 0, 64 * gib, errors),
        bytes_field("in_doubt_bytes", out.in_doubt_bytes, 1024, 64 * gib, errors),
        duration_field("settle_idle", out.settle_idle_ns, errors)};
    std::move(more.begin(), more.end(), std::back_inserter(all));
    return all;
  }

  field peers_field(plain_output& out, complaints& errors) {
    return choice_field<plain_tracking>("peers", out.peers, words().peers, errors);
  }

  void tell(const YAML::Node& node, const status& outcome) {
    if (!outcome) errors_.add(node.Mark(), std::string(outcome.text()));
  }

  field address_field(std::string& out) {
    return {words().address, [this, &out](const YAML::Node& node) {
              const std::string* text = read_scalar(node, words().address, errors_);
              if (text == nullptr) return;
              tell(node, check_address(words(), *text));
              out = *text;
            }};
  }

  field list_field(std::string_view key, node_reader read_one) {
    return {key, [this, key, read_one = std::move(read_one)](const YAML::Node& node) {
              read_list(node, key, true, read_one, errors_);
            }};
  }

  void read_pattern(const YAML::Node& node) {
    const std::string* text = read_scalar(node, "pattern", errors_);
    const std::vector<std::string_view> known = pattern_words();
    if (text == nullptr || std::count(known.begin(), known.end(), *text) > 0) return;
    errors_.add(node.Mark(),
                "pattern: there is no pattern '" + *text + "'" + suggestion(*text, known));
  }

  void read_durability(const YAML::Node& node) {
    const std::string* text = read_scalar(node, "durability", errors_);
    if (text == nullptr) return;
    auto level = parse_durability(*text);
    tell(node, level ? status{} : status{level.kind(), "durability: " + std::string(level.text())});
    if (!level) return;
    made_.settings().durability = level->need;
    made_.settings().interval_ms = level->interval_ms;
  }

  // Reads an endpoint that is a text or a map with `fields` beside its `endpoint` and address.
  void read_endpoint(const YAML::Node& node, std::string_view what, std::string& endpoint,
                     std::string& address, std::vector<field> fields) {
    if (!node.IsMap()) {
      if (const std::string* text = read_scalar(node, what, errors_)) endpoint = *text;
      return;
    }
    field place = text_field("endpoint", endpoint, errors_);
    place.required = true;
    fields.insert(fields.begin(), place);
    if (!words().address.empty()) fields.push_back(address_field(address));
    read_map(node, what, fields, errors_);
  }

  void read_input(const YAML::Node& node, std::vector<plain_input>& into) {
    plain_input in = input_;
    read_endpoint(node, "an input", in.endpoint, in.address,
                  {number_field("receive_hwm", in.receive_hwm_messages, 1, 1u << 24, errors_)});
    if (in.endpoint.empty()) return;
    tell(node, taken_.take_endpoint(in.endpoint));
    into.push_back(std::move(in));
  }

  void read_output(const YAML::Node& node) {
    plain_output out = output_;
    std::vector<field> fields = output_fields(out, errors_);
    if (words().durable) fields.push_back(name_field("durable", out.durable, errors_));
    read_endpoint(node, "an output", out.endpoint, out.address, std::move(fields));
    if (out.endpoint.empty()) return;
    tell(node, taken_.take_endpoint(out.endpoint, out.peers == plain_tracking::separate));
    made_.out.push_back(std::move(out));
  }

  void read_reliable(const YAML::Node& node) {
    const std::string* text = read_scalar(node, "reliable", errors_);
    if (text == nullptr) return;
    tell(node, taken_.take_endpoint(*text));
    made_.reliable.push_back(*text);
  }

  void read_ack_back(const YAML::Node& node) {
    const std::string* text = read_scalar(node, "ack_back", errors_);
    if (text == nullptr) return;
    tell(node, taken_.take_endpoint(*text));
    made_.ack_back = *text;
  }

  claims& taken_;
  complaints& errors_;
  channel_options made_;
  plain_input input_;
  plain_output output_;
};

}  // namespace

channel_options read_channel(const YAML::Node& node, std::string_view device, claims& taken,
                             complaints& errors) {
  channel_options made = channel_reader(taken, errors).read(node);
  const std::string& name = made.settings().name;
  if (const status unique = taken.take("channel name", name, device); !unique)
    errors.add(node.Mark(), std::string(unique.text()));
  return made;
}

}  // namespace holdfast
