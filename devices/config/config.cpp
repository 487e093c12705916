#include "devices/config/config.hpp"

#include <fstream>
#include <sstream>

#include "devices/config/channel_config.hpp"

namespace holdfast {
namespace {

constexpr std::size_t file_bytes_max = 1 << 20;
constexpr std::uint64_t kib = 1024;

// A device without a name of its own is called after nothing else, so two of them collide: said by
// the claim below.
device_options read_device(const YAML::Node& node, claims& taken, complaints& errors) {
  device_options made;
  field data = text_field("data", made.data, errors);
  data.required = true;
  std::vector<YAML::Node> channels;
  field list{"channels",
             [&](const YAML::Node& n) {
               read_list(
                   n, "channels", false, [&](const YAML::Node& c) { channels.push_back(c); },
                   errors);
               if (n.IsSequence() && channels.empty())
                 errors.add(n.Mark(), "channels is empty; a device needs at least one");
             },
             true};
  read_map(
      node, "a device",
      {name_field("name", made.name, errors), data,
       bytes_field("disk_limit", made.disk_limit_bytes, 0, ~std::uint64_t{0}, errors),
       bytes_field("segment_size", made.segment_bytes, 16 * kib, 1 << 30, errors),
       bytes_field("memory", made.memory_bytes, 1 << 20, 1ull << 40, errors),
       bytes_field("session_send_limit", made.session_send_bytes, 64 * kib, 1ull << 40, errors),
       duration_field("drain", made.drain_ns, errors),
       switch_field("zero_copy", made.zero_copy, errors), switch_field("admin", made.admin, errors),
       list},
      errors);
  // After the walk: the device's name is then known, wherever it stands.
  for (const YAML::Node& channel : channels)
    made.channels.push_back(read_channel(channel, made.name, taken, errors));
  for (const status& unique :
       {taken.take("device name", made.name),
        made.data.empty() ? status{} : taken.take("data directory", made.data)})
    if (!unique) errors.add(node.Mark(), std::string(unique.text()));
  return made;
}

void read_document(const std::string& yaml, configuration& made, complaints& errors) {
  claims taken;
  const YAML::Node document = YAML::Load(yaml);
  read_map(document, "the configuration",
           {{"devices",
             [&](const YAML::Node& list) {
               read_list(
                   list, "devices", false,
                   [&](const YAML::Node& device) {
                     made.devices.push_back(read_device(device, taken, errors));
                   },
                   errors);
               if (list.IsSequence() && made.devices.empty())
                 errors.add(list.Mark(), "devices is empty; list at least one");
             },
             true}},
           errors);
}

}  // namespace

configuration parse_config(const std::string& yaml) {
  configuration made;
  complaints errors;
  try {
    read_document(yaml, made, errors);
  } catch (const YAML::Exception& broken) {  // the parser's own: the text is no YAML
    errors.add(broken.mark, "not YAML: " + broken.msg);
  }
  made.errors = errors.take();
  return made;
}

result<configuration> load_config(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    return status{errc::io, "configuration file '" + path +
                                "' cannot be read or is empty; check its path and permissions"};
  if (text.view().size() > file_bytes_max)
    return status{errc::too_large, "configuration file '" + path + "' has more than 1 MiB"};
  return parse_config(text.str());
}

std::string to_text(const std::string& path, const config_error& error) {
  return path + ":" + std::to_string(error.line) + ":" + std::to_string(error.column) + ": " +
         error.text;
}

status check_devices(const std::vector<device_options>& devices) {
  claims taken;
  for (const device_options& device : devices) {
    if (status s = taken.take("device name", device.name); !s) return s;
    if (status s = taken.take("data directory", device.data); !s) return s;
    for (const channel_options& channel : device.channels) {
      if (status s = claims::check_channel(channel); !s) return s;
      if (status s = taken.take_endpoints(channel); !s) return s;
    }
  }
  return {};
}

}  // namespace holdfast
