// Opening a device: options checked, journal opened and replayed, sockets bound.
#include <algorithm>

#include "base/random.hpp"
#include "devices/logging.hpp"
#include "devices/loop/channel_kind.hpp"
#include "devices/loop/device_parts.hpp"
#include "journal/open.hpp"

namespace holdfast {
namespace {

/// An entry's head, part lengths and properties beside a message's bytes.
constexpr std::uint64_t record_overhead = 1 << 20;
/// ZMTP pings on reliable sockets: half-open connections are noticed.
constexpr int transport_heartbeat_ms = 5000;

status named(const device_options& of, status outcome) {
  if (outcome) return outcome;
  return {outcome.kind(), "device '" + of.name + "': " + std::string(outcome.text())};
}

}  // namespace

status device_loop::parts::check_options() const {
  if (options.data.empty()) return {errc::invalid, "no data directory is given"};
  if (options.channels.empty()) return {errc::invalid, "it has no channels"};
  for (const channel_options& c : options.channels) {
    const std::string who = "channel '" + c.settings().name + "': ";
    if (c.settings().max_message > message_bytes_hard_max)
      return {errc::invalid, who + "max_message is beyond 1 GiB"};
    const bool sends_ids = std::any_of(c.out.begin(), c.out.end(), [](const plain_output& o) {
      return o.peers == plain_tracking::ack_back;
    });
    if (sends_ids != !c.ack_back.empty())
      return {errc::invalid, who +
                                 "ack_back needs both an output with peers: ack_back and the "
                                 "endpoint that takes the ids back"};
  }
  return {};
}

status device_loop::parts::open_journal_in_data() {
  journal_options o;
  o.segment_bytes = options.segment_bytes;
  o.disk_limit = options.disk_limit_bytes;
  o.memory_budget = options.memory_bytes;
  o.zero_copy = options.zero_copy;
  o.cut_block = cut_body;
  std::uint64_t max_message = 0;
  for (const channel_options& c : options.channels) {
    const channel_settings& common = c.settings();
    max_message = std::max(max_message, common.max_message);
    o.reserve_segments = std::max(o.reserve_segments, kind_of(c).reserve_segments);
    if (common.durability == level::interval)
      o.interval_ms = std::min(o.interval_ms, common.interval_ms);
  }
  o.record_bytes_max = max_message + record_overhead;
  auto made = open_journal(options.data, std::move(o), opened);
  for (const std::string& note : opened.notes) log_warning(options.name + ": " + note);
  if (!made) return made.take_status();
  records = std::move(made).value();
  checkpoints = std::make_unique<journal_checkpoints>(*records);
  core = std::make_unique<engine>(*records, names, *this, checkpoints.get(),
                                  options.checkpoint_slice_bytes);
  return {};
}

status device_loop::parts::add_channels() {
  for (const channel_options& c : options.channels)
    core->add_channel(c.settings().name, make_channel(c, names, system_seed()));
  return {};
}

status device_loop::parts::restore() {
  core->restore(records->checkpoint_rows());
  return records->replay([this](std::span<const record_view> batch) { core->replay(batch); });
}

status device_loop::parts::open_ports() {
  const bool gated =
      std::any_of(options.channels.begin(), options.channels.end(), [](const channel_options& c) {
        const socket_kind kind = kind_of(c).out;
        return std::any_of(c.out.begin(), c.out.end(), [kind](const plain_output& o) {
          return output_port::needs_gate(o, kind);
        });
      });
  if (gated) {
    auto made = gate::open();
    if (!made) return made.take_status();
    doors = std::make_unique<gate>(std::move(*made));
  }
  for (std::uint32_t i = 0; i < options.channels.size(); ++i)
    if (status outcome = open_channel_ports(i, options.channels[i]); !outcome) return outcome;
  if (!options.admin) return {};
  auto made = admin_port::open(*zmq, options.data);
  if (!made) return made.take_status();
  admin = std::move(made).value();
  return {};
}

stream_id device_loop::parts::stream_at(std::uint32_t channel, const std::string& address) {
  const std::string_view wanted =
      address.empty() ? default_address(options.channels[channel]) : address;
  return core->stream_of(channel, wanted);
}

status device_loop::parts::open_channel_ports(std::uint32_t channel, const channel_options& c) {
  const channel_kind& kind = kind_of(c);
  status outcome;
  for (const plain_input& in : c.in) {
    if (kind.in == socket_kind::router) {
      if (outcome = open_router(channel, in, door::plain); !outcome) return outcome;
      continue;
    }
    auto made = input_port::open(*zmq, in, kind.in, channel, c.settings().max_message);
    if (!made) return made.take_status();
    inputs.push_back(std::move(made).value());
    inputs.back()->set_stream(stream_at(channel, in.address));
  }
  for (const plain_output& out : c.out) {
    auto made = output_port::open(*zmq, out, kind.out, channel, c.settings().max_message,
                                  outputs.size(), doors.get(), next_peer);
    if (!made) return made.take_status();
    outputs.push_back(std::move(made).value());
  }
  for (const std::string& where : c.reliable)
    if (outcome = open_router(channel, {where, {}}, door::hfp); !outcome) return outcome;
  for (const plain_input& at : c.workers)
    if (outcome = open_router(channel, at, door::ready); !outcome) return outcome;
  for (const plain_input& at : c.mdp)
    if (outcome = open_router(channel, at, door::mdp); !outcome) return outcome;
  return c.ack_back.empty() ? status{} : open_ack_back(channel, c.ack_back);
}

status device_loop::parts::open_router(std::uint32_t channel, const plain_input& at, door speaks) {
  router_port::terms bounds;
  bounds.speaks = speaks;
  bounds.max_message = options.channels[channel].settings().max_message;
  bounds.session_bytes = options.session_send_bytes;
  bounds.heartbeat_ms = transport_heartbeat_ms;
  bounds.receive_hwm_messages = static_cast<int>(at.receive_hwm_messages);
  auto made = router_port::open(*zmq, at.endpoint, channel, bounds, next_peer);
  if (!made) return made.take_status();
  routers.push_back(std::move(made).value());
  if (speaks != door::hfp) routers.back()->set_stream(stream_at(channel, at.address));
  return {};
}

status device_loop::parts::open_ack_back(std::uint32_t channel, const std::string& where) {
  auto parsed = parse_endpoint(where, endpoint_role::bind);
  if (!parsed) return parsed.take_status();
  socket_options o;
  o.max_part = 64 * 1024;
  auto opened_socket = socket::open(*zmq, socket_kind::pull, o);
  if (!opened_socket) return opened_socket.take_status();
  ack_back_port made;
  made.in = std::move(*opened_socket);
  made.channel = channel;
  if (status outcome = made.in.attach(*parsed); !outcome) return outcome;
  made.actual = parsed->binds() ? made.in.last_endpoint() : parsed->address;
  ack_backs.push_back(std::move(made));
  return {};
}

void device_loop::parts::start() {
  const instant at = system_now();
  started_ns = at.now_ns;
  for (auto& out : outputs)
    out->start(*core, stream_at(out->channel(), out->options().address), at);
}

result<std::unique_ptr<device_loop>> device_loop::open(const context& in, device_options options) {
  auto made = std::make_unique<parts>(std::move(options));
  made->zmq = &in;
  status outcome = made->check_options();
  if (outcome) outcome = made->open_journal_in_data();
  if (outcome) outcome = made->add_channels();
  if (outcome) outcome = made->restore();
  if (outcome) made->core->start(system_now(), forgotten_by(made->opened));
  if (outcome) outcome = made->open_ports();
  if (!outcome) return named(made->options, std::move(outcome));
  made->start();
  return std::unique_ptr<device_loop>(new device_loop(std::move(made)));
}

}  // namespace holdfast
