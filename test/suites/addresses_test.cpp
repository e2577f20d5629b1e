// The suite `addresses`: isEmail, EAI and Postfix's tables, against the grammar of paths and
// domains.
#include <postern/base/text.hpp>
#include <postern/smtp/command.hpp>
#include <postern/smtp/domain.hpp>
#include <postern/smtp/path.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "catch.hpp"
#include "suite_file.hpp"

using namespace postern;
using namespace postern::smtp;

namespace {

// What stands between <tag> and </tag> in `xml`; empty where the tag is not there.
std::string_view element(std::string_view xml, const std::string& tag) {
  const auto open = xml.find("<" + tag + ">");
  if (open == std::string_view::npos) return {};
  xml.remove_prefix(open + tag.size() + 2);
  return xml.substr(0, xml.find("</" + tag + ">"));
}

void append_utf8(std::string& out, unsigned point) {
  const auto add = [&](unsigned octet) { out += static_cast<char>(octet); };
  if (point >= 0x2400 && point <= 0x2421)
    point = point == 0x2421 ? 0x7f : point - 0x2400;  // pictures
  if (point < 0x80) return add(point);
  if (point < 0x800) return add(0xc0 | point >> 6), add(0x80 | (point & 0x3f));
  add(0xe0 | point >> 12), add(0x80 | (point >> 6 & 0x3f)), add(0x80 | (point & 0x3f));
}

// Entities, and the suite's convention that U+24xx stands for the control character U+00xx.
std::string unescape(std::string_view xml) {
  const std::map<std::string_view, char> named = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  std::string out;
  while (!xml.empty()) {
    const auto semicolon = xml.find(';');
    if (xml[0] != '&' || semicolon == std::string_view::npos) {
      out += xml[0];
      xml.remove_prefix(1);
      continue;
    }
    const std::string_view entity = xml.substr(1, semicolon - 1);
    if (entity.starts_with("#x"))
      append_utf8(out,
                  static_cast<unsigned>(std::stoul(std::string(entity.substr(2)), nullptr, 16)));
    else
      out += named.at(entity);
    xml.remove_prefix(semicolon + 1);
  }
  return out;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto lf = text.find('\n');
    lines.emplace_back(text.substr(0, lf));
    text.remove_prefix(lf == std::string_view::npos ? text.size() : lf + 1);
  }
  return lines;
}

// The whole way of an address: as a command line, then as a path.
bool accepted(const std::string& address) {
  const std::string line = "RCPT TO:<" + address + ">";
  const auto command = parse_command(line);
  if (!command) return false;
  const auto parsed = parse_rcpt_argument(command->argument);
  return parsed && parsed->rest.empty() && parsed->path.text == address;
}

}  // namespace

TEST_CASE("addresses: isEmail's verdicts hold for the envelope", "[suite][addresses]") {
  const auto xml = suites::suite_file("addresses/isemail/tests.xml");
  if (!xml) return;
  const std::set<std::string_view> good = {"ISEMAIL_VALID_CATEGORY", "ISEMAIL_RFC5321",
                                           "ISEMAIL_DNSWARN"};
  const std::map<int, const char*> deviations = {
      {71,
       "\"::\" for one group: RFC 4291 section 2.2 allows it, RFC 5321 section 4.1.3 did not "
       "foresee it"},
  };
  int cases = 0;
  std::string_view rest = *xml;
  for (auto at = rest.find("<test id=\""); at != std::string_view::npos;
       at = rest.find("<test id=\"")) {
    rest.remove_prefix(at + 10);
    const std::string_view test = rest.substr(0, rest.find("</test>"));
    const int id = std::atoi(std::string(test.substr(0, test.find('"'))).c_str());
    const std::string address = unescape(element(test, "address"));
    const std::string diagnosis(element(test, "diagnosis"));
    CAPTURE(id, address, diagnosis);
    CHECK(accepted(address) ==
          ((good.count(element(test, "category")) != 0) != (deviations.count(id) != 0)));
    ++cases;
  }
  CHECK(cases == 164);
}

TEST_CASE("addresses: internationalized ones are accepted and known as such",
          "[suite][addresses]") {
  const auto text = suites::suite_file("addresses/eai/valid.json");
  if (!text) return;
  int cases = 0;
  for (const auto& row : nlohmann::json::parse(*text)) {
    const std::string address = row.at("address");
    CAPTURE(address);
    CHECK(accepted(address));
    const auto path = parse_mailbox(address);
    REQUIRE(path);
    // One row says "only if the domain is sent as U-label", which is how it stands there.
    const auto& needs = row.at("needs_smtputf8");
    CHECK(path->needs_smtputf8() == (needs.is_string() || needs.get<bool>()));
    // With the domain as A-label, the local-part alone decides.
    const std::string alabel = path->local_part + "@" + row.at("domain_alabel").get<std::string>();
    CHECK(parse_mailbox(alabel)->needs_smtputf8() == !all_ascii(path->local_part));
    ++cases;
  }
  CHECK(cases == 16);
}

// Postfix tokenises and repairs; RFC 5321 section 4.1.2 has a grammar. Of its 12 lines the two
// first are in that grammar, and with optional brackets the third and the eighth.
TEST_CASE("addresses: Postfix's MAIL and RCPT lines, by the grammar", "[suite][addresses]") {
  const auto text = suites::suite_file("addresses/postfix/smtpd_token.in");
  if (!text) return;
  const auto lines = lines_of(*text);
  REQUIRE(lines.size() == 12);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(lines[i]);
    const auto command = parse_command(lines[i]);
    REQUIRE(command);
    CHECK(command->verb == Verb::mail);
    const auto parse =
        istarts_with(command->argument, "to:") ? parse_rcpt_argument : parse_mail_argument;
    CHECK(parse(command->argument, Brackets::required).has_value() == (i < 2));
    CHECK(parse(command->argument, Brackets::optional).has_value() == (i < 3 || i == 7));
  }
}

TEST_CASE("addresses: Postfix's host names and literals", "[suite][addresses]") {
  const auto text = suites::suite_file("addresses/postfix/valid_hostname.ref");
  if (!text) return;
  struct Verdict {
    bool name = true, address = true;
  };
  std::map<std::string, Verdict> verdicts;
  Verdict* current = nullptr;
  for (const std::string& line : lines_of(*text)) {
    const auto quote = line.find("testing: \"");
    if (quote != std::string::npos) {
      current = &verdicts[line.substr(quote + 10, line.size() - quote - 11)];
    } else if (current && line.find("numeric hostname") == std::string::npos) {
      // Numeric labels are in the grammar of RFC 5321 section 4.1.2; isEmail wants them accepted.
      (line.find("warning: valid_hostname") != std::string::npos ? current->name
                                                                 : current->address) = false;
    }
  }
  CHECK(verdicts.size() == 61);
  // Name: what we say of it as a domain and as a literal, and why that is not what Postfix says.
  struct Deviation {
    bool name, address;
    const char* reason;
  };
  const Deviation wildcard{false, false, "a DNS owner name, not a Domain: RFC 5321 section 4.1.2"};
  const std::map<std::string, Deviation> deviations = {
      {"*", wildcard},
      {"*.foo.bar", wildcard},
      {"*foo.bar", wildcard},
      {"foo.*.bar", wildcard},
      {"foo*bar", wildcard},
      {"foo.bar*", wildcard},
      {"0.255.255.255", {true, true, "Snum is 0 to 255 in each place: RFC 5321 section 4.1.3"}},
      {"a:a:a:a:a:1.2.3.4",
       {false, false, "six groups come before the IPv4 part: RFC 5321 section 4.1.3"}},
  };
  for (const auto& [name, verdict] : verdicts) {
    const auto deviation = deviations.find(name);
    const bool deviates = deviation != deviations.end();
    CAPTURE(name, deviates ? deviation->second.reason : "");
    CHECK(is_domain(name) == (deviates ? deviation->second.name : verdict.name));
    const bool v6 = name.find(':') != std::string::npos;
    CHECK(is_address_literal((v6 ? "[IPv6:" : "[") + name + "]") ==
          (deviates ? deviation->second.address : verdict.address));
  }
}
