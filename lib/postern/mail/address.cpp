#include <postern/base/text.hpp>
#include <postern/mail/address.hpp>
#include <postern/mail/encoded_word.hpp>
#include <postern/mail/lexer.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace postern::mail {
namespace {

// RFC 5322 section 3.2.3; octets over 127 as RFC 6532 has it.
bool is_atext(char c) {
  return is_alnum(c) || !is_ascii(c) ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_dot_atom(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.') return false;
  for (std::size_t at = 0; at < text.size(); ++at)
    if (!is_atext(text[at]) && (text[at] != '.' || text[at - 1] == '.')) return false;
  return true;
}

// The end of the quoted string that `text` begins with; its size when none ends.
std::size_t quoted_end(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      return at + 1;
  }
  return text.size();
}

// dot-atom, quoted-string, or a mixture of both (obs-local-part).
bool is_local_part(std::string_view text) {
  while (!text.empty()) {
    std::size_t end;
    if (text.front() == '"') {
      end = quoted_end(text);
      const std::string_view quoted = text.substr(0, end);
      if (quoted.size() < 2 || quoted.back() != '"') return false;
      if (std::any_of(quoted.begin(), quoted.end(),
                      [](char c) { return is_control(c) && c != '\t'; }))
        return false;
    } else {
      end = std::min(text.find_first_of("\"."), text.size());
      if (!is_dot_atom(text.substr(0, end))) return false;
    }
    if (end == text.size()) return true;
    if (text[end] != '.') return false;
    text.remove_prefix(end + 1);
  }
  return false;
}

bool is_domain(std::string_view text) {
  if (text.size() < 2 || text.front() != '[') return is_dot_atom(text);
  const std::string_view inner = text.substr(1, text.size() - 2);
  return text.back() == ']' && inner.find_first_of("[]\\") == std::string_view::npos &&
         std::none_of(inner.begin(), inner.end(), is_control);
}

// The last '@' outside quoted strings.
std::size_t last_at(std::string_view address) {
  std::size_t found = std::string_view::npos;
  for (std::size_t at = 0; at < address.size(); ++at) {
    if (address[at] == '"')
      at += quoted_end(address.substr(at)) - 1;
    else if (address[at] == '@')
      found = at;
  }
  return found;
}

// What an address is read into: pieces outside comments; blanks count only between two words.
class Spec {
 public:
  void add(std::string_view piece) {
    if (spaced_ && !text_.empty() && !joins(text_.back()) && !joins(piece.front())) text_ += ' ';
    text_ += piece;
    spaced_ = false;
  }
  void space() { spaced_ = true; }
  bool empty() const { return text_.empty(); }
  std::string take() { return std::exchange(text_, {}); }

 private:
  static bool joins(char c) { return c == '.' || c == '@' || c == ':' || c == ','; }

  std::string text_;
  bool spaced_ = false;
};

// "@a.example,@b.example:user@c.example" is user@c.example (RFC 5322 section 4.4).
void drop_route(std::string& address) {
  if (!address.starts_with('@')) return;
  const std::size_t colon = address.find_first_of(":\"");
  if (colon != std::string::npos && address[colon] == ':') address.erase(0, colon + 1);
}

class Parser {
 public:
  Parser(std::string_view value, std::size_t limit) : lexer_(value), limit_(limit) {}
  AddressList run();

 private:
  void take_token();
  void take_angle();
  std::string_view bare_word();
  void take_quoted(Spec& spec, bool with_phrase);
  void add_phrase(std::string_view piece);
  void end_mailbox();
  void end_group();
  void begin_group();
  void clear();

  Lexer lexer_;
  std::size_t limit_;
  AddressList list_;
  std::size_t group_ = Mailbox::npos;
  std::string phrase_;  // the display name so far, quotes resolved, not yet decoded
  std::string comments_;
  Spec bare_;  // the same as an address without angle brackets
  std::string angle_;
  bool phrase_spaced_ = false;  // a blank is due behind phrase_
  bool has_angle_ = false;
  bool specials_ = false;  // an '@' in the display name, outside quotes
  bool odd_ = false;       // something stands where nothing may
};

void Parser::clear() {
  phrase_.clear();
  comments_.clear();
  bare_ = {};
  angle_.clear();
  phrase_spaced_ = has_angle_ = specials_ = odd_ = false;
}

// Quoted strings give the phrase their content and the address themselves, quotes and all.
void Parser::take_quoted(Spec& spec, bool with_phrase) {
  const std::string_view rest = lexer_.rest();
  const std::string content = lexer_.quoted_string();
  const std::string_view raw = rest.substr(0, rest.size() - lexer_.rest().size());
  std::string quoted;
  std::copy_if(raw.begin(), raw.end(), std::back_inserter(quoted),
               [](char c) { return c != '\r' && c != '\n'; });
  spec.add(quoted);
  if (with_phrase) add_phrase(content);
}

void Parser::add_phrase(std::string_view piece) {
  if (std::exchange(phrase_spaced_, false)) phrase_ += ' ';
  phrase_ += piece;
}

void Parser::take_angle() {
  lexer_.skip(1);
  odd_ = odd_ || has_angle_;
  has_angle_ = true;
  Spec spec;
  while (!lexer_.done() && lexer_.peek() != '>') {
    if (lexer_.skip_cfws(&comments_))
      spec.space();
    else if (lexer_.peek() == '"')
      take_quoted(spec, false);
    else if (const auto word = lexer_.word("<>\""); !word.empty())
      spec.add(word);
    else
      odd_ = true, spec.add(std::string(1, lexer_.take()));
  }
  if (lexer_.done())
    odd_ = true;
  else
    lexer_.skip(1);
  if (angle_.empty()) angle_ = spec.take();
}

void Parser::end_mailbox() {
  const bool any = has_angle_ || !bare_.empty();
  if (!any) return clear();  // nothing, or comments only: obs-addr-list
  Mailbox mailbox;
  mailbox.comment = display_text(comments_);
  mailbox.group = group_;
  if (has_angle_) mailbox.name = display_phrase(phrase_);
  mailbox.address = has_angle_ ? std::move(angle_) : bare_.take();
  drop_route(mailbox.address);
  const std::size_t at = last_at(mailbox.address);
  const std::string_view address(mailbox.address);
  mailbox.well_formed = !odd_ && at != std::string_view::npos &&
                        is_local_part(address.substr(0, at)) && is_domain(address.substr(at + 1));
  if (mailbox.well_formed) mailbox.domain_at = at + 1;
  if (!mailbox.well_formed || (has_angle_ && specials_)) list_.malformed = true;
  list_.mailboxes.push_back(std::move(mailbox));
  clear();
}

void Parser::begin_group() {
  if (has_angle_ || phrase_.empty() || group_ != Mailbox::npos) list_.malformed = true;
  std::string name = display_phrase(phrase_);
  if (!comments_.empty()) name += " (" + display_text(comments_) + ")";
  group_ = list_.groups.size();
  list_.groups.push_back(std::move(name));
  clear();
}

void Parser::end_group() {
  end_mailbox();
  if (group_ == Mailbox::npos) list_.malformed = true;
  group_ = Mailbox::npos;
}

void Parser::take_token() {
  if (lexer_.skip_cfws(&comments_)) {
    phrase_spaced_ = !phrase_.empty();
    return bare_.space();
  }
  switch (lexer_.peek()) {
    case '<':
      return take_angle();
    case ',':
      return lexer_.skip(1), end_mailbox();
    case ';':
      return lexer_.skip(1), end_group();
    case ':':
      if (has_angle_) break;
      return lexer_.skip(1), begin_group();
    case '"':
      odd_ = odd_ || has_angle_;
      return take_quoted(bare_, true);
    default:
      break;
  }
  odd_ = odd_ || has_angle_;  // text behind the angle brackets
  const std::string_view word = bare_word();
  specials_ = specials_ || word.find('@') != std::string_view::npos;
  add_phrase(word);
  bare_.add(word);
}

// Octets up to a blank or a special; within an address literal the colon is none.
std::string_view Parser::bare_word() {
  const std::string_view rest = lexer_.rest();
  bool literal = false;
  std::size_t end = 0;
  for (; end < rest.size() && !is_space(rest[end]); ++end) {
    const char c = rest[end];
    if (c == '[') literal = end == 0 || rest[end - 1] == '@';
    if (c == ']') literal = false;
    if (std::string_view("()<>,;\"").find(c) != std::string_view::npos || (c == ':' && !literal))
      break;
  }
  if (end == 0) odd_ = true, end = 1;  // a parenthesis or bracket that closes nothing
  lexer_.skip(end);
  return rest.substr(0, end);
}

AddressList Parser::run() {
  while (!lexer_.done()) {
    if (list_.mailboxes.size() + list_.groups.size() >= limit_) {
      list_.truncated = true;
      return std::move(list_);
    }
    take_token();
  }
  end_mailbox();
  if (group_ != Mailbox::npos || lexer_.malformed()) list_.malformed = true;
  return std::move(list_);
}

}  // namespace

std::string_view Mailbox::local_part() const {
  return well_formed ? std::string_view(address).substr(0, domain_at - 1) : std::string_view();
}

std::string_view Mailbox::domain() const {
  return well_formed ? std::string_view(address).substr(domain_at) : std::string_view();
}

AddressList parse_addresses(std::string_view value, std::size_t limit) {
  return Parser(value, limit).run();
}

}  // namespace postern::mail
