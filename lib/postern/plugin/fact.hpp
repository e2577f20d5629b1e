// Facts: what plugins find out, kept for a scope, recorded as evidence, shared by name.
//
//   struct Listings : Fact<"dnsbl.listings", 1> {
//     std::vector<std::string> listed;
//     void record(Fields& out) const { out.add("listed", listed); }
//   };
//   struct Trap : Fact<> { … };   // without a name: private to the instance that puts it
#pragma once

#include <postern/base/json.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::plugin {

template <std::size_t N>
struct FactName {
  char text[N]{};
  consteval FactName(const char (&name)[N]) {  // NOLINT(google-explicit-constructor): a literal
    for (std::size_t i = 0; i < N; ++i) text[i] = name[i];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

template <FactName Name = "", unsigned Version = 1>
struct Fact {
  static constexpr auto fact_name = Name;
  static constexpr unsigned fact_version = Version;
};

// The flat keys and values of a fact's record().
class Fields {
 public:
  explicit Fields(json::Writer& out) : out_(out) {}
  Fields& add(std::string_view key, std::string_view value) { return text(key, value); }
  Fields& add(std::string_view key, const char* value) { return text(key, value); }
  Fields& add(std::string_view key, const std::string& value) { return text(key, value); }
  Fields& add(std::string_view key, bool value);
  Fields& add(std::string_view key, std::integral auto value) {
    return number(key, static_cast<std::int64_t>(value));
  }
  Fields& add(std::string_view key, double value);
  Fields& add(std::string_view key, const std::vector<std::string>& values);

 private:
  Fields& text(std::string_view key, std::string_view value);
  Fields& number(std::string_view key, std::int64_t value);
  json::Writer& out_;
};

template <typename F>
concept AFact = requires(const F& fact, Fields& out) {
  { F::fact_name.view() } -> std::same_as<std::string_view>;
  { F::fact_version } -> std::convertible_to<unsigned>;
};

// What tells types apart across modules: name, version and size, never an address.
struct FactType {
  std::uint64_t id;
  std::string_view name;  // empty: private
  unsigned version;
  std::size_t size;
  void (*record)(const void* fact, Fields& out);  // null: it has nothing to tell
};

namespace detail {

constexpr std::uint64_t hash(std::string_view text, std::uint64_t seed = 0xcbf29ce484222325u) {
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return seed;
}

template <typename F>
consteval std::uint64_t fact_id() {
  const std::string_view name =
      F::fact_name.view().empty() ? std::string_view(__PRETTY_FUNCTION__) : F::fact_name.view();
  return hash(
      name, hash("", 0xcbf29ce484222325u + F::fact_version * 0x9e3779b97f4a7c15u) + sizeof(F) * 31);
}

template <typename F>
void record_fact(const void* fact, Fields& out) {
  static_cast<const F*>(fact)->record(out);
}

template <typename F>
constexpr auto recorder() -> void (*)(const void*, Fields&) {
  if constexpr (requires(const F& fact, Fields& out) { fact.record(out); })
    return &record_fact<F>;
  else
    return nullptr;
}

}  // namespace detail

template <AFact F>
inline constexpr FactType fact_type{detail::fact_id<F>(), F::fact_name.view(), F::fact_version,
                                    sizeof(F), detail::recorder<F>()};

}  // namespace postern::plugin
