#include <postern/verify/spf_macro.hpp>

#include "catch.hpp"

using namespace postern;
using namespace postern::verify;

namespace {

using In = SpfMacroString::In;

// Of the examples in RFC 7208 section 7.4.
SpfMacroValues values(const char* client = "192.0.2.3") {
  SpfMacroValues out;
  out.local_part = "strong-bad";
  out.sender_domain = "email.example.com";
  out.domain = "email.example.com";
  out.helo = "mx.example.org";
  out.validated_name = "mx.example.org";
  out.receiver = "us.example";
  out.client = IpAddress::parse(client).value();
  out.time = std::chrono::seconds(1767225600);
  return out;
}

std::string expand(const std::string& text, const SpfMacroValues& with, In in = In::explanation) {
  const auto parsed = SpfMacroString::parse(text, in);
  REQUIRE(parsed);
  return in == In::explanation ? parsed->expand_text(with, 10000) : parsed->expand_name(with);
}

}  // namespace

TEST_CASE("SpfMacroString: the examples of RFC 7208 section 7.4", "[verify][spf]") {
  struct Row {
    const char* macro;
    const char* out;
  };
  const auto row = GENERATE(values<Row>({
      {"%{s}", "strong-bad@email.example.com"},
      {"%{o}", "email.example.com"},
      {"%{d}", "email.example.com"},
      {"%{d4}", "email.example.com"},
      {"%{d3}", "email.example.com"},
      {"%{d2}", "example.com"},
      {"%{d1}", "com"},
      {"%{dr}", "com.example.email"},
      {"%{d2r}", "example.email"},
      {"%{l}", "strong-bad"},
      {"%{l-}", "strong.bad"},
      {"%{lr}", "strong-bad"},
      {"%{lr-}", "bad.strong"},
      {"%{l1r-}", "strong"},
      {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
      {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
      {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
      {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
      {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
      {"%{c} %{r} %{t} %{h}", "192.0.2.3 us.example 1767225600 mx.example.org"},
      {"100%% of%_it%-", "100% of it%20"},
      {"%{S}", "strong-bad%40email.example.com"},
      {"%{D2R}", "example.email"},
      {"%{l999r.}", "strong-bad"},
      {"%{d99999999999999999999}", "email.example.com"},
  }));
  CAPTURE(row.macro);
  CHECK(expand(row.macro, values()) == row.out);
}

TEST_CASE("SpfMacroString: an IPv6 client has 32 nibbles", "[verify][spf]") {
  const auto six = values("2001:db8::cb01");
  CHECK(expand("%{ir}.%{v}._spf.%{d2}", six, In::domain_spec) ==
        "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com");
  CHECK(expand("%{c}", six) == "2001:db8::cb01");
  CHECK(expand("%{i}.%{v}", values("::ffff:192.0.2.3")) == "192.0.2.3.in-addr");
}

TEST_CASE("SpfMacroString: what is no macro string, and where", "[verify][spf]") {
  struct Row {
    const char* why;
    std::string text;
    bool domain_spec;
    bool modifier;
    bool explanation;
  };
  const auto row = GENERATE(values<Row>({
      {"a name", "a.example", true, true, true},
      {"a name with its final dot", "a.example.", true, true, true},
      {"a macro at the end", "a.%{d}", true, true, true},
      {"an escape at the end", "a%%", true, true, true},
      {"a top label of a letter and digits", "a.x1", true, true, true},
      {"a top label with a hyphen", "a.1-1", true, true, true},
      {"any visible octet before", "!a:b/c=d.example", true, true, true},
      {"a dot behind a macro", "%{d}.", false, true, true},
      {"a top label alone", "museum", false, true, true},
      {"a top label of digits", "a.123", false, true, true},
      {"a top label that begins with a hyphen", "a.-b", false, true, true},
      {"a top label that ends with one", "a.b-", false, true, true},
      {"an underscore in it", "a._b", false, true, true},
      {"nothing", "", false, true, true},
      {"a letter for explanations", "%{c}.example", false, true, true},
      {"a blank", "a b.example", false, false, true},
      {"a control", "a\x01.example", false, false, false},
      {"NUL", std::string("a\0.example", 10), false, false, false},
      {"UTF-8", "\xc3\xbc.example", false, false, false},
      {"'%' alone", "%", false, false, false},
      {"'%' before a letter", "%d.example", false, false, false},
      {"another bracket", "%(d).example", false, false, false},
      {"no end", "%{d.example", false, false, false},
      {"no letter", "%{}.example", false, false, false},
      {"an unknown letter", "%{x}.example", false, false, false},
      {"no parts", "%{d0}.example", false, false, false},
      {"no parts in many digits", "%{d000}.example", false, false, false},
      {"an unknown transformer", "%{dx}.example", false, false, false},
      {"transformers the wrong way round", "%{dr2}.example", false, false, false},
      {"no delimiter", "%{d;}.example", false, false, false},
  }));
  CAPTURE(row.why, row.text);
  CHECK(SpfMacroString::parse(row.text, In::domain_spec).has_value() == row.domain_spec);
  CHECK(SpfMacroString::parse(row.text, In::modifier).has_value() == row.modifier);
  CHECK(SpfMacroString::parse(row.text, In::explanation).has_value() == row.explanation);
}

TEST_CASE("SpfMacroString: a name is cut on its left, at labels, to 253 octets", "[verify][spf]") {
  const std::string label(50, 'a');
  std::string full;
  for (int i = 0; i < 5; ++i) full += label + ".";  // 255
  const auto name = [&](const std::string& text) {
    return expand(text, values(), In::domain_spec);
  };
  CHECK(name(full + "example") == full.substr(51) + "example");
  CHECK(name(full.substr(0, 250) + ".ab") == full.substr(0, 250) + ".ab");  // 253
  CHECK(name(full.substr(0, 250) + ".ab.") == full.substr(0, 250) + ".ab");
  CHECK(name(full.substr(0, 250) + ".abc") == full.substr(51, 199) + ".abc");
  CHECK(name(std::string(300, 'b') + ".ab") == "ab");
  SpfMacroValues with = values();
  const std::string huge(5000, 'c');
  with.helo = huge;
  const auto parsed = SpfMacroString::parse("%{h}", In::domain_spec);
  REQUIRE(parsed);
  CHECK(parsed->expand_name(with) == huge);  // no label to cut: no name, as a lookup will say
}

TEST_CASE("SpfMacroString: a text of many macros costs no more than its limit", "[verify][spf]") {
  std::string many;
  for (int i = 0; i < 10000; ++i) many += "%{S}";
  const auto parsed = SpfMacroString::parse(many, In::explanation);
  REQUIRE(parsed);
  CHECK(parsed->expand_text(values(), 400).size() == 400);
  CHECK(parsed->expand_name(values()).size() <= 253);
}

TEST_CASE("SpfMacroString: knows whether the client's name is wanted", "[verify][spf]") {
  const auto wants = [](const char* text) {
    return SpfMacroString::parse(text, In::domain_spec)->uses_validated_name();
  };
  CHECK(wants("%{p}.example"));
  CHECK(wants("%{P2r}.example"));
  CHECK_FALSE(wants("p.%{d}"));
}
