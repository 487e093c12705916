// convert: documents to JSON text and back, by the rules of json.hpp.
//
// Contract: appends to `out`; returns a holdfast_code, told to `call` where it is not HOLDFAST_OK.
// Time and memory grow with the input (a text is looked at twice, a document as well).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "holdfast/plugin.h"

namespace holdfast::json {

int to_json(holdfast_call* call, std::string_view document, std::string& out);
int from_json(holdfast_call* call, std::string_view text, std::string& out);

/// Looks a document over. `odd`, if given, gets an entry for each map in the order they begin: true
/// when it must be written in the `map` form.
int survey(holdfast_call* call, std::string_view document, std::vector<bool>* odd);

inline int say(holdfast_call* call, int code, std::string_view words) {
  return call->fail(call, code, words.data(), words.size());
}

/// Asks now and then whether the time is over.
class patience {
 public:
  explicit patience(holdfast_call* call) : call_(call) {}
  bool over() { return (++steps_ & 1023) == 0 && call_->should_stop(call_) != 0; }

 private:
  holdfast_call* call_;
  unsigned steps_ = 0;
};

}  // namespace holdfast::json
