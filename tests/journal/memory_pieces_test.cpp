// chunk_queue against std::deque, and slab_pool: what is held is never given out again.
#include <doctest/doctest.h>

#include <cstring>
#include <deque>
#include <memory>

#include "base/random.hpp"
#include "journal/chunk_queue.hpp"
#include "journal/slab_pool.hpp"

namespace holdfast::testing {
namespace {

TEST_CASE("a chunk queue is a queue: same elements, none left alive, none moved") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    random_source random(seed);
    const auto token = std::make_shared<int>(0);
    struct element {
      element(std::uint64_t of, std::shared_ptr<int> by) : value(of), alive(std::move(by)) {}
      std::uint64_t value;
      std::shared_ptr<int> alive;
      const element* self = nullptr;
    };
    std::deque<std::uint64_t> other;
    {
      chunk_queue<element, 8> one;
      for (int i = 0; i < 3000; ++i) {
        const bool grows = random.chance(i / 300 % 2 == 0 ? 70 : 30);
        if (grows || other.empty()) {
          element& made = one.emplace_back(random.next(), token);
          made.self = &made;
          other.push_back(made.value);
        } else {
          one.pop_front();
          other.pop_front();
        }
        if (random.chance(1)) one.give_back();
        REQUIRE(one.size() == other.size());
        REQUIRE(token.use_count() == static_cast<long>(1 + one.size()));
        if (other.empty()) continue;
        const std::size_t at = random.below(other.size());
        REQUIRE(one[at].value == other[at]);
        REQUIRE(one[at].self == &one[at]);
        REQUIRE(one.front().value == other.front());
        REQUIRE(one.back().value == other.back());
      }
    }
    CHECK(token.use_count() == 1);  // the queue is gone, and what was in it
  }
}

TEST_CASE("a slab that somebody holds is not given out again, and a free one is") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    random_source random(seed);
    slab_pool pool;
    std::deque<std::pair<buffer_ref, int>> held;
    std::byte* last = nullptr;
    std::size_t reused = 0;
    for (int i = 0; i < 500; ++i) {
      std::byte* const to = pool.next();
      reused += to == last;
      last = to;
      std::memset(to, i & 255, slab_pool::slab_bytes);
      if (random.chance(50)) held.emplace_back(pool.slice(0, slab_pool::slab_bytes), i & 255);
      while (!held.empty() && random.chance(40)) held.pop_front();
      if (random.chance(5)) pool.give_back();
      for (const auto& [slab, fill] : held)
        for (std::size_t at = 0; at < slab.size(); at += 4096)
          REQUIRE(slab.data()[at] == static_cast<std::byte>(fill));
    }
    CHECK(reused > 0);
  }
}

}  // namespace
}  // namespace holdfast::testing
