#include <postern/policy/builtin.hpp>

#include <array>

namespace postern::policy {
namespace {

struct RcptOk {
  std::vector<DomainPattern> domains;
  RecipientList recipients;

  static void describe(Schema<RcptOk>& schema) {
    schema.key("domains", &RcptOk::domains,
               "domains whose mail is taken: \"example.net\" for that domain alone, "
               "\".example.net\" for all of its subdomains");
    schema.key("recipients", &RcptOk::recipients,
               "recipients, each an address or \"@domain\"; of a domain that has addresses here, "
               "only these are taken");
  }

  static std::string fault(const void* settings) {
    const auto& s = *static_cast<const RcptOk*>(settings);
    if (!s.domains.empty() || s.recipients.tables.written || s.recipients.tables.file) return {};
    return "takes nothing without domains or recipients_file; set one of them";
  }
};

struct RcptAccept {
  static void describe(Schema<RcptAccept>&) {}
};

class Builtin final : public Catalog {
 public:
  Builtin() : types_{rcpt_ok(), rcpt_accept()} {}

  const PluginType* find(std::string_view name) override {
    for (const PluginType& type : types_)
      if (type.name == name) return &type;
    return nullptr;
  }
  std::string problem(std::string_view) override { return {}; }
  std::vector<std::string> names() override { return {types_[0].name, types_[1].name}; }

 private:
  static PluginType rcpt_ok() {
    PluginType type =
        plugin_type<RcptOk>("rcpt_ok", "Takes the recipients it lists; see RECIPIENTS.",
                            POSTERN_VERSION, RcptOk::describe);
    type.earliest = type.latest = Stage::rcpt;
    type.fault = RcptOk::fault;
    return type;
  }
  static PluginType rcpt_accept() {
    PluginType type = plugin_type<RcptAccept>(
        "rcpt_accept",
        "Takes every recipient: only where the downstream itself refuses what is not its own, or "
        "for tests. Anywhere else it makes an open relay.",
        POSTERN_VERSION, RcptAccept::describe);
    type.earliest = type.latest = Stage::rcpt;
    return type;
  }

  std::array<PluginType, 2> types_;
};

}  // namespace

Catalog& builtin_catalog() {
  static Builtin catalog;
  return catalog;
}

RecipientTable build_recipients(std::string_view hostname, const Snapshot& snapshot) {
  RecipientTable table;
  if (!hostname.empty()) table.add_domain(hostname);
  for (std::size_t i = 0; i < snapshot.instances().size(); ++i) {
    const Effective& effective = snapshot.site().of(static_cast<InstanceIndex>(i));
    const PluginType* type = snapshot.instances()[i].type;
    // An instance that is off or observes accepts nobody.
    if (effective.common.mode == Mode::off || effective.common.mode == Mode::observe) continue;
    if (type == builtin_catalog().find("rcpt_accept")) table.accept_everything();
    if (type != builtin_catalog().find("rcpt_ok")) continue;
    const auto& settings = *static_cast<const RcptOk*>(effective.settings);
    for (const DomainPattern& domain : settings.domains) table.add_domain(domain.text);
    const auto& tables = settings.recipients.tables;
    if (tables.written) table.add_all(*tables.written);
    if (tables.file) table.add_all(*tables.file->table);
  }
  return table;
}

}  // namespace postern::policy
