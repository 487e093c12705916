#include "sim/handlers/stage.hpp"

#include <algorithm>

#include "sim/faults.hpp"
#include "sim/handlers/handler_process.hpp"

namespace holdfast::sim {
namespace {

constexpr std::uint64_t messages_max = 10'000;
constexpr std::size_t pipeline = 0, pubsub = 1, reqrep = 2;  // channel_kind
constexpr std::array<const char*, channel_kinds> taker{"worker", "subscriber", "replier"};
constexpr std::array<std::uint32_t, channel_kinds> numbers{1, 20, 40};  // of the senders

std::size_t index(channel_kind channel) {
  return static_cast<std::size_t>(channel);
}

bool has(const plan& of, fault kind) {
  return std::any_of(of.faults.begin(), of.faults.end(),
                     [&](const planned_fault& one) { return one.what == kind; });
}

/// Such pauses that the sending takes as long as there are faults.
std::uint64_t pause_for(const plan& of, std::uint64_t messages, std::uint32_t burst_max) {
  return 1 + of.faults_for_ns * (1 + burst_max) / messages;
}

std::vector<std::byte> bytes_of(const std::string& text) {
  const part_view view = as_part(text);
  return {view.begin(), view.end()};
}

handler_plan draw_process(const plan& of, channel_kind channel, std::uint32_t number,
                          random_source& r) {
  handler_plan made;
  made.kind = taker[index(channel)];
  made.number = number;
  made.work_max_ns = 1 + r.below(20 * ms_ns);
  made.hang_percent =
      has(of, fault::receiver_stopped) ? static_cast<std::uint32_t>(r.below(10)) : 0;
  made.die_percent = has(of, fault::receiver_killed) ? static_cast<std::uint32_t>(r.below(6)) : 0;
  made.link = draw_link(r, channel);
  return made;
}

}  // namespace

stage::stage(const std::function<void(simulated::world&)>& build, const simulated::options& how,
             stage_figures& counts)
    : how_(how), counts_(counts) {
  build(*this);
}

// ---- what is asked for --------------------------------------------------------------------------

void stage::begin(channel_kind channel, std::uint64_t count, simulated::maker make) {
  sender& one = senders_[index(channel)];
  if (one.count != 0) wrong_ = "messages of one kind are sent twice";
  if (count == 0 || count > messages_max) wrong_ = "a world has 1 to 10 000 messages of a kind";
  if (!make) wrong_ = "messages are sent that nobody makes";
  one = {count, std::move(make)};
}

void stage::send(std::uint64_t count, simulated::maker make) {
  begin(channel_kind::pipeline, count, std::move(make));
}

void stage::publish(std::uint64_t count, simulated::maker make) {
  begin(channel_kind::pubsub, count, std::move(make));
}

void stage::ask(std::uint64_t count, simulated::maker make, simulated::listener hear) {
  begin(channel_kind::reqrep, count, std::move(make));
  hear_ = std::move(hear);
}

void stage::add_worker(simulated::handler call) {
  processes_[pipeline].push_back(
      [call = std::move(call)](const post& at) { return make_worker_trade(at, call); });
}

void stage::add_subscriber(simulated::handler call) {
  processes_[pubsub].push_back(
      [call = std::move(call)](const post& at) { return make_subscriber_trade(at, call); });
}

void stage::add_replier(simulated::request_handler call) {
  processes_[reqrep].push_back(
      [call = std::move(call)](const post& at) { return make_replier_trade(at, call); });
}

// ---- a run --------------------------------------------------------------------------------------

void stage::join(party& run, const plan& of, random_source seeds) {
  for (std::size_t kind = 0; kind < channel_kinds; ++kind) {
    const auto channel = static_cast<channel_kind>(kind);
    if (senders_[kind].count != 0 && processes_[kind].empty())
      wrong_ = std::string("messages are sent that no ") + taker[kind] + " takes";
    random_source drawn(seeds.next());
    if (senders_[kind].count != 0) add_sender(run, of, channel, drawn);
    for (std::uint32_t i = 0; i < processes_[kind].size(); ++i) {
      handler_plan how = draw_process(of, channel, i + 1, drawn);
      how.make = processes_[kind][i];
      run.receivers.push_back(
          std::make_unique<handler_process>(std::move(how), *this, run.all, drawn.next()));
    }
  }
  if (how_.credit == 0) wrong_ = "a credit of nothing brings nothing";
  if (!wrong_.empty()) run.judged.fail("setup", wrong_, {}, run.time.now());
}

void stage::add_sender(party& run, const plan& of, channel_kind channel, random_source& drawn) {
  const sender& one = senders_[index(channel)];
  const auto content = [this](const message_key& key) { return this->content(key); };
  if (channel == channel_kind::reqrep) {
    requester_plan made;
    made.number = numbers[reqrep];
    made.named = true;
    made.keep = drawn.chance(50);
    made.requests = one.count;
    made.pause_max_ns = pause_for(of, one.count, made.burst_max);
    made.link = draw_link(drawn, channel);
    made.content = content;
    made.right = [this](const message_key& key, const message_parts& got) {
      return right(key, got);
    };
    run.senders.push_back(std::make_unique<requester>(made, run.all, drawn.next()));
    return;
  }
  producer_plan made;
  made.number = numbers[index(channel)];
  made.channel = channel;
  made.kind = producer_kind::replayer;
  made.messages = one.count;
  made.burst_max = 4;
  made.pause_max_ns = pause_for(of, one.count, made.burst_max);
  made.link = draw_link(drawn, channel);
  made.content = content;
  run.senders.push_back(std::make_unique<producer>(made, run.all, drawn.next()));
}

void stage::at_end(judge& judged, std::uint64_t now) {
  for (const simulated::check& holds : checks_)
    if (const std::optional<simulated::flaw> wrong = holds())
      return judged.fail(handlers, wrong->what, named(wrong->message), now);
}

/// Of the first kind that is sent and has so many.
message_key stage::named(std::uint64_t message) const {
  for (std::size_t kind = 0; kind < channel_kinds; ++kind)
    if (message != 0 && message <= senders_[kind].count) return {numbers[kind], 0, message};
  return {};
}

// ---- messages -----------------------------------------------------------------------------------

message_parts stage::content(const message_key& key) const {
  message_parts made;
  const auto kind = std::find(numbers.begin(), numbers.end(), key.producer) - numbers.begin();
  for (const std::string& part : senders_[static_cast<std::size_t>(kind)].make(key.number))
    made.push_back(bytes_of(part));
  made.push_back(key_part(key));
  return made;
}

stage::recognised stage::recognise(const message_parts& got) const {
  const auto key = got.empty() ? std::nullopt : read_key({got.back()});
  if (!key) return {};
  const auto kind = std::find(numbers.begin(), numbers.end(), key->producer) - numbers.begin();
  if (kind == channel_kinds || key->number > senders_[static_cast<std::size_t>(kind)].count)
    return {*key, false};
  return {*key, got == content(*key)};
}

void stage::replied(const message_key& request, simulated::parts reply) {
  replies_[request].insert(std::move(reply));
}

bool stage::right(const message_key& request, const message_parts& reply) {
  simulated::parts text;
  for (const auto& part : reply) text.emplace_back(as_text(part));
  const bool given = replies_[request].contains(text);
  if (given && hear_) hear_(request.number, text);
  return given;
}

}  // namespace holdfast::sim
