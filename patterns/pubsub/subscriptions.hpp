// subscriptions: those of one channel, found by number, by durable name and by session, and which
// of them are to be looked at.
//
// Contract: one thread. Numbers are never reused in the life of a journal; a token names a
// subscription and its present taker. Whoever changes a subscription marks it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "patterns/pubsub/subscription.hpp"

namespace holdfast {

class subscriptions {
 public:
  /// `kind` "durable" for those with a name, which must be new.
  subscription& add(const std::string& kind, const std::string& name, std::uint64_t born,
                    std::uint64_t since_ns, const std::vector<std::string>& prefixes) {
    return add(next_number_, kind, name, born, since_ns, prefixes);
  }
  /// As the journal knows it.
  subscription& add(std::uint32_t number, const std::string& kind, const std::string& name,
                    std::uint64_t born, std::uint64_t since_ns,
                    const std::vector<std::string>& prefixes) {
    next_number_ = std::max(next_number_, number + 1);
    const bool durable = !name.empty();
    subscription& made =
        all_.try_emplace(number, number, kind, name, born, since_ns, prefixes).first->second;
    if (durable) by_name_[made.name()] = number;
    return made;
  }
  void erase(std::uint32_t number) {
    const auto at = all_.find(number);
    if (at == all_.end()) return;
    unbind(at->second);
    by_name_.erase(at->second.name());
    all_.erase(at);
  }

  subscription* find(std::uint32_t number) noexcept {
    const auto at = all_.find(number);
    return at == all_.end() ? nullptr : &at->second;
  }
  subscription* find_name(const std::string& name) noexcept {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : find(at->second);
  }
  /// The one this token was given to, if its taker is still the same.
  subscription* find_token(std::uint64_t token) noexcept {
    subscription* s = find(static_cast<std::uint32_t>(token));
    return s && s->attached() && s->token() == token ? s : nullptr;
  }
  subscription* of_session(std::uint32_t session) noexcept {
    const auto at = by_session_.find(session);
    return at == by_session_.end() ? nullptr : find(at->second);
  }
  std::size_t named() const noexcept { return by_name_.size(); }
  std::uint32_t next_number() const noexcept { return next_number_; }
  void raise_number(std::uint32_t next) noexcept { next_number_ = std::max(next_number_, next); }

  void attach(subscription& s, taker who) {
    if (who.session != 0) by_session_[who.session] = s.number();
    s.attach(std::move(who));
    mark(s);
  }
  void detach(subscription& s) {
    unbind(s);
    if (s.attached()) s.detach();
  }

  void mark(subscription& s) {
    if (!std::exchange(s.dirty, true)) dirty_.push_back(s.number());
  }
  void mark_attached() {
    for (auto& [number, s] : all_)
      if (s.attached()) mark(s);
  }
  /// Calls `f(subscription)` for each that was marked since.
  template <class F>
  void take_marked(F&& f) {
    marked_.swap(dirty_);
    for (const std::uint32_t number : marked_)
      if (subscription* s = find(number)) {
        s->dirty = false;
        f(*s);
      }
    marked_.clear();
  }
  std::map<std::uint32_t, subscription>& all() noexcept { return all_; }
  const std::map<std::uint32_t, subscription>& all() const noexcept { return all_; }

 private:
  void unbind(const subscription& s) {
    if (s.attached() && s.to().session != 0) by_session_.erase(s.to().session);
  }

  std::map<std::uint32_t, subscription> all_;
  std::unordered_map<std::string, std::uint32_t> by_name_;
  std::unordered_map<std::uint32_t, std::uint32_t> by_session_;
  std::vector<std::uint32_t> dirty_, marked_;
  std::uint32_t next_number_ = 1;
};

}  // namespace holdfast
