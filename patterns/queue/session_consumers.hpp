// session_consumers: which consumer a session is, stream by stream.
//
// Contract: pure. Sessions by their numbers; consumer 0 is none.
#pragma once

#include <map>
#include <unordered_map>
#include <utility>

#include "patterns/queue/consumers.hpp"

namespace holdfast {

class session_consumers {
 public:
  using by_stream = std::map<stream_id, consumer_id>;

  consumer_id find(std::uint32_t session, stream_id stream) const {
    const auto mine = of_.find(session);
    if (mine == of_.end()) return 0;
    const auto at = mine->second.find(stream);
    return at == mine->second.end() ? 0 : at->second;
  }
  void add(std::uint32_t session, stream_id stream, consumer_id id) { of_[session][stream] = id; }
  /// Everything that a session was, which it is no more.
  by_stream leave(std::uint32_t session) {
    auto mine = of_.extract(session);
    return mine ? std::move(mine.mapped()) : by_stream{};
  }

 private:
  std::unordered_map<std::uint32_t, by_stream> of_;
};

}  // namespace holdfast
