// A client that says everything and notes where it was refused first.
#pragma once

#include <postern/testing/harness.hpp>

#include <string>

namespace postern::test {

struct Heard {
  std::string stage = "nowhere";  // where the first refusal came
  int code = 0;                   // of it; of the end of data where nothing was refused
  std::string text;
};

inline Heard whole_dialogue(testing::Harness& h, const std::string& to = "x@example.net") {
  const auto refused = [](const char* stage, const testing::WireReply& reply) {
    return Heard{stage, reply.code, reply.text()};
  };
  h.client.connect();
  auto reply = h.client.greeting();
  if (reply.code != 220) return refused("connect", reply);
  reply = h.client.command("EHLO client.example");
  if (reply.code != 250) return refused("helo", reply);
  reply = h.client.command("MAIL FROM:<a@b.example>");
  if (reply.code != 250) return refused("mail", reply);
  reply = h.client.command("RCPT TO:<" + to + ">");
  if (reply.code != 250) return refused("rcpt", reply);
  reply = h.client.command("DATA");
  if (reply.code != 354) return refused("data", reply);
  h.client.send("Subject: s\r\n\r\nb\r\n.\r\n");
  reply = h.client.reply();
  if (reply.code != 250) return refused("message", reply);
  return {"nowhere", 250, reply.text()};
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
