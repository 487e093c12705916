// The names of all checkers, and how each comes to its facts.
#include "sim/checkers/checker.hpp"
#include "sim/judge.hpp"

namespace holdfast::sim {

const std::vector<checker_entry>& checker_table() {
  static const std::vector<checker_entry> table{
      {"phantom", "nothing is delivered, accepted or answered that was not sent", make_phantom},
      {"exact", "parts, boundaries and bytes are as they were sent", make_exact},
      {"levels", "an accept names the level it had; a good message is not refused", make_levels},
      {"places", "a message is stored once, and a sequence names one message", make_places},
      {"order", "the messages of a producer are stored and first delivered in order", make_order},
      {"repeats", "what a queue hands out again is said to come again", make_repeats},
      {"credit", "no consumer is given more than it granted", make_credit},
      {"after_ack", "nothing is handed out after its ack was confirmed", make_after_ack},
      {"subscriptions", "a subscription gets everything from its begin on, in order, once",
       make_subscriptions},
      {"gaps", "a gap is told only where something could be lost", make_gaps},
      {"answers", "a request is answered once, by a reply to that very request", make_answers},
      {"expiry", "nothing is handed out after its deadline, nor given up before it", make_expiry},
      {"accounts", "in equals the sum of where messages are, at every step", make_accounts},
      {"damage", "recovery reports damage only where a disk did harm", make_damage},
      {"survives", "what was accepted at a level survives what the level is for", make_survives},
  };
  return table;
}

void checker::fail(std::string why, const message_key& about, std::uint64_t now) const {
  judge_.fail(name(), std::move(why), about, now);
}

const facts& checker::known() const {
  return judge_.known();
}

}  // namespace holdfast::sim
