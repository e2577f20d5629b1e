#include <postern/smtp/client_attributes.hpp>

#include <string>

#include "catch.hpp"

using namespace postern;
using namespace postern::smtp;

namespace {

std::string said(const char* label, const std::optional<std::string>& text) {
  return text ? std::string(label) + "=" + *text + " " : std::string();
}
std::string said(const char* label, const std::optional<IpAddress>& address) {
  return address ? std::string(label) + "=" + address->text() + " " : std::string();
}
std::string said(const char* label, const std::optional<std::uint16_t>& port) {
  return port ? std::string(label) + "=" + std::to_string(*port) + " " : std::string();
}
std::string said(const char* label, const std::optional<bool>& flag) {
  return flag ? std::string(label) + (*flag ? "=yes " : "=no ") : std::string();
}

// All that is known, in one order: "name=x addr=192.0.2.1 ".
std::string all(const ClientAttributes& known) {
  return said("name", known.name) + said("rname", known.reverse_name) + said("helo", known.helo) +
         said("login", known.login) + said("ident", known.ident) + said("addr", known.addr) +
         said("daddr", known.destaddr) + said("port", known.port) + said("dport", known.destport) +
         said("esmtp", known.esmtp) + said("local", known.local);
}

std::string read(const std::string& argument, Flags<Attribute> offered) {
  ClientAttributes known;
  const auto done = read_client_attributes(argument, offered, known);
  return done ? all(known) : std::string(name(done.error().code));
}

}  // namespace

TEST_CASE("XCLIENT: each attribute is taken as it is specified", "[smtp][xclient]") {
  struct Row {
    const char* argument;
    const char* what;
  };
  const auto row = GENERATE(values<Row>({
      {"NAME=mx.example ADDR=192.0.2.1", "name=mx.example addr=192.0.2.1 "},
      {"name=mx.example  addr=192.0.2.1 ", "name=mx.example addr=192.0.2.1 "},
      {"ADDR=IPV6:2001:db8::1", "addr=2001:db8::1 "},
      {"ADDR=ipv6:2001:db8::1", "addr=2001:db8::1 "},
      {"ADDR=IPV6:::ffff:192.0.2.1", "addr=192.0.2.1 "},
      {"ADDR=2001:db8::1", "malformed"},
      {"ADDR=IPV6:192.0.2.1", "malformed"},
      {"ADDR=[192.0.2.1]", "malformed"},
      {"ADDR=192.0.2.256", "malformed"},
      {"ADDR=", "malformed"},
      {"ADDR", "malformed"},
      {"=192.0.2.1", "unsupported"},
      {"", "malformed"},
      {"ADDR=[UNAVAILABLE]", "addr=0.0.0.0 "},
      {"NAME=[TEMPUNAVAIL] REVERSE_NAME=[unavailable]", "name= rname= "},
      {"REVERSE_NAME=mx.example", "rname=mx.example "},
      {"NAME=a+20b", "malformed"},
      {"NAME=a+2Ab", "malformed"},
      {"NAME=-", "malformed"},
      {"PORT=25 DESTPORT=65535 DESTADDR=192.0.2.25", "daddr=192.0.2.25 port=25 dport=65535 "},
      {"PORT=[UNAVAILABLE]", "port=0 "},
      {"PORT=65536", "malformed"},
      {"PORT=-1", "malformed"},
      {"PROTO=esmtp", "esmtp=yes "},
      {"PROTO=SMTP", "esmtp=no "},
      {"PROTO=LMTP", "malformed"},
      {"PROTO=[UNAVAILABLE]", ""},
      {"HELO=c+2Bd+3D+5Be+5D", "helo=c+d=[e] "},
      {"HELO=a+0Ab", "malformed"},
      {"HELO=a+0Db", "malformed"},
      {"HELO=a+00b", "malformed"},
      {"HELO=a+7Fb", "malformed"},
      {"HELO=a+C3+A4b", "malformed"},
      {"HELO=a+1B[2J", "malformed"},
      {"HELO=a+4", "malformed"},
      {"HELO=a=b", "malformed"},
      {"ADDR=192.0.2.1 ADDR=192.0.2.2", "malformed"},
      {"ADDR=192.0.2.1 ADDR=192.0.2.1", "malformed"},
      {"LOGIN=[UNAVAILABLE] ADDR=192.0.2.1", "login= addr=192.0.2.1 "},
      {"LOGIN=anna+40example.net", "login=anna@example.net "},
      {"LOGIN=a+0Ab", "malformed"},
      {"LOGIN=a+00b", "malformed"},
      {"LOGIN=", "malformed"},
      {"SOURCE=LOCAL", "unsupported"},
      {"IDENT=x", "unsupported"},
      {"COLOUR=red", "unsupported"},
  }));
  CAPTURE(row.argument);
  CHECK(read(row.argument, xclient_attributes()) == row.what);
}

TEST_CASE("XFORWARD: has SOURCE and IDENT, and nothing of the destination", "[smtp][xforward]") {
  const auto offered = xforward_attributes();
  CHECK(read("SOURCE=LOCAL IDENT=4XyZ", offered) == "ident=4XyZ local=yes ");
  CHECK(read("SOURCE=remote", offered) == "local=no ");
  CHECK(read("SOURCE=[UNAVAILABLE]", offered) == "");
  CHECK(read("SOURCE=elsewhere", offered) == "");
  CHECK(read("PROTO=LMTP ADDR=/var/run/socket PORT=x NAME=no+20name HELO=h", offered) ==
        "name= helo=h addr=0.0.0.0 port=0 ");
  CHECK(read("NAME=a+0Ab", offered) == "malformed");
  CHECK(read("DESTADDR=192.0.2.1", offered) == "unsupported");
  CHECK(read("REVERSE_NAME=mx.example", offered) == "unsupported");
  CHECK(read("LOGIN=anna", offered) == "unsupported");
  CHECK(read("LOGIN=[UNAVAILABLE]", offered) == "unsupported");
}

TEST_CASE("XCLIENT: a value has 255 octets, however it is written", "[smtp][xclient]") {
  const auto offered = xclient_attributes();
  CHECK(read("HELO=" + std::string(255, 'h'), offered) == "helo=" + std::string(255, 'h') + " ");
  CHECK(read("HELO=" + std::string(256, 'h'), offered) == "too_long");
  std::string escaped = "HELO=";
  for (int i = 0; i < 256; ++i) escaped += "+41";
  CHECK(read(escaped, offered) == "too_long");
}

TEST_CASE("XCLIENT: several add up, and one that is wrong changes nothing", "[smtp][xclient]") {
  ClientAttributes known;
  const auto take = [&](const char* argument) {
    return read_client_attributes(argument, xclient_attributes(), known).has_value();
  };
  CHECK(take("HELO=c.example PROTO=ESMTP"));
  CHECK(take("NAME=mx.example"));
  CHECK(take("NAME=[UNAVAILABLE] PORT=1"));
  CHECK(all(known) == "name= helo=c.example port=1 esmtp=yes ");
  CHECK_FALSE(take("PORT=2 ADDR=nonsense"));
  CHECK_FALSE(take("ADDR=192.0.2.1 COLOUR=red"));
  CHECK(all(known) == "name= helo=c.example port=1 esmtp=yes ");
}
