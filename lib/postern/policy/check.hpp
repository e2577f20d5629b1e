// What no single key can tell: whether the keys fit together, and the system.
#pragma once

#include <postern/policy/bundle.hpp>
#include <postern/policy/configuration.hpp>
#include <postern/policy/document.hpp>

#include <string_view>

namespace postern::policy {

// Completes `configuration` (hostname) and complains about combinations. `ask_system`: look whether
// users and folders are there.
void check(const Value& document, const Bundle& bundle, bool ask_system,
           Configuration& configuration, Problems& problems);

// The table [score] of the site or of a domain.
void check_score(const Value& document, const Score& score, Problems& problems);

// Where `key` of [tls] stands, or the table does.
Place place_in_tls(const Value& document, std::string_view key);

// The part of it that the master needs: at least one listener, and no address twice.
void check_listeners(const Value& document, const Configuration& configuration, Problems& problems);

}  // namespace postern::policy
