// explorer_world: two producers and one device with everything between them that can go wrong, as a
// machine of numbered actions. The classes are the real ones of both ends.
//
// What can happen (explorer_scope says how often):
// - a frame arrives at the device; connections are queues, none waits for another, so frames of a
//   connection the producer has given up arrive at any later time, also among those of later ones;
// - the log becomes durable, and the device is told;
// - a connection is cut: nothing of the device reaches the producer over it any more, what the
//   producer sent still arrives, or not; the producer notices and opens another;
// - the device crashes: of the records that are not durable the first k stay, for every k, without
//   anybody having been told; what is still under way comes as a stranger's;
// - a frame arrives twice; a block is lost although its connection stays;
// - a producer that hears nothing asks (PROBE), or gives its connection up.
//
// What is never told apart, in every scope:
// - Names. Session numbers, peer ids, nonces and times are drawn or counted; no code compares them
//   but for equality (times: but for deadlines, which silence alone reaches). A state describes
//   them by what they are equal to.
// - Frames of the device arrive at once. Such a frame changes its producer alone, and appends to
//   the end of a queue whose end nobody reads. So hearing it may move back in time, before all that
//   the device did since it sent it, without changing what anybody else sees; and if it is lost,
//   the cut may move back before it was sent, since the device does not see a cut. What a crash
//   takes with it is lost too: the answers to its own records are (they became durable and nobody
//   was told); that a crash swallows older answers of one connection and not of the other is a cut
//   and a crash.
// - A producer submits as soon as it may. A block submitted later is one that waits longer in the
//   queue, or, in a session that is lost before, one that is sent in the next one only.
//
// What `reduced` leaves out beyond that (a test compares what can be observed with and without):
// - What nobody can notice is forgotten: frames that come over a connection whose producer's end is
//   gone, and bear no HELLO nor the session the device has there (the device answers RESET, which
//   nobody hears); sessions over which no frame can come any more, and what the intake remembers
//   for them (ATTACH sets all of it anew); what a fenced producer had; older definitions of an id.
// - A cut is noticed at once. Between the cut and noticing the producer is deaf and says nothing:
//   what happens meanwhile does not depend on it. Should the device crash meanwhile, the new
//   connection has seen that crash and only its HELLO is under way, which a stranger may send too.
// - A crash is noticed at once where no HELLO is under way: whatever else is under way only brings
//   RESET, which makes the producer do the same. A producer without a connection opens one at once.
// - Whatever can follow with a smaller budget can follow with a greater one.
// - The two producers are alike: a state and the one with their parts exchanged are the same.
// - With two ids, the records of one do not depend on how those of the other lie between them:
//   the log is described per id.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "patterns/outbox.hpp"
#include "patterns/session/session_client.hpp"
#include "tests/patterns/device_world.hpp"

namespace holdfast {

struct explorer_scope {
  bool same_id = true;  ///< two instances of one producer, else two producers
  int blocks = 3;       ///< each
  int cuts = 0, crashes = 0, repeats = 0, losses = 0;
  bool reduced = true;
  planted_bugs planted = {};
  bool planted_early_marks = false;  ///< the log says durable of what is only appended
};

class explorer_world {
 public:
  explicit explorer_world(const explorer_scope& scope);

  struct action {
    enum class kind : std::uint8_t { to_device, durable, cut, crash, repeat, lose, silence };
    kind what{};
    std::uint8_t which = 0;  ///< connection, producer, or records that stay
  };
  struct action_list {
    std::array<action, 60> at;
    std::size_t size = 0;
    void add(action::kind what, std::size_t which) {
      at.at(size++) = {what, static_cast<std::uint8_t>(which)};
    }
  };
  action_list actions() const;
  void apply(const action& a);
  /// A number that says all that matters for what can follow, but for the budget.
  std::uint64_t fingerprint() const;
  /// How many cuts, crashes, repeats and losses may still come, as a number below 64.
  unsigned budget() const;
  /// One bit for each budget that allows no more than this one.
  std::uint64_t budgets_covered() const;
  /// A number that says what the world outside could see now: the log, and what was accepted.
  std::uint64_t observation() const;
  /// Empty while every promise holds, else which one is broken.
  std::string broken() const;
  bool all_accepted() const { return done(0) && done(1); }

 private:
  struct wire_frame {
    std::vector<std::byte> head;
    buffer_ref body;
    frame_type type{};
    std::uint32_t session = 0;
    std::uint64_t content = 0;  // the sum of what else the frame says, whoever says it
  };
  struct connection {
    std::size_t producer = 0;
    peer_id peer = 0;
    bool open = true;     // the producer's end
    bool cut = false;     // nothing reaches the producer over it any more
    bool shaken = false;  // something happened that may have left it deaf
    std::deque<wire_frame> to_device;
  };
  struct producer {
    std::unique_ptr<session_client> client;
    std::unique_ptr<outbox> box;
    std::vector<std::uint64_t> numbers;  // of the blocks submitted
    bytes16 nonce{};
    instant at;
  };
  /// A definition of a producer, or one message of a block, in the log.
  struct note {
    std::size_t record = 0;
    std::uint8_t id = 0, owner = 0, block = 0;
    bool definition = false;
    std::uint64_t number = 0;  // or epoch
  };
  struct names_now;
  class digest;

  void add_mishaps(action_list& to) const;
  void pump(std::size_t index);
  void give_up(std::size_t index);
  void crash(std::size_t kept);
  void silence(std::size_t index);
  void deliver_to_device(connection& c, bool keep);
  void collect();
  void hear(std::size_t index, const sent_frame& f);
  void settle();
  void take_note();
  wire_frame describe(const client_frame& f, std::size_t index);
  connection* current(std::size_t index);
  const connection* current(std::size_t index) const;
  bool done(std::size_t index) const;
  bool alive(const connection& c) const;
  bool matters(const wire_frame& f, const connection& c) const;
  std::size_t id_of(std::size_t index) const { return scope_.same_id ? 0 : index; }
  std::string text(std::size_t whose, std::size_t block) const;

  // explorer_state.cpp
  std::uint64_t described(std::size_t first) const;
  void name_all(names_now& n, std::size_t first) const;
  void put_connections(digest& to, const names_now& n) const;
  void put_producers(digest& to, const names_now& n) const;
  void put_device(digest& to, const names_now& n) const;
  void put_log(digest& to, const names_now& n) const;
  std::uint64_t observed(std::size_t first) const;

  explorer_scope scope_;
  device_world device_;
  std::vector<producer> producers_;
  std::vector<connection> connections_;
  std::vector<note> notes_;
  std::size_t noted_ = 0;                        // records
  std::array<std::uint8_t, 16> id_of_number_{};  // of the device's producer numbers
  peer_id last_peer_ = 0;
};

}  // namespace holdfast
