// Everything that postern.toml can say, typed. The members' initial values are the defaults; what
// the keys are called, mean and may be stands in description.cpp.
#pragma once

#include <postern/policy/codec.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::policy {

template <typename Settings>
class Schema;
struct Description;

using std::chrono::milliseconds;
using std::chrono::seconds;

// A CR or LF that stands alone in a message (RFC 5321 section 2.3.8): refused, or made CRLF.
enum class BareNewline : std::uint8_t { reject, normalize };
constexpr auto names_of(BareNewline) {
  return std::array<std::string_view, 2>{"reject", "normalize"};
}

enum class ListenTls : std::uint8_t { none };
constexpr auto names_of(ListenTls) { return std::array<std::string_view, 1>{"none"}; }

enum class ForwardProtocol : std::uint8_t { smtp };
constexpr auto names_of(ForwardProtocol) { return std::array<std::string_view, 1>{"smtp"}; }

// How the downstream learns who the client is.
enum class Identity : std::uint8_t { none, xforward, xclient, proxy_v1, proxy_v2 };
constexpr auto names_of(Identity) {
  return std::array<std::string_view, 5>{"none", "xforward", "xclient", "proxy-v1", "proxy-v2"};
}

enum class LogLevel : std::uint8_t { debug, info, warning, error };
constexpr auto names_of(LogLevel) {
  return std::array<std::string_view, 4>{"debug", "info", "warning", "error"};
}

enum class LogFormat : std::uint8_t { json, text };
constexpr auto names_of(LogFormat) { return std::array<std::string_view, 2>{"json", "text"}; }

struct Listen {
  SocketAddress address;  // port 0: any free one
  ListenTls tls = ListenTls::none;
  static void describe(Schema<Listen>& schema);
};

// How long the downstream may take (RFC 5321 section 4.5.3.2).
struct ForwardTimeouts {
  milliseconds connect = seconds(30);
  milliseconds greeting = seconds(60);
  milliseconds mail = seconds(300);   // 4.5.3.2.2
  milliseconds rcpt = seconds(300);   // 4.5.3.2.3
  milliseconds data = seconds(120);   // 4.5.3.2.4
  milliseconds block = seconds(180);  // 4.5.3.2.5
  milliseconds final =
      seconds(540);  // 4.5.3.2.6 asks for 600: below it, so that our client still waits
  static void describe(Schema<ForwardTimeouts>& schema);
};

struct Forward {
  Endpoints to;
  FilePath maildir;  // exactly one of the two
  ForwardProtocol protocol = ForwardProtocol::smtp;
  Identity identity = Identity::none;
  std::size_t max_connections = 20;
  std::size_t messages_per_connection = 10;  // Exim only queues from the 11th on
  milliseconds keep_idle = seconds(10);
  ForwardTimeouts timeouts;
  static void describe(Schema<Forward>& schema);
};

struct Limits {
  ByteCount message_size = megabytes(50);
  ByteCount header_size = megabytes(1);
  std::size_t recipients = 1000;
  std::size_t errors = 20;
  std::size_t messages = 100;
  std::size_t sessions = 0;  // 0: from the descriptor limit
  ByteCount memory_per_message = kilobytes(256);
  std::size_t received = 100;
  static void describe(Schema<Limits>& schema);
};

// How long the client may take.
struct Timeouts {
  milliseconds command = seconds(300);  // RFC 5321 section 4.5.3.2.7
  milliseconds block = seconds(180);
  milliseconds data = seconds(3600);
  static void describe(Schema<Timeouts>& schema);
};

struct Spool {
  FilePath directory{"/var/tmp"};
  static void describe(Schema<Spool>& schema);
};

struct Log {
  LogTarget target;
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::json;
  static void describe(Schema<Log>& schema);
};

// One [[plugin]] block; `use` tells which of the other members its keys can set.
struct PluginBlock {
  std::string use;
  std::vector<DomainPattern> domains;  // rcpt_ok
  FilePath recipients_file;            // rcpt_ok
};

struct Configuration {
  std::string hostname;     // never empty after load()
  std::size_t workers = 0;  // 0: one per core
  std::string user;         // empty: stay who we are
  std::string group;        // empty: the user's
  BareNewline bare_newline = BareNewline::reject;
  milliseconds drain_timeout = seconds(60);
  std::vector<Listen> listen;
  Forward forward;
  Limits limits;
  Timeouts timeouts;
  Spool spool;
  Log log;
  std::vector<PluginBlock> plugins;
  std::vector<std::string> include;  // patterns of further files, relative to the main one
  static void describe(Schema<Configuration>& schema);
};

// What the master reads, and nothing else of the file.
struct MasterSettings {
  std::string user;
  std::string group;
  std::size_t workers = 0;  // 0: one per core
  milliseconds drain_timeout = seconds(60);
  std::vector<SocketAddress> listen;
  Log log;
};

// The keys of the whole file.
Description describe_configuration();

}  // namespace postern::policy
