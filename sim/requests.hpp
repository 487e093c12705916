// requester, replier: applications that ask a service, and that answer. What a request says tells
// what its one right reply is.
//
// Contract: application.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "patterns/reqrep/conversation.hpp"
#include "patterns/reqrep/replier_stream.hpp"
#include "sim/wiring.hpp"

namespace holdfast::sim {

/// What is in `replied`, by sequence, and stored as REPLIED in this session says: it will be
/// executed no more, and goes from there.
std::vector<message_key> take_stored(const multipart& frame, std::uint32_t session,
                                     std::map<std::uint64_t, message_key>& replied);

struct requester_plan {
  std::uint32_t number = 1;
  bool named = false;  ///< asks again, after a restart, what has no answer yet
  bool keep = false;   ///< a reply is acked once it was written down
  std::uint64_t requests = 50;
  std::uint32_t burst_max = 4;
  std::uint64_t pause_max_ns = 50 * ms_ns;
  std::uint64_t deadline_ns = 0;  ///< from the asking, on both clocks; 0 = none
  std::uint32_t largest = 1024;
  connection link;
  std::function<message_parts(const message_key&)> content;  ///< none: make_message()
  /// Whether a reply is one to this request; none: reply_to() says which one is.
  std::function<bool(const message_key&, const message_parts&)> right;
};

class requester final : public application {
 public:
  requester(const requester_plan& plan, surroundings in, std::uint64_t seed);
  ~requester() override;

  void start() override;
  void die() override;
  void pause(std::uint64_t for_ns) override;
  void behave() override;
  bool done() const override;

 private:
  struct life;
  void tick();
  void tick_later();
  bool ask(life& l, const message_key& key);
  void look(life& l);
  bool take(life& l, const message_key& key);
  bool right(const message_key& key, const message_parts& reply) const;
  void finish(life& l, const message_key& key);
  void check_deadlines(life& l);

  requester_plan plan_;
  std::shared_ptr<life> now_;
  std::uint32_t lives_ = 0;
  std::uint64_t made_ = 0;
  std::set<message_key> open_;      // asked, and without an answer, by its own disk
  std::vector<message_key> again_;  // to be asked again in this life, the first at the end
  std::uint64_t patient_until_ns_ = never_ns;
};

struct replier_plan {
  std::uint32_t number = 1;
  std::uint32_t credit_messages = 1;
  manners ways;
  promise channel_level = promise::disk;
  std::uint32_t largest = 1024;
  connection link;
};

class replier final : public application {
 public:
  replier(const replier_plan& plan, surroundings in, std::uint64_t seed);
  ~replier() override;

  void start() override;
  void die() override;
  void pause(std::uint64_t for_ns) override;

 private:
  struct life;
  struct job;
  void look(life& l);
  void handle(life& l, const job& what);
  void answer_it(life& l, const job& what);
  void hear(life& l, const multipart& frame, std::uint64_t left_ns);

  replier_plan plan_;
  std::shared_ptr<life> now_;
  std::uint32_t lives_ = 0;
};

}  // namespace holdfast::sim
