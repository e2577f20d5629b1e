#include <postern/base/text.hpp>
#include <postern/mail/lexer.hpp>
#include <postern/mail/received.hpp>

#include <algorithm>
#include <array>

namespace postern::mail {
namespace {

using std::string_view;

string_view stripped(string_view text, char open, char close) {
  if (text.starts_with(open)) text.remove_prefix(1);
  if (text.ends_with(close)) text.remove_suffix(1);
  return text;
}

// "[192.0.2.1]", "[IPv6:::1]", "192.0.2.1:25", "[192.0.2.1]:25", "fe80::1%6".
std::optional<IpAddress> address_in(string_view text) {
  if (text.size() > 64) return {};
  if (text.starts_with('[')) text = text.substr(1, text.find(']') - 1);
  if (istarts_with(text, "IPv6:")) text.remove_prefix(5);
  text = text.substr(0, text.find('%'));
  if (text.find(':') == text.rfind(':')) text = text.substr(0, text.find(':'));  // a port
  const auto address = IpAddress::parse(text);
  if (!address) return {};
  return *address;
}

// A name or address of a from or by clause; in brackets only an address may stand.
std::string host(string_view word) {
  if (const auto address = address_in(word)) return address->text();
  if (word.starts_with('[')) return {};
  return std::string(stripped(word, '<', '>'));
}

// The with tokens that mean something to somebody, under the spelling of RFC 3848.
std::string protocol(string_view word) {
  struct Alias {
    string_view written, meant;
  };
  constexpr std::array<Alias, 6> aliases{{{"BSMTP", "SMTP"},
                                          {"SMTPSVC", "SMTP"},
                                          {"ESMTP-TLS", "ESMTPS"},
                                          {"HTTPREST", "HTTP"},
                                          {"HTTPS", "HTTP"},
                                          {"ASMTP", "ESMTPA"}}};
  constexpr std::array<string_view, 21> known{
      "SMTP",      "ESMTP",     "ESMTPS",     "ESMTPA",    "ESMTPSA",   "LMTP",       "LMTPS",
      "LMTPA",     "LMTPSA",    "UTF8SMTP",   "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA", "UTF8LMTP",
      "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA", "HTTP",      "IMAP",      "POP3",       "LOCAL"};
  word = word.substr(0, word.find('/'));                    // "ESMTP/TLS/DHE-RSA-AES256-GCM-SHA384"
  if (istarts_with(word, "local-")) word.remove_prefix(6);  // Exim
  for (const Alias& alias : aliases)
    if (iequals(word, alias.written)) return std::string(alias.meant);
  for (const string_view name : known)
    if (iequals(word, name)) return std::string(name);
  return {};
}

// "TLSv1.3" of "TLS1_3", "TLSv1.3", "TLS-1.3"; TLSv1 is TLSv1.0.
std::string tls_version(string_view word) {
  if (!istarts_with(word, "TLS") || word.size() > 7) return {};
  word.remove_prefix(3);
  if (!word.empty() && (ascii_lower(word[0]) == 'v' || word[0] == '-')) word.remove_prefix(1);
  if (word == "1") return "TLSv1.0";
  const bool dotted = word.size() == 3 && word[0] == '1' && (word[1] == '.' || word[1] == '_');
  if (!dotted || word[2] < '0' || word[2] > '3') return {};
  return std::string("TLSv1.") + word[2];
}

bool is_cipher(string_view word) {
  const auto is_part = [](char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  };
  if (word.size() > 64 || !std::all_of(word.begin(), word.end(), is_part)) return false;
  if (word.find_first_of("-_") == string_view::npos) return false;
  for (const string_view cipher : {"AES", "DES", "RC4", "CHACHA20", "CAMELLIA", "ARIA"})
    if (word.find(cipher) != string_view::npos) return true;
  return false;
}

bool is_reverse_name(string_view word) {
  const auto is_part = [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; };
  return word.find('.') != string_view::npos && std::all_of(word.begin(), word.end(), is_part);
}

enum class Clause { none, from, by, via, with, id, recipient };

std::optional<Clause> clause_named(string_view word) {
  struct Named {
    string_view name;
    Clause clause;
  };
  constexpr std::array<Named, 6> names{{{"from", Clause::from},
                                        {"by", Clause::by},
                                        {"via", Clause::via},
                                        {"with", Clause::with},
                                        {"id", Clause::id},
                                        {"for", Clause::recipient}}};
  for (const Named& candidate : names)
    if (iequals(word, candidate.name)) return candidate.clause;
  return {};
}

class Parser {
 public:
  explicit Parser(string_view value) : lexer_(value) {}
  ReceivedHop run();

 private:
  void take_word(string_view word);
  void take_value(string_view word);
  void take_comment(string_view text);
  void take_peer_token(string_view token, bool first);
  void take_tls(string_view text);

  Lexer lexer_;
  ReceivedHop hop_;
  Clause clause_ = Clause::none;
  bool fresh_ = false;  // the clause has no word yet
  bool helo_expected_ = false;
};

// Version and cipher stand in all sorts of places and punctuation, but look like nothing else.
void Parser::take_tls(string_view text) {
  constexpr string_view separators = " \t\r\n,;:=/()[]";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    const string_view word = text.substr(0, end);
    if (hop_.tls_version.empty()) hop_.tls_version = tls_version(word);
    if (hop_.tls_cipher.empty() && is_cipher(word)) hop_.tls_cipher = word;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// A token of the comment behind `from`: address, reverse name, HELO, ident, in whatever order.
void Parser::take_peer_token(string_view token, bool first) {
  if (helo_expected_) {
    helo_expected_ = false;
    hop_.helo = host(token);
    return;
  }
  for (const string_view command : {"helo", "ehlo", "lhlo"}) {
    if (!istarts_with(token, command)) continue;
    const bool assigned = token.size() > 4 && token[4] == '=';
    if (token.size() > 4 && !assigned) continue;
    hop_.helo_command = command;
    if (assigned)
      hop_.helo = host(token.substr(5));
    else
      helo_expected_ = true;
    return;
  }
  const bool ident = istarts_with(token, "ident=") || istarts_with(token, "ident:");
  if (ident) token.remove_prefix(6);
  if (const auto address = address_in(token); address && !ident) {
    if (!hop_.ip) hop_.ip = address;
  } else if (ident || token.find('@') != string_view::npos) {
    token = stripped(stripped(token, '[', ']'), '<', '>');
    if (token.ends_with('@')) token.remove_suffix(1);  // "user@[192.0.2.1]"
    if (hop_.ident.empty()) hop_.ident = token;
  } else if (first && hop_.rdns.empty() && is_reverse_name(stripped(token, '<', '>'))) {
    hop_.rdns = stripped(token, '<', '>');
  }
}

void Parser::take_comment(string_view text) {
  take_tls(text);
  if (clause_ == Clause::none && istarts_with(text, "from ")) {  // sendmail: "(from user@host)"
    clause_ = Clause::from;
    text.remove_prefix(5);
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    hop_.from = host(text.substr(0, end));
    text.remove_prefix(end);
  }
  if (clause_ != Clause::from) return;
  helo_expected_ = false;
  constexpr string_view separators = " \t\r\n,()";
  for (bool first = true; !text.empty();) {
    if (separators.find(text.front()) != string_view::npos) {
      text.remove_prefix(1);
      continue;
    }
    // "name[192.0.2.1]" is two tokens, but "ident=[...]" and "helo=[...]" are one.
    std::size_t end = text.find_first_of(" \t\r\n,()[", 1);
    if (end != string_view::npos && text[end] == '[' && text[end - 1] == '=')
      end = text.find_first_of(separators, end);
    end = std::min(end, text.size());
    take_peer_token(text.substr(0, end), first);
    first = false;
    text.remove_prefix(end);
  }
  helo_expected_ = false;  // "(HELO )"
}

void Parser::take_value(string_view word) {
  const string_view bare = stripped(word, '<', '>');
  switch (clause_) {
    case Clause::none:
      return;
    case Clause::from:
      if (hop_.from.empty()) hop_.from = host(word);
      return;
    case Clause::by:
      if (hop_.by.empty()) hop_.by = host(word);
      return;
    case Clause::via:
      if (hop_.via.empty()) hop_.via = word;
      return;
    case Clause::with:
      if (hop_.with.empty()) hop_.with = word;
      return;
    case Clause::id:
      if (hop_.id.empty()) hop_.id = bare;
      return;
    case Clause::recipient:
      if (hop_.recipient.empty() && bare.find('@') != string_view::npos) hop_.recipient = bare;
      return;
  }
}

void Parser::take_word(string_view word) {
  take_tls(word);
  if (const auto clause = clause_named(word)) {
    clause_ = *clause;
    fresh_ = true;
    return;
  }
  if (fresh_)
    take_value(word);
  else if (clause_ == Clause::from &&
           (word.starts_with('[') || word.find('@') != string_view::npos))
    take_peer_token(word, false);
  fresh_ = false;
  if (clause_ != Clause::with) return;
  // "with Microsoft SMTPSVC": the token may be a later word.
  if (const auto known = protocol(stripped(word, '[', ']')); !known.empty()) hop_.with = known;
}

ReceivedHop Parser::run() {
  while (!lexer_.done()) {
    lexer_.skip_spaces();
    if (lexer_.peek() == '(') {
      take_comment(lexer_.comment());
      fresh_ = false;
    } else if (const auto word = lexer_.word(",;"); !word.empty()) {
      take_word(word);
    } else if (!lexer_.done() && lexer_.take() == ';') {
      hop_.date = parse_date(lexer_.rest());
      if (hop_.date) break;
    }
  }
  return std::move(hop_);
}

}  // namespace

ReceivedHop parse_received(string_view value) { return Parser(value).run(); }

}  // namespace postern::mail
