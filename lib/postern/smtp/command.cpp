#include <postern/base/text.hpp>
#include <postern/smtp/command.hpp>
#include <postern/smtp/domain.hpp>

#include <algorithm>
#include <array>
#include <iterator>

namespace postern::smtp {
namespace {

constexpr std::array<std::string_view, 17> verbs = {
    "HELO", "EHLO", "MAIL", "RCPT", "DATA",     "BDAT", "RSET",    "NOOP",    "QUIT",
    "HELP", "VRFY", "EXPN", "ETRN", "STARTTLS", "AUTH", "XCLIENT", "XFORWARD"};
static_assert(verbs.size() == static_cast<std::size_t>(Verb::unknown));

Verb verb_of(std::string_view word) {
  for (std::size_t i = 0; i < verbs.size(); ++i)
    if (iequals(word, verbs[i])) return static_cast<Verb>(i);
  return Verb::unknown;
}

bool takes_utf8(Verb verb) {
  return verb == Verb::mail || verb == Verb::rcpt || verb == Verb::vrfy || verb == Verb::expn;
}

}  // namespace

std::string_view name(Verb verb) {
  return verb == Verb::unknown ? std::string_view() : verbs[static_cast<std::size_t>(verb)];
}

Result<Command> parse_command(std::string_view line) {
  const auto last = line.find_last_not_of(" \t");
  line = line.substr(0, last + 1);  // npos + 1 is 0: a blank line is empty
  if (std::any_of(line.begin(), line.end(), is_control))
    return fail(Errc::malformed, "control octet in a command");

  Command command;
  const auto blank = std::min(line.find(' '), line.size());
  command.word = line.substr(0, blank);
  command.argument = trim(line.substr(blank));
  command.verb = verb_of(command.word);
  if (all_ascii(line)) return command;
  if (takes_utf8(command.verb) && is_clean_utf8(command.argument)) return command;
  return fail(Errc::malformed, "8-bit octet in a command");
}

bool looks_like_another_protocol(std::string_view line) {
  // A TLS record: handshake, version 3.x. SSL 2 hellos hold octets that no command may hold.
  if (line.starts_with("\x16\x03") || line.starts_with("SSH-")) return true;
  const std::string_view word = line.substr(0, line.find(' '));
  if (word.size() == line.size() && word.find(':') == std::string_view::npos) return false;
  constexpr std::string_view methods[] = {"GET",    "POST",    "CONNECT", "HEAD",  "PUT",
                                          "DELETE", "OPTIONS", "TRACE",   "PATCH", "PRI"};
  if (std::find(std::begin(methods), std::end(methods), word) != std::end(methods)) return true;
  // "Host: x", "Subject:x": a field name of printable ASCII before a colon, and no SMTP verb has
  // one.
  const auto colon = word.find(':');
  return colon != std::string_view::npos && colon > 0 &&
         std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(colon),
                     [](char c) { return is_alnum(c) || c == '-' || c == '_'; });
}

}  // namespace postern::smtp
