// stage: one run's world of somebody's own handlers: what they asked for, made into applications,
// and what they all share.
//
// Contract: world and guests. One thread; lives as long as the run. A message of this world is the
// parts its maker gave it and one more that says which it is, which handlers do not see.
#pragma once

#include <optional>
#include <set>

#include "holdfast/sim.hpp"
#include "sim/application.hpp"
#include "sim/guests.hpp"

namespace holdfast::sim {

class trade;
struct post;

/// What people want to know of all runs together.
struct stage_figures {
  std::uint64_t calls = 0, deaths = 0;
};

class stage final : public guests, public simulated::world {
 public:
  stage(const std::function<void(simulated::world&)>& build, const simulated::options& how,
        stage_figures& counts);

  void send(std::uint64_t count, simulated::maker make) override;
  void publish(std::uint64_t count, simulated::maker make) override;
  void ask(std::uint64_t count, simulated::maker make, simulated::listener hear) override;
  void add_worker(simulated::handler call) override;
  void add_subscriber(simulated::handler call) override;
  void add_replier(simulated::request_handler call) override;
  void at_end(simulated::check holds) override { checks_.push_back(std::move(holds)); }
  const simulated::contents& committed() const override { return store_; }

  void join(party& run, const plan& of, random_source seeds) override;
  void at_end(judge& judged, std::uint64_t now) override;

  /// Which message these parts are, all of them, and whether every byte is as it was made.
  struct recognised {
    message_key key;
    bool exact = false;
  };
  recognised recognise(const message_parts& got) const;
  void replied(const message_key& request, simulated::parts reply);
  simulated::contents& store() noexcept { return store_; }
  const simulated::options& options() const noexcept { return how_; }
  stage_figures& counts() noexcept { return counts_; }

 private:
  struct sender {
    std::uint64_t count = 0;  // 0: sends nothing
    simulated::maker make;
  };
  using trade_maker = std::function<std::unique_ptr<trade>(const post&)>;

  void begin(channel_kind channel, std::uint64_t count, simulated::maker make);
  void add_sender(party& run, const plan& of, channel_kind channel, random_source& drawn);
  message_parts content(const message_key& key) const;
  bool right(const message_key& request, const message_parts& reply);
  message_key named(std::uint64_t message) const;

  std::array<sender, channel_kinds> senders_;
  std::array<std::vector<trade_maker>, channel_kinds> processes_;
  std::vector<simulated::check> checks_;
  simulated::listener hear_;
  simulated::contents store_;
  std::map<message_key, std::set<simulated::parts>> replies_;
  std::string wrong_;  // with what was asked for; empty: nothing
  const simulated::options& how_;
  stage_figures& counts_;
};

}  // namespace holdfast::sim
