// simulated_orders: tries a handler that charges orders against redelivery, crashes and cuts, by
// seed. The first one charges an order again when its process is killed between its commit and its
// ack, or when its lease runs out; the mended one looks first. Its charge is its own proof, as both
// are one commit.
#include <iostream>
#include <string>

#include <holdfast/sim.hpp>

namespace simulated = holdfast::simulated;
using simulated::handled;

namespace {

constexpr std::uint64_t orders = 50;

int charges(const std::optional<std::string>& text) {
  return text ? std::stoi(*text) : 0;
}

handled charge(const holdfast::delivery& order, simulated::process& self) {
  const int so_far = charges(self.disk().get(order.text()));
  self.disk().put(order.text(), std::to_string(so_far + 1));
  self.disk().commit();
  return handled::ack();
}

handled charge_once(const holdfast::delivery& order, simulated::process& self) {
  return self.disk().get(order.text()) ? handled::ack() : charge(order, self);
}

std::string order(std::uint64_t n) {
  return "order " + std::to_string(n);
}

std::optional<simulated::flaw> each_charged_once(const simulated::contents& kept) {
  for (std::uint64_t n = 1; n <= orders; ++n) {
    const auto at = kept.find(order(n));
    const int times = at == kept.end() ? 0 : std::stoi(at->second);
    if (times != 1)
      return simulated::flaw{order(n) + " was charged " + std::to_string(times) + " times", n};
  }
  return {};
}

/// Two processes of the handler share one queue and one store.
holdfast::simulation shop(const simulated::handler& handler) {
  return holdfast::simulation([handler](simulated::world& world) {
    world.send(orders, [](std::uint64_t n) { return simulated::parts{order(n)}; });
    world.add_worker(handler);
    world.add_worker(handler);
    world.at_end([&world] { return each_charged_once(world.committed()); });
  });
}

}  // namespace

int main() {
  const simulated::outcome naive = shop(charge).search(500);
  std::cout << "charge:\n" << to_text(naive) << '\n';
  const simulated::outcome mended = shop(charge_once).search(500);
  std::cout << "charge_once:\n" << to_text(mended);
  return !naive.passed && naive.by == "handler" && mended.passed ? 0 : 1;
}
