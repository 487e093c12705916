#include "patterns/queue/consumers.hpp"

namespace holdfast {

consumer& consumers::add(consumer made) {
  made.id = ++last_id_;
  consumer& c = all_[made.id] = std::move(made);
  changed(c);
  return c;
}

void consumers::remove(consumer_id id) {
  if (const auto at = placed_.find(id); at != placed_.end()) {
    turn_.erase(at->second);
    placed_.erase(at);
  }
  all_.erase(id);
}

consumer* consumers::find(consumer_id id) noexcept {
  const auto at = all_.find(id);
  return at == all_.end() ? nullptr : &at->second;
}

void consumers::changed(consumer& c) {
  any_stalled_ = any_stalled_ || c.stalled;
  const bool able = !c.is_open && !c.stalled && c.room() > 0 && c.byte_room() > 0;
  const key wanted{c.in_flight, c.served, c.id};
  const auto at = placed_.find(c.id);
  if (at != placed_.end()) {
    if (able && at->second == wanted) return;
    auto node = turn_.extract(at->second);
    if (able) {
      node.value() = at->second = wanted;
      turn_.insert(std::move(node));
    } else {
      placed_.erase(at);
    }
  } else if (able) {
    placed_.emplace(c.id, wanted);
    turn_.insert(wanted);
  }
}

consumer* consumers::next() noexcept {
  return turn_.empty() ? nullptr : &all_.at(std::get<2>(*turn_.begin()));
}

void consumers::wake_stalled() {
  if (!std::exchange(any_stalled_, false)) return;
  for (auto& [id, c] : all_) {
    c.stalled = false;
    changed(c);
  }
}

}  // namespace holdfast
