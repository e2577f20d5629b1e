#include <postern/base/text.hpp>
#include <postern/dns/names.hpp>
#include <postern/verify/received_spf.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::verify {
namespace {

// A word for section 9.1's grammar: a dot-atom, or a quoted-string (RFC 5322 section 3.2).
std::string word(std::string_view text) {
  text = text.substr(0, 256);
  const auto is_atom = [](char c) {
    return is_alnum(c) ||
           std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
  };
  if (!text.empty() && text.front() != '.' && text.back() != '.' &&
      text.find("..") == std::string_view::npos && std::all_of(text.begin(), text.end(), is_atom))
    return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += is_control(c) || !is_ascii(c) ? '?' : c;
  }
  return out + '"';
}

std::string what_it_says(const SpfAnswer& answer, const IpAddress& client) {
  // Else it could end the comment; the pairs tell it in quotes.
  const std::string domain = dns::is_host_name(answer.domain) ? answer.domain : "the sender";
  const std::string address = client.text();
  switch (answer.result) {
    case SpfResult::pass:
      return fmt::format("domain of {} designates {} as permitted sender", domain, address);
    case SpfResult::fail:
      return fmt::format("domain of {} does not designate {} as permitted sender", domain, address);
    case SpfResult::softfail:
      return fmt::format("domain of transitioning {} does not designate {} as permitted sender",
                         domain, address);
    case SpfResult::neutral:
      return fmt::format("{} is neither permitted nor denied by domain of {}", address, domain);
    case SpfResult::none:
      return fmt::format("domain of {} does not provide an SPF record", domain);
    case SpfResult::temperror:
      return fmt::format("temporary error in processing domain of {}", domain);
    case SpfResult::permerror:
      return fmt::format("permanent error in processing domain of {}", domain);
  }
  return {};
}

}  // namespace

std::string received_spf(const SpfAnswer& answer, const IpAddress& client,
                         std::string_view reverse_path, std::string_view helo,
                         std::string_view receiver) {
  const std::string us = dns::is_host_name(receiver) ? std::string(receiver) : "unknown";
  std::string out = fmt::format(
      "{} ({}: {}) client-ip={}; envelope-from={}; helo={}; receiver={}; "
      "identity={}",
      name(answer.result), us, what_it_says(answer, client),
      client.is_v4() ? client.text() : word(client.text()), word(reverse_path), word(helo), us,
      name(answer.identity));
  if (!answer.mechanism.empty()) out += fmt::format("; mechanism={}", word(answer.mechanism));
  if (!answer.problem.empty()) out += fmt::format("; problem={}", word(answer.problem));
  return out;
}

}  // namespace postern::verify
