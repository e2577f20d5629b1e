// A setting as it would stand in a file: for people, and without secrets.
#pragma once

#include <postern/policy/document.hpp>
#include <postern/policy/schema.hpp>

#include <string>

namespace postern::policy {

// The member that `key` describes. `pristine`: the same as `key.initial` tells it. `written`: what
// set it, null: nothing did.
std::string shown_value(const Key& key, const void* member, const void* pristine,
                        const Value* written);

// Whether a key's values are secrets, which no page shows.
bool holds_secrets(const Key& key);

}  // namespace postern::policy
