// embedded: a device, a producer and a worker in one program. The device keeps what the worker has
// not acked: stop the program at any time and start it again, and the rest comes.
//
//   embedded [DIRECTORY] [MESSAGES]
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include <holdfast/device.hpp>
#include <holdfast/pipeline.hpp>

namespace {

int report(std::string_view what, std::string_view why) {
  std::cerr << "embedded: " << what << ": " << why << "\n";
  return 1;
}

// Everything inside the process goes over inproc; the tcp endpoint is for peers outside.
std::string configuration(const std::string& directory) {
  return "devices:\n"
         "  - name: lab\n"
         "    data: '" +
         directory +
         "'\n"
         "    channels:\n"
         "      - name: work\n"
         "        pattern: pipeline\n"
         "        reliable: ['@inproc://work', '@tcp://127.0.0.1:*']\n";
}

holdfast::status produce(long messages) {
  holdfast::producer_options options;
  options.endpoint = "inproc://work";
  auto out = holdfast::producer::open(options);
  if (!out) return out.take_status();
  for (long i = 1; i <= messages; ++i)
    if (auto sent = out->send("measurement " + std::to_string(i)); !sent) return sent.take_status();
  return out->close();  // every one is on the disk
}

}  // namespace

int main(int argc, char** argv) {
  const long messages = argc > 2 ? std::atol(argv[2]) : 10;
  auto lab = holdfast::device::start(configuration(argc > 1 ? argv[1] : "./embedded-data"));
  if (!lab) return report("the device does not start", lab.text());
  for (const auto& socket : lab->endpoints())
    std::cout << socket.role << " " << socket.endpoint << "\n";

  holdfast::status produced;
  std::thread sender([&] { produced = produce(messages); });
  holdfast::worker_options options;
  options.endpoint = "inproc://work";
  auto work = holdfast::worker::open(options);
  if (!work) std::abort();  // only wrong options are refused here
  for (long done = 0; done < messages; ++done) {
    const auto message = work->receive();
    if (!message) break;
    std::cout << message->sequence() << ": " << message->text() << "\n";
    (void)work->ack(*message);  // stale: it comes again
  }
  sender.join();
  if (!produced) return report("not everything was accepted", produced.text());
  if (auto acked = work->close(); !acked) return report("some will come again", acked.text());
  const holdfast::status stopped = lab->stop();
  return stopped ? 0 : report("the device did not end well", stopped.text());
}
