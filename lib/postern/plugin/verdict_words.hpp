// qpsmtpd's words for verdicts, as they stand in the lines of its lists: "DENY No such user".
#pragma once

#include <postern/plugin/verdict.hpp>

#include <optional>
#include <string_view>

namespace postern::plugin {

// OK (only at rcpt), DECLINED, DENY, DENYSOFT, DENY_DISCONNECT (or DENYHARD), DENYSOFT_DISCONNECT,
// and after blanks the text of the refusal; without one it is `otherwise`. `code`: of a refusal,
// its class aside. Nothing: the first word is none of these.
std::optional<Verdict> parse_verdict(std::string_view line, EnhancedCode code,
                                     std::string_view otherwise);

}  // namespace postern::plugin
