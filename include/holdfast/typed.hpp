// typed: values instead of bytes, over any endpoint. A value is the last part of its message; parts
// before it (a topic, a header) are yours.
//
//   holdfast::typed out(std::move(producer));       // or a worker, publisher, subscriber, ...
//   out.send(point{1, 2});                          // as producer.send()
//   auto got = in.receive<point>();                 // as worker.receive()
//   if (got && got->value) use(*got->value);
//   if (got) in->ack(got->message);
//
// How a type becomes bytes is said by a specialisation of serializer<T>; <holdfast/msgpack.hpp> has
// one for every type with MSGPACK_DEFINE.
//
// Contract: the endpoint's own (threads, waiting, errors), plus errc::schema where a value cannot
// be encoded or decoded. A message that cannot be decoded is handed over all the same, so that it
// can be rejected or kept: nothing is lost. A typed object itself is used by one thread at a time:
// it reuses the memory it encodes into.
#pragma once

#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "holdfast/message.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

/// To be specialised for T:
///   static status encode(const T& value, std::vector<std::byte>& into);  // appends
///   static result<T> decode(part_view bytes);
/// Neither throws.
template <class T>
struct serializer;

template <class T>
concept serializable = requires(const T& value, std::vector<std::byte>& into, part_view bytes) {
  { serializer<T>::encode(value, into) } -> std::same_as<status>;
  { serializer<T>::decode(bytes) } -> std::same_as<result<T>>;
};

/// A received message and what it means.
template <class T, class Message>
struct received {
  Message message;  ///< as the endpoint gave it: to ack, to reject, to look at
  result<T> value;  ///< errc::schema when the message's last part is no T
};

template <class Endpoint>
class typed {
 public:
  explicit typed(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

  /// The endpoint itself: ack, flush, fd, close, ...
  Endpoint& operator*() noexcept { return endpoint_; }
  Endpoint* operator->() noexcept { return &endpoint_; }

  /// Sends a message with `value` as its only part. `rest`: what the endpoint's send() takes after
  /// the parts (a timeout). Returns what that returns.
  template <serializable T, class... Rest>
  auto send(const T& value, Rest&&... rest) {
    return send(std::span<const part_view>{}, value, std::forward<Rest>(rest)...);
  }
  /// Parts before the value: send({as_part("topic")}, value).
  template <serializable T, class... Rest>
  auto send(std::initializer_list<part_view> before, const T& value, Rest&&... rest) {
    return send(std::span<const part_view>(before.begin(), before.size()), value,
                std::forward<Rest>(rest)...);
  }
  template <serializable T, class... Rest>
  auto send(std::span<const part_view> before, const T& value, Rest&&... rest) {
    using outcome = decltype(endpoint_.send(before, std::forward<Rest>(rest)...));
    bytes_.clear();
    if (status made = serializer<T>::encode(value, bytes_); !made) return outcome(std::move(made));
    parts_.assign(before.begin(), before.end());
    parts_.push_back(bytes_);
    return endpoint_.send(std::span<const part_view>(parts_), std::forward<Rest>(rest)...);
  }

  /// The next message, decoded. `rest`: what the endpoint's receive() takes (a timeout).
  template <serializable T, class... Rest>
  auto receive(Rest&&... rest) {
    auto got = endpoint_.receive(std::forward<Rest>(rest)...);
    using message = std::remove_cvref_t<decltype(*got)>;
    using outcome = result<received<T, message>>;
    if (!got) return outcome(got.take_status());
    result<T> value = value_of<T>(*got);
    return outcome(received<T, message>{std::move(got).value(), std::move(value)});
  }

  /// The value of a message received otherwise (of a batch, a reply).
  template <serializable T, class Message>
  static result<T> value_of(const Message& message) {
    const message_view& parts = message.parts();
    return serializer<T>::decode(parts[parts.size() - 1]);
  }

 private:
  Endpoint endpoint_;
  std::vector<std::byte> bytes_;
  std::vector<part_view> parts_;
};

}  // namespace holdfast
