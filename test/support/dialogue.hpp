// A client that says everything and notes where it was refused first.
#pragma once

#include <postern/testing/harness.hpp>

#include <fmt/format.h>

#include <string>

namespace postern::test {

struct Heard {
  std::string stage = "nowhere";  // where the first refusal came
  int code = 0;                   // of it; of the end of data where nothing was refused
  std::string text;
};

struct Letter {
  std::string to = "x@example.net";
  std::string from = "a@b.example";
  std::string client = "192.0.2.1";
  std::string helo = "client.example";
  std::string content = "Subject: s\r\n\r\nb\r\n";
};

inline Heard whole_dialogue(testing::Harness& h, const Letter& letter) {
  const auto refused = [](const char* stage, const testing::WireReply& reply) {
    return Heard{stage, reply.code, reply.text()};
  };
  h.client.connect(letter.client);
  auto reply = h.client.greeting();
  if (reply.code != 220) return refused("connect", reply);
  reply = h.client.command("EHLO " + letter.helo);
  if (reply.code != 250) return refused("helo", reply);
  reply = h.client.command("MAIL FROM:<" + letter.from + ">");
  if (reply.code != 250) return refused("mail", reply);
  reply = h.client.command("RCPT TO:<" + letter.to + ">");
  if (reply.code != 250) return refused("rcpt", reply);
  reply = h.client.command("DATA");
  if (reply.code != 354) return refused("data", reply);
  h.client.send(letter.content + ".\r\n");
  reply = h.client.reply();
  if (reply.code != 250) return refused("message", reply);
  return {"nowhere", 250, reply.text()};
}

inline Heard whole_dialogue(testing::Harness& h, const std::string& to = "x@example.net") {
  Letter letter;
  letter.to = to;
  return whole_dialogue(h, letter);
}

// "rcpt 550 5.7.1 no"
inline std::string in_one_line(const Heard& heard) {
  return fmt::format("{} {} {}", heard.stage, heard.code, heard.text);
}
// "550 5.7.1 no"
inline std::string in_one_line(const testing::WireReply& reply) {
  return fmt::format("{} {}", reply.code, reply.text());
}

// Connects a client and hears its greeting.
inline testing::WireReply arrive(testing::Harness& h, const std::string& client = "192.0.2.1") {
  h.client.connect(client);
  return h.client.greeting();
}

// The recipients of what was promised to be delivered: "<a@example.net> ".
inline std::string delivered_to(const testing::ScriptedDownstream& downstream) {
  std::string all;
  for (const auto& delivery : downstream.ledger())
    for (const std::string& path : delivery.forward_paths)
      if (delivery.promised()) all += path + " ";
  return all;
}

inline std::string all_records(const testing::Harness& h) {
  std::string all;
  for (const std::string& record : h.log.records) all += record + "\n";
  return all;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace postern::test
