// What a session is told by the configuration.
#pragma once

#include <postern/smtp/capabilities.hpp>
#include <postern/smtp/dot_codec.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/timeouts.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace postern::session {

struct Settings {
  std::string hostname;  // ours, in greeting and trace fields
  smtp::BareNewline bare_newline = smtp::BareNewline::reject;

  std::uint64_t message_octets = smtp::limits::message_octets;
  std::size_t header_octets = smtp::limits::header_section_octets;
  std::size_t header_fields = smtp::limits::header_fields;
  std::size_t recipients = smtp::limits::recipients;
  std::size_t errors = smtp::limits::errors_per_session;
  std::size_t messages = smtp::limits::messages_per_session;
  std::size_t received_fields = smtp::limits::received_fields;
  std::size_t memory_octets = 256 * 1024;  // of a message; beyond it goes to a file
  std::string spool_directory = "/var/tmp";

  // AUTH.
  bool auth_without_tls = false;
  smtp::Flags<smtp::AuthMechanism> auth_mechanisms = every_mechanism();
  std::size_t auth_attempts = 3;                      // that fail
  std::chrono::milliseconds auth_failure_time{2000};  // from the client's last line to its 535
  std::string site_key = "postern";  // of this site and no other; see auth::salt_for()

  static constexpr smtp::Flags<smtp::AuthMechanism> every_mechanism() {
    smtp::Flags<smtp::AuthMechanism> all;
    for (const auto each : {smtp::AuthMechanism::plain, smtp::AuthMechanism::login,
                            smtp::AuthMechanism::cram_md5, smtp::AuthMechanism::scram_sha_256})
      all.add(each);
    return all;
  }

  std::chrono::milliseconds command_timeout = smtp::timeouts::command;
  std::chrono::milliseconds block_timeout = smtp::timeouts::body_block;
  std::chrono::milliseconds data_timeout = smtp::timeouts::body_total;
};

}  // namespace postern::session
