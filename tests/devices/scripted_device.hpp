// scripted_device: a ROUTER that says exactly what a test tells it to, to see what an endpoint
// does. It waits for frames up to 10 s, so a test that is wrong fails instead of hanging.
#pragma once

#include <string>
#include <vector>

#include "devices/transport/poller.hpp"
#include "devices/transport/socket.hpp"
#include "patterns/block.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {

class scripted_device {
 public:
  /// Opens a ROUTER in `in`. A wildcard TCP port is resolved: see address().
  scripted_device(const context& in, const std::string& where) {
    auto made = socket::open(in, socket_kind::router, {});
    REQUIRE(made);
    router_ = std::move(*made);
    REQUIRE(router_.bind({endpoint_role::bind, endpoint_transport::tcp, where}));
    poller_.add(router_);
  }
  std::string address() const { return router_.last_endpoint(); }

  struct frame {
    buffer_ref peer, head;
    std::vector<buffer_ref> parts;
    frame_prefix prefix;
  };

  /// The next frame that is no PING and no PROBE (a slow machine makes endpoints ask); pings are
  /// answered unless `silent`.
  frame next() {
    for (;;) {
      frame got = any();
      if (got.prefix.type == frame_type::probe) continue;
      if (got.prefix.type != frame_type::ping) return got;
      if (!silent) bare(frame_type::pong);
    }
  }
  frame expect(frame_type type) {
    frame got = next();
    CHECK_MESSAGE(got.prefix.type == type, "got frame type ", int(got.prefix.type), ", expected ",
                  int(type));
    return got;
  }
  /// True if a frame comes within `ms`.
  bool hears(std::uint64_t ms) { return poller_.wait(ms * ms_ns) && poller_.readable(0); }

  /// HELLO .. ATTACHED; answers with the next session number.
  hello open(attached with = {}) {
    const frame first = expect(frame_type::hello);
    const auto h = decode_hello(first.head.bytes());
    REQUIRE(h);
    welcome w;
    w.session = ++session_;
    w.epoch = 1;
    w.heartbeat_ms = h->heartbeat_ms;
    w.window_messages = window_messages;
    w.window_bytes = 16 << 20;
    w.max_message = 1 << 30;
    send(encode(session_, w));
    const auto a = decode_attach(expect(frame_type::attach).head.bytes());
    REQUIRE(a);
    with.request = a->request;
    with.stream = stream;
    send(encode(session_, with));
    return *h;
  }

  void send(const buffer_ref& head, const buffer_ref& body = {}) {
    part_out parts[3] = {{peer_.bytes()}, {head.bytes()}, {body.bytes(), &body}};
    REQUIRE(router_.send({parts, body ? 3u : 2u}) == io::done);
  }
  void bare(frame_type type) {
    small_head head;
    encode_bare(head, type, session_);
    send(copy_to_buffer(head.bytes()));
  }
  template <class F>
  void say(const F& f) {
    small_head head;
    encode(head, session_, f);
    send(copy_to_buffer(head.bytes()));
  }
  void accept_through(std::uint64_t number) { say(accept{stream, number, level::disk}); }

  /// Delivers messages of one part from `first` on; "(void)" is a void entry.
  void deliver_block(std::uint64_t first, const std::vector<std::string>& messages) {
    block_packer packer;
    for (const std::string& m : messages) {
      const bytes_view part = as_bytes_view(m.data(), m.size());
      if (m == "(void)")
        packer.add_void(0);
      else
        packer.add({&part, 1}, 0);
    }
    const sealed_block block = packer.seal();
    deliver f;
    f.stream = stream;
    f.first_sequence = first;
    f.count = block.count;
    f.whole = true;
    f.body_sum = block.body_sum;
    small_head head;
    encode(head, session_, f);
    send(copy_to_buffer(head.bytes()), block.body);
  }

  std::uint32_t session() const { return session_; }
  std::uint32_t window_messages = 65'536;
  bool silent = false;
  static constexpr stream_id stream = 3;

 private:
  frame any() {
    std::vector<buffer_ref> parts;
    for (;;) {
      if (router_.receive(parts, 1ull << 31) == io::done) break;
      REQUIRE_MESSAGE(hears(10'000), "the endpoint is silent");
    }
    REQUIRE(parts.size() >= 2);
    frame got{parts[0], parts[1], {parts.begin() + 2, parts.end()}, {}};
    peer_ = parts[0];
    const auto prefix = decode_prefix(got.head.bytes());
    REQUIRE(prefix);
    got.prefix = *prefix;
    return got;
  }

  socket router_;
  poller poller_;
  buffer_ref peer_;
  std::uint32_t session_ = 0;
};

}  // namespace holdfast
