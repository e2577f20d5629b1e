// What a site keeps of a user so that he can be known by it: his password, a hash of it, or the
// keys of SCRAM.
#pragma once

#include <postern/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::auth {

// Of names and passwords as clients send them, in octets. XCLIENT carries no longer name.
inline constexpr std::size_t most_user_octets = 255;
inline constexpr std::size_t most_password_octets = 1024;

// Whether they are the same, in a time that does not tell where they differ.
bool same_octets(std::string_view a, std::string_view b);

// Whether it can be a user's name: not empty, of sound length, UTF-8 without control characters.
bool is_user_name(std::string_view name);

// RFC 5802 section 3, with SHA-256 (RFC 7677).
struct ScramKeys {
  static constexpr std::uint32_t least_iterations = 4096;  // RFC 7677 section 4
  static constexpr std::uint32_t most_iterations = 10'000'000;
  static constexpr std::size_t most_salt_octets = 64;

  std::uint32_t iterations = least_iterations;
  std::string salt;
  std::string stored_key;  // 32 octets
  std::string server_key;  // likewise

  // The keys of a password. Work for the pool: 4,096 iterations take more than a millisecond.
  static ScramKeys of(std::string_view password, std::string salt, std::uint32_t iterations);
  // Whether they are that password's. Likewise.
  bool match(std::string_view password) const;
};

struct StoredSecret {
  enum class Form : std::uint8_t { plain, hash, scram };
  Form form = Form::plain;
  std::string text;  // the password; the hash, as crypt(3) has it
  ScramKeys keys;
};

// As it stands in a file:
//   secret                                            the password itself
//   {PLAIN}secret                                     likewise, whatever it begins with
//   $6$salt$hash                                      of crypt(3); also behind {CRYPT}
//   {SHA512-CRYPT}$6$…, {SHA256-CRYPT}, {BLF-CRYPT}   likewise, as Dovecot writes them
//   {SCRAM-SHA-256}ITERATIONS,SALT,STORED,SERVER      as Dovecot writes them
//   SCRAM-SHA-256$ITERATIONS:SALT$STORED:SERVER       RFC 5803, and PostgreSQL
// Errors: malformed; the text says what is wrong and nothing of the secret.
Result<StoredSecret> read_secret(std::string_view text);

}  // namespace postern::auth
