// output_peer: one plain receiver, or all behind a shared output, as its pattern knows it: its
// number, its local queue, the figures it reports. What carries its messages is a derived class:
// socket_peer, wire_peer.
//
// Contract: one thread. introduce() makes it known to its pattern under a new number; figures go to
// the engine when they change.
#pragma once

#include <cstdint>
#include <string>

#include "devices/loop/engine.hpp"
#include "devices/loop/output_terms.hpp"
#include "devices/loop/plain_queue.hpp"

namespace holdfast {

class output_peer : protected message_sink {
 public:
  static constexpr std::uint64_t recall_ns = second_ns;
  static constexpr std::uint64_t idle_check_ns = second_ns;
  static constexpr std::uint64_t pump_messages = 4096;      ///< in a turn
  static constexpr std::uint64_t crowd_bytes = 512 * 1024;  ///< unsent to one peer: no more
  static constexpr std::uint64_t check_bytes = 32 * 1024;   ///< handed between two looks at it
  static constexpr std::uint64_t crowd_check_ns = 100 * ms_ns;

  /// `tells_unsent`: look_at_unsent() finds out what it has not taken.
  output_peer(const output_terms& terms, std::string name, bool tells_unsent);

  /// Under a new number, as if it had just come.
  virtual void introduce(engine& to, peer_id number, std::uint64_t now_ns);
  /// The pattern hears the last of it.
  void lose(engine& to);

  peer_id number() const noexcept { return number_; }  ///< 0: not introduced yet
  void push(const plain_delivery& what) { queue_.push(what); }
  /// Hands over what can be handed over, reports changes. True if anything was reported.
  bool pump(engine& to, std::uint64_t now_ns);
  /// Gives its local queue up: others may take it. Needs introduce() again.
  bool stuck(std::uint64_t now_ns) const noexcept;
  bool busy() const noexcept { return !blocked_ && !queue_.empty() && !deaf(); }
  virtual std::uint64_t next_deadline() const noexcept;
  bool writable() const noexcept { return !blocked_; }

 protected:
  ~output_peer() override = default;

  /// Of the local queue what is taken now, and whether that blocks.
  virtual void hand_over(engine& to) = 0;
  /// Hand-over may go on though nothing said so.
  virtual bool try_again(std::uint64_t) const noexcept { return false; }
  /// Sets crowded_ and idle_.
  virtual void look_at_unsent() {}
  /// Entries of the queue that are the peer's now.
  virtual std::uint64_t handed() const noexcept { return queue_.handed(); }
  /// It takes nothing and counts nothing, whatever there is.
  virtual bool deaf() const noexcept { return false; }

  void block(bool blocked) noexcept;
  /// So many bytes that it was handed and has not taken are too many.
  bool crowds(std::uint64_t bytes) const noexcept;

  const output_terms* terms_;
  peer_id number_ = 0;
  plain_queue queue_;
  bool blocked_ = true;   ///< nothing is taken
  bool crowded_ = false;  ///< much is unsent: others first
  bool idle_ = false;     ///< at the last check nothing was unsent
  std::uint64_t now_ns_ = 0, blocked_since_ns_ = 0;
  std::uint64_t crowd_pause_ns_ = crowd_check_ns;  ///< between two looks at a crowded one

 private:
  void check_unsent();
  std::uint64_t ahead() const noexcept;
  std::uint64_t bytes_each() const noexcept;
  bool tell(engine& to);

  std::string name_;
  bool tells_unsent_;
  std::uint64_t checked_ns_ = 0;                          ///< when unsent bytes were asked for last
  std::uint64_t checked_bytes_ = 0, checked_handed_ = 0;  ///< handed by then
  plain_report told_;
};

}  // namespace holdfast
