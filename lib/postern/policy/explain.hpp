// Which settings of plugins hold for a domain or a recipient, and where each comes from: what
// `postern explain` prints.
#pragma once

#include <postern/base/result.hpp>
#include <postern/policy/bundle.hpp>
#include <postern/policy/policy.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

struct Origin {
  enum class Kind : std::uint8_t { standard, site, plugin_defaults, block, domain, recipient };

  Kind kind = Kind::standard;
  std::string file;  // as the administrator named it; empty: standard
  std::uint32_t line = 0;

  std::string text() const;  // "default", "block at postern.toml:30", "domains/a.example.toml:4"
};
std::string_view name_of(Origin::Kind kind);  // "default", "site", "plugin_defaults", …

struct ExplainedKey {
  std::string name;   // "threshold", "exempt.senders"
  std::string value;  // as it would stand in the file; empty: none. Secrets are not told.
  std::string size;   // "12 entries", where the value names a file of a list
  Origin origin;
};

struct ExplainedInstance {
  std::string name;
  std::string use;
  std::vector<ExplainedKey> keys;  // its own, then those that every instance has
};

struct Explanation {
  std::string subject;
  std::string scope;                   // whose settings these are: "site", a domain, an address
  std::vector<ExplainedKey> messages;  // mixed, score: of whole messages
  std::vector<ExplainedInstance> instances;
};

// Of a domain, or of a recipient ("anna@example.net"). `bundle`: what `snapshot` was loaded from.
// Errors: malformed.
Result<Explanation> explain(const Bundle& bundle, const Snapshot& snapshot,
                            std::string_view subject);

// For people, and as one JSON object with a newline.
std::string explain_page(const Explanation& explanation);
std::string explain_json(const Explanation& explanation);

}  // namespace postern::policy
