// exchange: requests of one device asked at another: made here and answered far away (--rep), or
// made far away and answered by workers here (--worker). The two differ in which end is which.
//
// A request is asked under an id that follows from its own id and number, so that asking again,
// after any crash, brings the one execution's reply. The reply stays stored where it was asked
// until it is durable where it is wanted; only then is it closed there. So nothing is kept here
// that matters. An id whose reply is closed all the same (410: both ends went on without this one)
// is asked once more under another: a second execution rather than none.
#pragma once

#include <map>
#include <optional>

#include "devices/sidecar/bridge.hpp"
#include "devices/sidecar/complaint.hpp"
#include "holdfast/reqrep.hpp"

namespace holdfast {

class exchange final : public bridge {
 public:
  /// `here`: the workers are; requests are taken only while there are some.
  exchange(bridge_options options, replier_options from, requester to, bool here);

  status run(int stop) override;

 private:
  using request_key = std::pair<std::uint64_t, request_id>;  // sequence, id: where it was made

  struct asked {
    received_request request;  // as it came last
    request_ticket ticket;
    request_id id{};         // it is asked with
    std::uint64_t salt = 0;  // which id
    bool sent = false;
    bool answered = false;  // given to `from_`, in the session the request came in
    std::optional<received_reply> reply;
    std::uint64_t since_ns = 0;  // when it came the first time
    std::uint64_t lost_ns = 0;   // 0, or since when the reply has nobody who takes it
  };

  status turn(std::uint64_t now);
  status take_replies(std::uint64_t now);
  status close_answered(std::uint64_t now);
  status take_requests(std::uint64_t now);
  status ask(const request_key& key, asked& one, std::uint64_t now);
  void on_reply(const request_key& key, received_reply reply, std::uint64_t now);
  void answer(asked& one, std::uint64_t now);
  void give_up(const request_key& key, std::uint64_t now, const std::string& reason);
  status sweep(std::uint64_t now);
  status look_for_workers(std::uint64_t now);
  void drop(const request_key& key);
  milliseconds time_left(const asked& one) const;
  void wait(int stop);
  void tell(std::uint64_t now);

  bridge_options options_;
  replier_options from_options_;
  std::optional<replier> from_;
  requester to_;
  const bool here_;
  std::map<request_key, asked> open_;
  std::map<request_id, request_key> by_id_;
  bool blocked_ = false;  // one could not be asked yet
  std::uint64_t unclosed_ = 0;
  std::uint64_t swept_ns_ = 0, looked_ns_ = 0, alone_since_ns_ = 0, told_ns_ = 0;
  bridge_report report_;
  complaint failed_;
};

}  // namespace holdfast
