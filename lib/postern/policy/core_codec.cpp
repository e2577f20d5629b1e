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

constexpr std::int64_t most_weight = 1000;
constexpr std::size_t most_path_octets = 107;  // sun_path of unix(7)

bool read_unix_socket(const Reading& reading, const Value& value, std::size_t weight,
                      Endpoints& out) {
  const std::string path = absolute_path(reading.folder, std::string_view(value.text).substr(5));
  if (value.text.size() == 5 || path.find('\0') != std::string::npos)
    return reading.complain(value, "expected \"unix:PATH\"");
  if (path.size() > most_path_octets)
    return reading.complain(
        value, fmt::format("the path of a socket has at most {} octets", most_path_octets));
  out.names.push_back(value.text);
  out.servers.push_back({ServerAddress::local(path), weight});
  return true;
}

bool read_endpoint(Reading& reading, const Value& value, std::size_t weight, Endpoints& out) {
  if (!reading.expect(value, Type::text, "\"HOST:PORT\"")) return false;
  if (value.text.starts_with("unix:")) return read_unix_socket(reading, value, weight, out);
  auto endpoint = parse_endpoint(value.text);
  if (!endpoint) return reading.complain(value, endpoint.error().text);
  out.names.push_back(value.text);
  if (endpoint->address) {
    out.servers.push_back({*endpoint->address, weight});
  } else if (reading.resolve) {
    const auto found = resolve(endpoint->host, endpoint->port);
    if (!found) return reading.complain(value, found.error().text);
    for (const SocketAddress& address : *found)
      out.servers.push_back({address, weight, endpoint->host});
  }
  return true;
}

// { address = "HOST:PORT", weight = 2 }
bool read_weighted(Reading& reading, const Value& table, Endpoints& out) {
  bool good = true;
  for (const Entry& entry : table.entries)
    if (entry.name != "address" && entry.name != "weight") {
      reading.problems.add(entry.place, reading.path,
                           fmt::format("no such key here: {}; known here: address, weight",
                                       printable(entry.name, 64)));
      good = false;
    }
  std::size_t weight = 0;
  if (const Entry* given = table.find("weight")) {
    const auto number = detail::read_count(reading, given->value, 1, most_weight);
    if (!number) return false;
    weight = static_cast<std::size_t>(*number);
  }
  const Entry* address = table.find("address");
  if (address == nullptr)
    return reading.complain(table, "'address' is missing; write { address = \"HOST:PORT\" }");
  return read_endpoint(reading, address->value, weight, out) && good;
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
  for (const Value& item : value.items) {
    const bool weighted = item.type == Type::table;
    good = (weighted ? read_weighted(reading, item, endpoints)
                     : read_endpoint(reading, item, 0, endpoints)) &&
           good;
  }
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
  return {"a list of \"HOST:PORT\" or \"unix:PATH\"", read_endpoints, [](const void* in) {
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
