// The endpoint notation: what is taken, and that each mistake is named with its text.
#include <doctest/doctest.h>

#include <string>

#include "devices/transport/endpoint.hpp"

using namespace holdfast;

namespace {

std::string refusal(const std::string& text) {
  const auto parsed = parse_endpoint(text, endpoint_role::bind);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.kind() == errc::invalid);
  CHECK(parsed.text().find("'" + text + "'") != std::string_view::npos);
  return std::string(parsed.text());
}

}  // namespace

TEST_CASE("the sign decides, and without one the caller") {
  CHECK(parse_endpoint("@tcp://127.0.0.1:5555", endpoint_role::connect)->binds());
  CHECK_FALSE(parse_endpoint(">tcp://host:5555", endpoint_role::bind)->binds());
  CHECK(parse_endpoint("tcp://127.0.0.1:5555", endpoint_role::bind)->binds());
  CHECK_FALSE(parse_endpoint("tcp://127.0.0.1:5555", endpoint_role::connect)->binds());
  CHECK(parse_endpoint(">tcp://host:5555", endpoint_role::bind)->text() == ">tcp://host:5555");
}

TEST_CASE("an abstract ipc name keeps its own sign") {
  const auto parsed = parse_endpoint("@ipc://@lab", endpoint_role::bind);
  REQUIRE(parsed.ok());
  CHECK(parsed->address == "ipc://@lab");
  CHECK(parsed->transport == endpoint_transport::ipc);
}

TEST_CASE("free ports are for binding") {
  CHECK(parse_endpoint("@tcp://127.0.0.1:*", endpoint_role::bind).ok());
  CHECK(parse_endpoint("@tcp://127.0.0.1:0", endpoint_role::bind).ok());
  CHECK(refusal(">tcp://127.0.0.1:*").find("1 to 65535") != std::string::npos);
  CHECK(refusal(">tcp://127.0.0.1:0").find("1 to 65535") != std::string::npos);
}

TEST_CASE("mistakes say what to write instead") {
  CHECK(refusal("").find("empty") != std::string::npos);
  CHECK(refusal("@").find("empty") != std::string::npos);
  CHECK(refusal("5555").find("tcp://") != std::string::npos);
  CHECK(refusal("@udp://127.0.0.1:1").find("transport") != std::string::npos);
  CHECK(refusal("@tcp://127.0.0.1").find("port is missing") != std::string::npos);
  CHECK(refusal("@tcp://:5555").find("host is missing") != std::string::npos);
  CHECK(refusal("@tcp://127.0.0.1:70000").find("no port") != std::string::npos);
  CHECK(refusal("@tcp://127.0.0.1:55x").find("no port") != std::string::npos);
  CHECK(refusal(">tcp://*:5555").find("every interface") != std::string::npos);
  CHECK(refusal("@ipc://" + std::string(108, 'a')).find("107") != std::string::npos);
  CHECK(refusal("@inproc://").find("name is missing") != std::string::npos);
}
