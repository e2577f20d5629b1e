#include "scenario.hpp"

#include <fmt/format.h>

#include <array>

namespace postern::bench {
namespace {

constexpr int variants = 100;
constexpr int unknown_recipients = 10;
constexpr std::size_t message_octets = 4096;  // header section and body, without the final dot

// `user0` to `user999` of example.net exist (bench/run), `stranger…` do not.
std::string known(int variant) { return fmt::format("RCPT TO:<user{}@example.net>\r\n", variant); }

std::vector<std::string> unknown(int variant) {
  std::vector<std::string> lines;
  for (int i = 0; i < unknown_recipients; ++i)
    lines.push_back(
        fmt::format("RCPT TO:<stranger{}@example.net>\r\n", variant * unknown_recipients + i));
  return lines;
}

std::string mail(int variant) {
  return fmt::format("MAIL FROM:<sender{}@example.org>\r\n", variant);
}

std::string message(int variant) {
  std::string text = fmt::format(
      "From: <sender{0}@example.org>\r\nTo: <user{0}@example.net>\r\nSubject: A message to "
      "measure\r\n"
      "Date: Sat, 1 Jan 2022 12:00:00 +0000\r\nMessage-ID: <{0}@example.org>\r\n\r\n",
      variant);
  while (text.size() < message_octets) {
    const std::size_t room = message_octets - text.size();
    text.append(room < 74 ? room - (room > 2 ? 2 : 0) : 70, 'x').append("\r\n");
  }
  return text + ".\r\n";
}

Script opening() { return {{"", "2"}, {"EHLO client.example.org\r\n", "2"}}; }

Script attack(int variant) {
  Script script = opening();
  script.push_back({mail(variant), "2"});
  for (std::string& line : unknown(variant)) script.push_back({std::move(line), "5"});
  script.push_back({"QUIT\r\n", "2"});
  return script;
}

Script attack_pipelined(int variant) {
  Script script = opening();
  Step group{mail(variant), "2"};
  for (const std::string& line : unknown(variant)) {
    group.octets += line;
    group.expected += '5';
  }
  group.octets += "QUIT\r\n";
  group.expected += '2';
  script.push_back(std::move(group));
  return script;
}

Script one_message(int variant) {
  Script script = opening();
  script.push_back({mail(variant), "2"});
  script.push_back({known(variant), "2"});
  script.push_back({"DATA\r\n", "3"});
  script.push_back({message(variant), "2"});
  script.push_back({"QUIT\r\n", "2"});
  return script;
}

Script one_stranger(int variant) {
  Script script = opening();
  script.push_back({mail(variant), "2"});
  script.push_back({unknown(variant).front(), "5"});
  script.push_back({"QUIT\r\n", "2"});
  return script;
}

Script connect_and_quit(int) { return {{"", "2"}, {"QUIT\r\n", "2"}}; }
Script turned_away(int) { return {{"", "5"}}; }
Script turned_away_and_quit(int) { return {{"", "5"}, {"QUIT\r\n", "2"}}; }
Script idle(int) { return opening(); }

struct Scenario {
  std::string_view name;
  Script (*script)(int variant);
};
constexpr std::array<Scenario, 8> scenarios{{{"attack", attack},
                                             {"attack-pipelined", attack_pipelined},
                                             {"message", one_message},
                                             {"dnsbl", one_stranger},
                                             {"connect", connect_and_quit},
                                             {"turned-away", turned_away},
                                             {"turned-away-quit", turned_away_and_quit},
                                             {"idle", idle}}};

}  // namespace

std::optional<std::vector<Script>> scripts_of(std::string_view name) {
  for (const Scenario& scenario : scenarios) {
    if (scenario.name != name) continue;
    std::vector<Script> scripts;
    for (int variant = 0; variant < variants; ++variant)
      scripts.push_back(scenario.script(variant));
    return scripts;
  }
  return {};
}

}  // namespace postern::bench
