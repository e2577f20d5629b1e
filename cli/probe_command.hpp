// `postern downstream probe`.
#pragma once

#include <string>

namespace postern::cli {

// `address`: as in forward.to. `recipient` and `domain` may be empty. The exit status: 0 when it
// talks with us, 1 when it does not or the arguments are wrong.
int probe_downstream(const std::string& address, const std::string& recipient,
                     const std::string& domain, bool as_json);

}  // namespace postern::cli
