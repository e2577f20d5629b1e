// The header vectors of the suite `mime`: 432 field values and what one mail parser makes of them.
//
// Where we read a value otherwise, the table below says how and why; an entry whose vector agrees
// is an error too.
#include <postern/base/text.hpp>
#include <postern/mail/address.hpp>
#include <postern/mail/content_type.hpp>
#include <postern/mail/date.hpp>
#include <postern/mail/encoded_word.hpp>
#include <postern/mail/header_section.hpp>
#include <postern/mail/message_id.hpp>
#include <postern/mail/received.hpp>
#include <postern/mail/text_list.hpp>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "catch.hpp"
#include "mail_headers_deviations.hpp"
#include "suite_file.hpp"

using namespace postern;
using namespace postern::mail;
using nlohmann::json;

namespace {

// The suite has LF for CRLF, and more lines behind some fields: what the section takes is the
// value.
std::string value_of(const std::string& header) {
  std::string message = "X:";
  for (const char c : header) {
    if (c == '\n' && message.back() != '\r') message += '\r';
    message += c;
  }
  const auto section = HeaderSection::parse(message);
  REQUIRE(section);
  return std::string((*section)[0].value);
}

json text_or_null(const std::string& text) { return text.empty() ? json() : json(text); }

json mailbox(const Mailbox& from) {
  std::string name = from.name;
  if (name.empty())
    name = from.comment;
  else if (!from.comment.empty())
    name += " (" + from.comment + ")";
  return {{"name", text_or_null(name)}, {"address", from.address}};
}

// The suite has either a list, or groups, of which those without name are the mailboxes outside.
json address(const std::string& value) {
  const AddressList list = parse_addresses(value);
  json groups = json::array();
  std::size_t at = 0, group = 0;
  const auto take = [&](std::size_t index) {
    json members = json::array();
    while (at < list.mailboxes.size() && list.mailboxes[at].group == index)
      members.push_back(mailbox(list.mailboxes[at++]));
    return members;
  };
  while (at < list.mailboxes.size() || group < list.groups.size()) {
    if (json outside = take(Mailbox::npos); !outside.empty())
      groups.push_back({{"name", nullptr}, {"addresses", std::move(outside)}});
    if (group == list.groups.size()) continue;
    groups.push_back({{"name", list.groups[group]}, {"addresses", take(group)}});
    ++group;
  }
  if (list.groups.empty())
    return {{"List", groups.empty() ? json::array() : groups[0]["addresses"]}};
  return {{"Group", groups}};
}

json sorted(json list) {
  if (list.is_array()) std::sort(list.begin(), list.end());
  return list;
}

json content_type(const std::string& value) {
  const auto type = parse_content_type(value);
  if (!type) return nullptr;
  json attributes = json::array();
  for (const Parameter& parameter : type->parameters) {
    if (!parameter.language.empty())
      attributes.push_back({parameter.name + "-language", parameter.language});
    attributes.push_back({parameter.name, parameter.value});
  }
  return {{"c_type", type->type},
          {"c_subtype", text_or_null(type->subtype)},
          {"attributes", attributes.empty() ? json() : sorted(attributes)}};
}

json date_text(const std::optional<Date>& date) {
  if (!date) return nullptr;
  return fmt::format("{:%F %T} {:+}",
                     fmt::gmtime(std::chrono::system_clock::time_point(date->utc + date->zone)),
                     date->zone.count());
}

json expected_date(const json& date) {
  if (date.is_null()) return nullptr;
  const int sign = date["tz_before_gmt"] == true ? -1 : 1;
  const int zone = sign * (date["tz_hour"].get<int>() * 60 + date["tz_minute"].get<int>());
  return fmt::format("{}-{:02}-{:02} {:02}:{:02}:{:02} {:+}", date["year"].get<int>(),
                     date["month"].get<int>(), date["day"].get<int>(), date["hour"].get<int>(),
                     date["minute"].get<int>(), date["second"].get<int>(), zone);
}

// Addresses as we write them: IPv4-mapped ones are IPv4.
std::string plain_host(const std::string& host) {
  const auto address = IpAddress::parse(host);
  return address ? address->text() : host;
}

json received(const std::string& value) {
  const ReceivedHop hop = parse_received(value);
  // The suite's parser knows these and leaves out all others.
  const std::set<std::string> known{"SMTP",  "ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA", "LMTP",
                                    "LMTPA", "LOCAL", "HTTP",   "IMAP",   "POP3"};
  const std::map<std::string, std::string> fields{{"from", hop.from},
                                                  {"helo", hop.helo},
                                                  {"helo_cmd", hop.helo_command},
                                                  {"from_iprev", hop.rdns},
                                                  {"from_ip", hop.ip ? hop.ip->text() : ""},
                                                  {"ident", hop.ident},
                                                  {"by", hop.by},
                                                  {"via", hop.via},
                                                  {"with", known.count(hop.with) ? hop.with : ""},
                                                  {"id", hop.id},
                                                  {"for_", hop.recipient},
                                                  {"tls_version", hop.tls_version},
                                                  {"tls_cipher", hop.tls_cipher}};
  json out = json::object();
  for (const auto& [name, text] : fields)
    if (!text.empty()) out[name] = text;
  if (hop.date) out["date"] = date_text(hop.date);
  return out;
}

json expected_received(const json& expected) {
  json out = json::object();
  for (const auto& [name, value] : expected.items()) {
    if (value.is_null()) continue;
    if (name == "date")
      out[name] = expected_date(value);
    else if (value.is_object())
      out[name] = plain_host(value.begin().value());
    else
      out[name] = plain_host(value);
  }
  if (out.contains("with") && out["with"] == "Local") out["with"] = "LOCAL";
  if (out.contains("helo_cmd")) out["helo_cmd"] = lower(out["helo_cmd"].get<std::string>());
  if (out.contains("tls_version")) {
    std::string version = out["tls_version"];
    std::replace(version.begin(), version.end(), '_', '.');
    out["tls_version"] = version;
  }
  return out;
}

json ours(const std::string& kind, const std::string& value) {
  if (kind == "address") return address(value);
  if (kind == "content_type") return content_type(value);
  if (kind == "date") return date_text(parse_date(value));
  if (kind == "id")
    return parse_message_ids(value).empty() ? json() : json(parse_message_ids(value));
  if (kind == "list") return parse_text_list(value);
  if (kind == "received") return received(value);
  return display_text(value);
}

json expected(const std::string& kind, json value) {
  if (kind == "date") return expected_date(value);
  if (kind == "received") return expected_received(value);
  if (kind == "content_type" && value.is_object()) {
    if (!value.contains("attributes")) value["attributes"] = nullptr;
    value["attributes"] = sorted(value["attributes"]);
  }
  return value;
}

}  // namespace

TEST_CASE("mail: reads the header vectors of the suite as expected, or as the table says",
          "[suites][mail]") {
  const auto kind = GENERATE(as<std::string>(), "address", "content_type", "date", "id", "list",
                             "received", "unstructured");
  const auto file = suites::suite_file("mime/stalwart/headers/" + kind + ".json");
  if (!file) return;
  const json vectors = json::parse(*file);
  const std::map<std::string, std::size_t> sizes{
      {"address", 60}, {"content_type", 103}, {"date", 40},        {"id", 11},
      {"list", 7},     {"received", 181},     {"unstructured", 30}};
  CHECK(vectors.size() == sizes.at(kind));  // the table counts on it
  for (std::size_t at = 0; at < vectors.size(); ++at) {
    const std::string header = vectors[at]["header"];
    const json wanted = expected(kind, vectors[at]["expected"]);
    const json got = ours(kind, value_of(header));
    CAPTURE(kind, at, header);
    const auto deviation =
        std::find_if(std::begin(suites::header_deviations), std::end(suites::header_deviations),
                     [&](const suites::Deviation& d) { return d.kind == kind && d.index == at; });
    if (deviation == std::end(suites::header_deviations)) {
      CHECK(got.dump() == wanted.dump());
    } else {
      CAPTURE(deviation->why);
      CHECK(json::diff(wanted, got).dump() == deviation->patch);
    }
  }
}
