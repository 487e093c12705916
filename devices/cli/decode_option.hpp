// decode_option: what `--decode NAME` of a verb stands for while the verb runs.
#pragma once

#include <optional>
#include <string>

#include "devices/cli/line_format.hpp"
#include "devices/serializers.hpp"

namespace holdfast::cli {

class decode_option {
 public:
  /// Lets write_line() with this format decode by the serializer `name`; nothing when it is empty.
  /// The format must not outlive this object.
  status open(const std::string& name, line_format& format) {
    if (name.empty()) return {};
    auto opened = message_decoder::open(name);
    if (!opened) return opened.take_status();
    by_.emplace(std::move(*opened));
    format.decode = &*by_;
    return {};
  }

 private:
  std::optional<message_decoder> by_;
};

}  // namespace holdfast::cli
