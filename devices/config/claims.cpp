#include "devices/config/claims.hpp"

#include <algorithm>

#include "devices/config/endpoint_words.hpp"
#include "devices/transport/endpoint.hpp"

namespace holdfast {
namespace {

bool any_free_port(std::string_view address) {
  return address.ends_with(":0") || address.ends_with(":*");
}

status invalid(std::string text) {
  return {errc::invalid, std::move(text)};
}

status check_ack_back(const channel_options& channel) {
  const bool wanted = std::any_of(channel.out.begin(), channel.out.end(), [](const auto& out) {
    return out.peers == plain_tracking::ack_back;
  });
  if (wanted && channel.ack_back.empty())
    return invalid(
        "an output has peers: ack_back, but the channel has no ack_back endpoint; add "
        "one, for example ack_back: \"@tcp://127.0.0.1:5558\"");
  if (!wanted && !channel.ack_back.empty())
    return invalid(
        "the channel has an ack_back endpoint, but no output has peers: ack_back; set "
        "it on the output whose consumers send delivery ids back");
  return {};
}

}  // namespace

status claims::take(std::string_view kind, std::string_view value, std::string_view scope) {
  std::string key;
  key.append(kind).append(1, '\0').append(scope).append(1, '\0').append(value);
  if (taken_.insert(std::move(key)).second) return {};
  return invalid(std::string(kind) + " '" + std::string(value) +
                 "' is used twice; each needs its own");
}

status claims::take_endpoint(std::string_view text, bool alone) {
  auto parsed = parse_endpoint(text, endpoint_role::bind);
  if (!parsed) return parsed.take_status();
  if (alone && parsed->binds() && parsed->transport == endpoint_transport::inproc)
    return invalid("endpoint '" + std::string(text) +
                   "': peers of a bound inproc endpoint cannot be told apart; write peers: shared, "
                   "or use ipc://");
  if (!parsed->binds() || any_free_port(parsed->address)) return {};
  return take("bound endpoint", parsed->address);
}

namespace {

// Patterns whose failures are tried again.
template <class Options>
bool waits_backwards(const Options& o) {
  if constexpr (requires { o.backoff_min_ns; }) return o.backoff_min_ns > o.backoff_max_ns;
  return false;
}

status check_outputs(const channel_options& channel, const std::string& who) {
  const endpoint_words& words = words_of(channel.pattern);
  std::set<std::string> names;
  for (const plain_output& out : channel.out) {
    const auto known = std::find_if(words.peers.begin(), words.peers.end(),
                                    [&](const auto& p) { return p.second == out.peers; });
    if (known == words.peers.end()) {
      std::string all;
      for (const auto& [word, tracking] : words.peers)
        all.append(all.empty() ? "" : ", ").append(word);
      return invalid(who + "its outputs cannot track peers so; write one of: " + all);
    }
    if (out.durable.empty()) continue;
    if (!words.durable) return invalid(who + "only pub/sub outputs have a durable name");
    if (out.peers != plain_tracking::separate)
      return invalid(who + "the durable output '" + out.durable + "' needs peers: separate");
    if (!names.insert(out.durable).second)
      return invalid(who + "durable name '" + out.durable + "' is used twice; each needs its own");
  }
  return {};
}

}  // namespace

status claims::check_channel(const channel_options& channel) {
  const std::string who = "channel '" + channel.settings().name + "': ";
  const endpoint_words& words = words_of(channel.pattern);
  if (channel.in.empty() && channel.out.empty() && channel.reliable.empty() &&
      channel.workers.empty() && channel.mdp.empty())
    return invalid("channel '" + channel.settings().name +
                   "' has no endpoint; give it in, out or reliable" +
                   (words.workers ? ", workers or mdp" : ""));
  if (std::visit([](const auto& o) { return waits_backwards(o); }, channel.pattern))
    return invalid(who + "backoff_min is above backoff_max");
  if (!words.workers && !(channel.workers.empty() && channel.mdp.empty()))
    return invalid(who + "only request-reply channels have workers and mdp endpoints");
  if (status holds = check_outputs(channel, who); !holds) return holds;
  return check_ack_back(channel);
}

status claims::take_endpoints(const channel_options& channel) {
  for (const auto* inputs : {&channel.in, &channel.workers, &channel.mdp})
    for (const plain_input& in : *inputs)
      if (status s = take_endpoint(in.endpoint); !s) return s;
  for (const plain_output& out : channel.out)
    if (status s = take_endpoint(out.endpoint, out.peers == plain_tracking::separate); !s) return s;
  for (const std::string& reliable : channel.reliable)
    if (status s = take_endpoint(reliable); !s) return s;
  return channel.ack_back.empty() ? status{} : take_endpoint(channel.ack_back);
}

}  // namespace holdfast
