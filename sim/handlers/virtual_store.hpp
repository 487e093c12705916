// virtual_store: one process's view of the store that all processes of a simulated world share.
//
// Contract: as simulated::store. What was not committed is gone with this object. `may_die` is
// called where the process may be killed, and may throw.
#pragma once

#include <functional>

#include "holdfast/sim.hpp"

namespace holdfast::sim {

class virtual_store final : public simulated::store {
 public:
  virtual_store(simulated::contents& shared, std::function<void()> may_die)
      : shared_(shared), may_die_(std::move(may_die)) {}

  std::optional<std::string> get(std::string_view key) const override;
  void put(std::string_view key, std::string value) override;
  void erase(std::string_view key) override;
  void commit() override;

 private:
  simulated::contents& shared_;
  std::function<void()> may_die_;
  std::map<std::string, std::optional<std::string>, std::less<>> changes_;  // none: erased
};

}  // namespace holdfast::sim
