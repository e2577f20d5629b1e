// The keys that session tickets are sealed with (RFC 5077 section 4): whoever has them resumes a
// session, so all workers have the same.
#pragma once

#include <postern/base/result.hpp>

#include <array>
#include <string>
#include <string_view>

namespace postern::net {

struct TicketKey {
  std::array<unsigned char, 16> name;  // in the ticket, in the clear
  std::array<unsigned char, 32> cipher;
  std::array<unsigned char, 32> mac;
};

// Three of them: tickets are sealed with the current one; those of the previous are still opened,
// and so are those of the next, which another worker may use already.
class TicketKeys {
 public:
  static constexpr std::size_t octets = 3 * sizeof(TicketKey);

  static TicketKeys make();  // from the system's random numbers; throws when it has none
  // Errors: malformed.
  static Result<TicketKeys> parse(std::string_view bytes);
  TicketKeys(const TicketKeys&) = default;
  TicketKeys& operator=(const TicketKeys&) = default;
  ~TicketKeys();

  void rotate();  // at most a day apart, so that a key that leaks opens two days
  std::string serialize() const;

  const TicketKey& current() const { return keys_[1]; }
  // The one of this name; null: sealed by nobody that we know.
  const TicketKey* find(const unsigned char* name) const;

 private:
  TicketKeys() = default;
  std::array<TicketKey, 3> keys_{};  // previous, current, next
};

}  // namespace postern::net
