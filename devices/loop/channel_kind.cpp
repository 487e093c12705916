#include "devices/loop/channel_kind.hpp"
#include "patterns/pipeline/pipeline_channel.hpp"
#include "patterns/pubsub/pubsub_channel.hpp"
#include "patterns/reqrep/reqrep_channel.hpp"

namespace holdfast {
namespace {

constexpr channel_kind kinds[] = {
    {"pipeline", socket_kind::pull, socket_kind::push, 2},
    {"pubsub", socket_kind::sub, socket_kind::xpub, 2},
    {"reqrep", socket_kind::router, socket_kind::dealer, 3},
};
static_assert(std::size(kinds) == std::variant_size_v<pattern_options>);

std::string_view address_of(const pipeline_options& o) {
  return o.default_queue;
}
std::string_view address_of(const pubsub_options&) {
  return {};  // one stream holds all topics
}
std::string_view address_of(const reqrep_options& o) {
  return o.default_service;
}

std::unique_ptr<pattern> make(const pipeline_options& o, catalog& names, std::uint64_t seed) {
  return make_pipeline(o, names, seed);
}
std::unique_ptr<pattern> make(const pubsub_options& o, catalog& names, std::uint64_t seed) {
  return make_pubsub(o, names, seed);
}
std::unique_ptr<pattern> make(const reqrep_options& o, catalog& names, std::uint64_t seed) {
  return make_reqrep(o, names, seed);
}

template <std::size_t index>
void choose(std::size_t wanted, pattern_options& into) {
  if constexpr (index < std::variant_size_v<pattern_options>) {
    if (index == wanted) into.emplace<index>();
    choose<index + 1>(wanted, into);
  }
}

}  // namespace

const channel_kind& kind_of(const channel_options& channel) noexcept {
  return kinds[channel.pattern.index()];
}

std::string_view default_address(const channel_options& channel) noexcept {
  return std::visit([](const auto& o) { return address_of(o); }, channel.pattern);
}

std::unique_ptr<pattern> make_channel(const channel_options& channel, catalog& names,
                                      std::uint64_t seed) {
  return std::visit([&](const auto& o) { return make(o, names, seed); }, channel.pattern);
}

std::vector<std::string_view> pattern_words() {
  std::vector<std::string_view> words;
  for (const channel_kind& kind : kinds) words.push_back(kind.word);
  return words;
}

bool choose_pattern(std::string_view word, pattern_options& into) {
  for (std::size_t i = 0; i < std::size(kinds); ++i) {
    if (kinds[i].word != word) continue;
    choose<0>(i, into);
    return true;
  }
  return false;
}

}  // namespace holdfast
