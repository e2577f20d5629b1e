// Whole transactions in a line or two.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "support/client.hpp"

namespace postern::test {

inline std::string envelope(std::string_view sender, std::string_view recipient = "x@example.net") {
  return fmt::format("MAIL FROM:<{}@b.example>\r\nRCPT TO:<{}>\r\n", sender, recipient);
}

inline const std::string content = "a: b\r\n\r\nc\r\n.\r\n";

// Says it and waits for an answer, at most `limit`.
inline std::string ask(Client& client, std::string_view octets, net::Duration limit) {
  std::string heard = client.say(octets);
  for (net::Duration waited{}; heard.empty() && waited < limit; waited += std::chrono::seconds(1))
    heard = client.hear();
  return heard;
}

// Sends one message by a client of its own; the reply to RCPT when that is a refusal, else the
// last.
inline std::string send_message(World& world, std::string_view sender = "a",
                                net::Duration limit = std::chrono::seconds(1)) {
  Client client(world);
  client.say("EHLO c.example\r\n");
  const std::string accepted = "250 2.1.0, 250";
  const std::string rcpt = ask(client, envelope(sender), limit);
  if (!rcpt.starts_with(accepted)) return rcpt.substr(std::min(rcpt.size(), rcpt.find(", ") + 2));
  client.say("DATA\r\n");
  return ask(client, content, limit);
}

}  // namespace postern::test
