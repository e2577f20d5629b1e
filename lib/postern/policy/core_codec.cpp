// The values that only the core's own tables have: see configuration.hpp.
#include <postern/base/text.hpp>
#include <postern/policy/configuration.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/reading.hpp>
#include <postern/policy/suggest.hpp>

#include <fmt/format.h>

namespace postern::policy {
namespace {

using Type = Value::Type;

bool read_endpoint(Reading& reading, const Value& value, Endpoints& out) {
  if (!reading.expect(value, Type::text, "\"HOST:PORT\"")) return false;
  auto endpoint = parse_endpoint(value.text);
  if (!endpoint) return reading.complain(value, endpoint.error().text);
  out.names.push_back(value.text);
  if (endpoint->address) {
    out.addresses.push_back(*endpoint->address);
  } else if (reading.resolve) {
    const auto found = resolve(endpoint->host, endpoint->port);
    if (!found) return reading.complain(value, found.error().text);
    out.addresses.insert(out.addresses.end(), found->begin(), found->end());
  }
  return true;
}

bool read_endpoints(Reading& reading, const Value& value, void* out) {
  if (value.type == Type::text)
    return reading.complain(
        value, fmt::format("expected a list, found a string; write [\"{}\"]", value.text));
  if (!reading.expect(value, Type::list, "a list of \"HOST:PORT\"")) return false;
  if (value.items.empty())
    return reading.complain(value, "the list is empty; name at least one \"HOST:PORT\"");
  auto& endpoints = *static_cast<Endpoints*>(out);
  endpoints = {};
  bool good = true;
  for (const Value& item : value.items) good = read_endpoint(reading, item, endpoints) && good;
  return good;
}

constexpr std::string_view log_targets = "\"stderr\", \"journal\", \"syslog\" or \"file:PATH\"";

bool read_log_target(Reading& reading, const Value& value, void* out) {
  if (!reading.expect(value, Type::text, log_targets)) return false;
  std::string& target = static_cast<LogTargetText*>(out)->text;
  if (value.text.starts_with("file:") && value.text.size() > 5) {
    target = "file:" + absolute_path(reading.folder, std::string_view(value.text).substr(5));
    return true;
  }
  if (value.text == "stderr" || value.text == "journal" || value.text == "syslog") {
    target = value.text;
    return true;
  }
  auto meant = nearest(value.text, {"stderr", "journal", "syslog"});
  if (value.text.starts_with('/')) meant = "file:" + value.text;
  return reading.complain(
      value,
      fmt::format("'{}' is none of {}{}", printable(value.text, 200), log_targets,
                  meant ? fmt::format("; did you mean \"{}\"?", printable(*meant, 200)) : ""));
}

}  // namespace

Codec codec(std::type_identity<Endpoints>) {
  return {"a list of \"HOST:PORT\"", read_endpoints, [](const void* in) {
            std::vector<std::string> names = static_cast<const Endpoints*>(in)->names;
            if (names.empty()) return std::string();
            return fmt::format("[\"{}\"]", fmt::join(names, "\", \""));
          }};
}

Codec codec(std::type_identity<LogTargetText>) {
  return {std::string(log_targets), read_log_target,
          [](const void* in) { return '"' + static_cast<const LogTargetText*>(in)->text + '"'; }};
}

}  // namespace postern::policy
