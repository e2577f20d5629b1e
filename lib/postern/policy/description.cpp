// The keys of postern.toml: names, meanings, bounds. Types and defaults come from
// configuration.hpp.
#include <postern/policy/configuration.hpp>
#include <postern/policy/schema.hpp>
#include <postern/policy/snapshot_builder.hpp>

namespace postern::policy {
namespace {

constexpr milliseconds day = std::chrono::hours(24);

}  // namespace

void Listen::describe(Schema<Listen>& schema) {
  schema
      .key(
          "address", &Listen::address,
          "where to listen: \"ADDRESS:PORT\" or \"[IPV6]:PORT\"; \"0.0.0.0\" and \"[::]\" mean all "
          "addresses, port 0 any free port")
      .required();
  schema.key("tls", &Listen::tls,
             "whether this listener speaks TLS: after the command STARTTLS, or before anything "
             "else, as on port 465");
  schema.key("auth", &Listen::auth,
             "whether clients may authenticate here, where a plugin knows users, or must before "
             "they may send mail");
  schema
      .key(
          "proxy_from", &Listen::proxy_from,
          "networks of balancers: who connects from there must begin with a PROXY protocol header, "
          "version 1 or 2, within 5s, and the client that it names is the client")
      .otherwise("nobody");
  schema
      .key("xclient_from", &Listen::xclient_from,
           "networks of proxies that may tell the client by the XCLIENT command")
      .otherwise("nobody");
  schema
      .key("xforward_from", &Listen::xforward_from,
           "networks of mail servers that may tell the client of the next message by the XFORWARD "
           "command")
      .otherwise("nobody");
}

void Tls::describe(Schema<Tls>& schema) {
  schema
      .key("certificate", &Tls::certificate,
           "the certificate, in PEM form, with the intermediate ones after it")
      .otherwise("the first of certificates_dir");
  schema.key("key", &Tls::key, "its private key, in PEM form, without a passphrase")
      .otherwise("in the certificate's file");
  schema
      .key("certificates_dir", &Tls::certificates_dir,
           "a folder of further certificates, for clients that ask for a name (SNI): NAME.pem with "
           "certificate and key, NAME.crt and NAME.key, or NAME/fullchain.pem and "
           "NAME/privkey.pem; which names they are for is read from the certificates")
      .otherwise("none");
  schema.key("client_certificates", &Tls::client_certificates,
             "whether clients are asked for a certificate, and sent away without one that "
             "client_ca has signed");
  schema
      .key("client_ca", &Tls::client_ca,
           "the certificates, in PEM form, of those who sign clients' certificates")
      .otherwise("nobody");
}

void Auth::describe(Schema<Auth>& schema) {
  schema.key("without_tls", &Auth::without_tls,
             "whether clients may authenticate in the clear, where everybody on the way can read "
             "their passwords");
  schema.key("mechanisms", &Auth::mechanisms,
             "the mechanisms that are offered, of those that the plugins can serve");
  schema
      .key("attempts", &Auth::attempts,
           "attempts of one session that may fail; after the last of them it is closed")
      .at_least(1)
      .at_most(100);
  schema
      .key("failure_time", &Auth::failure_time,
           "when a failed attempt is answered, counted from the client's last line: always the "
           "same, so that it tells nothing, and guessing takes its time")
      .at_most(seconds(30));
}

void ForwardTimeouts::describe(Schema<ForwardTimeouts>& schema) {
  using T = ForwardTimeouts;
  const auto timeout = [&](const char* name, milliseconds T::*member, const char* help) {
    schema.key(name, member, help).at_least(milliseconds(100)).at_most(day);
  };
  timeout("connect", &T::connect, "for one address to take the connection");
  timeout("greeting", &T::greeting, "for the greeting and for the reply to EHLO");
  timeout("mail", &T::mail, "for the reply to MAIL");
  timeout("rcpt", &T::rcpt, "for the reply to each RCPT");
  timeout("data", &T::data, "for the reply to DATA");
  timeout("block", &T::block, "for the downstream to take the next octets of the message");
  timeout("final", &T::final,
          "for the reply to the end of the message; below the ten minutes that clients wait");
}

void Verify::describe(Schema<Verify>& schema) {
  schema
      .key("senders", &Verify::senders,
           "reverse-paths that probes are sent with, the next where one is refused: \"<>\", or a "
           "mailbox")
      .otherwise("the null sender, then double-bounce at us");
  schema
      .key("positive", &Verify::positive, "how long a recipient that was taken is not asked about")
      .at_most(30 * day);
  schema
      .key("negative", &Verify::negative,
           "how long a recipient that was refused is refused here, with the downstream's own words")
      .at_most(30 * day);
  schema
      .key("probes", &Verify::probes,
           "probes a second, shared out among the workers, at least one each; at a time they take "
           "at "
           "most half of max_connections")
      .at_least(1)
      .at_most(100'000);
  schema.key(
      "beyond", &Verify::beyond,
      "what becomes of a recipient when no probe is left: 450, or the mail's own way, in which "
      "the downstream is asked too");
}

namespace {

// The keys that [forward] and its routes share.
template <typename To>
void describe_destination(Schema<To>& schema) {
  const auto key = [&]<typename T>(const char* name, T ForwardTo::*member,
                                   const char* help) -> Key& {
    return schema.key(name, static_cast<T To::*>(member), help);
  };
  key("to", &ForwardTo::to,
      "the mail server: addresses or names with ports, or sockets as \"unix:PATH\", tried in this "
      "order; names are looked up once, at start. { address = \"HOST:PORT\", weight = 2 } gives "
      "one a "
      "share of the connections: those with a weight share them, those without are tried when none "
      "of these takes one");
  key("tls_name", &ForwardTo::tls_name,
      "the name that the mail server's certificate must have, and that it is asked for under TLS")
      .otherwise("the name in to; an address has none");
  key("maildir", &ForwardTo::maildir,
      "a Maildir to deliver to instead; exactly one of to and maildir is needed");
}

template <typename To>
void describe_manner(Schema<To>& schema) {
  const auto key = [&]<typename T>(const char* name, T ForwardTo::*member,
                                   const char* help) -> Key& {
    return schema.key(name, static_cast<T To::*>(member), help);
  };
  key("protocol", &ForwardTo::protocol,
      "what the downstream speaks; by LMTP (RFC 2033) it answers for each recipient of a message; "
      "\"exim-pipe\" starts command for each transaction and speaks SMTP with it, which hears the "
      "client's address, name and protocol (exim -bs -oMa -oMs -oMr); it must trust our user");
  key("command", &ForwardTo::command, "Exim's program, for exim-pipe");
  key("identity", &ForwardTo::identity,
      "how the downstream learns the client's address: by nothing, by the XFORWARD or XCLIENT "
      "command, or by a PROXY protocol header; the downstream must trust us with it");
  key("tls", &ForwardTo::tls,
      "whether STARTTLS encrypts connections to the downstream: \"may\" where it can, and else in "
      "the clear; \"require\" with whoever answers; \"verify\" only with a certificate that has "
      "the right name and is signed by tls_ca. Where it fails, clients hear 451 4.7.5");
  key("tls_ca", &ForwardTo::tls_ca,
      "the certificates, in PEM form, of those who sign the downstream's, for tls = \"verify\"")
      .otherwise("the system's");
  key("max_connections", &ForwardTo::max_connections,
      "connections to the downstream at a time, shared out among the workers, at least one each; "
      "further transactions wait for a free one. A server that answers 421 to new ones is given "
      "fewer for a while")
      .at_least(1)
      .at_most(100'000);
  key("messages_per_connection", &ForwardTo::messages_per_connection,
      "messages before a kept connection is closed; Exim only queues, and does not deliver at "
      "once, "
      "from the 11th on")
      .at_least(1)
      .at_most(1'000'000);
  key("keep_idle", &ForwardTo::keep_idle,
      "how long an unused connection is kept for the next message")
      .at_most(std::chrono::hours(1));
  key("verify_recipients", &ForwardTo::verify_recipients,
      "whether a recipient is asked about before mail for him takes a connection; answers are "
      "remembered, so that a dictionary attack is answered here");
  schema.table("verify", static_cast<Verify To::*>(&ForwardTo::verify),
               "How recipients are verified, where verify_recipients says so.");
  schema.table("timeouts", static_cast<ForwardTimeouts To::*>(&ForwardTo::timeouts),
               "How long the downstream may take.");
}

// What the manual says of a route; a block is read with all keys.
struct RouteKeys : ForwardRoute {
  static void describe(Schema<RouteKeys>& schema) {
    schema
        .key(
            "domains", static_cast<std::vector<DomainPattern> RouteKeys::*>(&ForwardRoute::domains),
            "whose mail goes this way: \"example.net\" for that domain alone, \".example.net\" for "
            "all of its subdomains; the longest that fits counts")
        .required();
    describe_destination(schema);
  }
};

}  // namespace

void ForwardRoute::describe(Schema<ForwardRoute>& schema) {
  schema.key("domains", &ForwardRoute::domains, "whose mail goes this way").required();
  describe_destination(schema);
  describe_manner(schema);
}

void Forward::describe(Schema<Forward>& schema) {
  describe_destination(schema);
  describe_manner(schema);
  schema.foreign(
      "route", description_of<RouteKeys>(),
      "Other ways for the mail of some domains, by the recipient as the client names him. "
      "Beside these keys a block has those of [forward], as [forward] has them where the "
      "block says nothing. Recipients of different ways do not share a transaction: the "
      "second hears 450 4.5.3 and comes again.");
}

void Program::describe(Schema<Program>& schema) {
  schema.key("name", &Program::name, "what [[plugin]] blocks of pipe call it").required();
  schema.key("manner", &Program::manner,
             "how it takes a message: \"sendmail\" as standard input, with -i -f SENDER -- "
             "RECIPIENTS; \"bsmtp\" as a batch of SMTP commands on standard input; \"qmail-queue\" "
             "on descriptor 0, with the envelope on 1");
  schema
      .key("command", &Program::command,
           "its absolute path and the arguments that always come first; no shell sees them")
      .required();
  schema
      .key("at_a_time", &Program::at_a_time,
           "how many of it run, shared out among the workers, at least one each; further "
           "messages wait")
      .at_least(1)
      .at_most(1000);
  schema.key("timeout", &Program::timeout, "for one message; then it is killed")
      .at_least(milliseconds(100))
      .at_most(std::chrono::hours(1));
}

void Limits::describe(Schema<Limits>& schema) {
  schema
      .key("message_size", &Limits::message_size,
           "largest message, announced by SIZE; RFC 5321 asks for 64 KiB at least")
      .at_least(kilobytes(1))
      .at_most(megabytes(100'000));
  schema.key("header_size", &Limits::header_size, "largest header section of a message")
      .at_least(kilobytes(1))
      .at_most(megabytes(64));
  schema
      .key("recipients", &Limits::recipients,
           "recipients of one message; RFC 5321 asks for 100 at least")
      .at_least(1)
      .at_most(100'000);
  schema.key("errors", &Limits::errors, "commands of one session that may fail before it is ended")
      .at_least(1)
      .at_most(100'000);
  schema.key("messages", &Limits::messages, "messages of one session")
      .at_least(1)
      .at_most(1'000'000);
  schema
      .key("sessions", &Limits::sessions,
           "sessions at a time, for each worker; 0 takes what the limit of file descriptors allows")
      .at_most(1'000'000);
  schema
      .key("memory_per_message", &Limits::memory_per_message,
           "up to this size a message waits in memory, beyond it in a file of spool.directory")
      .at_least(kilobytes(4))
      .at_most(megabytes(1000));
  schema
      .key("received", &Limits::received,
           "Received fields after which a message is refused as looping")  // RFC 5321 section 6.3
      .at_least(1)
      .at_most(1000);
}

void Timeouts::describe(Schema<Timeouts>& schema) {
  const auto timeout = [&](const char* name, milliseconds Timeouts::*member, const char* help) {
    schema.key(name, member, help).at_least(milliseconds(100)).at_most(day);
  };
  timeout("command", &Timeouts::command, "for the next command");
  timeout("block", &Timeouts::block, "for the next octets of a message");
  timeout("data", &Timeouts::data, "for the whole message");
}

void DnsSettings::describe(Schema<DnsSettings>& schema) {
  using D = DnsSettings;
  schema
      .key("servers", &D::servers,
           "recursive name servers, with their ports, tried in this order; one on this machine is "
           "best, since DNS lists refuse the large public ones")
      .otherwise("those of /etc/resolv.conf");
  schema.key("timeout", &D::timeout, "for one server to answer, before the next is asked")
      .at_least(milliseconds(50))
      .at_most(seconds(30));
  schema.key("tries", &D::tries, "how often each server is asked before a lookup has failed")
      .at_least(1)
      .at_most(10);
  schema
      .key("cache_entries", &D::cache_entries,
           "answers that each worker remembers, for as long as they say; 0 for none")
      .at_most(10'000'000);
  schema
      .key("cache_size", &D::cache_size,
           "memory that they may take in each worker; those not asked for longest go first")
      .at_most(megabytes(10'000));
}

void Spool::describe(Schema<Spool>& schema) {
  schema.key(
      "directory", &Spool::directory,
      "where messages beyond limits.memory_per_message wait, in files without a name that vanish "
      "with the process");
}

void LogSettings::describe(Schema<LogSettings>& schema) {
  schema.key(
      "target", &LogSettings::target,
      "where log lines go; \"journal\" is standard error with the priority of each line before it");
  schema.key("level", &LogSettings::level, "the least important lines to write");
  schema.key("format", &LogSettings::format, "one JSON object a line, or text for people");
  schema.later({"trail"});
}

void StateSettings::describe(Schema<StateSettings>& schema) {
  schema
      .key("path", &StateSettings::path,
           "a folder for what lasts and what the workers share: greylists, counts, places; made if "
           "it is not there")
      .otherwise(
          "beside the file, NAME.state for NAME.toml; but /var/lib/postern/state for "
          "/etc/postern/postern.toml");
  schema
      .key("size", &StateSettings::size,
           "the most that its file may grow to; beyond four fifths of it those entries go that "
           "would expire first")
      .at_least(megabytes(16))
      .at_most(megabytes(1'000'000));
  schema.later({"url"});
}

void ControlSettings::describe(Schema<ControlSettings>& schema) {
  schema
      .key("socket", &ControlSettings::socket,
           "the socket by which postern(1) talks to the daemon; its path has at most 107 octets")
      .otherwise(
          "beside the file, NAME.control for NAME.toml; but /run/postern/control for "
          "/etc/postern/postern.toml");
}

void Configuration::describe(Schema<Configuration>& schema) {
  using C = Configuration;
  schema
      .key("hostname", &C::hostname,
           "our name in the greeting, in replies and in Received fields; mail to it counts as ours")
      .otherwise("the system's host name");
  schema.key("workers", &C::workers, "worker processes; 0 means one for each core we may use")
      .at_most(1024);
  schema.key("user", &C::user, "the user to become when started as root").otherwise("no change");
  schema.key("group", &C::group, "the group to become when started as root")
      .otherwise("the user's");
  schema.key("bare_newline", &C::bare_newline,
             "a CR or LF that stands alone in a message: refuse the message, or make it CRLF");
  schema
      .key("drain_timeout", &C::drain_timeout,
           "how long sessions may go on after SIGTERM before they end with 421")
      .at_most(day);
  schema
      .key("include", &C::include,
           "further files to read, by pattern, relative to this file; their tables and blocks add "
           "to "
           "those here, in the order of their names")
      .otherwise("none");
  schema
      .key("plugin_path", &C::plugin_path,
           "folders in which plugins are looked for, beside Postern's own; each plugin is a file "
           "NAME.so in one of them or below")
      .otherwise("none");
  schema.key("mixed", &C::mixed, mixed_help).later({"hold"});
  schema.blocks("listen", &C::listen, "One block for each address to listen on; at least one.");
  schema.table("tls", &C::tls,
               "What the listeners with TLS present. The files are read as root where we are "
               "started as root, and watched: a change takes effect within seconds.");
  schema.table("auth", &C::auth, "How clients authenticate, where a plugin knows users.");
  schema.table("forward", &C::forward, "The downstream: who takes the messages over.");
  schema.blocks("program", &C::programs,
                "One block for each program that the plugin pipe may hand messages to. They run as "
                "our user, started by a process of their own: posternd(8).");
  schema.table("limits", &C::limits, "What one message, session or worker may use.");
  schema.table("timeouts", &C::timeouts, "How long the client may take.");
  schema.table("dns", &C::dns, "How names are looked up.");
  schema.table("spool", &C::spool, "Files of messages in flight.");
  schema.table("log", &C::log, "The log of the program.");
  schema.table("state", &C::state, "Where plugins keep what lasts.");
  schema.table("control", &C::control, "How the command postern(1) reaches the daemon.");
  schema.table("score", &C::score, score_help);
  schema.table("plugin_defaults", &C::plugin_defaults,
               "What every [[plugin]] block has of these keys, unless it says otherwise itself.");
  schema.foreign("plugin", describe_plugin_block(),
                 "One block for each instance of a plugin, in the order in which they run. Beside "
                 "these keys a block has those of its plugin: see PLUGINS.");
  schema.unused({"metrics"});
}

void Score::describe(Schema<Score>& schema) {
  const auto threshold = [&](const char* name, std::optional<std::size_t> Score::*member,
                             const char* help) {
    schema.key(name, member, help).at_least(1).at_most(1'000'000'000).otherwise("never");
  };
  threshold("defer_at", &Score::defer_at, "points at which a message is deferred");
  threshold("reject_at", &Score::reject_at, "points at which a message is rejected");
  schema.later({"quarantine_at"});
}

Description describe_configuration() {
  Schema<Configuration> schema;
  Configuration::describe(schema);
  return schema.take();
}

}  // namespace postern::policy
