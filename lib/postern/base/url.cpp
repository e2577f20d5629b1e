#include <postern/base/ip.hpp>
#include <postern/base/text.hpp>
#include <postern/base/url.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern {
namespace {

constexpr std::size_t most_url_octets = 2048;

bool is_visible(char c) { return c > ' ' && c < 0x7f; }

bool is_host(std::string_view host) {
  if (IpAddress::parse(host)) return true;
  const auto fits = [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; };
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), fits);
}

}  // namespace

std::string Url::authority() const {
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? 443 : 80) ? shown : fmt::format("{}:{}", shown, port);
}

Result<Url> Url::parse(std::string_view text) {
  const auto wrong = [](const char* why) { return fail(Errc::malformed, why); };
  if (text.size() > most_url_octets || !std::all_of(text.begin(), text.end(), is_visible))
    return wrong("a URL has at most 2048 printable characters and no blanks");
  Url url;
  url.tls = istarts_with(text, "https://");
  if (!url.tls && !istarts_with(text, "http://"))
    return wrong("a URL begins with http:// or https://");
  url.port = url.tls ? 443 : 80;
  text.remove_prefix(url.tls ? 8 : 7);
  if (text.find('#') != std::string_view::npos) return wrong("a fragment (#) is never sent");
  const auto slash = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, slash);
  url.target = text.substr(slash);
  if (!url.target.starts_with('/')) url.target = "/" + url.target;
  if (authority.find('@') != std::string_view::npos)
    return wrong("a URL names no user; use headers = [\"Authorization: …\"]");
  const bool bracketed = authority.starts_with('[');
  const auto end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && end == std::string_view::npos) return wrong("an address lacks its ]");
  url.host = lower(authority.substr(bracketed ? 1 : 0, bracketed ? end - 1 : end));
  std::string_view rest = end == std::string_view::npos ? "" : authority.substr(end + bracketed);
  if (!is_host(url.host)) return wrong("a URL names a host or an address");
  if (rest.empty()) return url;
  const auto port = to_number<std::uint16_t>(rest.substr(1));
  if (rest.front() != ':' || !port || *port == 0) return wrong("a port is a number up to 65535");
  url.port = *port;
  return url;
}

std::string Url::text() const {
  return fmt::format("{}://{}{}", tls ? "https" : "http", authority(), target);
}

}  // namespace postern
