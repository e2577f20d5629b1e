// Where a web server is: the URLs that we take (RFC 3986, RFC 9110 section 4.2).
#pragma once

#include <postern/base/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace postern {

struct Url {
  bool tls = false;
  std::string host;  // a name in lower case, or an address without brackets; empty: none
  std::uint16_t port = 80;
  std::string target = "/";  // path and query, as written

  // "http://HOST[:PORT][/PATH]" or "https:…", without user and fragment. Errors: malformed, with a
  // text for the administrator.
  static Result<Url> parse(std::string_view text);
  bool empty() const { return host.empty(); }
  std::string authority() const;  // what the field Host says: without the scheme's own port
  std::string text() const;
  bool operator==(const Url&) const = default;
};

}  // namespace postern
