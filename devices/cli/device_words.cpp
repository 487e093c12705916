#include "devices/cli/device_words.hpp"

#include "devices/cli/report.hpp"
#include "devices/config/config.hpp"
#include "devices/config/endpoint_words.hpp"
#include "devices/config/nearest.hpp"

namespace holdfast::cli {
namespace {

result<plain_tracking> parse_peers(const endpoint_words& words, const std::string& text) {
  std::vector<std::string_view> known;
  for (const auto& [word, tracking] : words.peers) {
    if (word == text) return tracking;
    known.push_back(word);
  }
  return status{errc::invalid, "'" + text + "' is no kind of peers" + suggestion(text, known)};
}

std::string help_of_peers(const endpoint_words& words) {
  std::string help = "How plain receivers are tracked: ";
  for (std::size_t i = 0; i < words.peers.size(); ++i)
    help.append(i == 0 ? "" : ", ").append(words.peers[i].first).append(i == 0 ? " (default)" : "");
  return help;
}

result<std::uint64_t> parse_message_limit(const std::string& text) {
  auto bytes = parse_bytes(text);
  if (bytes && (*bytes == 0 || *bytes > 1ull << 30))
    return status{errc::invalid, "'" + text + "' is out of bounds (1 to 1GiB)"};
  return bytes;
}

}  // namespace

void add_limits(CLI::App& app, device_options& device) {
  channel_settings& options = device.channels[0].settings();
  parsed_option(
      app, "--durability", "disk (default), process or interval:50ms",
      [](const std::string& text) { return parse_durability(text); },
      [&options](const durability_setting& level) {
        options.durability = level.need;
        options.interval_ms = level.interval_ms;
      });
  parsed_option(app, "--max-message", "Largest message (default 256MiB, at most 1GiB)",
                parse_message_limit,
                [&options](std::uint64_t bytes) { options.max_message = bytes; });
  parsed_option(
      app, "--disk-limit", "Most the journal may take (default: all there is)",
      [](const std::string& text) { return parse_bytes(text); },
      [&device](std::uint64_t bytes) { device.disk_limit_bytes = bytes; });
}

taken take_device(device_words& words) {
  device_options& device = words.args.device;
  channel_options& channel = words.channel();
  if (!words.name.empty()) channel.settings().name = words.name;
  device.name = channel.settings().name;
  for (const std::string& endpoint : words.in) channel.in.emplace_back().endpoint = endpoint;
  for (const std::string& endpoint : words.out) {
    plain_output& out = channel.out.emplace_back();
    out.endpoint = endpoint;
    out.peers = words.peers;
    out.durable = words.durable;
  }
  if (const status holds = check_devices({device}); !holds) return fail(holds);
  return command(words.args);
}

void add_device_options(CLI::App& app, device_words& words, const endpoint_help& help) {
  device_options& device = words.args.device;
  const endpoint_words& spoken = words_of(words.channel().pattern);
  app.add_option("--data", device.data, "Directory of the journal")->required();
  app.add_option("--in", words.in, help.in);
  app.add_option("--out", words.out, help.out);
  app.add_option("--reliable", words.channel().reliable, "Endpoint for reliable peers (HFP/1)");
  app.add_option("--name", words.name, "Name of the device and its channel");
  if (spoken.peers.size() > 1)
    parsed_option(
        app, "--peers", help_of_peers(spoken).c_str(),
        [&spoken](const std::string& text) { return parse_peers(spoken, text); },
        [&words](plain_tracking peers) { words.peers = peers; });
  add_limits(app, device);
  add_log_level(app, words.args.log_level);
}

}  // namespace holdfast::cli
