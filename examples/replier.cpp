// replier: answers each request of a service with its text turned round.
//
//   replier [tcp://127.0.0.1:5557] [SERVICE] [COUNT]
//
// Ends after COUNT requests, else runs until it is killed: the request it had not answered goes to
// another.
#include <cstdlib>
#include <iostream>
#include <string>

#include <holdfast/reqrep.hpp>

namespace {

int report(std::string_view what, std::string_view why) {
  std::cerr << "replier: " << what << ": " << why << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  holdfast::replier_options options;
  options.endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:5557";
  options.service = argc > 2 ? argv[2] : "";
  options.worker = "turner";
  const long count = argc > 3 ? std::atol(argv[3]) : -1;
  auto opened = holdfast::replier::open(options);
  if (!opened) return report("cannot start", opened.text());
  holdfast::replier replier = std::move(opened).value();

  for (long done = 0; done != count; ++done) {
    const auto request = replier.receive();
    if (!request) return report("cannot receive", request.text());
    const std::string_view text = request->text();
    // The reply is the ack. Stale means that the session was lost and another gets the request.
    const holdfast::status said = replier.reply(*request, std::string(text.rbegin(), text.rend()));
    if (!said && said.kind() != holdfast::errc::stale) return report("cannot reply", said.text());
  }
  const holdfast::status flushed = replier.close();
  return flushed ? 0 : report("some requests will be asked again", flushed.text());
}
