// What a message comes to: one reply for all of its recipients, and the octets that are handed
// over.
#pragma once

#include <postern/deliver/route.hpp>
#include <postern/session/hearing.hpp>
#include <postern/session/transaction.hpp>

#include <optional>
#include <string>
#include <vector>

namespace postern::session {

// The refusal when all of them are refused: transient where one of them is.
std::optional<Refusal> refusal_of_all(const std::vector<Party>& parties);

inline constexpr std::string_view by_mixed = "core:mixed";  // who refuses then

// After the last decision. Where outcomes differ the settings of those who are refused say what
// becomes of it (`mixed`): never is one recipient delivered and the whole refused.
std::optional<Refusal> outcome_of(Transaction& transaction);

// Who is to get it: those that were accepted, with what plugins changed.
std::vector<deliver::Recipient> recipients_of(const Transaction& transaction);
bool same_paths(const std::vector<deliver::Recipient>& a, const std::vector<deliver::Recipient>& b);

// The message with what plugins changed: `edited` holds a new body where there is one.
// Errors: malformed, too_long: an edit that no header section can have.
Result<deliver::Message> prepare(Transaction& transaction, const Hearing& hearing,
                                 std::string trace, deliver::Spool& edited);

}  // namespace postern::session
