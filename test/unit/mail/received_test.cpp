#include <postern/mail/received.hpp>
#include <postern/mail/trace.hpp>

#include <chrono>
#include <string>

#include "catch.hpp"
#include "work.hpp"

using namespace postern;
using namespace postern::mail;

TEST_CASE("parse_received: reads back what we write", "[mail][received]") {
  Trace trace;
  trace.helo = "mail.example.org";
  trace.rdns = "mx1.example.org";
  trace.client = *IpAddress::parse("2001:db8::1");
  trace.hostname = "mx.example.net";
  trace.id = "1-7-42.1";
  trace.extended = trace.tls = true;
  trace.tls_version = "TLSv1.3";
  trace.tls_cipher = "TLS_AES_256_GCM_SHA384";
  trace.recipient = "user@example.net";
  trace.when = std::chrono::system_clock::time_point(std::chrono::seconds(1'795'259'731));
  const std::string field = received_field(trace);
  const auto hop = parse_received(std::string_view(field).substr(sizeof "Received:" - 1));
  CHECK(hop.from == trace.helo);
  CHECK(hop.rdns == trace.rdns);
  CHECK(hop.ip == trace.client);
  CHECK(hop.by == trace.hostname);
  CHECK(hop.with == "ESMTPS");
  CHECK(hop.id == trace.id);
  CHECK(hop.recipient == trace.recipient);
  CHECK(hop.tls_version == trace.tls_version);
  CHECK(hop.tls_cipher == trace.tls_cipher);
  REQUIRE(hop.date);
  CHECK(hop.date->utc == std::chrono::floor<std::chrono::seconds>(trace.when));
}

TEST_CASE("parse_received: what stands in a comment is no clause", "[mail][received]") {
  const auto hop = parse_received(
      "from a (by evil (with x) id y; Thu, 1 Jan 1970 00:00:00 +0000) by b; Fri, 2 Jan 1970 "
      "00:00:00 +0000");
  CHECK(hop.by == "b");
  CHECK(hop.id.empty());
  REQUIRE(hop.date);
  CHECK(hop.date->utc.time_since_epoch() == std::chrono::hours(24));
}

TEST_CASE("parse_received: takes linear time whatever the octets", "[mail][received]") {
  for (const char* piece : {"(", ")", ";", "; (", "from ", "a[", "[", "from a (b[1] ",
                            "; 1 Jan 2000 ", "<", "TLS", "helo=", "; Thu,", "a ", ";(a)"}) {
    CAPTURE(piece);
    for (const char* before : {"", "from a ("})
      CHECK(postern::testing::is_linear(piece, [&](std::string_view value) {
        parse_received(before + std::string(value) + ")");
      }));
  }
}
