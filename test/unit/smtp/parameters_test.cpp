#include <postern/smtp/parameters.hpp>

#include <limits>
#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::smtp;
using namespace std::string_literals;

namespace {

Capabilities everything() {
  Capabilities offered;
  offered.size = offered.eight_bit_mime = offered.binarymime = offered.smtputf8 = true;
  offered.dsn = offered.prdr = true;
  offered.auth.add(AuthMechanism::plain);
  return offered;
}

}  // namespace

TEST_CASE("MAIL parameters: each is read and kept as written", "[smtp][parameters]") {
  const char* text =
      "size=3005 BODY=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ+2B1 AUTH=e+3Dmc2@example PRDR";
  const auto parsed = parse_mail_parameters(text, everything());
  REQUIRE(parsed);
  CHECK(parsed->size == 3005u);
  CHECK(parsed->body == Body::eight_bit_mime);
  CHECK(parsed->smtputf8);
  CHECK(parsed->ret == Ret::headers);
  CHECK(parsed->envid == "QQ+2B1");
  CHECK(parsed->auth == "e+3Dmc2@example");
  CHECK(parsed->prdr);
  CHECK(parsed->text == text);

  CHECK(parse_mail_parameters("AUTH=<>", everything())->auth == "<>");
  CHECK(parse_mail_parameters("BODY=BINARYMIME", everything())->body == Body::binary_mime);
  CHECK(parse_mail_parameters("SIZE=0", everything())->size == 0u);
  CHECK(parse_mail_parameters("SIZE=99999999999999999999", everything())->size ==
        std::numeric_limits<std::uint64_t>::max());
  CHECK(parse_mail_parameters("  ", everything())->text.empty());
  CHECK(parse_mail_parameters("SIZE=1   RET=FULL", everything())->ret == Ret::full);
}

TEST_CASE("MAIL parameters: bad values and repetitions are malformed",
          "[smtp][parameters][line:57]") {
  for (const std::string& wrong : {"SIZE"s,
                                   "SIZE="s,
                                   "SIZE=-1"s,
                                   "SIZE=+1"s,
                                   "SIZE=1k"s,
                                   "SIZE=0x1"s,
                                   "SIZE=999999999999999999999"s,
                                   "SIZE=1 SIZE=1"s,
                                   "size=1 SIZE=2"s,
                                   "BODY"s,
                                   "BODY=9BIT"s,
                                   "BODY="s,
                                   "SMTPUTF8=1"s,
                                   "SMTPUTF8="s,
                                   "SMTPUTF8 SMTPUTF8"s,
                                   "RET=NONE"s,
                                   "RET"s,
                                   "ENVID="s,
                                   "ENVID"s,
                                   "ENVID=a+0D+0Ab"s,
                                   "ENVID=a+0"s,
                                   "ENVID=a=b"s,
                                   "ENVID=" + std::string(101, 'x'),
                                   "AUTH="s,
                                   "AUTH"s,
                                   "AUTH=a+0AX-Evil:+201"s,
                                   "AUTH=a+00"s,
                                   "AUTH=<"s + "=>",
                                   "PRDR=1"s,
                                   "=1"s,
                                   "-X=1"s,
                                   "X_Y=1"s,
                                   "<a@b>"s,
                                   "\xc3\xbc=1"s}) {
    CAPTURE(wrong);
    const auto parsed = parse_mail_parameters(wrong, everything());
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::malformed);
  }
}

TEST_CASE("MAIL parameters: no escape smuggles a control octet", "[smtp][parameters]") {
  for (int octet = 0; octet < 256; ++octet) {
    const char digits[] = "0123456789ABCDEF";
    const std::string escape{'+', digits[octet / 16], digits[octet % 16]};
    const bool fine = octet >= 0x20 && octet < 0x7f;
    CAPTURE(escape);
    CHECK(parse_mail_parameters("ENVID=a" + escape, everything()).has_value() == fine);
    CHECK(parse_mail_parameters("AUTH=a" + escape, everything()).has_value() == fine);
    CHECK(parse_rcpt_parameters("ORCPT=rfc822;a" + escape, everything()).has_value() == fine);
  }
}

TEST_CASE("parameters: unknown or not offered is unsupported", "[smtp][parameters][line:57]") {
  for (const char* text : {"OPT", "X=1", "NOTIFY=NEVER", "SIZEX=1", "HOLDFOR=10", "MT-PRIORITY=3"})
    CHECK(parse_mail_parameters(text, everything()).error().code == Errc::unsupported);
  for (const char* text :
       {"SIZE=1", "BODY=7BIT", "SMTPUTF8", "RET=FULL", "ENVID=x", "AUTH=<>", "PRDR"})
    CHECK(parse_mail_parameters(text, Capabilities()).error().code == Errc::unsupported);
  for (const char* text : {"SIZE=1", "OPT", "RET=FULL"})
    CHECK(parse_rcpt_parameters(text, everything()).error().code == Errc::unsupported);
  for (const char* text : {"NOTIFY=NEVER", "ORCPT=rfc822;a@b"})
    CHECK(parse_rcpt_parameters(text, Capabilities()).error().code == Errc::unsupported);
}

TEST_CASE("BODY: BINARYMIME needs its own offer", "[smtp][parameters]") {
  Capabilities offered = everything();
  offered.binarymime = false;
  CHECK(parse_mail_parameters("BODY=8BITMIME", offered));
  CHECK(parse_mail_parameters("BODY=BINARYMIME", offered).error().code == Errc::malformed);
}

TEST_CASE("REQUIRETLS: is read also where it is not offered (RFC 8689)", "[smtp][parameters]") {
  for (const Capabilities& offered : {Capabilities{}, Capabilities{.requiretls = true}}) {
    CHECK(parse_mail_parameters("REQUIRETLS", offered)->requiretls);
    CHECK(parse_mail_parameters("requiretls", offered)->requiretls);
    CHECK_FALSE(parse_mail_parameters("", offered)->requiretls);
    CHECK(parse_mail_parameters("REQUIRETLS=1", offered).error().code == Errc::malformed);
    CHECK(parse_mail_parameters("REQUIRETLS REQUIRETLS", offered).error().code == Errc::malformed);
    CHECK(parse_rcpt_parameters("REQUIRETLS", offered).error().code == Errc::unsupported);
  }
}

TEST_CASE("RCPT parameters: NOTIFY and ORCPT", "[smtp][parameters]") {
  const auto parsed =
      parse_rcpt_parameters("NOTIFY=success,DELAY ORCPT=rfc822;Bob+2Bx@example", everything());
  REQUIRE(parsed);
  CHECK(parsed->notify == Notify{false, true, false, true});
  CHECK(parsed->orcpt == "rfc822;Bob+2Bx@example");
  CHECK(parse_rcpt_parameters("NOTIFY=NEVER", everything())->notify->never);
  CHECK(parse_rcpt_parameters("ORCPT=utf-8;\\x{FC}@b", everything()));
  CHECK(parse_rcpt_parameters("ORCPT=utf-8;\xc3\xbc@b", everything()));

  for (const std::string& wrong :
       {"NOTIFY="s, "NOTIFY"s, "NOTIFY=NEVER,DELAY"s, "NOTIFY=DELAY,"s, "NOTIFY=,DELAY"s,
        "NOTIFY=ALWAYS"s, "NOTIFY=DELAY NOTIFY=DELAY"s, "ORCPT="s, "ORCPT=rfc822"s,
        "ORCPT=rfc822;"s, "ORCPT=;a"s, "ORCPT=rfc822;a+0Ab"s, "ORCPT=rfc822;\xc3\xbc@b"s,
        "ORCPT=utf-8;\xff"s, "ORCPT=utf-8;\xc2\x85"s, "ORCPT=utf-8;\xc3\xbc\n"s, "ORCPT=r c;a"s,
        "ORCPT=r(c;a"s, "ORCPT=rfc822;" + std::string(500, 'x')}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_rcpt_parameters(wrong, everything()));
  }
}

TEST_CASE("parameters_for: leaves out what the downstream does not take", "[smtp][parameters]") {
  const char* text = "SIZE=10 ENVID=x+2B BODY=8bitmime";
  CHECK(parameters_for(text, everything()) == " SIZE=10 ENVID=x+2B BODY=8bitmime");
  CHECK(parameters_for(text, Capabilities{.eight_bit_mime = true}) == " BODY=8bitmime");
  CHECK(parameters_for(text, Capabilities()).empty());
  CHECK(parameters_for("", everything()).empty());
  // BODY belongs to two extensions: its value tells which.
  CHECK(parameters_for("BODY=BINARYMIME", Capabilities{.eight_bit_mime = true}).empty());
  CHECK(parameters_for("BODY=8BITMIME", Capabilities{.binarymime = true}).empty());
  CHECK(parameters_for("BODY=7BIT", Capabilities{.binarymime = true}) == " BODY=7BIT");
  CHECK(parameters_for("REQUIRETLS", Capabilities{.requiretls = true}) == " REQUIRETLS");
  CHECK(parameters_for("REQUIRETLS", Capabilities{.starttls = true}).empty());
}

TEST_CASE("AUTH=: who is not trusted with it has said nothing (RFC 4954 section 5)",
          "[smtp][parameters]") {
  struct Row {
    const char* said;
    const char* left;
  };
  for (const Row& row : {Row{"", ""},
                         {"SIZE=10", "SIZE=10"},
                         {"AUTH=<>", "AUTH=<>"},
                         {"AUTH=a@b.example", "AUTH=<>"},
                         {"SIZE=10  auth=a+3Db BODY=7BIT", "SIZE=10 AUTH=<> BODY=7BIT"}}) {
    auto parsed = parse_mail_parameters(row.said, everything());
    REQUIRE(parsed);
    distrust_auth(*parsed);
    CHECK(parsed->text == row.left);
    CHECK((parsed->auth.empty() || parsed->auth == "<>"));
  }
}

TEST_CASE("AUTH=: is taken where AUTH is no longer listed", "[smtp][parameters]") {
  Capabilities offered;
  CHECK_FALSE(parse_mail_parameters("AUTH=<>", offered));
  offered.auth_parameter = true;
  CHECK(parse_mail_parameters("AUTH=<>", offered));
}
