// transform: what leaves a plain output in place of a message as it came.
//
// Contract: called on the loop thread, once for each try to send a message; must be quick. The
// journal keeps the bytes that came, whatever happens here.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/coding.hpp"

namespace holdfast {

struct transform_report {
  std::uint64_t changed = 0;  ///< messages that left in another form
  std::uint64_t failed =
      0;  ///< messages that left as they came, because the form could not be made
  std::string last_failure;  ///< the last one's reason
};

class message_transform {
 public:
  virtual ~message_transform() = default;
  /// The parts to send for `message`: at least one. Views of the message, or of memory that is good
  /// until the next call. Where it cannot be done, the message itself.
  virtual std::span<const bytes_view> apply(std::span<const bytes_view> message) = 0;
  /// What apply() gave last has left: counts it.
  virtual void sent() = 0;
  virtual const transform_report& report() const noexcept = 0;
};

}  // namespace holdfast
