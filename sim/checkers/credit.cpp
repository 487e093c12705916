// Credit is conserved: in a session no more messages are delivered than CREDIT granted; where whole
// blocks were allowed, the last may exceed it. Reads two frames as docs/wire_protocol.md lays them
// out, and nothing of the product.
#include <algorithm>
#include <cstring>

#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

constexpr std::byte credit_type{32}, deliver_type{33};

template <class T>
T number(const frame_seen& f, std::size_t at) {
  T value{};
  if (at + sizeof value <= f.size) std::memcpy(&value, f.head + at, sizeof value);
  return value;
}

class credit_conserved final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "credit"; }

  void on_frame(const frame_seen& f) override {
    if (f.size < 24 || f.head[0] != std::byte{'H'} || f.head[1] != std::byte{'F'}) return;
    if (f.to_device ? f.head[3] != credit_type : f.head[3] != deliver_type) return;
    account_of& a = accounts_[{f.line, number<std::uint32_t>(f, 4), number<std::uint32_t>(f, 8)}];
    if (f.to_device) {
      a.granted = std::max(a.granted, number<std::uint64_t>(f, 16));
      a.whole = (f.head[12] & std::byte{1}) != std::byte{0};
      return;
    }
    const auto count = number<std::uint16_t>(f, 12);
    if (a.delivered >= a.granted || (!a.whole && a.delivered + count > a.granted))
      fail("delivered " + std::to_string(count) + " messages beside " +
               std::to_string(a.delivered) + ", with a credit of " + std::to_string(a.granted),
           {}, f.now_ns);
    a.delivered += count;
  }

 private:
  struct line_of {
    std::uint64_t line = 0;
    std::uint32_t session = 0, stream = 0;
    auto operator<=>(const line_of&) const = default;
  };
  struct account_of {
    std::uint64_t granted = 0, delivered = 0;
    bool whole = false;
  };
  std::map<line_of, account_of> accounts_;
};

}  // namespace

std::unique_ptr<checker> make_credit(judge& to) {
  return std::make_unique<credit_conserved>(to);
}

}  // namespace holdfast::sim
