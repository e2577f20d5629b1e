#include <postern/smtp/capabilities.hpp>

#include <string>

#include "catch.hpp"

using namespace postern::smtp;

TEST_CASE("capabilities: read from Postfix's reply", "[smtp][capabilities]") {
  const Reply reply(250,
                    "mx.example\nPIPELINING\nSIZE 10240000\nVRFY\nETRN\nSTARTTLS\n"
                    "XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT\n"
                    "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT\n"
                    "ENHANCEDSTATUSCODES\n8BITMIME\nDSN\nSMTPUTF8\nCHUNKING");
  const Capabilities found = parse_capabilities(reply);
  CHECK(found.pipelining);
  CHECK(found.size);
  CHECK(found.size_limit == 10240000);
  CHECK(found.starttls);
  CHECK(found.enhanced_status_codes);
  CHECK(found.eight_bit_mime);
  CHECK(found.dsn);
  CHECK(found.smtputf8);
  CHECK(found.chunking);
  CHECK_FALSE(found.binarymime);
  CHECK_FALSE(found.prdr);
  CHECK(found.xclient.has(Attribute::reverse_name));
  CHECK_FALSE(found.xclient.has(Attribute::ident));
  CHECK(found.xforward.has(Attribute::ident));
  CHECK(found.auth.empty());
}

TEST_CASE("capabilities: the greeting line offers nothing", "[smtp][capabilities]") {
  CHECK(parse_capabilities(Reply(250, "PIPELINING")) == Capabilities());
  CHECK(parse_capabilities(Reply(250, "PIPELINING\nx")) == Capabilities());
  CHECK(parse_capabilities(Reply(502, "x\nPIPELINING")) == Capabilities());
}

TEST_CASE("capabilities: odd spellings", "[smtp][capabilities]") {
  const auto parse = [](std::string line) { return parse_capabilities(Reply(250, "x\n" + line)); };
  CHECK(parse("pipelining").pipelining);
  CHECK_FALSE(parse("PIPELININGX").pipelining);
  CHECK(parse("SIZE").size);
  CHECK(parse("SIZE").size_limit == 0);
  CHECK(parse("SIZE 0").size);
  CHECK(parse("SIZE 99999999999999999999999").size_limit == 0);
  CHECK(parse("AUTH=LOGIN PLAIN").auth.has(AuthMechanism::login));
  CHECK(parse("AUTH=LOGIN PLAIN").auth.has(AuthMechanism::plain));
  CHECK(parse("AUTH  plain  CRAM-MD5 NTLM").auth.has(AuthMechanism::cram_md5));
  CHECK(parse("LIMITS MAILMAX=10 RCPTMAX=x RCPTDOMAINMAX=1 NEW").limit_mail == 10);
  CHECK(parse("LIMITS MAILMAX=10 RCPTMAX=x RCPTDOMAINMAX=1 NEW").limit_rcpt == 0);
  CHECK(parse("LIMITS MAILMAX=10 RCPTMAX=x RCPTDOMAINMAX=1 NEW").limit_rcpt_domain == 1);
}

TEST_CASE("capabilities: what we write is what is read", "[smtp][capabilities]") {
  Capabilities offered;
  CHECK(parse_capabilities(ehlo_reply("mx.example", offered)) == offered);
  offered.pipelining = offered.eight_bit_mime = offered.size = offered.dsn = offered.smtputf8 =
      true;
  offered.enhanced_status_codes = offered.chunking = offered.binarymime = offered.starttls = true;
  offered.prdr = offered.help = offered.vrfy = true;
  CHECK(parse_capabilities(ehlo_reply("mx.example", offered)) == offered);
  offered.size_limit = 52428800;
  offered.limit_mail = 100;
  offered.limit_rcpt_domain = 1;
  offered.auth.add(AuthMechanism::plain).add(AuthMechanism::oauthbearer);
  offered.xclient.add(Attribute::addr).add(Attribute::helo);
  offered.xforward.add(Attribute::source);
  CHECK(parse_capabilities(ehlo_reply("mx.example", offered)) == offered);

  std::string wire;
  ehlo_reply("mx.example", Capabilities{.pipelining = true, .size = true, .size_limit = 5})
      .append_to(wire);
  CHECK(wire == "250-mx.example\r\n250-PIPELINING\r\n250 SIZE 5\r\n");
}
