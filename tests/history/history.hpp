// history: what real processes and a nemesis wrote down of a run, put into one order and judged by
// the simulator's own checkers (sim/checkers): one opinion of what is right, for both worlds.
//
// A history is lines of JSON objects, in any number of files and in any order. `t`: ns of one clock
// of the host; `who`: a name. `what`, and what else there is:
//   starts     as: producer, publisher, requester, worker, subscriber or replier; at each life
//   sends      from, n        the sender's message n, about to be sent
//   accepted   from, n        the sender knows that all up to n are accepted
//   gets       from, n, seq, again, exact     n was received, at that place of its stream
//   done       from, n        about to be acked or answered
//   confirmed  from, n, seq   its ack, or reply, is known to be durable
//   answered   from, n, status, exact
//   stopped    until          stood still from t on
//   killed, cut, aborted      for people
//
// When a device let go of a frame is not known here. A process may sit on one for `slack_ns`, and
// for as long as it was stopped: what could be such a late frame is no violation.
//
// Not judged: credit, levels of what power takes, and a device's own figures.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace history {

inline constexpr std::uint64_t slack_ns = 2'000'000'000;

struct event {
  std::uint64_t t = 0, n = 0, seq = 0, until = 0;
  std::uint32_t from = 0;
  std::uint16_t status = 0;
  std::string who, what, as;
  bool again = false, exact = false;
};

/// Adds the lines of a file; a last line that was cut off is left out. False: `wrong` says which
/// line is none.
bool read(std::istream& file, std::vector<event>& into, std::string& wrong);

struct verdict {
  std::string by, why;  ///< the checker that saw the first violation, and what it saw; empty: none
  std::string story;    ///< of the message it is about
  std::uint64_t sent = 0, accepted = 0, delivered = 0, again = 0, answered = 0;
};

/// Of a history that is whole: what was accepted has come to its end.
verdict verdict_on(std::vector<event> events);

}  // namespace history
