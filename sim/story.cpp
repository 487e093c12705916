#include "sim/story.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace holdfast::sim {

void story::tell(std::uint64_t now_ns, const char* what, std::string_view who,
                 const message_key& key, std::uint64_t a, std::uint64_t b) {
  fold(now_ns);
  fold(reinterpret_cast<const std::byte*>(what), std::strlen(what));
  fold(reinterpret_cast<const std::byte*>(who.data()), who.size());
  for (const std::uint64_t v : {key.number ^ (std::uint64_t{key.producer} << 48), a, b}) fold(v);
  if (events_.size() == events_max) events_.pop_front();
  events_.push_back({now_ns, what, std::string(who), key, a, b});
}

void story::fold(const std::byte* data, std::size_t size) noexcept {
  fold(size);
  std::uint64_t word = 0;
  for (; size >= 8; data += 8, size -= 8) {
    std::memcpy(&word, data, 8);
    fold(word);
  }
  word = 0;
  std::memcpy(&word, data, size);
  fold(word);
}

std::string story::line(const event& e) {
  char time[32];
  std::snprintf(time, sizeof time, "%12.6f  ", static_cast<double>(e.now_ns) / 1e9);
  std::string text = time + e.who + ": " + e.what;
  if (e.key.producer != 0) text += " " + to_text(e.key);
  if (e.a != 0 || e.b != 0) text += " " + std::to_string(e.a);
  if (e.b != 0) text += " " + std::to_string(e.b);
  return text + "\n";
}

std::string story::about(const message_key& key) const {
  std::string text;
  for (const event& e : events_) {
    const bool same = e.key == key;
    const bool its_maker = e.key.producer == key.producer && e.key.number == 0;
    if (same || e.key.producer == 0 || its_maker) text += line(e);
  }
  return text;
}

std::string story::tail(std::size_t count) const {
  std::string text;
  const std::size_t from = events_.size() - std::min(count, events_.size());
  for (std::size_t i = from; i < events_.size(); ++i) text += line(events_[i]);
  return text;
}

}  // namespace holdfast::sim
