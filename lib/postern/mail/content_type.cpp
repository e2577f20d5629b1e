#include <postern/base/text.hpp>
#include <postern/mail/charset.hpp>
#include <postern/mail/content_type.hpp>
#include <postern/mail/encoded_word.hpp>
#include <postern/mail/lexer.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace postern::mail {
namespace {

// One `attribute[*section][*]=value` as it was written (RFC 2231 section 7).
struct Section {
  std::string name;
  std::optional<std::uint32_t> number;
  bool coded = false;  // the asterisk at the end: percent-coded
  std::string value;
};

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char l = ascii_lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

std::string decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool coded = text[at] == '%' && at + 2 < text.size() && hex_value(text[at + 1]) >= 0 &&
                       hex_value(text[at + 2]) >= 0;
    if (coded) {
      out += static_cast<char>(hex_value(text[at + 1]) << 4 | hex_value(text[at + 2]));
      at += 2;
    } else {
      out += text[at];
    }
  }
  return out;
}

// Splits "name*0*" from behind; what is no such mark stays part of the name.
void read_marks(Section& section) {
  std::string& name = section.name;
  if (name.ends_with('*')) {
    section.coded = true;
    name.pop_back();
  }
  const std::size_t star = name.rfind('*');
  if (star == std::string::npos || star == 0) return;
  section.number = to_number<std::uint32_t>(std::string_view(name).substr(star + 1));
  if (section.number) name.resize(star);
}

class Parser {
 public:
  Parser(std::string_view value, std::size_t limit) : lexer_(value), limit_(limit) {}
  std::optional<ContentType> run();

 private:
  std::string token(std::string_view stops);
  void take_type();
  void take_parameter();
  std::string take_value();
  void join_sections();
  Parameter joined(std::vector<Section>& sections);

  Lexer lexer_;
  std::size_t limit_;
  ContentType result_;
  // The sections of each parameter, and where in the list it shall stand.
  struct Split {
    std::size_t place;
    std::vector<Section> sections;
  };
  std::map<std::string, Split, std::less<>> split_;
  std::size_t sections_ = 0;
  CharsetDecoder charsets_;
};

// A word up to one of `stops`, in lower case, without the blanks and comments around it.
std::string Parser::token(std::string_view stops) {
  lexer_.skip_cfws();
  const std::string_view word = lexer_.word(stops);
  lexer_.skip_cfws();
  return lower(word);
}

void Parser::take_type() {
  result_.type = token("/;");
  if (lexer_.peek() != '/') return;
  lexer_.skip(1);
  result_.subtype = token(";");
}

// A quoted string, or a word; encoded words may have blanks between them.
std::string Parser::take_value() {
  lexer_.skip_cfws();
  if (lexer_.peek() == '"') return lexer_.quoted_string();
  std::string out;
  while (true) {
    const std::string_view word = lexer_.word(";\"");
    out += word;
    if (!out.starts_with("=?") || word.empty()) return out;
    lexer_.skip_cfws();
    if (!lexer_.rest().starts_with("=?")) return out;
    out += ' ';
    result_.malformed = true;
  }
}

void Parser::take_parameter() {
  Section section;
  section.name = token("=;");
  if (lexer_.peek() != '=') {
    if (!section.name.empty()) result_.malformed = true;
    return;
  }
  lexer_.skip(1);
  section.value = take_value();
  read_marks(section);
  if (section.name.find('*') != std::string::npos) result_.malformed = true;
  if (section.name.empty() || section.value.empty()) {
    result_.malformed = true;
    return;
  }
  ++sections_;
  if (!section.number && !section.coded) {
    result_.parameters.push_back({section.name, decode_words(section.value), {}, false});
    return;
  }
  auto [entry, fresh] = split_.try_emplace(section.name, Split{result_.parameters.size(), {}});
  if (fresh) result_.parameters.emplace_back();
  entry->second.sections.push_back(std::move(section));
}

// Joins the sections of one parameter in the order of their numbers. Those that are coded and stand
// side by side are converted together: a character may be cut by the end of a section.
Parameter Parser::joined(std::vector<Section>& sections) {
  std::stable_sort(sections.begin(), sections.end(),
                   [](const Section& a, const Section& b) { return a.number < b.number; });
  Parameter out{sections.front().name, {}, {}, true};
  std::string charset = "us-ascii", coded;
  const auto flush = [&] {
    if (!charsets_.append(out.value, charset, coded)) out.value += coded;
    coded.clear();
  };
  for (std::size_t at = 0; at < sections.size(); ++at) {
    const Section& section = sections[at];
    std::string_view value = section.value;
    if (at > 0 && section.number == sections[at - 1].number) result_.malformed = true;
    if (at == 0 && section.coded) {  // charset'language'text, in the first section only
      const std::size_t first = value.find('\''), second = value.find('\'', first + 1);
      if (first != std::string_view::npos && second != std::string_view::npos) {
        if (first > 0) charset = value.substr(0, first);
        out.language = value.substr(first + 1, second - first - 1);
        value.remove_prefix(second + 1);
      } else {
        result_.malformed = true;
      }
    }
    if (section.coded) {
      coded += decode_percent(value);
    } else {
      flush();
      out.value += value;
    }
  }
  flush();
  return out;
}

void Parser::join_sections() {
  for (auto& [name, split] : split_) result_.parameters[split.place] = joined(split.sections);
}

std::optional<ContentType> Parser::run() {
  take_type();
  if (result_.type.empty()) return {};
  while (!lexer_.done() && !result_.truncated) {
    const std::size_t before = lexer_.position();
    lexer_.skip_cfws();
    if (lexer_.peek() == ';')
      lexer_.skip(1);
    else if (!lexer_.done())
      result_.malformed = true;  // no semicolon
    take_parameter();
    if (lexer_.position() == before) lexer_.skip(1);  // what no rule takes
    result_.truncated = sections_ >= limit_ && !lexer_.done();
  }
  if (lexer_.malformed()) result_.malformed = true;
  join_sections();
  return std::move(result_);
}

}  // namespace

const Parameter* ContentType::find(std::string_view name) const {
  const Parameter* found = nullptr;
  for (const Parameter& parameter : parameters)
    if (iequals(parameter.name, name) &&
        (found == nullptr || (parameter.extended && !found->extended)))
      found = &parameter;
  return found;
}

std::size_t ContentType::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(parameters.begin(), parameters.end(),
                    [&](const Parameter& parameter) { return iequals(parameter.name, name); }));
}

std::optional<ContentType> parse_content_type(std::string_view value, std::size_t limit) {
  return Parser(value, limit).run();
}

}  // namespace postern::mail
