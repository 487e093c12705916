// handler_process: a program of somebody's own: it receives a message, calls its handler, says what
// the handler said, and takes the next. It may be killed between two of these steps, and inside the
// handler wherever that touches its disk.
//
// Contract: application. One message at a time, as a loop around receive() does it.
#pragma once

#include "sim/handlers/trade.hpp"

namespace holdfast::sim {

/// Beside Holdfast's own checkers: what handlers, and the check at the end, say themselves.
inline constexpr const char* handlers = "handler";

struct handler_plan {
  std::string kind;  ///< "worker", ...
  std::uint32_t number = 1;
  std::uint64_t work_max_ns = 5 * ms_ns, hang_max_ns = 2 * second_ns;
  std::uint32_t hang_percent = 0, die_percent = 0;  ///< of calls, of the places in them
  connection link;
  std::function<std::unique_ptr<trade>(const post&)> make;
};

class handler_process final : public application {
 public:
  handler_process(handler_plan plan, stage& of, surroundings in, std::uint64_t seed);
  ~handler_process() override;

  void start() override;
  void die() override;
  void pause(std::uint64_t for_ns) override;

 private:
  struct life;
  class inside;
  using step = std::function<void(life&)>;

  /// In this life, once it is not stopped.
  void later(std::uint64_t delay, step what);
  std::uint64_t some_time();
  void look(life& l);
  void call(life& l);
  void settle(life& l, const simulated::handled& said);
  void may_die();
  void fail(std::string what, const message_key& about);

  handler_plan plan_;
  stage& stage_;
  std::shared_ptr<life> now_;
  std::uint32_t lives_ = 0;
  bool dying_ = false;  // also if the handler kept what was to leave it
};

}  // namespace holdfast::sim
