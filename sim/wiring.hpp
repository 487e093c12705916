// wiring: a session_client on a virtual line: what the driver of an endpoint does with sockets and
// a clock.
//
// Contract: one thread. `after` is called once whatever came has been taken in, so that the
// application may look. Destroying it closes the line without a word, as when a process is killed.
#pragma once

#include <functional>

#include "patterns/session/session_client.hpp"
#include "sim/application.hpp"

namespace holdfast::sim {

/// How an application is connected, and what its clock is worth.
struct connection {
  socket_id to;
  session_client_options session;
  std::int32_t drift_ppm = 0;
};

class wiring {
 public:
  wiring(connection how, surroundings in, std::uint64_t seed);
  ~wiring();
  wiring(const wiring&) = delete;
  wiring& operator=(const wiring&) = delete;

  session_client& session() noexcept { return client_; }
  void start();
  /// Sends what there is to send and sets the timer again. To be called after the application did
  /// something.
  void pump();
  /// Takes nothing in and does nothing for a while: a process that is stopped.
  void pause(std::uint64_t for_ns);
  bool paused() const noexcept { return in_.time.now() < paused_until_; }
  std::uint64_t paused_until() const noexcept { return paused_until_; }

  /// As the process's clocks show it.
  instant at() const noexcept { return clock_.at(); }
  /// When the device let go of the frame taken in last.
  std::uint64_t left_ns() const noexcept { return left_ns_; }
  std::function<void()> after;
  /// Sees every frame before the session does; `left_ns`: when the device let go of it.
  std::function<void(const multipart&, std::uint64_t left_ns)> before;

 private:
  void receive(multipart frame, std::uint64_t left_ns);
  void end();
  line_id open();
  void exchange();
  void wake();
  void show(const multipart& frame, bool to_device);

  surroundings in_;
  socket_id to_;
  process_clock clock_;
  session_client client_;
  line_id line_ = 0;
  std::uint64_t wake_at_ = never_ns;
  std::uint64_t paused_until_ = 0;
  std::uint64_t left_ns_ = 0;
  bool ended_ = false;  // the line; the session does not know yet
  std::vector<std::pair<multipart, std::uint64_t>> unread_;
  /// Events hold a weak reference: they may outlive this.
  std::shared_ptr<wiring*> self_;
};

/// A client_stream that passes everything on and tells of every ATTACHED.
template <class Stream>
class watched final : public client_stream {
 public:
  template <class... Args>
  explicit watched(Args&&... args) : inner(std::forward<Args>(args)...) {}
  attach request() const override { return inner.request(); }
  void on_attached(const attached& f, const welcome& limits, instant at) override {
    stream_epoch = f.stream_epoch;
    next_sequence = f.next_sequence;
    inner.on_attached(f, limits, at);
    ++attachments;
  }
  void on_attach_refused(const attach_refused& f) override { inner.on_attach_refused(f); }
  void on_session_lost() override { inner.on_session_lost(); }
  bool on_frame(const client_input& in, instant at) override { return inner.on_frame(in, at); }
  void on_tick(instant at) override { inner.on_tick(at); }
  bool next(client_frame& out, std::uint32_t session, instant at) override {
    return inner.next(out, session, at);
  }
  std::uint64_t next_deadline() const override { return inner.next_deadline(); }
  bool wants_new_session() const override { return inner.wants_new_session(); }

  Stream inner;
  std::uint32_t stream_epoch = 0;
  std::uint64_t next_sequence = 0;
  std::uint64_t attachments = 0;
};

}  // namespace holdfast::sim
