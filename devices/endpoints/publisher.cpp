#include "holdfast/pubsub.hpp"

namespace holdfast {

result<publisher> publisher::open(const publisher_options& options) {
  producer_options made;
  static_cast<endpoint_options&>(made) = options;
  made.id = options.id;
  made.level = options.level;
  made.window_messages = options.window_messages;
  made.window_bytes = options.window_bytes;
  auto to = producer::open(made);
  if (!to) return to.take_status();
  return publisher(std::move(*to));
}

result<std::uint64_t> publisher::send(std::string_view topic,
                                      std::initializer_list<part_view> parts,
                                      milliseconds timeout) {
  std::vector<part_view> all;
  all.reserve(parts.size() + 1);
  all.push_back(as_part(topic));
  all.insert(all.end(), parts.begin(), parts.end());
  return to_.send(all, timeout);
}

}  // namespace holdfast
