#include <postern/base/text.hpp>
#include <postern/dns/names.hpp>
#include <postern/dns/wire_reader.hpp>

namespace postern::dns {
namespace {

constexpr std::uint8_t pointer_bits = 0xc0;  // RFC 1035 section 4.1.4

// As query_name() asks for it; what is no host's name is found where a host should be.
bool is_plain(char c) { return c >= ' ' && c <= '~' && c != '.'; }

}  // namespace

Octets WireReader::take(std::size_t count) {
  if (!good() || message_.size() - place_ < count) {
    fail("it ends too early");
    return {};
  }
  const Octets taken = message_.subspan(place_, count);
  place_ += count;
  return taken;
}

std::uint8_t WireReader::u8() {
  const Octets octet = take(1);
  return octet.empty() ? std::uint8_t{0} : octet[0];
}

std::uint16_t WireReader::u16() {
  const Octets two = take(2);
  return two.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(two[0] << 8 | two[1]);
}

std::uint32_t WireReader::u32() {
  const std::uint32_t high = u16();
  return high << 16 | u16();
}

// The pointer at `at` leads strictly backwards, to before `before`: so there are no circles.
std::optional<std::size_t> WireReader::jump(std::size_t at, std::size_t before) {
  if (message_.size() - at < 2) {
    fail("it ends inside a name");
    return {};
  }
  const std::size_t target =
      static_cast<std::size_t>(message_[at] & ~pointer_bits) << 8 | message_[at + 1];
  if (target < before) return target;
  fail("a compressed name does not point backwards");
  return {};
}

// Appends the label at `at`, whose length is not 0, and moves `at` behind it.
bool WireReader::read_label(std::size_t& at, std::string& out) {
  const std::size_t length = message_[at];
  if (length > label_octets) {
    fail("a label of an unknown form");
    return false;
  }
  if (message_.size() - at - 1 < length) {
    fail("it ends inside a name");
    return false;
  }
  if (!out.empty()) out += '.';
  if (out.size() + length > name_octets) {
    fail("a name over 253 octets");
    return false;
  }
  for (const std::uint8_t octet : message_.subspan(at + 1, length)) {
    const char c = static_cast<char>(octet);
    if (!is_plain(c)) {
      fail("a name with octets that nobody asks for");
      return false;
    }
    out += ascii_lower(c);
  }
  at += 1 + length;
  return true;
}

std::string WireReader::read_name() {
  std::string out;
  std::size_t at = place_;
  std::size_t began = place_;  // this part of the name
  bool jumped = false;
  for (std::size_t pointers = 0; good();) {
    if (at >= message_.size()) {
      fail("it ends inside a name");
      break;
    }
    const std::uint8_t length = message_[at];
    if (length == 0) {
      if (!jumped) place_ = at + 1;
      return out;
    }
    if ((length & pointer_bits) != pointer_bits) {
      if (!read_label(at, out)) break;
      continue;
    }
    const auto target = jump(at, began);
    if (!target) break;
    if (++pointers > most_pointers) fail("a name compressed too often");
    if (!jumped) place_ = at + 2;
    jumped = true;
    at = began = *target;
  }
  return {};
}

void WireReader::skip_name() {
  while (good()) {
    const std::uint8_t length = u8();
    if (length == 0) return;
    if ((length & pointer_bits) == pointer_bits) {
      u8();
      return;
    }
    if (length > label_octets) fail("a label of an unknown form");
    take(length);
  }
}

}  // namespace postern::dns
