#include <postern/mail/field.hpp>
#include <postern/mail/trace.hpp>

#include <algorithm>
#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::mail;
using namespace std::chrono_literals;

namespace {

Trace usual() {
  Trace trace;
  trace.helo = "mail.example.org";
  trace.rdns = "mx1.example.org";
  trace.client = *IpAddress::parse("192.0.2.5");
  trace.hostname = "mx.example.net";
  trace.id = "1-7-42.1";
  trace.extended = true;
  trace.when = std::chrono::system_clock::time_point(1'795'259'731s);
  return trace;
}

void check_form(const std::string& field) {
  REQUIRE(field.ends_with("\r\n"));
  const std::string_view inner = std::string_view(field).substr(0, field.size() - 2);
  const auto section = HeaderSection::parse(field + "\r\n");
  REQUIRE(section);
  CHECK(section->size() == 1);  // nothing in it began another field or ended the section
  CHECK(section->oddities() == 0);
  CHECK(unfold(inner).find_first_of("\r\n") == std::string::npos);
}

}  // namespace

TEST_CASE("received_field: has the clauses of RFC 5321 in their order, folded",
          "[mail][trace][line:37]") {
  Trace trace = usual();
  trace.recipient = "user@example.net";
  const std::string field = received_field(trace);
  check_form(field);
  CHECK(field ==
        "Received: from mail.example.org (mx1.example.org [192.0.2.5])\r\n"
        "\tby mx.example.net (Postern) with ESMTP id 1-7-42.1\r\n"
        "\tfor <user@example.net>; Sat, 21 Nov 2026 11:15:31 +0000\r\n");
}

TEST_CASE("received_field: names TLS, IPv6 and an unknown reverse name", "[mail][trace]") {
  Trace trace = usual();
  trace.client = *IpAddress::parse("2001:db8::1");
  trace.rdns = {};
  trace.tls = trace.authenticated = true;
  trace.tls_version = "TLSv1.3";
  trace.tls_cipher = "TLS_AES_256_GCM_SHA384";
  const std::string field = received_field(trace);
  check_form(field);
  CHECK(field ==
        "Received: from mail.example.org (unknown [IPv6:2001:db8::1]) by mx.example.net\r\n"
        "\t(Postern) with ESMTPSA (TLSv1.3 TLS_AES_256_GCM_SHA384) id 1-7-42.1;\r\n"
        "\tSat, 21 Nov 2026 11:15:31 +0000\r\n");
}

TEST_CASE("with_protocol: has the tokens of RFC 3848 and RFC 6531", "[mail][trace][line:37]") {
  struct Row {
    bool extended, lmtp, tls, authenticated, utf8;
    const char* token;
  };
  const auto row = GENERATE(values<Row>({
      {false, false, false, false, false, "SMTP"},
      {false, false, true, false, false, "SMTP"},
      {true, false, false, false, false, "ESMTP"},
      {true, false, true, false, false, "ESMTPS"},
      {true, false, false, true, false, "ESMTPA"},
      {true, false, true, true, false, "ESMTPSA"},
      {true, false, false, false, true, "UTF8SMTP"},
      {true, false, true, true, true, "UTF8SMTPSA"},
      {true, true, true, false, false, "LMTPS"},
      {true, true, false, false, true, "UTF8LMTP"},
  }));
  Trace trace;
  trace.extended = row.extended;
  trace.lmtp = row.lmtp;
  trace.tls = row.tls;
  trace.authenticated = row.authenticated;
  trace.utf8 = row.utf8;
  CHECK(with_protocol(trace) == row.token);
}

TEST_CASE("received_field: nothing that a stranger says breaks out of its place", "[mail][trace]") {
  const std::string nul("a\0b", 3);
  for (const std::string& evil :
       {std::string("x\r\nEvil: 1\r\n\r\nbody"), std::string("x) by trusted.example (y"),
        std::string("x; Sat, 1 Jan 2000 00:00:00 +0000"), nul, std::string("\x1b[2J"),
        std::string("a\xe2\x80\xa8"
                    "b"),
        std::string("\\"), std::string("((((("),
        std::string("a\xc2\x85"
                    "b"),
        std::string("\xff\xfe"), std::string(5000, 'x'), std::string(5000, '(')}) {
    CAPTURE(evil);
    Trace trace = usual();
    trace.utf8 = true;
    trace.tls = true;
    trace.helo = trace.rdns = trace.id = trace.tls_version = trace.tls_cipher = evil;
    const std::string field = received_field(trace);
    check_form(field);
    CHECK(field.size() < 1500);
    const std::string text = unfold(field);
    CHECK(std::count(text.begin(), text.end(), '(') == 3);
    CHECK(std::count(text.begin(), text.end(), ')') == 3);
    CHECK(std::count(text.begin(), text.end(), ';') == 1);
    CHECK(text.find('\\') == std::string::npos);
    CHECK(text.find(" by trusted") == std::string::npos);
  }
}

TEST_CASE("received_field: keeps UTF-8 only with SMTPUTF8", "[mail][trace]") {
  Trace trace = usual();
  trace.recipient = "gr\xc3\xbc\xc3\x9f@example.net";
  CHECK(received_field(trace).find("for <gr????@example.net>;") != std::string::npos);
  trace.utf8 = true;
  CHECK(received_field(trace).find("for <gr\xc3\xbc\xc3\x9f@example.net>;") != std::string::npos);
}

TEST_CASE("received_field: without HELO the address stands in its place", "[mail][trace]") {
  Trace trace = usual();
  trace.helo = {};
  CHECK(received_field(trace).starts_with(
      "Received: from [192.0.2.5] (mx1.example.org [192.0.2.5])"));
}

TEST_CASE("count_received: counts hops whatever the case", "[mail][trace]") {
  const auto section =
      HeaderSection::parse("Received: a\r\nX: b\r\nRECEIVED: c\r\nreceived : d\r\n\r\n");
  REQUIRE(section);
  CHECK(count_received(*section) == 3);
}
