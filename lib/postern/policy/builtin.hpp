// rcpt_ok and rcpt_accept as types without code, until modules bring them, and the one table that
// the session asks in their stead.
#pragma once

#include <postern/policy/plugin_type.hpp>
#include <postern/policy/policy.hpp>
#include <postern/policy/recipients.hpp>

#include <string>
#include <string_view>

namespace postern::policy {

Catalog& builtin_catalog();

// What all instances of the two take together, and mail to `hostname`.
RecipientTable build_recipients(std::string_view hostname, const Snapshot& snapshot);

}  // namespace postern::policy
