// rcpt_ok and rcpt_accept as types without code, as their modules describe them: for tests of the
// configuration, which load no module.
#pragma once

#include <postern/policy/plugin_type.hpp>
#include <postern/policy/policy.hpp>

#include <string>
#include <vector>

namespace postern::policy {

struct BuiltinRcptOk {
  std::vector<DomainPattern> domains;
  RecipientList recipients;

  static void describe(Schema<BuiltinRcptOk>& schema) {
    schema.key("domains", &BuiltinRcptOk::domains,
               "domains whose mail is taken: \"example.net\" for that domain alone, "
               "\".example.net\" for all of its subdomains");
    schema.key("recipients", &BuiltinRcptOk::recipients,
               "recipients, each an address or \"@domain\"; of a domain that has addresses here, "
               "only these are taken");
  }

  static std::string fault(const void* settings) {
    const auto& s = *static_cast<const BuiltinRcptOk*>(settings);
    if (!s.domains.empty() || s.recipients.tables.written || s.recipients.tables.file) return {};
    return "takes nothing without domains or recipients_file; set one of them";
  }
};

// What the site's instance `index`, an rcpt_ok, was told.
inline const BuiltinRcptOk& rcpt_ok(const Snapshot& snapshot, InstanceIndex index = 0) {
  return *static_cast<const BuiltinRcptOk*>(snapshot.site().of(index).settings);
}

Catalog& builtin_catalog();

}  // namespace postern::policy
