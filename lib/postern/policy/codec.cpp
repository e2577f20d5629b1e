#include <postern/base/text.hpp>
#include <postern/policy/codec.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/schema.hpp>
#include <postern/policy/suggest.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace postern::policy {
namespace {

using Type = Value::Type;

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

std::string show_count(std::int64_t n) { return std::to_string(n); }
std::string show_duration(std::int64_t n) { return quoted(text(std::chrono::milliseconds(n))); }
std::string show_size(std::int64_t n) {
  return quoted(text(ByteCount{static_cast<std::size_t>(n)}));
}

// The unit to propose: seconds, and for sizes that of the default.
std::string_view usual_unit(const Reading& reading, std::string_view otherwise) {
  if (otherwise == "s" || reading.key == nullptr || reading.key->initial.size() < 3)
    return otherwise;
  const std::string_view initial = reading.key->initial;
  const auto unit = unit_of(initial.substr(0, initial.size() - 1));  // without the closing quote
  return unit.empty() ? otherwise : unit;
}

// A quantity that stands without quotes is a common slip: name the form that works.
bool expect_quantity(const Reading& reading, const Value& value, std::string_view what,
                     std::string_view unit) {
  if (value.type != Type::integer) return reading.expect(value, Type::text, what);
  return reading.complain(value,
                          fmt::format("expected {} with its unit, found an integer; for example "
                                      "\"{}{}\"",
                                      what, value.integer, unit));
}

template <typename Quantity>
bool read_quantity(Reading& reading, const Value& value, std::string_view what,
                   std::string_view usual,
                   Result<Quantity> (*parse)(std::string_view, std::string_view),
                   std::int64_t (*count)(Quantity), std::string (*show)(std::int64_t), void* out) {
  const std::string_view unit = usual_unit(reading, usual);
  if (!expect_quantity(reading, value, what, unit)) return false;
  const Result<Quantity> parsed = parse(value.text, unit);
  if (!parsed) return reading.complain(value, parsed.error().text);
  if (!reading.within_bounds(value, count(*parsed), show)) return false;
  *static_cast<Quantity*>(out) = *parsed;
  return true;
}

std::string absolute(const Reading& reading, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  return reading.folder + '/' + std::string(path);
}

bool read_path(Reading& reading, const Value& value, void* out) {
  if (!reading.expect(value, Type::text, "a path")) return false;
  if (value.text.empty() || value.text.find('\0') != std::string::npos)
    return reading.complain(value, "a path is not empty and has no NUL");
  static_cast<FilePath*>(out)->text = absolute(reading, value.text);
  return true;
}

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
    target = "file:" + absolute(reading, std::string_view(value.text).substr(5));
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

bool Reading::complain(const Value& value, std::string text) const {
  problems.add(value.place, path, std::move(text));
  return false;
}

bool Reading::expect(const Value& value, Type type, std::string_view what) const {
  if (value.type == type) return true;
  return complain(value, fmt::format("expected {}, found {}", what, noun(value.type)));
}

bool Reading::within_bounds(const Value& value, std::int64_t number,
                            std::string (*shown)(std::int64_t)) const {
  if (key == nullptr) return true;
  if (key->least && number < *key->least)
    return complain(value,
                    fmt::format("{} is too small; at least {}", shown(number), shown(*key->least)));
  if (key->most && number > *key->most)
    return complain(value,
                    fmt::format("{} is too large; at most {}", shown(number), shown(*key->most)));
  return true;
}

Codec codec(std::type_identity<bool>) {
  return {
      "true or false",
      [](Reading& reading, const Value& value, void* out) {
        if (!reading.expect(value, Type::boolean, "true or false")) return false;
        *static_cast<bool*>(out) = value.boolean;
        return true;
      },
      [](const void* in) { return std::string(*static_cast<const bool*>(in) ? "true" : "false"); }};
}

Codec codec(std::type_identity<std::size_t>) {
  return {"a number",
          [](Reading& reading, const Value& value, void* out) {
            if (!reading.expect(value, Type::integer, "an integer")) return false;
            if (value.integer < 0)
              return reading.complain(value, "a negative number makes no sense here");
            if (!reading.within_bounds(value, value.integer, show_count)) return false;
            *static_cast<std::size_t*>(out) = static_cast<std::size_t>(value.integer);
            return true;
          },
          [](const void* in) { return std::to_string(*static_cast<const std::size_t*>(in)); }};
}

Codec codec(std::type_identity<std::chrono::milliseconds>) {
  return {"a duration",
          [](Reading& reading, const Value& value, void* out) {
            return read_quantity<std::chrono::milliseconds>(
                reading, value, "a duration", "s", parse_duration,
                [](std::chrono::milliseconds d) { return std::int64_t{d.count()}; }, show_duration,
                out);
          },
          [](const void* in) {
            return show_duration(static_cast<const std::chrono::milliseconds*>(in)->count());
          }};
}

Codec codec(std::type_identity<ByteCount>) {
  return {"a size",
          [](Reading& reading, const Value& value, void* out) {
            return read_quantity<ByteCount>(
                reading, value, "a size", "MB", parse_size,
                [](ByteCount size) { return static_cast<std::int64_t>(size.octets); }, show_size,
                out);
          },
          [](const void* in) { return quoted(text(*static_cast<const ByteCount*>(in))); }};
}

Codec codec(std::type_identity<std::string>) {
  return {"a string",
          [](Reading& reading, const Value& value, void* out) {
            if (!reading.expect(value, Type::text, "a string")) return false;
            if (value.text.empty()) return reading.complain(value, "must not be empty");
            *static_cast<std::string*>(out) = value.text;
            return true;
          },
          [](const void* in) {
            const auto& text = *static_cast<const std::string*>(in);
            return text.empty() ? std::string() : quoted(text);
          }};
}

Codec codec(std::type_identity<FilePath>) {
  return {"a path", read_path, [](const void* in) {
            const auto& path = *static_cast<const FilePath*>(in);
            return path.empty() ? std::string() : quoted(path.text);
          }};
}

Codec codec(std::type_identity<SocketAddress>) {
  return {"an address with its port",
          [](Reading& reading, const Value& value, void* out) {
            if (!reading.expect(value, Type::text, "\"ADDRESS:PORT\"")) return false;
            const auto address = SocketAddress::parse(value.text);
            if (!address)
              return reading.complain(
                  value, address.error().text + "; for example \"0.0.0.0:25\" or \"[::]:25\"");
            *static_cast<SocketAddress*>(out) = *address;
            return true;
          },
          [](const void* in) {
            const auto& address = *static_cast<const SocketAddress*>(in);
            return address == SocketAddress{} ? std::string() : quoted(address.text());
          }};
}

Codec codec(std::type_identity<Network>) {
  return {"a network",
          [](Reading& reading, const Value& value, void* out) {
            if (!reading.expect(value, Type::text, "a network")) return false;
            const auto network = Network::parse(value.text);
            if (!network) return reading.complain(value, network.error().text);
            *static_cast<Network*>(out) = *network;
            return true;
          },
          [](const void* in) { return quoted(static_cast<const Network*>(in)->text()); }};
}

Codec codec(std::type_identity<Endpoints>) {
  return {"a list of \"HOST:PORT\"", read_endpoints, [](const void* in) {
            std::vector<std::string> names = static_cast<const Endpoints*>(in)->names;
            for (std::string& name : names) name = quoted(name);
            return names.empty() ? std::string() : detail::joined_list(names);
          }};
}

Codec codec(std::type_identity<LogTargetText>) {
  return {std::string(log_targets), read_log_target,
          [](const void* in) { return quoted(static_cast<const LogTargetText*>(in)->text); }};
}

Codec codec(std::type_identity<DomainPattern>) {
  return {"a domain",
          [](Reading& reading, const Value& value, void* out) {
            if (!reading.expect(value, Type::text, "a domain")) return false;
            std::string_view name = value.text;
            if (name.starts_with('.')) name.remove_prefix(1);
            if (const auto fault = fault_of_domain(name); !fault.empty())
              return reading.complain(
                  value, fmt::format("'{}' is not a domain: {}", printable(value.text, 80), fault));
            static_cast<DomainPattern*>(out)->text = lower(value.text);
            return true;
          },
          [](const void* in) { return quoted(static_cast<const DomainPattern*>(in)->text); }};
}

namespace detail {

std::string quoted_choices(std::span<const std::string_view> names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += quoted(names[i]);
  }
  return out;
}

std::optional<std::size_t> read_choice(const Reading& reading, const Value& value,
                                       std::span<const std::string_view> names) {
  if (!reading.expect(value, Type::text, quoted_choices(names))) return {};
  const auto found = std::find(names.begin(), names.end(), value.text);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  const std::string shown = printable(value.text, 64);
  if (reading.key != nullptr) {
    const auto& later = reading.key->later_choices;
    if (std::find(later.begin(), later.end(), value.text) != later.end()) {
      reading.complain(value, fmt::format("'{}' is not available in this version; use {}", shown,
                                          quoted_choices(names)));
      return {};
    }
  }
  const auto meant = nearest(value.text, {names.begin(), names.end()});
  reading.complain(value, fmt::format("'{}' is not {}{}", shown, quoted_choices(names),
                                      meant ? fmt::format("; did you mean \"{}\"?", *meant) : ""));
  return {};
}

std::string joined_list(const std::vector<std::string>& items) {
  return fmt::format("[{}]", fmt::join(items, ", "));
}

}  // namespace detail
}  // namespace postern::policy
