// Takes a DNS message apart, from front to back. Pure; inside `dns` only.
#pragma once

#include <postern/dns/wire.hpp>

#include <optional>

namespace postern::dns {

// Any read past the end, or of what is malformed, fails this reader for good: the caller looks
// once, at the end, and until then gets zeros and empty names.
class WireReader {
 public:
  explicit WireReader(Octets message) : message_(message) {}

  bool good() const { return why_ == nullptr; }
  const char* why() const { return why_; }  // null while it is good
  void fail(const char* why) {
    if (!why_) why_ = why;
  }

  std::size_t place() const { return place_; }
  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  Octets take(std::size_t count);
  // A name in lower case, without final dot; "" is the root. Labels with dots, controls or octets
  // beyond ASCII fail it: no name that we ask for leads to one. It need not be a host's.
  std::string read_name();
  void skip_name();  // looks at its form only as far as that is needed to find its end

 private:
  bool read_label(std::size_t& at, std::string& out);
  std::optional<std::size_t> jump(std::size_t at, std::size_t before);

  Octets message_;
  std::size_t place_ = 0;
  const char* why_ = nullptr;
};

}  // namespace postern::dns
