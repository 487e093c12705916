#include "devices/cli/commands.hpp"
#include "devices/cli/line_format.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/plain_commands.hpp"
#include "devices/cli/reliable.hpp"
#include "devices/cli/report.hpp"
#include "holdfast/reqrep.hpp"

namespace holdfast::cli {
namespace {

constexpr milliseconds close_patience{10'000};

class asker {
 public:
  asker(const req_args& args, requester by) : args_(args), by_(std::move(by)) {
    if (args_.timeout_ns) options_.deadline = to_ms(args_.timeout_ns);
    options_.attempts = static_cast<std::uint16_t>(args_.attempts);
  }

  // Asks and prints until the requests are answered; the exit status.
  int run() {
    int outcome = args_.body.empty() ? ask_lines() : ask(args_.body);
    if (const status closed = by_.close(close_patience); !closed && outcome == done)
      complain("the reply is here, its receipt is not confirmed (" + std::string(closed.text()) +
               ")");
    return outcome;
  }

 private:
  int ask_lines() {
    int outcome = done;
    std::string text;
    status read;
    for (std::uint64_t number = 1; read_line(text, read); ++number) {
      auto parts = parse_line(args_.format, text);
      if (!parts)
        return fail_usage("line " + std::to_string(number) + ": " + std::string(parts.text()));
      if (const int one = ask(*parts); one != done) outcome = one;
    }
    return read ? outcome : fail(read);
  }

  int ask(const std::vector<std::string>& body) {
    std::vector<part_view> views;
    views.reserve(body.size());
    for (const std::string& part : body) views.push_back(as_part(part));
    auto reply = by_.request(args_.service, views, options_);
    if (!reply) return fail(reply.take_status());
    if (!reply->ok()) {
      complain("service '" + args_.service + "' answers " + std::to_string(reply->status()) + ": " +
               std::string(reply->text()));
      return failed;
    }
    std::vector<std::string_view> parts;
    for (const part_view part : reply->parts()) parts.push_back(as_text(part));
    write_line(args_.format, parts, {}, writer_.pending());
    const status wrote = writer_.flush();
    return wrote ? done : fail(wrote);
  }

  const req_args& args_;
  requester by_;
  request_options options_;
  line_writer writer_;
};

}  // namespace

int run(const req_args& args) {
  if (args.plain) return req_plain(args);
  requester_options options;
  if (const status holds = fill_endpoint(args.endpoint, options); !holds) return fail(holds);
  auto by = requester::open(options);
  if (!by) return fail(by.take_status());
  return asker(args, std::move(*by)).run();
}

}  // namespace holdfast::cli
