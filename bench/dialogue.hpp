// Builds what one client says and must hear.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "day.hpp"

namespace postern::bench {

class Dialogue {
 public:
  Dialogue(std::size_t number, std::string kind, std::uint32_t client) {
    visit_.id = fmt::format("d{}", number);
    visit_.kind = std::move(kind);
    visit_.client = client;
  }

  void turned_away() { visit_.turns.push_back({"", 554, "shed", "", "Too many errors"}); }
  void greet() {
    visit_.turns.push_back({"", 220, ""});
    visit_.turns.push_back({fmt::format("EHLO {}.day.example\r\n", visit_.id), 250, ""});
  }
  void mail(std::string_view sender) {
    sender_ = sender;
    visit_.turns.push_back({fmt::format("MAIL FROM:<{}>\r\n", sender), 250, ""});
  }
  // `turn` without octets: the reply.
  void rcpt(const std::string& to, Turn turn, bool pipelined = true) {
    turn.octets = fmt::format("RCPT TO:<{}>\r\n", to);
    turn.pipelined = pipelined;
    visit_.turns.push_back(std::move(turn));
  }
  void take(const std::string& to, std::string observed = {}) {
    rcpt(to, {{}, 250, "downstream", {}, {}, std::move(observed)});
  }
  void message(Turn turn, std::size_t octets = 600, std::string_view field = {}) {
    visit_.turns.push_back({"DATA\r\n", 354, ""});
    turn.octets = fmt::format("From: <{}>\r\nMessage-ID: <{}@day.example>\r\n{}\r\n", sender_,
                              visit_.id, field);
    while (turn.octets.size() < octets) turn.octets.append(70, 'x').append("\r\n");
    turn.octets += ".\r\n";
    visit_.turns.push_back(std::move(turn));
  }
  void message_taken(std::size_t octets = 600, std::string_view field = {}) {
    message({{}, 250, "downstream"}, octets, field);
  }
  Visit quit() {
    visit_.turns.push_back({"QUIT\r\n", 221, ""});
    return end();
  }
  Visit end() { return std::move(visit_); }

 private:
  Visit visit_;
  std::string sender_;
};

}  // namespace postern::bench
