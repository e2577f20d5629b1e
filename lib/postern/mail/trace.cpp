#include <postern/base/text.hpp>
#include <postern/base/utf8.hpp>
#include <postern/mail/date.hpp>
#include <postern/mail/field.hpp>
#include <postern/mail/trace.hpp>

#include <algorithm>
#include <array>

namespace postern::mail {
namespace {

constexpr std::size_t max_domain_octets = 255;  // RFC 5321 section 4.5.3.1.2
constexpr std::size_t max_path_octets = 256;    // RFC 5321 section 4.5.3.1.3
constexpr std::size_t max_word_octets = 128;    // ours: ids, TLS versions and ciphers

// Keeps the octets for which `keep` says so, and with `utf8` whole characters over U+009F; each
// other octet becomes '?'.
template <typename Keep>
std::string cleaned(std::string_view text, std::size_t limit, bool utf8, Keep keep) {
  std::string out;
  for (text = utf8_prefix(text, limit); !text.empty();) {
    const auto character = decode_utf8(text);
    const bool separator = character.point == 0x2028 || character.point == 0x2029;
    const bool kept = is_ascii(text.front())
                          ? keep(text.front())
                          : utf8 && character.valid && character.point > 0x9f && !separator;
    if (kept)
      out += text.substr(0, character.octets);
    else
      out.append(character.octets, '?');
    text.remove_prefix(character.octets);
  }
  return out;
}

// A domain or address literal, however little what the client said resembles one: nothing in it can
// begin a comment, a clause, or a field.
std::string domain(std::string_view text, bool utf8) {
  return cleaned(text, max_domain_octets, utf8, [](char c) {
    return is_alnum(c) || std::string_view("-._:[]").find(c) != std::string_view::npos;
  });
}

// An id, a cipher: an atom with dots (RFC 5322 section 3.2.3).
std::string word(std::string_view text) {
  return cleaned(text, max_word_octets, false, [](char c) {
    return is_alnum(c) ||
           std::string_view("!#$%&'*+-/=?^_`{|}~.").find(c) != std::string_view::npos;
  });
}

std::string path(std::string_view text, bool utf8) {
  return cleaned(text, max_path_octets, utf8, [](char c) { return !is_control(c); });
}

// RFC 5321 section 4.1.3.
std::string literal(const IpAddress& address) {
  return (address.is_v4() ? "[" : "[IPv6:") + address.text() + "]";
}

// Appends words to the field and folds where the next one would pass 78 octets.
class Folder {
 public:
  explicit Folder(std::string& out) : out_(out), column_(out.size()) {}

  void add(std::string_view text) {
    if (column_ + 1 + text.size() > wanted_line_octets && !line_is_new_) {
      out_ += "\r\n\t";
      column_ = 8;  // as a tab looks
    } else if (!line_is_new_) {
      out_ += ' ';
      ++column_;
    }
    line_is_new_ = false;
    out_ += text;
    column_ += text.size();
  }

 private:
  std::string& out_;
  std::size_t column_;
  bool line_is_new_ = false;
};

}  // namespace

std::string_view with_protocol(const Trace& trace) {
  constexpr std::array<std::string_view, 4> smtp{"ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA"};
  constexpr std::array<std::string_view, 4> lmtp{"LMTP", "LMTPS", "LMTPA", "LMTPSA"};
  constexpr std::array<std::string_view, 4> utf8_smtp{"UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA",
                                                      "UTF8SMTPSA"};
  constexpr std::array<std::string_view, 4> utf8_lmtp{"UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA",
                                                      "UTF8LMTPSA"};
  const std::size_t kind = (trace.tls ? 1u : 0u) + (trace.authenticated ? 2u : 0u);
  if (trace.lmtp) return (trace.utf8 ? utf8_lmtp : lmtp)[kind];
  if (trace.utf8) return utf8_smtp[kind];
  return trace.extended ? smtp[kind] : "SMTP";
}

std::string received_field(const Trace& trace) {
  const std::string address = literal(trace.client);
  const std::string helo = domain(trace.helo, trace.utf8);
  const std::string rdns = trace.rdns.empty() ? "unknown" : domain(trace.rdns, false);
  std::string out;
  out.reserve(384);
  out = "Received: from";
  Folder fold(out);
  fold.add(helo.empty() ? address : helo);
  fold.add("(" + rdns);
  fold.add(address + ")");
  fold.add("by " + domain(trace.hostname, false));
  fold.add("(Postern)");
  fold.add("with");
  fold.add(with_protocol(trace));
  if (trace.tls && !trace.tls_version.empty()) {
    const std::string version = word(trace.tls_version);
    fold.add("(" + version);  // with a temporary GCC 12 warns at -O3, wrongly
    fold.add(word(trace.tls_cipher) + ")");
  }
  fold.add("id " + word(trace.id) + (trace.recipient.empty() ? ";" : ""));
  if (!trace.recipient.empty()) fold.add("for <" + path(trace.recipient, trace.utf8) + ">;");
  std::string date;
  append_date(date, trace.when);
  fold.add(date);
  out += "\r\n";
  return out;
}

std::size_t count_received(const HeaderSection& section) { return section.count("Received"); }

}  // namespace postern::mail
