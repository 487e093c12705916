// status and result<T>: how every Holdfast call reports an expected failure.
//
// Contract: a status is a value; success carries no allocation. A failed status names what failed,
// on which object, why, and what to do next, in one sentence. Broken invariants do not come here:
// they abort. Threads: values, no sharing. Source: docs/architecture.md, "Errors".
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace holdfast {

/// Kinds of failure. The numbers are stable: they cross the wire in REFUSE frames
/// (docs/wire_protocol.md).
enum class errc : std::uint8_t {
  ok = 0,
  full = 1,                ///< a quota or the disk is full; transient
  expired = 2,             ///< the message's deadline has passed
  too_large = 3,           ///< beyond max_message or another stated limit
  duplicate_conflict = 4,  ///< the same number with other content
  schema = 5,              ///< a serializer rejected the bytes
  io = 6,                  ///< the disk or a system call failed
  denied = 7,              ///< not allowed
  paused = 8,              ///< publishing or consuming is paused; transient
  fenced = 9,              ///< a newer instance with the same id took over
  stale = 10,              ///< an old session or epoch
  bad_frame = 11,          ///< bytes that break the protocol
  invalid = 20,            ///< an argument or option is wrong
  not_found = 21,          ///< no such object
  timeout = 22,            ///< the time allowed ran out; nothing was lost
  closed = 23,             ///< the object was closed
  corrupt = 24,            ///< stored bytes fail their checksum
  in_use = 25,             ///< somebody else holds it
  would_block = 26,        ///< not now; try again when readable
  unsupported = 27,        ///< a version or feature this build does not have
};

/// "full", "io", ...: the stable name of a kind.
std::string_view name(errc kind) noexcept;

/// Outcome of a call that can fail. Success is one null pointer.
class [[nodiscard]] status {
 public:
  status() noexcept = default;
  status(errc kind, std::string text)
      : failure_(std::make_unique<failure>(kind, std::move(text))) {}

  bool ok() const noexcept { return failure_ == nullptr; }
  explicit operator bool() const noexcept { return ok(); }
  errc kind() const noexcept { return failure_ ? failure_->kind : errc::ok; }
  /// Empty on success; else one sentence for a person.
  std::string_view text() const noexcept {
    return failure_ ? std::string_view(failure_->text) : std::string_view{};
  }
  status copy() const { return ok() ? status{} : status{failure_->kind, failure_->text}; }

 private:
  struct failure {
    failure(errc k, std::string t) : kind(k), text(std::move(t)) {}
    errc kind;
    std::string text;
  };
  std::unique_ptr<failure> failure_;
};

/// A value or the status that explains its absence. Reading the value of a failure is a broken
/// invariant (throws std::bad_variant_access, which nothing catches).
template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(status why) : state_(std::in_place_index<1>, std::move(why)) {}
  result(errc kind, std::string text) : result(status{kind, std::move(text)}) {}

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  errc kind() const noexcept { return ok() ? errc::ok : std::get<1>(state_).kind(); }
  std::string_view text() const noexcept {
    return ok() ? std::string_view{} : std::get<1>(state_).text();
  }
  /// The failure, moved out; success gives an ok status.
  status take_status() { return ok() ? status{} : std::move(std::get<1>(state_)); }

 private:
  std::variant<T, status> state_;
};

}  // namespace holdfast
