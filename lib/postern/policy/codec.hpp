// How a member of each type is read from a value and shown: the types that settings may have.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/base/log.hpp>
#include <postern/policy/document.hpp>
#include <postern/policy/quantity.hpp>

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace postern::policy {

struct Key;

// A file or folder. Relative ones start at the folder of the configuration file.
struct FilePath {
  std::string text;
  bool empty() const { return text.empty(); }
};

// Where SMTP connections go: "ADDRESS:PORT", "[IPV6]:PORT" or "NAME:PORT".
struct Endpoints {
  std::vector<std::string> names;  // as written
  std::vector<SocketAddress>
      addresses;  // in the same order, a name's in the order of the resolver;
                  // names are left out where they were not to be resolved
};

// "example.net", or ".example.net" for all its subdomains; in lower case.
struct DomainPattern {
  std::string text;
};

// What postern::LogTarget::open() takes: "stderr", "journal", "syslog" or "file:PATH".
struct LogTargetText {
  std::string text = "stderr";
  std::string path() const { return text.starts_with("file:") ? text.substr(5) : std::string(); }
};

constexpr auto names_of(Level) {
  return std::array<std::string_view, 5>{"debug", "info", "notice", "warning", "error"};
}

// One value being read: where complaints go and what relative things start at.
struct Reading {
  Problems& problems;
  std::string folder;  // absolute
  bool resolve;        // ask the system for the addresses of names
  const Key* key = nullptr;
  std::string path;  // "forward.to"

  Reading(Problems& where, std::string start, bool ask)
      : problems(where), folder(std::move(start)), resolve(ask) {}

  bool complain(const Value& value, std::string text) const;  // always false
  bool expect(const Value& value, Value::Type type, std::string_view what) const;
  bool within_bounds(const Value& value, std::int64_t number,
                     std::string (*shown)(std::int64_t)) const;
};

struct Codec {
  std::string noun;  // "a duration"; for choices the values themselves
  bool (*read)(Reading& reading, const Value& value, void* out) = nullptr;  // false: has complained
  std::string (*show)(const void* in) = nullptr;  // as in the file; empty when there is no value
};

Codec codec(std::type_identity<bool>);
Codec codec(std::type_identity<std::size_t>);
Codec codec(std::type_identity<std::chrono::milliseconds>);
Codec codec(std::type_identity<ByteCount>);
Codec codec(std::type_identity<std::string>);
Codec codec(std::type_identity<FilePath>);
Codec codec(std::type_identity<SocketAddress>);
Codec codec(std::type_identity<Network>);
Codec codec(std::type_identity<Endpoints>);
Codec codec(std::type_identity<LogTargetText>);
Codec codec(std::type_identity<DomainPattern>);

namespace detail {
std::string quoted_choices(std::span<const std::string_view> names);
std::optional<std::size_t> read_choice(const Reading& reading, const Value& value,
                                       std::span<const std::string_view> names);
std::string joined_list(const std::vector<std::string>& items);
}  // namespace detail

// An enumeration whose enumerators 0, 1, … have the names that `names_of(E)` lists.
template <typename E>
requires std::is_enum_v<E> Codec codec(std::type_identity<E>) {
  return {detail::quoted_choices(names_of(E{})),
          [](Reading& reading, const Value& value, void* out) {
            const auto index = detail::read_choice(reading, value, names_of(E{}));
            if (index) *static_cast<E*>(out) = static_cast<E>(*index);
            return index.has_value();
          },
          [](const void* in) {
            const auto index = static_cast<std::size_t>(*static_cast<const E*>(in));
            return '"' + std::string(names_of(E{})[index]) + '"';
          }};
}

// A list; every element is read, so that all its mistakes are told at once.
template <typename T>
Codec codec(std::type_identity<std::vector<T>>) {
  return {"a list, each " + codec(std::type_identity<T>{}).noun,
          [](Reading& reading, const Value& value, void* out) {
            if (!reading.expect(value, Value::Type::list, "a list")) return false;
            const Codec of_item = codec(std::type_identity<T>{});
            auto& list = *static_cast<std::vector<T>*>(out);
            list.clear();
            bool good = true;
            for (const Value& item : value.items) {
              T read{};
              if (of_item.read(reading, item, &read))
                list.push_back(std::move(read));
              else
                good = false;
            }
            return good;
          },
          [](const void* in) {
            const Codec of_item = codec(std::type_identity<T>{});
            std::vector<std::string> shown;
            for (const T& item : *static_cast<const std::vector<T>*>(in))
              shown.push_back(of_item.show(&item));
            return shown.empty() ? std::string() : detail::joined_list(shown);
          }};
}

}  // namespace postern::policy
