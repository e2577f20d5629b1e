// Macro strings of SPF records (RFC 7208 section 7): parsed once, expanded for a client. Pure.
#pragma once

#include <postern/base/ip.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::verify {

// What the letters stand for (section 7.2). Texts may hold whatever strangers said.
struct SpfMacroValues {
  std::string_view local_part;      // %{l}, of the sender
  std::string_view sender_domain;   // %{o}; both make %{s}
  std::string_view domain;          // %{d}, whose record is read
  std::string_view helo;            // %{h}
  std::string_view validated_name;  // %{p}; "unknown" where there is none
  std::string_view receiver;        // %{r}, ours
  IpAddress client;                 // %{i}, %{v}, %{c}
  std::chrono::seconds time{0};     // %{t}, since 1970
};

class SpfMacroString {
 public:
  // Whose letters and octets: in explanations %{c}, %{r}, %{t} and blanks may stand too.
  enum class In : std::uint8_t { domain_spec, modifier, explanation };

  SpfMacroString() = default;
  // Errors: malformed, with what is wrong: an octet that may not stand there, '%' before another
  // character than '{', '%', '_' and '-', an unknown letter, a number that is 0, an end without
  // '}'. A domain-spec ends in a macro, or in a dot and a top label that is not all digits.
  static Result<SpfMacroString> parse(std::string_view text, In in);

  bool empty() const { return pieces_.empty(); }
  bool uses_validated_name() const;

  // The name to be asked for: without final dot, and without the labels on its left that are more
  // than 253 octets (section 7.3). It may still be no name, with an empty or a long label.
  std::string expand_name(const SpfMacroValues& values) const;
  // The text, cut behind `limit` octets.
  std::string expand_text(const SpfMacroValues& values, std::size_t limit) const;

 private:
  // Text, or a macro with its transformers.
  struct Piece {
    std::string text;      // of a macro: its delimiters
    char letter = '\0';    // in lower case; NUL: this is text
    bool escapes = false;  // an upper-case letter: escaped as in URLs
    bool reversed = false;
    std::uint16_t parts = 0;  // how many on the right; 0: all
  };
  static Result<Piece> parse_macro(std::string_view inner, In in);
  static std::string expand(const Piece& piece, const SpfMacroValues& values);
  void add_text(std::string_view text);
  bool ends_as_a_name_does() const;

  std::vector<Piece> pieces_;
};

}  // namespace postern::verify
