// Everything that postern.toml can say, typed. The members' initial values are the defaults; what
// the keys are called, mean and may be stands in description.cpp; why the SMTP numbers are what
// they are, in smtp/limits.hpp and smtp/timeouts.hpp.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/base/log.hpp>
#include <postern/base/server_address.hpp>
#include <postern/policy/codec.hpp>
#include <postern/policy/policy.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/timeouts.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern {
constexpr auto names_of(Level) {
  return std::array<std::string_view, 5>{"debug", "info", "notice", "warning", "error"};
}
}  // namespace postern

namespace postern::policy {

template <typename Settings>
class Schema;
struct Description;

using std::chrono::milliseconds;
using std::chrono::seconds;

// Where SMTP or LMTP connections go: "ADDRESS:PORT", "[IPV6]:PORT", "NAME:PORT", "unix:PATH".
struct Endpoints {
  struct Server {
    ServerAddress address;
    std::size_t weight = 0;  // 0: none was given
    std::string host = {};   // the name that it was given by; empty: by its address
  };
  std::vector<std::string> names;  // as written
  // In the same order, a name's in the order of the resolver; names are left out where they were
  // not to be resolved.
  std::vector<Server> servers;
};
Codec codec(std::type_identity<Endpoints>);

// What postern::LogTarget::open() takes: "stderr", "journal", "syslog" or "file:PATH".
struct LogTargetText {
  std::string text = "stderr";
  std::string path() const { return text.starts_with("file:") ? text.substr(5) : std::string(); }
};
Codec codec(std::type_identity<LogTargetText>);

// A CR or LF that stands alone in a message (RFC 5321 section 2.3.8): refused, or made CRLF.
enum class BareNewline : std::uint8_t { reject, normalize };
constexpr auto names_of(BareNewline) {
  return std::array<std::string_view, 2>{"reject", "normalize"};
}

enum class ListenTls : std::uint8_t { none, starttls, implicit };
constexpr auto names_of(ListenTls) {
  return std::array<std::string_view, 3>{"none", "starttls", "implicit"};
}

// Whether clients of a listener may authenticate, or must.
enum class ListenAuth : std::uint8_t { off, offer, require };
constexpr auto names_of(ListenAuth) {
  return std::array<std::string_view, 3>{"off", "offer", "require"};
}

// As smtp::name() spells them.
enum class AuthMechanismName : std::uint8_t { scram_sha_256, cram_md5, plain, login };
constexpr auto names_of(AuthMechanismName) {
  return std::array<std::string_view, 4>{"SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"};
}

enum class ClientCertificates : std::uint8_t { off, ask, require };
constexpr auto names_of(ClientCertificates) {
  return std::array<std::string_view, 3>{"off", "ask", "require"};
}

enum class ForwardProtocol : std::uint8_t { smtp, lmtp, exim_pipe };
constexpr auto names_of(ForwardProtocol) {
  return std::array<std::string_view, 3>{"smtp", "lmtp", "exim-pipe"};
}

// How a program takes a message over.
enum class ProgramManner : std::uint8_t { sendmail, bsmtp, qmail_queue };
constexpr auto names_of(ProgramManner) {
  return std::array<std::string_view, 3>{"sendmail", "bsmtp", "qmail-queue"};
}

// How the downstream learns who the client is.
enum class Identity : std::uint8_t { none, xforward, xclient, proxy_v1, proxy_v2 };
constexpr auto names_of(Identity) {
  return std::array<std::string_view, 5>{"none", "xforward", "xclient", "proxy-v1", "proxy-v2"};
}

// Whether the downstream is spoken to under TLS.
enum class ForwardTls : std::uint8_t { off, may, require, verify };
constexpr auto names_of(ForwardTls) {
  return std::array<std::string_view, 4>{"off", "may", "require", "verify"};
}

enum class LogFormat : std::uint8_t { json, text };
constexpr auto names_of(LogFormat) { return std::array<std::string_view, 2>{"json", "text"}; }

struct Listen {
  SocketAddress address;  // port 0: any free one
  ListenTls tls = ListenTls::none;
  ListenAuth auth = ListenAuth::offer;
  std::vector<Network> proxy_from;
  std::vector<Network> xclient_from;
  std::vector<Network> xforward_from;
  static void describe(Schema<Listen>& schema);
};

// What the listeners with TLS have.
struct Tls {
  FilePath certificate;
  FilePath key;  // empty: in the certificate's file
  FilePath certificates_dir;
  ClientCertificates client_certificates = ClientCertificates::off;
  FilePath client_ca;
  static void describe(Schema<Tls>& schema);
};

// How long the downstream may take.
struct ForwardTimeouts {
  milliseconds connect = smtp::timeouts::downstream_connect;
  milliseconds greeting = smtp::timeouts::downstream_greeting;  // and EHLO
  milliseconds mail = smtp::timeouts::downstream_mail;
  milliseconds rcpt = smtp::timeouts::downstream_rcpt;
  milliseconds data = smtp::timeouts::downstream_data;
  milliseconds block = smtp::timeouts::downstream_block;
  milliseconds final = smtp::timeouts::downstream_end_of_data;
  static void describe(Schema<ForwardTimeouts>& schema);
};

// A recipient for whose verification there is no probe left.
enum class VerifyBeyond : std::uint8_t { defer, pass };
constexpr auto names_of(VerifyBeyond) { return std::array<std::string_view, 2>{"defer", "pass"}; }

// How recipients are verified with the downstream.
struct Verify {
  std::vector<std::string> senders;  // "<>" or a mailbox; empty: "<>", then double-bounce at us
  milliseconds positive = std::chrono::hours(24);
  milliseconds negative = std::chrono::hours(2);
  std::size_t probes = 10;  // a second
  VerifyBeyond beyond = VerifyBeyond::defer;
  static void describe(Schema<Verify>& schema);
};

// Who takes messages over, and how.
struct ForwardTo {
  Endpoints to;
  FilePath maildir;                     // exactly one of the two, or none by exim_pipe
  FilePath command{"/usr/sbin/exim4"};  // by exim_pipe
  ForwardProtocol protocol = ForwardProtocol::smtp;
  Identity identity = Identity::none;
  ForwardTls tls = ForwardTls::off;
  std::string tls_name;  // empty: the name in `to`
  FilePath tls_ca;       // empty: the system's
  std::size_t max_connections = 20;
  std::size_t messages_per_connection = 10;  // Exim only queues from the 11th on
  milliseconds keep_idle = seconds(10);
  ForwardTimeouts timeouts;
  bool verify_recipients = false;
  Verify verify;
};

// The same for some domains: [[forward.route]]. What a block does not say is as in [forward].
struct ForwardRoute : ForwardTo {
  std::vector<DomainPattern> domains;
  static void describe(Schema<ForwardRoute>& schema);
};

struct Forward : ForwardTo {
  std::vector<ForwardRoute> routes;
  static void describe(Schema<Forward>& schema);
};

// How clients authenticate, where a plugin knows users.
struct Auth {
  bool without_tls = false;
  std::vector<AuthMechanismName> mechanisms = {AuthMechanismName::scram_sha_256,
                                               AuthMechanismName::cram_md5,
                                               AuthMechanismName::plain, AuthMechanismName::login};
  std::size_t attempts = 3;  // that fail, of one session
  milliseconds failure_time = seconds(2);
  static void describe(Schema<Auth>& schema);
};

struct Limits {
  ByteCount message_size{smtp::limits::message_octets};
  ByteCount header_size{smtp::limits::header_section_octets};
  std::size_t recipients = smtp::limits::recipients;
  std::size_t errors = smtp::limits::errors_per_session;
  std::size_t messages = smtp::limits::messages_per_session;
  std::size_t sessions = 0;  // 0: from the descriptor limit
  ByteCount memory_per_message = kilobytes(256);
  std::size_t received = smtp::limits::received_fields;
  static void describe(Schema<Limits>& schema);
};

// How long the client may take.
struct Timeouts {
  milliseconds command = smtp::timeouts::command;
  milliseconds block = smtp::timeouts::body_block;
  milliseconds data = smtp::timeouts::body_total;
  static void describe(Schema<Timeouts>& schema);
};

// The resolver of each worker; the defaults are those of dns::Settings.
struct DnsSettings {
  std::vector<SocketAddress> servers;  // empty: the system's
  milliseconds timeout{1500};          // three tries stay below the 5 s that hooks have by default
  std::size_t tries = 3;
  std::size_t cache_entries = 20'000;
  ByteCount cache_size = megabytes(8);
  static void describe(Schema<DnsSettings>& schema);
};

struct Spool {
  FilePath directory{"/var/tmp"};
  static void describe(Schema<Spool>& schema);
};

struct LogSettings {
  LogTargetText target;
  Level level = Level::info;
  LogFormat format = LogFormat::json;
  static void describe(Schema<LogSettings>& schema);
};

// What lasts: the state store.
struct StateSettings {
  FilePath path;  // never empty after load()
  ByteCount size = megabytes(1000);
  static void describe(Schema<StateSettings>& schema);
};

struct ControlSettings {
  FilePath socket;  // empty: see control_socket()
  static void describe(Schema<ControlSettings>& schema);
};

// A program that may be started: [[program]]. No other is, but Exim by exim_pipe.
struct Program {
  std::string name;
  ProgramManner manner = ProgramManner::sendmail;
  std::vector<std::string> command;  // an absolute path, then arguments
  std::size_t at_a_time = 20;
  milliseconds timeout = seconds(60);  // RFC 1047: senders that wait long send again
  static void describe(Schema<Program>& schema);
};

struct Configuration {
  std::string hostname;     // never empty after load()
  std::size_t workers = 0;  // 0: one per core
  std::string user;         // empty: stay who we are
  std::string group;        // empty: the user's
  BareNewline bare_newline = BareNewline::reject;
  milliseconds drain_timeout = smtp::timeouts::drain;
  std::vector<Listen> listen;
  Tls tls;
  Auth auth;
  Forward forward;
  std::vector<Program> programs;
  Limits limits;
  Timeouts timeouts;
  DnsSettings dns;
  Spool spool;
  LogSettings log;
  StateSettings state;
  ControlSettings control;
  Mixed mixed = Mixed::split;         // of the site
  Score score;                        // likewise
  Common plugin_defaults;             // as written; Snapshot has what became of it
  std::vector<FilePath> plugin_path;  // folders of modules, before our own
  std::vector<std::string> include;   // patterns of further files, relative to the main one
  static void describe(Schema<Configuration>& schema);
};

// What the master reads, and nothing else of the file.
struct MasterSettings {
  std::string user;
  std::string group;
  std::size_t workers = 0;  // 0: one per core
  milliseconds drain_timeout = seconds(60);
  std::vector<SocketAddress> listen;
  bool speaks_tls = false;        // a listener does
  Tls tls;                        // whose files it watches
  Forward forward;                // for the programs
  std::vector<Program> programs;  // that the helper may start
  LogSettings log;
  std::string control_socket;
  bool control_asked = false;  // the file names it

  // Exim by exim_pipe, or a [[program]].
  bool starts_programs() const;
};

// What the keys mean that domains have as well.
inline constexpr const char* mixed_help =
    "when recipients of one message end differently and the client can be told only one reply: "
    "\"split\" defers it until they come apart, \"strictest\" and \"lenient\" take the worst or "
    "best outcome for all";
inline constexpr const char* score_help =
    "How many points of instances in mode score defer or reject a message.";

// The keys of the whole file.
Description describe_configuration();

}  // namespace postern::policy
