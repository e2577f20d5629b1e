#include <postern/base/text.hpp>
#include <postern/policy/codec.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/reading.hpp>
#include <postern/policy/schema.hpp>
#include <postern/policy/suggest.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace postern::policy {
namespace {

using Type = Value::Type;

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", text); }

std::string show_count(double n) { return fmt::format("{:.0f}", n); }
std::string show_duration(double n) {
  return quoted(text(std::chrono::milliseconds(std::llround(n))));
}
std::string show_size(double n) {
  return quoted(text(ByteCount{static_cast<std::size_t>(std::llround(n))}));
}
std::string show_fraction(double n) { return fmt::format("{}", n); }

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
                   double (*count)(Quantity), std::string (*show)(double), void* out) {
  const std::string_view unit = usual_unit(reading, usual);
  if (!expect_quantity(reading, value, what, unit)) return false;
  const Result<Quantity> parsed = parse(value.text, unit);
  if (!parsed) return reading.complain(value, parsed.error().text);
  if (!reading.within_bounds(value, count(*parsed), show)) return false;
  *static_cast<Quantity*>(out) = *parsed;
  return true;
}

bool read_path(Reading& reading, const Value& value, void* out) {
  if (!reading.expect(value, Type::text, "a path")) return false;
  if (value.text.empty() || value.text.find('\0') != std::string::npos)
    return reading.complain(value, "a path is not empty and has no NUL");
  static_cast<FilePath*>(out)->text = absolute_path(reading.folder, value.text);
  return true;
}

}  // namespace

std::string absolute_path(std::string_view folder, std::string_view path) {
  if (path.starts_with('/')) return std::string(path);
  return std::string(folder) + '/' + std::string(path);
}

bool DomainPattern::matches(std::string_view domain) const {
  if (!text.starts_with('.')) return iequals(domain, text);
  return domain.size() > text.size() && iequals(domain.substr(domain.size() - text.size()), text);
}

bool Reading::complain(const Value& value, std::string text) const {
  problems.add(value.place, path, std::move(text));
  return false;
}

bool Reading::expect(const Value& value, Type type, std::string_view what) const {
  if (value.type == type) return true;
  return complain(value, fmt::format("expected {}, found {}", what, noun(value.type)));
}

bool Reading::within_bounds(const Value& value, double number, std::string (*shown)(double)) const {
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

Codec codec(std::type_identity<double>) {
  return {"a number, possibly with a fraction",
          [](Reading& reading, const Value& value, void* out) {
            if (value.type != Type::integer && !reading.expect(value, Type::number, "a number"))
              return false;
            const double number =
                value.type == Type::integer ? static_cast<double>(value.integer) : value.fraction;
            if (!std::isfinite(number)) return reading.complain(value, "expected a finite number");
            if (!reading.within_bounds(value, number, show_fraction)) return false;
            *static_cast<double*>(out) = number;
            return true;
          },
          [](const void* in) { return show_fraction(*static_cast<const double*>(in)); }};
}

Codec codec(std::type_identity<std::chrono::milliseconds>) {
  return {"a duration",
          [](Reading& reading, const Value& value, void* out) {
            return read_quantity<std::chrono::milliseconds>(
                reading, value, "a duration", "s", parse_duration,
                [](std::chrono::milliseconds d) { return static_cast<double>(d.count()); },
                show_duration, out);
          },
          [](const void* in) {
            return quoted(text(*static_cast<const std::chrono::milliseconds*>(in)));
          }};
}

Codec codec(std::type_identity<ByteCount>) {
  return {"a size",
          [](Reading& reading, const Value& value, void* out) {
            return read_quantity<ByteCount>(
                reading, value, "a size", "MB", parse_size,
                [](ByteCount size) { return static_cast<double>(size.octets); }, show_size, out);
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

Codec codec(std::type_identity<Url>) {
  return {"a URL",
          [](Reading& reading, const Value& value, void* out) {
            if (!reading.expect(value, Type::text, "a URL")) return false;
            auto url = Url::parse(value.text);
            if (!url) return reading.complain(value, url.error().text);
            *static_cast<Url*>(out) = std::move(*url);
            return true;
          },
          [](const void* in) {
            const auto& url = *static_cast<const Url*>(in);
            return url.empty() ? std::string() : quoted(url.text());
          }};
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

std::optional<std::int64_t> read_count(const Reading& reading, const Value& value,
                                       std::int64_t least, std::int64_t most) {
  if (!reading.expect(value, Type::integer, "an integer")) return {};
  const std::int64_t number = value.integer;
  if (number < 0 && least == 0) {
    reading.complain(value, "a negative number makes no sense here");
    return {};
  }
  if (!reading.within_bounds(value, static_cast<double>(number), show_count)) return {};
  if (number < least || number > most) {
    reading.complain(value, number < least
                                ? fmt::format("{} is too small; at least {}", number, least)
                                : fmt::format("{} is too large; at most {}", number, most));
    return {};
  }
  return number;
}

bool read_list(Reading& reading, const Value& value, const Codec& of_item, const ListAccess& access,
               void* list) {
  if (!reading.expect(value, Type::list, "a list")) return false;
  access.clear(list);
  bool good = true;
  for (const Value& item : value.items) {
    if (of_item.read(reading, item, access.append(list))) continue;
    access.drop_last(list);
    good = false;
  }
  return good;
}

std::string show_list(const Codec& of_item, const ListAccess& access, const void* list) {
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < access.size(list); ++i)
    shown.push_back(of_item.show(access.at(list, i)));
  return shown.empty() ? std::string() : fmt::format("[{}]", fmt::join(shown, ", "));
}

}  // namespace detail
}  // namespace postern::policy
