#include <postern/net/program_request.hpp>

namespace postern::net {
namespace {

constexpr std::size_t length_octets = 4;
constexpr unsigned dialogue = 1, second_input = 2;

void put(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < length_octets; ++i)
    out += static_cast<char>((text.size() >> (8 * i)) & 0xff);
  out += text;
}

// False: it is cut short.
bool take(std::string_view& rest, std::string& out) {
  if (rest.size() < length_octets) return false;
  std::size_t size = 0;
  for (std::size_t i = 0; i < length_octets; ++i)
    size |= std::size_t{static_cast<unsigned char>(rest[i])} << (8 * i);
  rest.remove_prefix(length_octets);
  if (size > rest.size()) return false;
  out = rest.substr(0, size);
  rest.remove_prefix(size);
  return true;
}

}  // namespace

Result<std::string> write_request(const ProgramCall& call) {
  std::string out;
  out += static_cast<char>((call.dialogue ? dialogue : 0) | (call.second_input ? second_input : 0));
  put(out, call.program);
  for (const std::string& word : call.words) put(out, word);
  if (out.size() > most_request_octets) return fail(Errc::too_long, "what a program is told");
  return out;
}

Result<ProgramCall> parse_request(std::string_view octets) {
  if (octets.empty() || octets.size() > most_request_octets) return fail(Errc::malformed);
  ProgramCall call;
  const auto flags = static_cast<unsigned char>(octets.front());
  octets.remove_prefix(1);
  if (flags > (dialogue | second_input)) return fail(Errc::malformed);
  call.dialogue = flags & dialogue;
  call.second_input = flags & second_input;
  if (!take(octets, call.program)) return fail(Errc::malformed);
  while (!octets.empty())
    if (!take(octets, call.words.emplace_back())) return fail(Errc::malformed);
  return call;
}

}  // namespace postern::net
