// A regular expression of the administrator's, found anywhere in a text whatever its case.
//
// RE2 compiles it, and takes time linear in the text. What RE2 has not (look-around,
// back-references, atomic groups, recursion) PCRE2 has, as Perl: it tries one way after the other,
// within limits. Where it comes to them the text counts as not matching, and take_cut_patterns()
// tells it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}
struct pcre2_real_code_8;

namespace postern::policy {

class Pattern {
 public:
  enum class Found : std::uint8_t { no, yes, cut_short };

  static constexpr std::int64_t max_octets = std::int64_t{1} << 20;  // compiled, by RE2
  // Of one try by PCRE2: ways that it tries, how deep they lie in each other, memory for them. A
  // try that comes to the first has taken some 2 ms.
  static constexpr std::uint32_t max_ways = 100'000;
  static constexpr std::uint32_t max_depth = 10'000;
  static constexpr std::uint32_t max_heap_kib = 4096;

  // nullptr: `fault` tells why it is none.
  static std::unique_ptr<Pattern> compile(std::string text, std::string& fault);
  ~Pattern();
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  Found look_in(std::string_view subject) const;
  bool is_linear() const { return linear_ != nullptr; }  // RE2 has it
  const std::string& text() const { return text_; }

 private:
  struct FreeCode {
    void operator()(pcre2_real_code_8* code) const;
  };

  explicit Pattern(std::string text);
  Found try_ways(std::string_view subject) const;
  void tell_cut(std::string_view subject) const;

  std::string text_;
  std::unique_ptr<re2::RE2> linear_;
  std::unique_ptr<pcre2_real_code_8, FreeCode> perl_;
  mutable std::atomic<bool> told_ = false;
};

// A line for each pattern that came to its limits since the last call: each is told once. From any
// thread.
std::vector<std::string> take_cut_patterns();

}  // namespace postern::policy
