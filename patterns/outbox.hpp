// outbox: the producer's end of one stream. It numbers messages, packs them into blocks, keeps
// every block until the device has accepted it, and goes back when the device asks. The table is
// docs/wire_protocol.md, 1.5.
//
// Contract: sans-IO; the caller serialises calls (the application submits, the session drives the
// rest). A message is in the outbox once submit() says so, and leaves it accepted, or refused for
// good and reported. Numbers are the application's: dense, from 1 (or from where a named producer
// left off), never reused. Data is never sent again on a timer. Limits: window_messages and
// window_bytes unaccepted (the smaller of these options and the device's WELCOME); with nothing
// outstanding one permitted message always passes.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "patterns/block.hpp"
#include "patterns/client_stream.hpp"

namespace holdfast {

struct outbox_options {
  std::string address;  ///< empty: the channel's default
  level need = level::disk;
  bool named = false;  ///< a named producer's numbers go on from its last run: known once attached
  bool renumber = true;  ///< false: a device that has forgotten this producer is a failure (stale)
  std::uint32_t window_messages = 65'536;
  std::uint64_t window_bytes = 16ull << 20;
  std::uint64_t max_message = 256ull << 20;  ///< bytes; the device's limit applies once known
};

/// A message the device will never take. Its number stays, void.
struct rejection {
  std::uint64_t number = 0;
  errc code{};
  std::string text;
};

class outbox final : public client_stream {
 public:
  explicit outbox(outbox_options options)
      : options_(std::move(options)), numbered_(!options_.named) {}

  /// Takes a message and gives its number. would_block: the window is full, or the numbers are not
  /// known yet; too_large, invalid: never. `time_ns`: the sender's clock.
  result<std::uint64_t> submit(std::span<const bytes_view> parts, std::uint64_t time_ns);
  /// As submit(), for a restarted program that makes the same messages again: a number the device
  /// or the outbox already has is taken as done; one that would leave a hole is `invalid`.
  result<std::uint64_t> submit_at(std::uint64_t number, std::span<const bytes_view> parts,
                                  std::uint64_t time_ns);
  /// As submit_at(), for a number that has no message: an entry nobody receives holds its place.
  result<std::uint64_t> submit_void(std::uint64_t number, std::string_view reason,
                                    std::uint64_t time_ns);

  /// All up to this number are accepted (or were refused for good).
  std::uint64_t accepted_through() const noexcept { return accepted_; }
  /// Number of the next message submitted; 0 while not known.
  std::uint64_t next_number() const noexcept { return numbered_ ? next_ : 0; }
  std::uint64_t outstanding() const noexcept { return next_ - 1 - accepted_; }
  level effective_level() const noexcept { return effective_; }
  std::vector<rejection> take_rejections() { return std::exchange(rejections_, {}); }
  std::size_t rejections() const noexcept { return rejections_.size(); }
  const rejection& first_rejection() const { return rejections_.front(); }
  /// Why nothing will ever be accepted here; ok while it may.
  const status& failure() const noexcept { return failure_; }
  /// True when next() has something to send: worth waking whoever drives the session.
  bool wants_to_send() const noexcept;

  attach request() const override;
  void on_attached(const attached& f, const welcome& limits, instant at) override;
  void on_attach_refused(const attach_refused& f) override;
  void on_session_lost() override;
  bool on_frame(const client_input& in, instant at) override;
  void on_tick(instant at) override;
  bool next(client_frame& out, std::uint32_t session, instant at) override;
  std::uint64_t next_deadline() const override;

 private:
  struct pending {
    sealed_block block;
    std::uint64_t first = 0;
    std::uint64_t end() const noexcept { return first + block.count; }
  };

  status follows(std::uint64_t number) const;
  bool admits(std::uint64_t bytes, std::size_t parts) const noexcept;
  status why_not(std::uint64_t bytes, std::size_t parts) const;
  void seal();
  std::uint64_t wire(std::uint64_t number) const noexcept { return number - shift_; }
  void renumber(const attached& f);
  void accept_through(std::uint64_t number, instant at);
  void go_to(std::uint64_t number);
  void split(std::size_t index, std::uint64_t number);
  bool on_refuse(const refuse& f, instant at);
  void reject(std::size_t index, const refuse& f);
  bool unsent() const noexcept { return sent_ < next_; }

  outbox_options options_;
  block_packer packer_;
  std::deque<pending> blocks_;  // sealed, unaccepted, in order
  std::vector<rejection> rejections_;
  status failure_;
  stream_id stream_ = no_stream;  // 0: no session
  level effective_ = level::disk;
  std::uint64_t next_ = 1;        // to be given to the next message
  std::uint64_t accepted_ = 0;    // all up to here
  std::uint64_t sent_ = 1;        // the next to send
  std::uint64_t high_ = 1;        // the highest sent_ ever was
  std::uint64_t shift_ = 0;       // application's number - number on the wire
  std::uint64_t bytes_ = 0;       // of blocks_
  std::size_t at_ = 0;            // index in blocks_ of the block that begins at sent_
  std::uint64_t probe_mark_ = 0;  // sent_ when the last PROBE left
  std::uint64_t probe_ns_ = 2 * second_ns, probe_at_ns_ = never_ns;
  bool numbered_;       // the next number is known
  bool held_ = false;   // until RESUME
  bool probe_ = false;  // PROBE is to be sent
};

}  // namespace holdfast
