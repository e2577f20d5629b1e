#include "builtin_catalog.hpp"

#include <array>

namespace postern::policy {
namespace {

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
        plugin_type<BuiltinRcptOk>("rcpt_ok", "Takes the recipients it lists; see RECIPIENTS.",
                                   POSTERN_VERSION, BuiltinRcptOk::describe);
    type.earliest = type.latest = Stage::rcpt;
    type.fault = BuiltinRcptOk::fault;
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

}  // namespace postern::policy
