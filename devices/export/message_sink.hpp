// message_sink: a form in which messages leave a journal.
//
// Contract: put() for each message in order, then finish() once; a failure is final. What was
// written is whole only after finish() and the file's commit().
#pragma once

#include "devices/export/message_walk.hpp"

namespace holdfast {

class message_sink {
 public:
  virtual ~message_sink() = default;
  virtual status put(const stored_message& message) = 0;
  virtual status finish() = 0;
};

}  // namespace holdfast
