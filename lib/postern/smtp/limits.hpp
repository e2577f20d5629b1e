// Every size and count that the SMTP side holds input to, with its source. Octets count the CRLF
// where the RFC counts it. What a site may change is a default here and a key in the configuration.
#pragma once

#include <cstddef>
#include <cstdint>

namespace postern::smtp::limits {

// Lines.
inline constexpr std::size_t command_line_octets = 512;  // RFC 5321 section 4.5.3.1.4
// MAIL and RCPT grow by what extensions add: SIZE 26, BODY 17, SMTPUTF8 10, DSN 1,000, AUTH 500.
inline constexpr std::size_t extended_command_line_octets = 4096;  // RFC 5321 section 4.1.1.11
inline constexpr std::size_t auth_line_octets = 12'288;            // RFC 4954 section 4
inline constexpr std::size_t text_line_octets = 1000;              // RFC 5321 section 4.5.3.1.6
inline constexpr std::size_t reply_line_octets = 512;              // RFC 5321 section 4.5.3.1.5
inline constexpr std::size_t reply_lines = 100;  // what we write at most, whoever gave the text

// Names and paths.
inline constexpr std::size_t local_part_octets = 64;    // RFC 5321 section 4.5.3.1.1
inline constexpr std::size_t domain_octets = 255;       // RFC 5321 section 4.5.3.1.2
inline constexpr std::size_t domain_label_octets = 63;  // RFC 1035 section 2.3.4
inline constexpr std::size_t path_octets = 256;   // RFC 5321 section 4.5.3.1.3, with "<" and ">"
inline constexpr std::size_t envid_octets = 100;  // RFC 3461 section 4.4, as encoded
inline constexpr std::size_t orcpt_octets = 500;  // RFC 3461 section 4.2, as encoded
inline constexpr std::size_t size_digits = 20;    // RFC 1870 section 4
inline constexpr std::size_t xclient_value_octets = 255;  // XCLIENT_README of Postfix

// A session and its transactions.
inline constexpr std::size_t recipients = 1000;  // default; RFC 5321 section 4.5.3.1.8 asks for 100
inline constexpr std::size_t messages_per_session = 100;
inline constexpr std::size_t errors_per_session = 20;
inline constexpr std::uint64_t message_octets = 50ull << 20;  // default; RFC 1870
inline constexpr std::uint64_t chunk_octets = 1ull << 40;  // one BDAT; larger is nonsense, not mail

// The header section.
inline constexpr std::size_t header_section_octets = 1u << 20;
inline constexpr std::size_t header_fields = 1000;
inline constexpr std::size_t received_fields = 100;  // RFC 5321 section 6.3: a loop beyond this

// What a downstream may answer to one command.
inline constexpr std::size_t downstream_reply_octets = 64u << 10;
inline constexpr std::size_t downstream_reply_lines = 128;

}  // namespace postern::smtp::limits
