// topics: what the messages of a publisher are about, one topic after the other and from the start
// again. Each begins with the publisher's own: who subscribes to that receives everything.
#pragma once

#include <string>
#include <vector>

namespace holdfast::bench {

class topics {
 public:
  topics(const std::string& own, unsigned count) {
    if (count == 1) names_.push_back(own);
    for (unsigned i = 0; names_.size() < count; ++i)
      names_.push_back(own + "/" + std::to_string(i));
  }
  const std::string& next() {
    if (at_ == names_.size()) at_ = 0;
    return names_[at_++];
  }

 private:
  std::vector<std::string> names_;
  std::size_t at_ = 0;
};

}  // namespace holdfast::bench
