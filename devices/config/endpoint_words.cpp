#include "devices/config/endpoint_words.hpp"

namespace holdfast {
namespace {

const endpoint_words& words_for(const pipeline_options&) {
  static const endpoint_words words{"queue",
                                    {{"separate", plain_tracking::separate},
                                     {"shared", plain_tracking::shared},
                                     {"ack_back", plain_tracking::ack_back}},
                                    true,
                                    false,
                                    true,
                                    false};
  return words;
}

const endpoint_words& words_for(const pubsub_options&) {
  static const endpoint_words words{"",
                                    {{"separate", plain_tracking::separate},
                                     {"all_wait", plain_tracking::all_wait},
                                     {"lossy", plain_tracking::lossy}},
                                    true,
                                    true,
                                    false,
                                    false};
  return words;
}

const endpoint_words& words_for(const reqrep_options&) {
  static const endpoint_words words{
      "service", {{"separate", plain_tracking::separate}}, false, false, false, true};
  return words;
}

}  // namespace

const endpoint_words& words_of(const pattern_options& of) {
  return std::visit([](const auto& o) -> const endpoint_words& { return words_for(o); }, of);
}

status check_address(const endpoint_words& words, std::string_view name) {
  const std::string kind(words.address);
  if (name.empty() || name.size() > 255)
    return {errc::invalid,
            "a " + kind + " name has 1 to 255 bytes, this one " + std::to_string(name.size())};
  if (name.ends_with(".dlq"))
    return {errc::invalid,
            kind + " '" + std::string(name) + "': names ending in .dlq are kept for dead letters"};
  if (words.workers && name.ends_with(".reply"))
    return {errc::invalid,
            kind + " '" + std::string(name) + "': names ending in .reply are kept for replies"};
  return {};
}

}  // namespace holdfast
