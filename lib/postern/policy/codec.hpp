// How a member of each type is read from a value and shown: the types that settings may have.
// Plugins include this header: what it needs of the document is only declared.
#pragma once

#include <postern/base/chrono.hpp>
#include <postern/base/url.hpp>
#include <postern/policy/values.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace postern::policy {

struct Reading;
struct Value;

struct Codec {
  std::string noun;  // "a duration"; for choices the values themselves
  bool (*read)(Reading& reading, const Value& value, void* out) = nullptr;  // false: has complained
  std::string (*show)(const void* in) = nullptr;  // as in the file; empty when there is no value
};

Codec codec(std::type_identity<bool>);
Codec codec(std::type_identity<double>);
Codec codec(std::type_identity<std::chrono::milliseconds>);
Codec codec(std::type_identity<ByteCount>);
Codec codec(std::type_identity<std::string>);
Codec codec(std::type_identity<FilePath>);
Codec codec(std::type_identity<SocketAddress>);
Codec codec(std::type_identity<Network>);
Codec codec(std::type_identity<DomainPattern>);
Codec codec(std::type_identity<Url>);

template <typename I>
concept Count = std::integral<I> && !std::same_as<I, bool> && sizeof(I) <= sizeof(std::int64_t);

template <Count I>
Codec codec(std::type_identity<I>);
template <typename E>
requires std::is_enum_v<E> Codec codec(std::type_identity<E>);
template <typename T>
Codec codec(std::type_identity<std::optional<T>>);
template <typename T>
Codec codec(std::type_identity<std::vector<T>>);

namespace detail {

std::string quoted_choices(std::span<const std::string_view> names);
std::optional<std::size_t> read_choice(const Reading& reading, const Value& value,
                                       std::span<const std::string_view> names);
std::optional<std::int64_t> read_count(const Reading& reading, const Value& value,
                                       std::int64_t least, std::int64_t most);

// A std::vector of a type that is not known here.
struct ListAccess {
  void (*clear)(void* list);
  void* (*append)(void* list);  // a new element at the end
  void (*drop_last)(void* list);
  std::size_t (*size)(const void* list);
  const void* (*at)(const void* list, std::size_t i);
};

template <typename T>
ListAccess list_access() {
  using List = std::vector<T>;
  return {[](void* list) { static_cast<List*>(list)->clear(); },
          [](void* list) -> void* { return &static_cast<List*>(list)->emplace_back(); },
          [](void* list) { static_cast<List*>(list)->pop_back(); },
          [](const void* list) { return static_cast<const List*>(list)->size(); },
          [](const void* list, std::size_t i) -> const void* {
            return &(*static_cast<const List*>(list))[i];
          }};
}

// The same, made by us and joined element by element.
struct UnionAccess {
  ListAccess list;
  std::shared_ptr<void> (*make)();
  bool (*has)(const void* list, const void* element);
  void (*push)(void* list, const void* element);
};

template <typename T>
UnionAccess union_access() {
  using List = std::vector<T>;
  return {list_access<T>(), []() -> std::shared_ptr<void> { return std::make_shared<List>(); },
          [](const void* list, const void* element) {
            for (const T& present : *static_cast<const List*>(list))
              if (present == *static_cast<const T*>(element)) return true;
            return false;
          },
          [](void* list, const void* element) {
            static_cast<List*>(list)->push_back(*static_cast<const T*>(element));
          }};
}

bool read_list(Reading& reading, const Value& value, const Codec& of_item, const ListAccess& access,
               void* list);
std::string show_list(const Codec& of_item, const ListAccess& access, const void* list);

}  // namespace detail

template <Count I>
Codec codec(std::type_identity<I>) {
  return {"a number",
          [](Reading& reading, const Value& value, void* out) {
            using Limits = std::numeric_limits<I>;
            constexpr auto most = std::numeric_limits<std::int64_t>::max();
            const auto number = detail::read_count(
                reading, value, static_cast<std::int64_t>(Limits::min()),
                std::cmp_greater(Limits::max(), most) ? most
                                                      : static_cast<std::int64_t>(Limits::max()));
            if (number) *static_cast<I*>(out) = static_cast<I>(*number);
            return number.has_value();
          },
          [](const void* in) { return std::to_string(*static_cast<const I*>(in)); }};
}

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

// Absent until the key is set.
template <typename T>
Codec codec(std::type_identity<std::optional<T>>) {
  return {codec(std::type_identity<T>{}).noun,
          [](Reading& reading, const Value& value, void* out) {
            T read{};
            if (!codec(std::type_identity<T>{}).read(reading, value, &read)) return false;
            *static_cast<std::optional<T>*>(out) = std::move(read);
            return true;
          },
          [](const void* in) {
            const auto& value = *static_cast<const std::optional<T>*>(in);
            return value ? codec(std::type_identity<T>{}).show(&*value) : std::string();
          }};
}

// A list; every element is read, so that all its mistakes are told at once.
template <typename T>
Codec codec(std::type_identity<std::vector<T>>) {
  static_assert(!std::same_as<T, bool>, "a list of bool has no elements to point at");
  return {"a list, each " + codec(std::type_identity<T>{}).noun,
          [](Reading& reading, const Value& value, void* out) {
            return detail::read_list(reading, value, codec(std::type_identity<T>{}),
                                     detail::list_access<T>(), out);
          },
          [](const void* in) {
            return detail::show_list(codec(std::type_identity<T>{}), detail::list_access<T>(), in);
          }};
}

}  // namespace postern::policy
