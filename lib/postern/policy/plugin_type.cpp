#include <postern/policy/plugin_type.hpp>

namespace postern::policy {

PluginType plugin_type(std::string name, std::string summary, std::string version,
                       SchemaBase& schema, void* (*make)(), void* (*copy)(const void*),
                       void (*destroy)(void*)) {
  PluginType type;
  type.name = std::move(name);
  type.summary = std::move(summary);
  type.version = std::move(version);
  type.defaults = schema.defaults();
  type.description = schema.take();
  type.make = make;
  type.copy = copy;
  type.destroy = destroy;
  return type;
}

}  // namespace postern::policy
