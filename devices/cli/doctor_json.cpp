#include "devices/cli/doctor_text.hpp"

#include "devices/cli/promise_json.hpp"

namespace holdfast::cli {
namespace {

using json = answer_json;

json findings(const json& device) {
  json made{{"device", word(device, "name")}, {"endpoints", json::array()}};
  for (const json& channel : list(device, "channels"))
    for (const json& at : list(channel, "endpoints")) {
      const endpoint_promise found = promise_of(at, channel);
      made["endpoints"].push_back({{"channel", word(channel, "name")},
                                   {"pattern", word(channel, "pattern")},
                                   {"role", word(at, "role")},
                                   {"endpoint", word(at, "endpoint")},
                                   {"peers", found.peers},
                                   {"level", level_of(channel)},
                                   {"promised", found.promised},
                                   {"in_doubt", found.in_doubt},
                                   {"loss_points", found.loss}});
    }
  return made;
}

result<json> device_in(std::string_view text) {
  json device = json::parse(text, nullptr, false);
  if (device.is_object()) return device;
  return {errc::bad_frame, "the device's status is no JSON object; is it another version?"};
}

}  // namespace

result<std::string> doctor_json(std::string_view status) {
  auto device = device_in(status);
  if (!device) return device.take_status();
  return findings(*device).dump(2) + '\n';
}

result<std::string> doctor_text(std::string_view status) {
  auto device = device_in(status);
  if (!device) return device.take_status();
  const json found = findings(*device);
  std::string out = "device " + word(found, "device") + "\n";
  for (const json& at : found["endpoints"]) {
    out += "\n" + word(at, "endpoint") + "  (" + word(at, "role") + " of " + word(at, "pattern") +
           " channel " + word(at, "channel") + ", for " + word(at, "peers") + ")\n" +
           "  level:     " + word(at, "level") + "\n  promised:  " + word(at, "promised") +
           "\n  in doubt:  " + word(at, "in_doubt") + "\n";
    for (const json& point : at["loss_points"])
      out += "  may be lost: " + point.get<std::string>() + "\n";
  }
  return out;
}

}  // namespace holdfast::cli
