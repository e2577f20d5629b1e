// The Received-SPF field (RFC 7208 section 9.1). Pure.
#pragma once

#include <postern/verify/spf.hpp>

#include <string>
#include <string_view>

namespace postern::verify {

// Its value: "pass (mx.example.net: …) client-ip=…; envelope-from=…; helo=…; …". What strangers
// said stands in quotes, octets that are no printable ASCII as '?': none of it begins a comment, a
// pair or a line. In: `reverse_path` without angle brackets, empty for a bounce; `receiver`, our
// name.
std::string received_spf(const SpfAnswer& answer, const IpAddress& client,
                         std::string_view reverse_path, std::string_view helo,
                         std::string_view receiver);

}  // namespace postern::verify
