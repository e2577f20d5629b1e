// What is told when it is over: values, for work that outlives the client.
#pragma once

#include <postern/base/chrono.hpp>
#include <postern/base/ip.hpp>
#include <postern/plugin/hook.hpp>
#include <postern/smtp/reply.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace postern::plugin {

// A message was handed over and acknowledged.
struct Accepted {
  std::string session;
  std::string transaction;
  IpAddress client;
  std::string client_name;  // as the DNS confirms it (facts::ClientName); empty: not known
  std::string helo;
  std::string reverse_path;
  std::vector<std::string> recipients;
  std::string message_id;  // as the field has it: "<1@b.example>"; empty: there is none
  std::uint64_t octets = 0;
  std::string target;  // who took it
};

// One effective refusal, whoever refused.
struct Rejected {
  std::string session;
  IpAddress client;
  std::string client_name;  // as above
  std::string helo;
  std::string reverse_path;
  std::string recipient;                // where it concerned one
  std::vector<std::string> recipients;  // that one; of a refused message all it had
  Hook hook = Hook::connect;
  std::string by;  // an instance, "core:…", "downstream"
  smtp::Reply reply{550, ""};
  bool closes = false;  // the session ends with it
};

// A transaction that ended without a message: RSET, EHLO, a new MAIL, the end of the session.
struct Reset {
  std::string session;
  std::string transaction;
  IpAddress client;
};

struct Disconnected {
  std::string session;
  IpAddress client;
  std::string helo;
  std::string_view ending;  // "quit"
  std::size_t transactions = 0;
  std::size_t accepted = 0;  // messages
  std::size_t refused = 0;   // recipients
  std::size_t errors = 0;
};

// A decision record as it is written: one JSON object.
struct Recorded {
  std::string_view json;
};

// Once a minute.
struct Tick {
  std::chrono::system_clock::time_point when;
};

}  // namespace postern::plugin
