// load_subscriber: a durable subscriber under load (load_receiver.hpp). Its log tells where each of
// its lives began.
//
//   load_subscriber --endpoint EP --log FILE --name N [--prefix P] [--work MS] [--salt N]
//                  [--heartbeat MS]
#include "holdfast/pubsub.hpp"
#include "tests/sockets/load_receiver.hpp"

int main(int argc, char** argv) {
  const load::arguments given(argc, argv);
  holdfast::subscriber_options options;
  options.endpoint = given.text("endpoint");
  options.durable = given.text("name");
  options.start = holdfast::start_point::first();
  if (given.has("prefix")) options.prefixes = {given.text("prefix")};
  if (const auto beat = given.number("heartbeat")) options.heartbeat = holdfast::milliseconds(beat);
  auto opened = holdfast::subscriber::open(options);
  if (!opened) load::fail(opened.text());
  load::receiver receiver(std::move(opened).value(), given, 1);
  load::record first;
  first.what = load::began;
  first.time_ns = load::now_ns();
  receiver.log.write(first);
  load::say("running");
  receiver.run();
}
