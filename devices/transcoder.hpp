// transcoder: messages of one serializer's form leave in another's. Serializers take the last part
// of a message and leave those before it alone, unless they say that they take the whole message.
//
// Contract: of message_transform. A message that cannot be converted leaves as it came and is
// counted.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "devices/loop/transform.hpp"
#include "plugins/host/serializer.hpp"

namespace holdfast {

class transcoder final : public message_transform {
 public:
  /// Names or paths, see plugins/host/registry.hpp. Errors: those of the registry; unsupported when
  /// `from` cannot decode or `to` cannot encode.
  static result<std::unique_ptr<message_transform>> open(std::string_view from,
                                                         std::string_view to);
  transcoder(plugins::serializer from, plugins::serializer to)
      : from_(std::move(from)), to_(std::move(to)) {}

  std::span<const bytes_view> apply(std::span<const bytes_view> message) override;
  void sent() override;
  const transform_report& report() const noexcept override { return report_; }

 private:
  status convert(std::span<const bytes_view> message);

  plugins::serializer from_, to_;
  plugins::output document_, made_;
  std::vector<bytes_view> parts_;
  status last_;
  transform_report report_;
};

}  // namespace holdfast
