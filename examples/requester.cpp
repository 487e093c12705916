// requester: asks a service once for each line of standard input, all at once, and prints the
// replies in the order of the lines.
//
//   requester [tcp://127.0.0.1:5557] [SERVICE]
#include <iostream>
#include <string>
#include <vector>

#include <holdfast/reqrep.hpp>

namespace {

int report(std::string_view what, std::string_view why) {
  std::cerr << "requester: " << what << ": " << why << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  holdfast::requester_options options;
  options.endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:5557";
  const std::string service = argc > 2 ? argv[2] : "";
  auto opened = holdfast::requester::open(options);
  if (!opened) return report("cannot start", opened.text());
  holdfast::requester requester = std::move(opened).value();

  holdfast::request_options terms;
  terms.deadline = holdfast::milliseconds(30'000);
  std::vector<holdfast::request_ticket> asked;
  for (std::string line; std::getline(std::cin, line);) {
    const auto ticket = requester.ask(service, line, terms);
    if (!ticket) return report("cannot ask", ticket.text());
    asked.push_back(*ticket);
  }

  int outcome = 0;
  for (const holdfast::request_ticket& ticket : asked) {
    const auto reply = requester.take(ticket);
    if (reply && reply->ok())
      std::cout << reply->text() << '\n';
    else
      outcome = report("no reply", reply ? reply->text() : reply.text());
  }
  const holdfast::status closed = requester.close(holdfast::milliseconds(5000));
  return closed ? outcome : report("cannot close", closed.text());
}
