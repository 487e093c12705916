// The verb sidecar.
#include <array>

#include "devices/cli/device_words.hpp"
#include "devices/cli/report.hpp"
#include "devices/cli/words.hpp"
#include "devices/transport/endpoint.hpp"

namespace holdfast::cli {
namespace {

using side = sidecar_options::side;

struct side_word {
  const char* option;
  side what;
  const char* help;
};

constexpr std::array<side_word, 6> sides{{
    {"--pull", side::pull, "Endpoint for the application's PUSH sockets; messages go far"},
    {"--sub", side::sub, "Endpoint for the application's PUB sockets; messages go far"},
    {"--rep", side::rep, "Endpoint for the application's REQ sockets; requests go far"},
    {"--push", side::push, "Endpoint for the application's PULL sockets; messages come from far"},
    {"--pub", side::pub, "Endpoint for the application's SUB sockets; messages come from far"},
    {"--worker", side::worker,
     "Endpoint for the application's REP sockets; requests come from far"},
}};

struct sidecar_words {
  sidecar_words() { args.sidecar.device.channels.resize(1); }
  sidecar_args args;
  std::array<std::string, sides.size()> at;
  bool deadline = false, attempt = false;  // were given
};

// Options that belong to some sides alone.
int check_sides(const sidecar_words& words) {
  const side what = words.args.sidecar.what;
  if (!words.args.sidecar.durable.empty() && what != side::pub)
    return fail_usage("--durable is for --pub: the name of its subscriber");
  if (words.deadline && what != side::rep && what != side::worker)
    return fail_usage("--deadline is for --rep and --worker: how long a request is given");
  if (words.attempt && what != side::worker)
    return fail_usage("--attempt is for --worker: how long a REP is given for a request");
  return done;
}

taken take_sidecar(sidecar_words& words) {
  sidecar_options& options = words.args.sidecar;
  int given = 0;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    if (words.at[i].empty()) continue;
    ++given;
    options.what = sides[i].what;
    options.application = words.at[i];
  }
  if (given != 1)
    return fail_usage(
        "sidecar needs one of --pull, --sub, --rep, --push, --pub and --worker; it "
        "has " +
        std::to_string(given));
  const auto far = parse_endpoint(options.far, endpoint_role::connect);
  if (!far) return fail_usage(std::string(far.text()));
  if (far->binds()) return fail_usage("sidecar connects to the far device: --to takes no '@'");
  if (const int wrong = check_sides(words); wrong != done) return wrong;
  options.channel = options.device.channels[0].settings();
  options.device.channels.clear();
  return command(words.args);
}

void add_time(CLI::App& app, const char* name, const char* help, bool& given, std::uint64_t& into) {
  parsed_option(
      app, name, help,
      [](const std::string& text) -> result<std::uint64_t> {
        auto ns = parse_duration(text);
        if (ns && *ns < ms_ns) return status{errc::invalid, "at least 1ms"};
        return ns;
      },
      [&given, &into](std::uint64_t ns) {
        given = true;
        into = ns;
      });
}

}  // namespace

void add_sidecar_words(verbs& to) {
  auto [app, made] = to.add<sidecar_words>(
      "sidecar", "Run a device beside an application that stores for one far away", take_sidecar);
  sidecar_words& words = made;
  sidecar_options& options = words.args.sidecar;
  app.add_option("--data", options.device.data, "Directory of the journal")->required();
  for (std::size_t i = 0; i < sides.size(); ++i)
    app.add_option(sides[i].option, words.at[i], sides[i].help);
  app.add_option("--to", options.far, "Reliable endpoint of the far device")->required();
  app.add_option("--far", options.far_address,
                 "Queue or service there (default: the far channel's)");
  app.add_option("--durable", options.durable,
                 "pub: name of the one subscriber's place here; it goes on where it was");
  add_time(app, "--deadline", "rep, worker: time of a request that says none (default 60s)",
           words.deadline, options.deadline_ns);
  add_time(app, "--attempt", "worker: time a REP is given for a request (default 5s)",
           words.attempt, options.attempt_ns);
  app.add_option("--name", options.device.name, "Name of the device")->default_val("sidecar");
  add_limits(app, options.device);
  add_log_level(app, words.args.log_level);
}

}  // namespace holdfast::cli
