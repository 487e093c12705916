// wire_line: a line that reads and writes its connection itself, as ZMTP lies on the wire: a block
// leaves from where it was packed, and is received into the memory that it stays in.
//
// Contract: line's. It connects once; who is not there, or gone, makes it unreachable. Frames wait
// with the caller until the handshake is done, and while about half a megabyte is on its way.
#pragma once

#include <optional>
#include <string>

#include "devices/endpoints/line.hpp"
#include "devices/zmtp/connection.hpp"

namespace holdfast {

class wire_line final : public line {
 public:
  wire_line(const std::string& address, std::uint64_t max_message);
  ~wire_line() override;

  int fd() const noexcept override { return wire_ ? wire_->get() : -1; }
  bool waits_to_write() const noexcept override { return wire_ && !wire_->out().empty(); }
  void rouse() noexcept override;
  outcome send(std::span<const part_out> parts) override;
  outcome flush() override;
  outcome receive(std::vector<buffer_ref>& parts) override;
  void linger(int ms) noexcept override;

 private:
  std::optional<zmtp::connection> wire_;  // empty: it could not even begin
};

}  // namespace holdfast
