// arena: memory in which a whole world of objects lives, so that it can be copied and put back as
// it was: a state is one memcpy, whatever the classes in it hold.
//
// Contract: while an arena::scope exists, operator new of this program takes from the arena; what
// was made so must be dropped inside a scope too, or not at all. put_back() makes every object in
// the arena what it was at the snapshot, so nothing outside may hold on to something newer. One
// thread. Programs with sanitizers keep their own operator new: available() is false there, and
// whoever explores reaches a state again by repeating its path.
#pragma once

#include <cstddef>
#include <vector>

namespace holdfast::arena {

inline constexpr std::size_t bytes_max = 8u << 20;

bool available() noexcept;
/// Everything in the arena is forgotten, undestroyed.
void clear() noexcept;
void snapshot(std::vector<std::byte>& into);
void put_back(const std::vector<std::byte>& from) noexcept;

class scope {
 public:
  scope() noexcept;
  ~scope();
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;

 private:
  bool before_;
};

}  // namespace holdfast::arena
