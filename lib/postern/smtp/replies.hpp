// The replies that the core gives of its own accord, in one place: whoever looks for why a client
// saw "503 5.5.1" finds it here. Texts name no internals; texts of policy are the plugins'.
#pragma once

#include <postern/smtp/reply.hpp>

#include <string_view>

namespace postern::smtp::replies {

// Going well.
Reply greeting(std::string_view hostname);  // 220
Reply ok();                                 // 250 2.0.0
Reply mail_ok();                            // 250 2.1.0
Reply prdr_ok();                            // 250 2.1.0: each recipient gets a reply
Reply rcpt_ok();                            // 250 2.1.5
Reply start_data();                         // 354
Reply prdr_begins();                        // 353: one for each recipient, then one for all
Reply chunk_ok();
Reply start_tls();      // 220 2.0.0
Reply authenticated();  // 235 2.7.0
Reply bye();            // 221 2.0.0
Reply help();           // 214 2.0.0
Reply cannot_verify();  // 252 2.5.0: VRFY tells nothing (RFC 5321 section 7.3)

// The client's commands.
Reply syntax_error();                // 500 5.5.2: octets that no command may hold
Reply line_too_long();               // 500 5.5.2
Reply unrecognized();                // 500 5.5.1
Reply not_implemented();             // 502 5.5.1
Reply not_trusted();                 // 550 5.7.0: XCLIENT, XFORWARD of a peer that may not
Reply bad_argument();                // 501 5.5.4
Reply bad_helo_name();               // 501 5.5.2
Reply bad_reverse_path();            // 501 5.1.7
Reply bad_forward_path();            // 501 5.1.3
Reply bad_parameter();               // 501 5.5.4
Reply unknown_parameter();           // 555 5.5.4
Reply helo_first();                  // 503 5.5.1
Reply nested_mail();                 // 503 5.5.1
Reply bad_sequence();                // 503 5.5.1
Reply mail_first();                  // 503 5.5.1
Reply rcpt_first();                  // 503 5.5.1
Reply no_valid_recipients();         // 554 5.5.1
Reply spoke_too_early();             // 554 5.5.0: input before its time
Reply tls_unavailable();             // 454 4.7.0 (RFC 3207 section 4)
Reply encryption_needed();           // 538 5.7.11: AUTH in the clear
Reply authentication_needed();       // 530 5.7.0: MAIL before it
Reply authenticated_already();       // 503 5.5.1
Reply unknown_mechanism();           // 504 5.5.4
Reply mechanism_too_weak();          // 534 5.7.9: one that this site does not want
Reply not_base64();                  // 501 5.5.2, and what is not what the mechanism says
Reply authentication_cancelled();    // 501 5.7.0: "*"
Reply authentication_too_long();     // 500 5.5.6
Reply authentication_refused();      // 535 5.7.8
Reply authentication_unavailable();  // 454 4.7.0
Reply too_many_attempts();           // 421 4.7.0
Reply talks_ahead();                 // 503 5.5.0: something behind AUTH (RFC 4954 section 4)
Reply not_smtp();                    // 421 4.7.0: another protocol
Reply too_many_errors();             // 421 4.7.0
Reply needs_smtputf8();              // 553 5.6.7: a non-ASCII address without the parameter
Reply tls_required();  // 550 5.7.30: REQUIRETLS that cannot be honoured (RFC 8689 section 5)

// The message.
Reply too_many_recipients();  // 452 4.5.3 (RFC 5321 section 4.5.3.1.10)
Reply another_route();        // 450 4.5.3: it goes another way than those before
Reply split_recipients();     // 451 4.5.3: not one reply for all of them
Reply cannot_verify_now();  // 450 4.4.5: too many questions about recipients (RFC 3463 section 3.5)
Reply taken_before();       // 250 2.0.0: when it was sent the last time
Reply too_many_messages();  // 421 4.7.0
Reply message_too_big();    // 552 5.3.4
Reply header_too_big();     // 552 5.3.4
Reply bare_newline();       // 550 5.6.11
Reply nul_in_message();     // 554 5.6.0
Reply mail_loop();          // 554 5.4.6
Reply unknown_user();       // 550 5.1.1
Reply no_relaying();        // 550 5.7.1

// Ourselves and the downstream.
Reply local_error();                 // 451 4.3.0
Reply closing_on_error();            // 421 4.3.0
Reply no_space();                    // 452 4.3.1
Reply too_busy();                    // 421 4.3.2
Reply shutting_down();               // 421 4.3.2
Reply idle();                        // 421 4.4.2
Reply downstream_unreachable();      // 451 4.4.1
Reply downstream_lost();             // 451 4.4.2
Reply downstream_closing();          // 451 4.3.2
Reply downstream_malformed();        // 451 4.3.0
Reply downstream_insecure();         // 451 4.7.5: no TLS with it, or none that we trust
Reply downstream_no_smtputf8();      // 550 5.6.7
Reply downstream_no_utf8_mailbox();  // 553 5.6.7: of a recipient
Reply downstream_no_8bit();          // 554 5.6.3
Reply downstream_no_binary();        // 554 5.6.1 (RFC 3030 section 3)

}  // namespace postern::smtp::replies
