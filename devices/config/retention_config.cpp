#include "devices/config/retention_config.hpp"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::uint64_t any64 = std::numeric_limits<std::uint64_t>::max();

std::vector<field> limit_fields(queue_limits& into, complaints& errors) {
  return {duration_field("retention_age", into.age_ns, errors),
          bytes_field("retention_bytes", into.bytes, 0, any64, errors),
          count_field("retention_records", into.records, errors)};
}

// Reads the limits of one address: those that stand there, as the others are the channel's.
class address_reader {
 public:
  address_reader(std::string_view what, const pattern_options& of, complaints& errors)
      : what_(what), words_(words_of(of)), errors_(errors) {}

  void read(const YAML::Node& name, const YAML::Node& limits, retention_rules& into) {
    const std::string* text = read_scalar(name, what_, errors_);
    if (text == nullptr) return;
    address_limits made;
    made.prefix = text->ends_with('*');
    made.address = text->substr(0, text->size() - made.prefix);
    if (const status holds = check(made); !holds)
      return errors_.add(name.Mark(), std::string(holds.text()));
    if (known(made, into)) return errors_.add(name.Mark(), "key '" + *text + "' stands twice");
    read_map(limits, std::string(words_.address) + " '" + *text + "'", fields_of(made), errors_);
    into.some.push_back(std::move(made));
  }

 private:
  status check(const address_limits& made) const {
    return made.prefix && made.address.empty() ? status{} : check_address(words_, made.address);
  }
  static bool known(const address_limits& made, const retention_rules& among) {
    return std::any_of(among.some.begin(), among.some.end(), [&](const address_limits& one) {
      return one.prefix == made.prefix && one.address == made.address;
    });
  }
  std::vector<field> fields_of(address_limits& made) {
    std::vector<field> all = limit_fields(read_, errors_);
    noting(all[0], read_.age_ns, made.age_ns);
    noting(all[1], read_.bytes, made.bytes);
    noting(all[2], read_.records, made.records);
    return all;
  }
  // What `f` reads into `from` stands in the file: `said` takes it.
  static void noting(field& f, const std::uint64_t& from, std::optional<std::uint64_t>& said) {
    f.read = [read = f.read, &from, &said](const YAML::Node& node) {
      read(node);
      said = from;
    };
  }

  std::string_view what_;
  const endpoint_words& words_;
  complaints& errors_;
  queue_limits read_;
};

void read_addresses(const YAML::Node& node, std::string_view what, const pattern_options& of,
                    retention_rules& into, complaints& errors) {
  if (!node.IsMap())
    return errors.add(node.Mark(), std::string(what) + " must be a map (name: {limits})");
  if (node.size() > retention_rules::some_max)
    return errors.add(node.Mark(), std::string(what) + " has more than " +
                                       std::to_string(retention_rules::some_max) +
                                       " entries; use a prefix (name*) for several");
  for (const auto& entry : node)
    address_reader(what, of, errors).read(entry.first, entry.second, into);
}

}  // namespace

std::vector<field> retention_fields(std::string_view addresses, const pattern_options& of,
                                    retention_rules& into, complaints& errors) {
  std::vector<field> all = limit_fields(into.all, errors);
  all.push_back({addresses, [addresses, &of, &into, &errors](const YAML::Node& node) {
                   read_addresses(node, addresses, of, into, errors);
                 }});
  return all;
}

}  // namespace holdfast
