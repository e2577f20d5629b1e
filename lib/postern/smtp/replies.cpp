#include <postern/smtp/replies.hpp>

#include <fmt/format.h>

namespace postern::smtp::replies {

Reply greeting(std::string_view hostname) { return {220, fmt::format("{} ESMTP", hostname)}; }
Reply ok() { return {250, {2, 0, 0}, "OK"_text}; }
Reply mail_ok() { return {250, {2, 1, 0}, "Sender OK"_text}; }
Reply prdr_ok() { return {250, {2, 1, 0}, "Sender OK, PRDR requested"_text}; }
Reply rcpt_ok() { return {250, {2, 1, 5}, "Recipient OK"_text}; }
Reply start_data() { return {354, {}, "Go ahead, end with a line that holds only a dot"_text}; }
Reply prdr_begins() { return {353, {}, "PRDR content analysis beginning"_text}; }
Reply chunk_ok() { return {250, {2, 0, 0}, "Chunk taken"_text}; }
Reply start_tls() { return {220, {2, 0, 0}, "Ready to start TLS"_text}; }
Reply authenticated() { return {235, {2, 7, 0}, "Authentication successful"_text}; }
Reply bye() { return {221, {2, 0, 0}, "Bye"_text}; }
Reply help() { return {214, {2, 0, 0}, "See RFC 5321"_text}; }
Reply cannot_verify() {
  return {252, {2, 5, 0}, "Cannot verify the user, but will try to deliver"_text};
}

Reply syntax_error() { return {500, {5, 5, 2}, "Syntax error"_text}; }
Reply line_too_long() { return {500, {5, 5, 2}, "Line too long"_text}; }
Reply unrecognized() { return {500, {5, 5, 1}, "Command not recognized"_text}; }
Reply not_implemented() { return {502, {5, 5, 1}, "Command not implemented"_text}; }
Reply not_trusted() { return {550, {5, 7, 0}, "You may not say who the client is"_text}; }
Reply bad_argument() { return {501, {5, 5, 4}, "Syntax error in the argument"_text}; }
Reply bad_helo_name() { return {501, {5, 5, 2}, "A domain or an address literal is needed"_text}; }
Reply bad_reverse_path() { return {501, {5, 1, 7}, "Syntax error in the sender address"_text}; }
Reply bad_forward_path() { return {501, {5, 1, 3}, "Syntax error in the recipient address"_text}; }
Reply bad_parameter() { return {501, {5, 5, 4}, "Bad or repeated parameter"_text}; }
Reply unknown_parameter() { return {555, {5, 5, 4}, "Parameter not supported"_text}; }
Reply helo_first() { return {503, {5, 5, 1}, "Say EHLO or HELO first"_text}; }
Reply nested_mail() { return {503, {5, 5, 1}, "Sender already given"_text}; }
Reply bad_sequence() { return {503, {5, 5, 1}, "Bad sequence of commands"_text}; }
Reply mail_first() { return {503, {5, 5, 1}, "Say MAIL first"_text}; }
Reply rcpt_first() { return {503, {5, 5, 1}, "Say RCPT first"_text}; }
Reply no_valid_recipients() { return {554, {5, 5, 1}, "No valid recipients"_text}; }
Reply spoke_too_early() { return {554, {5, 5, 0}, "You spoke before it was your turn"_text}; }
Reply tls_unavailable() { return {454, {4, 7, 0}, "TLS is not available now"_text}; }
Reply encryption_needed() {
  return {538, {5, 7, 11}, "Encryption required for authentication"_text};
}
Reply authentication_needed() { return {530, {5, 7, 0}, "Authentication required"_text}; }
Reply authenticated_already() { return {503, {5, 5, 1}, "Authenticated already"_text}; }
Reply unknown_mechanism() {
  return {504, {5, 5, 4}, "Authentication mechanism not supported"_text};
}
Reply mechanism_too_weak() { return {534, {5, 7, 9}, "Authentication mechanism is too weak"_text}; }
Reply not_base64() { return {501, {5, 5, 2}, "Malformed authentication data"_text}; }
Reply authentication_cancelled() { return {501, {5, 7, 0}, "Authentication cancelled"_text}; }
Reply authentication_too_long() { return {500, {5, 5, 6}, "Authentication line too long"_text}; }
Reply authentication_refused() {
  return {535, {5, 7, 8}, "Authentication credentials invalid"_text};
}
Reply authentication_unavailable() {
  return {454, {4, 7, 0}, "Temporary authentication failure, try again later"_text};
}
Reply too_many_attempts() { return {421, {4, 7, 0}, "Too many failed attempts, goodbye"_text}; }
Reply talks_ahead() { return {503, {5, 5, 0}, "Nothing may follow AUTH before its reply"_text}; }
Reply not_smtp() { return {421, {4, 7, 0}, "This is SMTP, goodbye"_text}; }
Reply too_many_errors() { return {421, {4, 7, 0}, "Too many errors, goodbye"_text}; }
Reply needs_smtputf8() { return {553, {5, 6, 7}, "Non-ASCII address without SMTPUTF8"_text}; }
Reply tls_required() {
  return {550, {5, 7, 30}, "REQUIRETLS cannot be honoured from here on"_text};
}

Reply too_many_recipients() {
  return {452, {4, 5, 3}, "Too many recipients, send the rest later"_text};
}
Reply another_route() {
  return {450, {4, 5, 3}, "This recipient needs a transaction of its own, try again"_text};
}
Reply split_recipients() {
  return {451, {4, 5, 3}, "The recipients want different answers, try again"_text};
}
Reply cannot_verify_now() {
  return {450, {4, 4, 5}, "This recipient cannot be verified now, try again later"_text};
}
Reply taken_before() { return {250, {2, 0, 0}, "Taken the last time it was sent"_text}; }
Reply too_many_messages() { return {421, {4, 7, 0}, "Too many messages, connect again"_text}; }
Reply message_too_big() { return {552, {5, 3, 4}, "Message too big"_text}; }
Reply header_too_big() { return {552, {5, 3, 4}, "Header section too big"_text}; }
Reply bare_newline() { return {550, {5, 6, 11}, "Lines must end in CRLF"_text}; }
Reply nul_in_message() { return {554, {5, 6, 0}, "Message contains a NUL octet"_text}; }
Reply mail_loop() { return {554, {5, 4, 6}, "Too many hops"_text}; }
Reply unknown_user() { return {550, {5, 1, 1}, "No such user here"_text}; }
Reply no_relaying() { return {550, {5, 7, 1}, "We do not relay to this domain"_text}; }

Reply local_error() { return {451, {4, 3, 0}, "Local error, try again later"_text}; }
Reply closing_on_error() { return {421, {4, 3, 0}, "Local error, closing"_text}; }
Reply no_space() { return {452, {4, 3, 1}, "No space left, try again later"_text}; }
Reply too_busy() { return {421, {4, 3, 2}, "Too busy, try again later"_text}; }
Reply shutting_down() { return {421, {4, 3, 2}, "Shutting down, try again later"_text}; }
Reply idle() { return {421, {4, 4, 2}, "Waited too long, closing"_text}; }
Reply downstream_unreachable() {
  return {451, {4, 4, 1}, "Mail server not reachable, try again later"_text};
}
Reply downstream_lost() { return {451, {4, 4, 2}, "Lost the mail server, try again later"_text}; }
Reply downstream_closing() {
  return {451, {4, 3, 2}, "Mail server is closing, try again later"_text};
}
Reply downstream_malformed() {
  return {451, {4, 3, 0}, "Mail server answered nonsense, try again later"_text};
}
Reply downstream_insecure() {
  return {451, {4, 7, 5}, "Mail server not reachable safely, try again later"_text};
}
Reply downstream_no_utf8_mailbox() {
  return {553, {5, 6, 7}, "Mail server does not take SMTPUTF8"_text};
}
Reply downstream_no_smtputf8() {
  return {550, {5, 6, 7}, "Mail server does not take SMTPUTF8"_text};
}
Reply downstream_no_8bit() { return {554, {5, 6, 3}, "Mail server does not take 8BITMIME"_text}; }
Reply downstream_no_binary() {
  return {554, {5, 6, 1}, "Mail server does not take BINARYMIME"_text};
}

}  // namespace postern::smtp::replies
