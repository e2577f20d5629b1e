// Appends JSON to a string: log lines and decision records, about a microsecond each.
//
// Whatever the values hold, the result is valid JSON on one line that no terminal acts on: controls
// (C0, DEL, C1) are escaped, octets that are not UTF-8 become U+FFFD, a value over
// `max_value_octets` is cut and marked by "...". Nothing is allocated but what `out` grows.
//
//   json::Writer record(line);
//   record.begin().key("helo").string(helo).begin_array("recipients");
//   for (const auto& path : recipients) record.string(path);
//   record.end().end();
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::json {

inline constexpr std::size_t max_value_octets = 1024;  // of the value as it came in
inline constexpr unsigned max_depth = 32;

// Appends `text` as a JSON string with its quotes.
void append_string(std::string& out, std::string_view text, std::size_t limit = max_value_octets);

// Keys come from our own code: inside an object each value is preceded by its key, and each begin
// has its end; anything else is a bug and asserts.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Writer& begin();        // an object: the whole, or an element of an array
  Writer& begin_array();  // an array, likewise
  Writer& begin(std::string_view name) { return key(name).begin(); }
  Writer& begin_array(std::string_view name) { return key(name).begin_array(); }
  Writer& end();  // the innermost object or array

  Writer& key(std::string_view name);
  Writer& string(std::string_view text, std::size_t limit = max_value_octets);
  Writer& boolean(bool value);
  Writer& null();
  Writer& number(std::integral auto value) {
    if constexpr (std::signed_integral<decltype(value)>)
      return integer(static_cast<std::int64_t>(value));
    else
      return natural(static_cast<std::uint64_t>(value));
  }
  Writer& number(double value);        // null for infinities and NaN, which JSON does not have
  Writer& raw(std::string_view json);  // a value that is JSON already, on one line

 private:
  Writer& integer(std::int64_t value);
  Writer& natural(std::uint64_t value);
  Writer& open(char bracket, bool array);
  void separate();

  std::string& out_;
  std::uint32_t arrays_ = 0;  // bit n: the nesting at depth n is an array
  unsigned depth_ = 0;
  bool first_ = true;  // nothing stands yet in the innermost object or array
  bool keyed_ = false;
};

}  // namespace postern::json
