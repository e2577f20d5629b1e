#include <postern/base/text.hpp>
#include <postern/plugin/verdict_words.hpp>

#include <string>

namespace postern::plugin {

std::optional<Verdict> parse_verdict(std::string_view line, EnhancedCode code,
                                     std::string_view otherwise) {
  const auto blank = line.find_first_of(" \t");
  const std::string_view word = line.substr(0, blank);
  if (iequals(word, "OK")) return Verdict::accept();
  if (iequals(word, "DECLINED")) return Verdict::next();

  const bool hangs_up = iequals(word, "DENY_DISCONNECT") || iequals(word, "DENYHARD") ||
                        iequals(word, "DENYSOFT_DISCONNECT");
  const bool is_soft = istarts_with(word, "DENYSOFT");
  if (!hangs_up && !iequals(word, "DENY") && !iequals(word, "DENYSOFT")) return {};
  const std::string_view said =
      blank == std::string_view::npos ? otherwise : trim(line.substr(blank));
  code.cls = is_soft ? 4 : 5;
  Verdict verdict =
      is_soft ? Verdict::defer(code, std::string(said)) : Verdict::reject(code, std::string(said));
  if (hangs_up) return std::move(verdict).and_close();
  return verdict;
}

}  // namespace postern::plugin
