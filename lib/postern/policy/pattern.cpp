#define PCRE2_CODE_UNIT_WIDTH 8

#include <postern/base/text.hpp>
#include <postern/policy/pattern.hpp>

#include <fmt/format.h>
#include <pcre2.h>
#include <re2/re2.h>

#include <array>
#include <mutex>
#include <utility>

namespace postern::policy {
namespace {

re2::RE2::Options linear_options() {
  re2::RE2::Options made;
  made.set_case_sensitive(false);
  made.set_log_errors(false);
  made.set_never_capture(true);
  made.set_max_mem(Pattern::max_octets);
  return made;
}

// What RE2 says of that which only Perl has.
bool may_be_perls(re2::RE2::ErrorCode code) {
  return code == re2::RE2::ErrorBadPerlOp || code == re2::RE2::ErrorBadEscape ||
         code == re2::RE2::ErrorRepeatOp || code == re2::RE2::ErrorBadNamedCapture;
}

// Without code made at run time: the service may not execute what it has written.
constexpr std::uint32_t perl_options =
    PCRE2_CASELESS | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;

pcre2_code* compile_perl(std::string_view text, std::string& fault) {
  int number = 0;
  PCRE2_SIZE place = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                   perl_options, &number, &place, nullptr);
  if (code != nullptr) return code;
  std::array<PCRE2_UCHAR, 256> message{};
  pcre2_get_error_message(number, message.data(), message.size());
  fault = fmt::format("{}, at octet {}", reinterpret_cast<const char*>(message.data()), place + 1);
  return nullptr;
}

pcre2_match_context* limits() {
  struct Free {
    void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  };
  static const std::unique_ptr<pcre2_match_context, Free> context = [] {
    std::unique_ptr<pcre2_match_context, Free> made(pcre2_match_context_create(nullptr));
    if (made == nullptr) throw std::bad_alloc();
    pcre2_set_match_limit(made.get(), Pattern::max_ways);
    pcre2_set_depth_limit(made.get(), Pattern::max_depth);
    pcre2_set_heap_limit(made.get(), Pattern::max_heap_kib);
    return made;
  }();
  return context.get();
}

// Where PCRE2 remembers its ways; kept, since it grows with what is looked for.
pcre2_match_data* room() {
  struct Free {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  };
  thread_local const std::unique_ptr<pcre2_match_data, Free> data(
      pcre2_match_data_create(1, nullptr));
  if (data == nullptr) throw std::bad_alloc();
  return data.get();
}

constexpr std::size_t most_told = 100;  // between two calls of take_cut_patterns()
std::mutex of_cut_patterns;
std::vector<std::string> cut_patterns;

}  // namespace

void Pattern::FreeCode::operator()(pcre2_real_code_8* code) const { pcre2_code_free(code); }

Pattern::Pattern(std::string text) : text_(std::move(text)) {}
Pattern::~Pattern() = default;

std::unique_ptr<Pattern> Pattern::compile(std::string text, std::string& fault) {
  std::unique_ptr<Pattern> made(new Pattern(std::move(text)));
  made->linear_ = std::make_unique<re2::RE2>(made->text_, linear_options());
  if (made->linear_->ok()) return made;
  const auto code = made->linear_->error_code();
  fault = made->linear_->error();
  if (!may_be_perls(code)) return nullptr;
  made->linear_.reset();
  std::string perl_fault;
  made->perl_.reset(compile_perl(made->text_, perl_fault));
  if (made->perl_ != nullptr) return made;
  if (code == re2::RE2::ErrorBadPerlOp) fault = std::move(perl_fault);
  return nullptr;
}

Pattern::Found Pattern::look_in(std::string_view subject) const {
  if (!is_linear()) return try_ways(subject);
  return re2::RE2::PartialMatch({subject.data(), subject.size()}, *linear_) ? Found::yes
                                                                            : Found::no;
}

Pattern::Found Pattern::try_ways(std::string_view subject) const {
  const int code = pcre2_match(perl_.get(), reinterpret_cast<PCRE2_SPTR>(subject.data()),
                               subject.size(), 0, 0, room(), limits());
  if (code >= 0) return Found::yes;
  if (code == PCRE2_ERROR_NOMATCH) return Found::no;
  tell_cut(subject);
  return Found::cut_short;
}

void Pattern::tell_cut(std::string_view subject) const {
  if (told_.exchange(true)) return;
  const std::lock_guard lock(of_cut_patterns);
  if (cut_patterns.size() >= most_told) return;
  cut_patterns.push_back(
      fmt::format("the regular expression '{}' has too many ways to match '{}': where it comes to "
                  "its limits it counts as not matching",
                  printable(text_, 200), printable(subject, 100)));
}

std::vector<std::string> take_cut_patterns() {
  const std::lock_guard lock(of_cut_patterns);
  return std::exchange(cut_patterns, {});
}

}  // namespace postern::policy
