// serializers: those built in and those found on this machine, and a message decoded for people.
//
// Contract: one thread. Plugins are searched in $HOLDFAST_PLUGIN_PATH ("a:b"), then where Holdfast
// was installed; a name with a slash is the path of a file. A serializer that fails changes nothing
// about a message.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "plugins/host/registry.hpp"
#include "plugins/host/serializer.hpp"

namespace holdfast {

/// A registry with what is built in and the directories of this machine.
plugins::registry make_registry();

/// An instance of the serializer that `reference` names, see plugins/host/registry.hpp.
result<plugins::serializer> open_serializer(plugins::registry& in, std::string_view reference);

/// Messages as JSON values.
class message_decoder {
 public:
  static result<message_decoder> open(std::string_view reference);

  /// How many of a message's last parts the serializer takes: 1 or all.
  std::size_t own_parts(std::size_t of) const noexcept;
  /// The value of those parts as JSON on one line, appended to `out`. A failure appends nothing.
  status value(std::span<const bytes_view> message, std::string& out);

 private:
  message_decoder(plugins::serializer from, plugins::serializer json)
      : from_(std::move(from)), json_(std::move(json)) {}
  plugins::serializer from_, json_;
  plugins::output document_, text_;
};

}  // namespace holdfast
