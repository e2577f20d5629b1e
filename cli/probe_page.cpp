#include "probe_page.hpp"

#include <postern/base/json.hpp>
#include <postern/base/text.hpp>

#include <fmt/format.h>

namespace postern::cli {
namespace {

constexpr std::size_t most_shown = 200;

std::string quoted(const smtp::Reply& reply) {
  return fmt::format("\"{} {}\"", reply.code(), printable(reply.text(), most_shown));
}

bool is_near(const ProbeTarget& target) {
  return target.address.is_local() || target.address.socket.ip.is_loopback();
}

bool tells_address(const smtp::Flags<smtp::Attribute>& attributes) {
  return attributes.has(smtp::Attribute::addr);
}

Advice identity(const ProbeReport& report) {
  using Proxy = ProbeReport::Proxy;
  if (report.proxy == Proxy::v1)
    return {"identity = \"proxy-v1\"", "it answers only after a PROXY header, and not version 2"};
  if (report.proxy != Proxy::not_needed)
    return {"identity = \"proxy-v2\"",
            fmt::format("it answers only after a PROXY header{}",
                        report.proxy == Proxy::both ? "; version 1 would do as well"
                                                    : ", and not version 1")};
  if (tells_address(report.offers.xclient))
    return {"identity = \"xclient\"",
            "it offers XCLIENT to us: its rules see the client, as if it had come to it"};
  if (tells_address(report.offers.xforward))
    return {"identity = \"xforward\"", "it offers XFORWARD to us: its log names the client"};
  return {"identity = \"none\"",
          "it offers neither XCLIENT nor XFORWARD to us, and answers without "
          "a PROXY header"};
}

void add_tls(const ProbeTarget& target, const ProbeReport& report, std::vector<Advice>& out) {
  if (!report.offers.starttls)
    return out.push_back({"tls = \"off\"", "it does not offer STARTTLS"});
  if (!report.tls)
    return out.push_back(
        {"tls = \"off\"", fmt::format("it offers STARTTLS, but: {}", report.starttls_trouble)});
  const std::string with = fmt::format("{} with {}", report.tls->version, report.tls->cipher);
  if (is_near(target))
    return out.push_back(
        {"tls = \"off\"", fmt::format("it is on this machine; it would speak {}", with)});
  if (!report.unverified.empty())
    return out.push_back(
        {"tls = \"require\"", fmt::format("{}; its certificate does not verify for \"{}\": {}",
                                          with, report.tls_name, report.unverified)});
  out.push_back({"tls = \"verify\"", fmt::format("{}, and its certificate verifies", with)});
  if (target.host != report.tls_name)
    out.push_back({fmt::format("tls_name = \"{}\"", report.tls_name),
                   "the name that the certificate is for, as its greeting tells it"});
}

// "550 for nobody" is an answer only where somebody else is taken: else it speaks of us.
void add_verification(const ProbeReport& report, std::vector<Advice>& out) {
  if (!report.unlikely) return;
  const std::string said = quoted(*report.unlikely);
  if (report.unlikely->is_positive())
    return out.push_back(
        {"verify_recipients = false", fmt::format("it takes anybody at RCPT: {}", said)});
  if (!report.unlikely->is_permanent())
    return out.push_back({"verify_recipients = false",
                          fmt::format("it does not say at RCPT who is there: {}", said)});
  if (report.expected && !report.expected->is_positive())
    return out.push_back({"verify_recipients = false",
                          fmt::format("it refuses the recipient that was named as well: {}",
                                      quoted(*report.expected))});
  out.push_back({"verify_recipients = true",
                 fmt::format("it refuses nobody at RCPT, of an unlikely name: {}", said)});
}

std::string attributes(const smtp::Flags<smtp::Attribute>& offered) {
  std::string out;
  for (unsigned bit = 0; bit < 11; ++bit) {
    const auto attribute = static_cast<smtp::Attribute>(1U << bit);
    if (offered.has(attribute)) out += fmt::format(" {}", smtp::name(attribute));
  }
  return out;
}

std::string extensions(const smtp::Capabilities& offers) {
  std::string out;
  const auto add = [&](bool there, std::string_view keyword) {
    if (there) out += fmt::format("{}{}", out.empty() ? "" : " ", keyword);
  };
  add(offers.pipelining, "PIPELINING");
  add(offers.size, offers.size_limit > 0 ? fmt::format("SIZE={}", offers.size_limit) : "SIZE");
  add(offers.eight_bit_mime, "8BITMIME");
  add(offers.smtputf8, "SMTPUTF8");
  add(offers.dsn, "DSN");
  add(offers.chunking, "CHUNKING");
  add(offers.binarymime, "BINARYMIME");
  add(offers.prdr, "PRDR");
  add(offers.enhanced_status_codes, "ENHANCEDSTATUSCODES");
  add(offers.starttls, "STARTTLS");
  add(!offers.xclient.empty(), "XCLIENT");
  add(!offers.xforward.empty(), "XFORWARD");
  return out;
}

}  // namespace

std::vector<Advice> advice(const ProbeTarget& target, const ProbeReport& report) {
  std::vector<Advice> out;
  if (!report.talks) return out;
  out.push_back({fmt::format("to = [\"{}\"]", target.written),
                 fmt::format("it greets as \"{}\"", printable(report.greeting, most_shown))});
  if (report.lmtp) out.push_back({"protocol = \"lmtp\"", "it knows LHLO, and does not know EHLO"});
  if (!report.lmtp) out.push_back(identity(report));
  add_tls(target, report, out);
  add_verification(report, out);
  if (report.offers.limit_mail > 0)
    out.push_back({fmt::format("messages_per_connection = {}", report.offers.limit_mail),
                   fmt::format("LIMITS MAILMAX={}", report.offers.limit_mail)});
  return out;
}

std::vector<std::string> remarks(const ProbeTarget& target, const ProbeReport& report) {
  std::vector<std::string> out;
  if (!report.talks) return out;
  if (report.lmtp) return out;
  const bool tells = report.proxy != ProbeReport::Proxy::not_needed ||
                     !report.offers.xclient.empty() || !report.offers.xforward.empty();
  if (!tells)
    out.push_back(
        "Its rules and its log would see Postern's address instead of the client's. Let it trust "
        "us: "
        "smtpd_authorized_xclient_hosts of Postfix, hosts_proxy of Exim (exim4-daemon-heavy); and "
        "never let it relay for this address");
  if (target.domain.empty())
    out.push_back(
        "--domain DOMAIN or --recipient ADDRESS asks it whether it refuses unknown recipients");
  return out;
}

std::string probe_page(const ProbeTarget& target, const ProbeReport& report) {
  std::string page = fmt::format("# {}", target.address.text());
  if (!report.talks)
    return page + fmt::format(": no mail server that we understand: {}\n", report.trouble);
  page += fmt::format(": {}\n", extensions(report.offers));
  if (!report.trouble.empty())
    page += fmt::format("# without a PROXY header: {}\n", report.trouble);
  page += "[forward]\n";
  for (const Advice& each : advice(target, report))
    page += fmt::format("{:<34} # {}\n", each.line, each.why);
  for (const std::string& remark : remarks(target, report)) page += fmt::format("# {}.\n", remark);
  return page;
}

std::string probe_json(const ProbeTarget& target, const ProbeReport& report) {
  std::string out;
  json::Writer json(out);
  json.begin().key("address").string(target.address.text()).key("talks").boolean(report.talks);
  if (!report.trouble.empty()) json.key("trouble").string(report.trouble);
  if (report.talks) {
    json.key("greeting").string(report.greeting).key("lmtp").boolean(report.lmtp);
    json.key("extensions").string(extensions(report.offers));
    json.key("xclient").string(trim(attributes(report.offers.xclient)));
    json.key("xforward").string(trim(attributes(report.offers.xforward)));
    constexpr const char* proxies[] = {"not needed", "v1", "v2", "v1 or v2"};
    json.key("proxy").string(proxies[static_cast<int>(report.proxy)]);
  }
  if (report.tls) {
    json.begin("tls").key("version").string(report.tls->version);
    json.key("cipher").string(report.tls->cipher).key("subject").string(report.tls->subject);
    json.key("name").string(report.tls_name).key("verified").boolean(report.unverified.empty());
    if (!report.unverified.empty()) json.key("why").string(report.unverified);
    json.end();
  }
  if (report.unlikely) json.key("unknown_recipient").number(report.unlikely->code());
  if (report.expected) json.key("recipient").number(report.expected->code());
  json.begin_array("forward");
  for (const Advice& each : advice(target, report))
    json.begin().key("line").string(each.line).key("why").string(each.why).end();
  json.end().begin_array("remarks");
  for (const std::string& remark : remarks(target, report)) json.string(remark);
  json.end().end();
  return out + "\n";
}

}  // namespace postern::cli
