// The digests that passwords are checked with, and randomness. No header of OpenSSL is behind it,
// so that who needs them can be tested in simulation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern::net {

inline constexpr std::size_t sha256_octets = 32;

std::string sha256(std::string_view octets);
std::string hmac_sha256(std::string_view key, std::string_view text);
std::string hmac_md5(std::string_view key, std::string_view text);  // 16 octets; see below

// PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2), 32 octets. Takes some 0.3 µs for each iteration:
// work for the pool.
std::string pbkdf2_sha256(std::string_view password, std::string_view salt,
                          std::uint32_t iterations);

// Takes the same time wherever they differ; their lengths are no secret.
bool same_octets(std::string_view a, std::string_view b);

std::string random_octets(std::size_t count);

// All throw std::runtime_error where OpenSSL or the system refuses, as it does MD5 in FIPS mode.

}  // namespace postern::net
