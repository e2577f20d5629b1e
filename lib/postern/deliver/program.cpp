#include <postern/base/text.hpp>
#include <postern/deliver/program.hpp>
#include <postern/smtp/domain.hpp>
#include <postern/smtp/path.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace postern::deliver {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t most_name_octets = 255;            // RFC 5321 section 4.5.3.1.2
constexpr std::size_t most_login_octets = 255;           // as in XCLIENT
constexpr std::size_t most_argument_octets = 64 * 1024;  // of one message's addresses
// RFC 3848, in the spelling of Exim's received_protocol.
constexpr std::array<std::string_view, 6> protocols{"smtp",   "smtps",  "esmtp",
                                                    "esmtps", "esmtpa", "esmtpsa"};

// A host name as DNS has it; nobody is told a name with other octets in it.
bool is_host_name(std::string_view name) {
  const auto fits = [](char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_'; };
  return !name.empty() && name.size() <= most_name_octets && is_alnum(name.front()) &&
         std::all_of(name.begin(), name.end(), fits);
}

bool is_login(std::string_view login) {
  const auto fits = [](char c) { return is_ascii(c) && !is_control(c) && c != ' '; };
  return !login.empty() && login.size() <= most_login_octets && login.front() != '-' &&
         std::all_of(login.begin(), login.end(), fits);
}

// A mailbox that no program takes for an option, nor a shell or a header for anything else.
bool is_argument(std::string_view mailbox) {
  return !mailbox.empty() && mailbox.front() != '-' &&
         std::none_of(mailbox.begin(), mailbox.end(), is_control) &&
         (smtp::parse_mailbox(mailbox).has_value() || iequals(mailbox, "postmaster"));
}

std::string protocol_of(const Client& client) {
  return fmt::format("{}{}{}", client.esmtp ? "esmtp" : "smtp", client.tls ? "s" : "",
                     client.esmtp && !client.login.empty() ? "a" : "");
}

// Whatever the client is, it is no user of this machine: Exim hears an address in any case, and no
// ident (RFC 1413), which would else be our user's name.
Result<Words> exim_arguments(const Words& words) {
  if (words.size() != 5) return fail(Errc::malformed, "not what an exim-pipe is told");
  const auto ip = IpAddress::parse(words[0]);
  const auto port = to_number<std::uint16_t>(words[1]);
  if (!ip || !port) return fail(Errc::malformed, "no address");
  Words out{"-bs", "-oMt", "", "-oMa", fmt::format("{}.{}", ip->text(), *port)};
  const auto add = [&](const char* option, const std::string& word, bool good) {
    if (word.empty()) return true;
    out.insert(out.end(), {option, word});
    return good;
  };
  if (!add("-oMs", words[2], is_host_name(words[2])) || !add("-oMaa", words[3], is_login(words[3])))
    return fail(Errc::malformed, "no host name, or no login");
  const auto* known = std::find(protocols.begin(), protocols.end(), words[4]);
  if (!add("-oMr", words[4], known != protocols.end())) return fail(Errc::malformed, "no protocol");
  return out;
}

Result<Words> sendmail_arguments(const Words& words) {
  if (words.size() < 2) return fail(Errc::malformed, "not what a sendmail is told");
  Words out{"-i", "-f", words[0].empty() ? "<>" : words[0], "--"};
  out.insert(out.end(), words.begin() + 1, words.end());
  const bool sender = words[0].empty() || is_argument(words[0]);
  if (!sender || !std::all_of(words.begin() + 1, words.end(), is_argument))
    return fail(Errc::malformed, "an address that may not be an argument");
  return out;
}

}  // namespace

net::ProgramCall exim_call(const std::string& program, const Client& client) {
  net::ProgramCall call;
  call.program = program;
  call.dialogue = true;
  call.words = {client.remote.ip.text(), fmt::to_string(client.remote.port),
                is_host_name(client.name) ? client.name : "",
                is_login(client.login.text()) ? std::string(client.login.text()) : "",
                protocol_of(client)};
  return call;
}

Result<net::ProgramCall> message_call(const ProgramSettings& program, const Envelope& envelope) {
  net::ProgramCall call;
  call.program = program.name;
  call.second_input = program.manner == Manner::qmail_queue;
  if (program.manner != Manner::sendmail) return call;
  std::size_t octets = envelope.reverse_path.text.size();
  call.words = {envelope.reverse_path.text};
  for (const Recipient& to : envelope.recipients) {
    octets += to.path.text.size() + 8;
    call.words.push_back(to.path.text);
  }
  if (octets > most_argument_octets) return fail(Errc::too_long, "too many recipients");
  auto arguments = sendmail_arguments(call.words);
  if (!arguments) return fail(arguments.error());
  return call;
}

Result<Words> program_arguments(Manner manner, const Words& words) {
  if (manner == Manner::exim_pipe) return exim_arguments(words);
  if (manner == Manner::sendmail) return sendmail_arguments(words);
  if (!words.empty()) return fail(Errc::malformed, "told something that it has no place for");
  return Words();
}

}  // namespace postern::deliver
