// admin_port: the socket a device answers questions on: ipc://DIR/admin, for this machine alone.
//
// A REQ or DEALER peer sends one part, the request; it gets one part back, the answer (JSON). Where
// DIR is too long for a socket path (107 bytes), the socket has an abstract name that only this
// user's processes may connect to, and DIR/admin.path holds it.
//
// Contract: one thread. A request of more than 64 KiB, or of another shape, is thrown away.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "devices/transport/router.hpp"

namespace holdfast {

/// Where a device with this data directory answers: what a client connects to.
result<endpoint> admin_endpoint_of(const std::string& directory);

class admin_port {
 public:
  static result<std::unique_ptr<admin_port>> open(const context& in, const std::string& directory);

  /// Answers every request that is there, up to 16.
  void answer(const std::function<std::string(std::string_view request)>& how);
  const socket& raw() const noexcept { return router_.raw(); }
  const std::string& actual() const noexcept { return actual_; }

 private:
  peer_id next_peer_ = 1;
  router router_;
  std::string actual_;
  std::vector<buffer_ref> parts_;
};

}  // namespace holdfast
