#include <postern/verify/received_spf.hpp>

#include "catch.hpp"

using namespace postern;
using namespace postern::verify;

namespace {

SpfAnswer answer(SpfResult result) {
  SpfAnswer out;
  out.result = result;
  out.domain = "b.example";
  return out;
}
const IpAddress client = IpAddress::parse("192.0.2.1").value();

}  // namespace

TEST_CASE("received_spf: says what was asked, of whom, and what came out", "[verify][spf]") {
  SpfAnswer passed = answer(SpfResult::pass);
  passed.mechanism = "ip4:192.0.2.0/24";
  CHECK(received_spf(passed, client, "a@b.example", "mx.b.example", "us.example") ==
        "pass (us.example: domain of b.example designates 192.0.2.1 as permitted sender) "
        "client-ip=192.0.2.1; envelope-from=\"a@b.example\"; helo=mx.b.example; "
        "receiver=us.example; identity=mailfrom; mechanism=\"ip4:192.0.2.0/24\"");
  SpfAnswer broken = answer(SpfResult::permerror);
  broken.identity = SpfIdentity::helo;
  broken.problem = "the record of b.example: 'a\"': wrong";
  CHECK(received_spf(broken, IpAddress::parse("2001:db8::1").value(), "", "b.example",
                     "us.example") ==
        "permerror (us.example: permanent error in processing domain of b.example) "
        "client-ip=\"2001:db8::1\"; envelope-from=\"\"; helo=b.example; receiver=us.example; "
        "identity=helo; problem=\"the record of b.example: 'a\\\"': wrong\"");
}

TEST_CASE("received_spf: what strangers say begins nothing of its own", "[verify][spf]") {
  SpfAnswer odd = answer(SpfResult::none);
  odd.domain = "x) client-ip=1.2.3.4 (";
  const std::string field =
      received_spf(odd, client, "a\"; x=\"y\r\nBcc: z@b.example", "h\\\xc3\xbc;x", "us.example");
  CHECK(field ==
        "none (us.example: domain of the sender does not provide an SPF record) "
        "client-ip=192.0.2.1; envelope-from=\"a\\\"; x=\\\"y??Bcc: z@b.example\"; "
        "helo=\"h\\\\??;x\"; receiver=us.example; identity=mailfrom");
}
