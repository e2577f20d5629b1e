#include "protocol.hpp"

#include <postern/policy/bundle.hpp>

#include <fmt/format.h>

#include <array>
#include <limits>

namespace postern::daemon {
namespace {

constexpr std::size_t head_octets = 5;
constexpr std::size_t number_octets = 8;

// The type octets, in the order of Message.
constexpr std::array<std::uint8_t, std::variant_size_v<Message>> types{1,  2,  3,  4,  5,  6,  7,
                                                                       12, 16, 17, 18, 19, 28, 8};
constexpr std::uint8_t first_to_master = 16;
constexpr std::size_t hello_head = 6;  // numbers, before the sockets

struct Bounds {
  std::size_t least, most;
};

constexpr std::size_t tls_state = types.size() - 1;
static_assert(std::is_same_v<std::variant_alternative_t<tls_state, Message>, TlsState>);

// How long the octets after the head may be.
constexpr Bounds bounds_of(std::size_t index) {
  switch (index) {
    case tls_state:
      return {number_octets, policy::max_bundle_octets};
    case 0:
      return {hello_head * number_octets, (hello_head + 2 * max_hello_sockets) * number_octets};
    case 1:
      return {0, policy::max_bundle_octets};
    case 2:
    case 3:
      return {number_octets, number_octets};
    case 7:
      return {number_octets, number_octets + max_command_octets};
    case 9:
      return {2 * number_octets, 2 * number_octets};
    case 11:
      return {0, max_failure_octets};
    case 12:
      return {number_octets, number_octets + max_answer_octets};
    default:
      return {0, 0};
  }
}

void put_number(std::string& out, std::uint64_t number, std::size_t octets = number_octets) {
  for (std::size_t i = 0; i < octets; ++i) out += static_cast<char>((number >> (8 * i)) & 0xff);
}

std::uint64_t number_at(std::string_view octets, std::size_t at,
                        std::size_t count = number_octets) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < count; ++i)
    number |= std::uint64_t{static_cast<unsigned char>(octets[at + i])} << (8 * i);
  return number;
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

struct Payload {
  std::string& out;

  void operator()(const Hello& hello) const {
    put_number(out, hello.slot);
    put_number(out, hello.generation);
    put_number(out, hello.workers);
    put_number(out, hello.row);
    put_number(out, static_cast<std::uint64_t>(hello.counters));
    put_number(out, static_cast<std::uint64_t>(hello.helper + 1));
    for (std::size_t i = 0; i < hello.sockets.size(); ++i) {
      put_number(out, static_cast<std::uint64_t>(hello.sockets[i]));
      put_number(out, hello.listeners.at(i));
    }
  }
  void operator()(const BundleBytes& bundle) const { out += bundle.bytes; }
  void operator()(const Serve& serve) const {
    put_number(out, static_cast<std::uint64_t>(serve.socket));
  }
  void operator()(const Release& release) const {
    put_number(out, static_cast<std::uint64_t>(release.socket));
  }
  void operator()(const Beat& beat) const {
    put_number(out, beat.lag_us);
    put_number(out, beat.sessions);
  }
  void operator()(const Failed& failed) const {
    out += std::string_view(failed.text).substr(0, max_failure_octets);
  }
  void operator()(const Ask& ask) const {
    put_number(out, ask.number);
    out += std::string_view(ask.command).substr(0, max_command_octets);
  }
  void operator()(const Answer& answer) const {
    put_number(out, answer.number);
    out += std::string_view(answer.json).substr(0, max_answer_octets);
  }
  void operator()(const TlsState& state) const {
    put_text(out, state.ticket_keys);
    for (const net::TlsPair& pair : state.pairs)
      for (const std::string* text :
           {&pair.certificate_file, &pair.certificate, &pair.key_file, &pair.key})
        put_text(out, *text);
  }
  template <typename Empty>
  void operator()(const Empty&) const {}
};

// Takes what put_text() wrote from the front. False: it is cut short.
bool take_text(std::string_view& rest, std::string& out) {
  if (rest.size() < number_octets) return false;
  const std::uint64_t size = number_at(rest, 0);
  rest.remove_prefix(number_octets);
  if (size > rest.size()) return false;
  out = rest.substr(0, size);
  rest.remove_prefix(size);
  return true;
}

std::optional<Message> decode_tls_state(std::string_view rest) {
  TlsState state;
  if (!take_text(rest, state.ticket_keys)) return {};
  while (!rest.empty()) {
    net::TlsPair& pair = state.pairs.emplace_back();
    for (std::string* text : {&pair.certificate_file, &pair.certificate, &pair.key_file, &pair.key})
      if (!take_text(rest, *text)) return {};
  }
  return state;
}

std::optional<int> descriptor_at(std::string_view payload, std::size_t at) {
  const std::uint64_t number = number_at(payload, at);
  if (number > std::uint64_t{std::numeric_limits<int>::max()}) return {};
  return static_cast<int>(number);
}

std::optional<Message> decode_hello(std::string_view payload) {
  constexpr std::size_t first = hello_head * number_octets, each = 2 * number_octets;
  if ((payload.size() - first) % each != 0) return {};
  Hello hello;
  hello.slot = number_at(payload, 0);
  hello.generation = number_at(payload, number_octets);
  hello.workers = number_at(payload, 2 * number_octets);
  hello.row = number_at(payload, 3 * number_octets);
  const auto counters = descriptor_at(payload, 4 * number_octets);
  if (!counters) return {};
  hello.counters = *counters;
  const auto helper = descriptor_at(payload, 5 * number_octets);
  if (!helper) return {};
  hello.helper = *helper - 1;
  for (std::size_t at = first; at < payload.size(); at += each) {
    const auto socket = descriptor_at(payload, at);
    if (!socket) return {};
    hello.sockets.push_back(*socket);
    hello.listeners.push_back(number_at(payload, at + number_octets));
  }
  return hello;
}

template <typename WithSocket>
std::optional<Message> decode_socket(std::string_view payload) {
  const auto socket = descriptor_at(payload, 0);
  if (!socket) return {};
  return WithSocket{*socket};
}

std::optional<Message> decode(std::size_t index, std::string_view payload) {
  switch (index) {
    case tls_state:
      return decode_tls_state(payload);
    case 0:
      return decode_hello(payload);
    case 1:
      return BundleBytes{std::string(payload)};
    case 2:
      return decode_socket<Serve>(payload);
    case 3:
      return decode_socket<Release>(payload);
    case 4:
      return Drain{};
    case 5:
      return Finish{};
    case 6:
      return Reopen{};
    case 7:
      return Ask{number_at(payload, 0), std::string(payload.substr(number_octets))};
    case 8:
      return Ready{};
    case 9:
      return Beat{number_at(payload, 0), number_at(payload, number_octets)};
    case 10:
      return Draining{};
    case 11:
      return Failed{std::string(payload)};
    case 12:
      return Answer{number_at(payload, 0), std::string(payload.substr(number_octets))};
    default:
      return {};
  }
}

std::size_t index_of(std::uint8_t type) {
  std::size_t index = 0;
  while (index < types.size() && types[index] != type) ++index;
  return index;
}

}  // namespace

std::string encode(const Message& message) {
  std::string out(head_octets, '\0');
  std::visit(Payload{out}, message);
  std::string head;
  put_number(head, out.size() - head_octets, 4);
  head += static_cast<char>(types[message.index()]);
  out.replace(0, head_octets, head);
  return out;
}

Result<std::optional<Message>> Decoder::next() {
  const std::string_view rest = std::string_view(buffer_).substr(used_);
  if (rest.size() < head_octets) return std::nullopt;
  const auto size = static_cast<std::size_t>(number_at(rest, 0, 4));
  const auto type = static_cast<std::uint8_t>(rest[4]);
  const std::size_t index = index_of(type);
  const bool to_master = type >= first_to_master;
  if (index == types.size() || to_master != (receiver_ == Side::master))
    return fail(Errc::malformed, fmt::format("a message of type {}", type));
  if (size < bounds_of(index).least || size > bounds_of(index).most)
    return fail(Errc::malformed, fmt::format("a message of type {} with {} octets", type, size));
  if (rest.size() - head_octets < size) return std::nullopt;
  auto message = decode(index, rest.substr(head_octets, size));
  if (!message) return fail(Errc::malformed, fmt::format("a broken message of type {}", type));
  used_ += head_octets + size;
  if (used_ == buffer_.size()) {
    buffer_ = std::string();  // a bundle is large: its memory goes
    used_ = 0;
  }
  return message;
}

}  // namespace postern::daemon
