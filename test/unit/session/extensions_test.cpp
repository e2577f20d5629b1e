// Every extension that a client can use × what the downstream has: what is offered, what is sent,
// what the client hears. Generated: each use of the table below meets each downstream, at three
// moments. Lines 9 to 17 of docs/protocol-lines.md.
#include <postern/net/tls.hpp>
#include <postern/testing/scripted_client.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/world.hpp"
#include "unit/net/made_certificate.hpp"

using namespace postern;
using namespace std::chrono_literals;
using deliver::TlsUse;
using test::World;
using testing::MadeCertificate;
using testing::make_certificate;
using Keywords = std::vector<std::string>;

namespace {

// PRDR has its place between these: line 54.
const Keywords all_keywords = {"PIPELINING", "8BITMIME",           "SMTPUTF8",   "DSN",
                               "SIZE",       "CHUNKING",           "BINARYMIME", "REQUIRETLS",
                               "STARTTLS",   "ENHANCEDSTATUSCODES"};
// What only the downstream can do, and what we do ourselves whatever it has.
const Keywords passed_on = {"8BITMIME", "SMTPUTF8", "DSN", "BINARYMIME", "REQUIRETLS"};
const Keywords ours = {"PIPELINING", "SIZE", "CHUNKING", "ENHANCEDSTATUSCODES", "LIMITS"};

bool has(const Keywords& keywords, std::string_view keyword) {
  return std::find(keywords.begin(), keywords.end(), keyword) != keywords.end();
}

// What a client does with an extension.
struct Use {
  std::string name;
  Keywords needs;          // what the downstream must have for it to arrive as it is
  std::string mail, rcpt;  // parameters
  // Where the downstream lacks one of `needs`: the first refusal, with the command that hears it.
  // Empty: it is bridged, and the parameters are left out.
  std::string refusal;
  // Where we do not offer it: likewise. Empty: we always do.
  std::string unoffered;
  std::string content = "Subject: x\r\n\r\nbody\r\n";
  bool chunks = false;
  std::string sender = "a@b.example", recipient = "x@example.net";
  bool under_tls = false;
};

const std::string eight_bit = "Subject: x\r\n\r\n\xc3\xa9\r\n";
const std::string utf8_header = "Subject: \xc3\xa9\r\n\r\nbody\r\n";
const std::string binary("Subject: x\r\n\r\n\0\r\n.\r\n\n\r\xff no end", 30);
const std::string utf8_mailbox = "\xc3\xa9@example.net";

const std::vector<Use>& uses() {
  static const std::vector<Use> all = {
      {.name = "nothing", .needs = {}, .mail = "", .rcpt = "", .refusal = "", .unoffered = ""},
      {.name = "8BITMIME, 8-bit content (11)",
       .needs = {"8BITMIME"},
       .mail = " BODY=8BITMIME",
       .rcpt = "",
       .refusal = "message 554 5.6.3",
       .unoffered = "MAIL 555 5.5.4",
       .content = eight_bit},
      {.name = "8BITMIME, 7-bit content (11)",
       .needs = {"8BITMIME"},
       .mail = " BODY=8BITMIME",
       .rcpt = "",
       .refusal = "",
       .unoffered = "MAIL 555 5.5.4"},
      {.name = "SMTPUTF8, a recipient (12)",
       .needs = {"SMTPUTF8"},
       .mail = " SMTPUTF8",
       .rcpt = "",
       .refusal = "RCPT 553 5.6.7",
       .unoffered = "MAIL 555 5.5.4",
       .recipient = utf8_mailbox},
      {.name = "SMTPUTF8, the sender (12)",
       .needs = {"SMTPUTF8"},
       .mail = " SMTPUTF8",
       .rcpt = "",
       .refusal = "RCPT 550 5.6.7",
       .unoffered = "MAIL 555 5.5.4",
       .sender = utf8_mailbox},
      {.name = "SMTPUTF8, the header section (12)",
       .needs = {"SMTPUTF8"},
       .mail = " SMTPUTF8",
       .rcpt = "",
       .refusal = "message 550 5.6.7",
       .unoffered = "MAIL 555 5.5.4",
       .content = utf8_header},
      {.name = "SMTPUTF8, and no need of it (12)",
       .needs = {"SMTPUTF8"},
       .mail = " SMTPUTF8",
       .rcpt = "",
       .refusal = "",
       .unoffered = "MAIL 555 5.5.4"},
      {.name = "DSN of the message (13)",
       .needs = {"DSN"},
       .mail = " RET=HDRS ENVID=q+2Bx",
       .rcpt = "",
       .refusal = "",
       .unoffered = "MAIL 555 5.5.4"},
      {.name = "DSN of a recipient (13)",
       .needs = {"DSN"},
       .mail = "",
       .rcpt = " NOTIFY=SUCCESS,DELAY ORCPT=rfc822;X+2Bx@example.net",
       .refusal = "",
       .unoffered = "RCPT 555 5.5.4"},
      {.name = "SIZE (17)",
       .needs = {"SIZE"},
       .mail = " SIZE=500",
       .rcpt = "",
       .refusal = "",
       .unoffered = ""},
      {.name = "CHUNKING (9)",
       .needs = {},
       .mail = "",
       .rcpt = "",
       .refusal = "",
       .unoffered = "",
       .content = "Subject: x\r\n\r\n.\r\n..x\r\nno end",
       .chunks = true},
      {.name = "BINARYMIME (10)",
       .needs = {"BINARYMIME", "CHUNKING"},
       .mail = " BODY=BINARYMIME",
       .rcpt = "",
       .refusal = "RCPT 554 5.6.1",
       .unoffered = "MAIL 555 5.5.4",
       .content = binary,
       .chunks = true},
      {.name = "REQUIRETLS (14)",
       .needs = {"REQUIRETLS", "STARTTLS"},
       .mail = " REQUIRETLS",
       .rcpt = "",
       .refusal = "RCPT 550 5.7.30",
       .unoffered = "MAIL 550 5.7.30",
       .under_tls = true},
      {.name = "STARTTLS (4)",
       .needs = {},
       .mail = "",
       .rcpt = "",
       .refusal = "",
       .unoffered = "",
       .under_tls = true},
      {.name = "ENHANCEDSTATUSCODES (16)",
       .needs = {},
       .mail = "",
       .rcpt = "",
       .refusal = "",
       .unoffered = ""},
  };
  return all;
}

struct Server {
  std::string name;
  Keywords keywords;
  bool ehlo = true;
};

std::vector<Server> servers() {
  std::vector<Server> all{{"all of them", all_keywords}};
  for (const std::string& lacking : all_keywords) {
    Keywords others = all_keywords;
    std::erase(others, lacking);
    all.push_back({"all but " + lacking, others});
  }
  all.push_back({"EHLO and nothing else", {"HELP"}});
  all.push_back({"HELO", {}, false});
  return all;
}

// When the client says EHLO, the downstream
enum class Moment {
  unknown,  // has not been met,
  known,    // has,
  changed,  // has, and had all of them then
};

const MadeCertificate& authority() {
  static const auto made = make_certificate({.common_name = "the authority", .authority = true});
  return made;
}

// A client and a downstream, both under TLS where the use is about that.
class Cell {
 public:
  Cell(const Use& use, const Server& server, Moment moment)
      : use_(use), server_(server), moment_(moment) {
    world_.pool.messages_per_connection = 1;
    if (use.under_tls) speak_tls();
    world_.listen();
    world_.forward();
    be(moment == Moment::changed ? servers().front() : server);
    if (moment != Moment::unknown) {
      connect();
      transaction({.name = "a first one",
                   .needs = {},
                   .mail = "",
                   .rcpt = "",
                   .refusal = "",
                   .unoffered = ""});
      be(server);
    }
    connect();
  }

  const std::string& offers() const { return offers_; }
  std::string heard() { return transaction(use_); }
  std::string end() {
    client_.reset();
    return world_.end();
  }
  World& world() { return world_; }

 private:
  // STARTTLS is missing where no name could be verified: then it may be missing.
  void speak_tls() {
    static const auto made =
        make_certificate({.names = {"mx.example.net"}, .issuer = &authority()});
    tls_->use(*net::TlsCertificates::make({made.pair()}));
    world_.tls = tls_.get();
    world_.listener.tls = session::Listener::Tls::starttls;
    world_.downstream.settings().tls = tls_.get();
    const bool can = has(server_.keywords, "STARTTLS");
    const auto trust = can ? net::TlsTrust::verified : net::TlsTrust::anybody;
    world_.pool.tls = {can ? TlsUse::verify : TlsUse::may,
                       *net::TlsClient::make(trust, authority().certificate)};
    world_.pool.to = {{World::first, 0, "mx.example.net"}};
  }
  void be(const Server& server) {
    auto& settings = world_.downstream.settings();
    settings.capabilities = server.ehlo ? server.keywords : Keywords();
    std::replace(settings.capabilities.begin(), settings.capabilities.end(), std::string("SIZE"),
                 std::string("SIZE 1000"));
    settings.recipients.clear();
    if (!has(server.keywords, "ENHANCEDSTATUSCODES")) settings.recipients["*"] = "250 fine\r\n";
  }
  void connect() {
    auto stream = world_.connect();
    net::Stream& wire = *stream;
    client_.emplace(std::move(stream));
    client_->send("EHLO c.example\r\n");
    reply();  // the greeting
    offers_ = reply();
    if (!use_.under_tls) return;
    client_->send("STARTTLS\r\n");
    reply();
    const auto anybody = *net::TlsClient::make(net::TlsTrust::anybody, {});
    auto facts = world_.sim.run(
        anybody->connect(wire, net::TlsStart::after_dialogue, "mx.example.net", 10s));
    REQUIRE(facts);
    client_->send("EHLO c.example\r\n");
    offers_ = reply();
  }
  std::string reply() {
    auto said = world_.sim.run(client_->reply());
    return said ? fmt::format("{} {}", said->code, said->text()) : said.error().describe();
  }
  static std::string codes(const std::string& reply) { return reply.substr(0, reply.find(' ', 4)); }
  // All in one group where the client may; the first refusal, or "taken".
  std::string transaction(const Use& use) {
    client_->send(fmt::format("MAIL FROM:<{}>{}\r\nRCPT TO:<{}>{}\r\n", use.sender, use.mail,
                              use.recipient, use.rcpt));
    const std::string mail = codes(reply()), rcpt = codes(reply());
    if (!mail.starts_with("250 2.1.0")) return "MAIL " + mail;
    if (!rcpt.starts_with("250 2.")) return "RCPT " + rcpt;
    if (use.chunks) {
      client_->send(fmt::format("BDAT {}\r\n", 3) + use.content.substr(0, 3));
      if (const auto chunk = codes(reply()); chunk != "250 2.0.0") return "BDAT " + chunk;
      client_->send(fmt::format("BDAT {} LAST\r\n", use.content.size() - 3) +
                    use.content.substr(3));
    } else {
      client_->send("DATA\r\n");
      if (const auto data = codes(reply()); !data.starts_with("354")) return "DATA " + data;
      client_->send(testing::stuff(use.content));
    }
    const std::string final = codes(reply());
    return final == "250 2.0.0" ? "taken" : "message " + final;
  }

  const Use& use_;
  const Server& server_;
  Moment moment_;
  std::unique_ptr<net::TlsServer> tls_ = *net::TlsServer::make({});
  World world_;
  std::optional<testing::ScriptedClient> client_;
  std::string offers_;
};

// Whether our EHLO has the keyword then.
bool is_offered(const std::string& keyword, const Use& use, const Server& server, Moment moment) {
  if (has(ours, keyword)) return true;
  if (!has(passed_on, keyword)) return false;
  const bool no_bridge = keyword == "BINARYMIME" || keyword == "REQUIRETLS";
  if (moment == Moment::unknown) return !no_bridge;  // what is hoped for can be refused
  if (keyword == "REQUIRETLS" && !use.under_tls) return false;
  // The first meeting at `changed` was with one that had all; under TLS that may be missing now,
  // its certificate was not looked at.
  if (keyword == "REQUIRETLS" && !has(server.keywords, "STARTTLS")) return false;
  if (moment == Moment::changed) return true;
  if (keyword == "BINARYMIME" && !has(server.keywords, "CHUNKING")) return false;
  return has(server.keywords, keyword);
}

std::string line_with(const std::string& offers, const std::string& keyword) {
  const auto at = ("\n" + offers + "\n").find("\n" + keyword);
  if (at == std::string::npos) return "";
  return offers.substr(at, offers.find('\n', at) - at);
}

// The last command of that verb that the downstream heard.
std::string last_command(World& world, std::string_view verb) {
  std::string found;
  for (const auto& session : world.downstream.sessions())
    for (const std::string& line : session.commands)
      if (line.starts_with(verb)) found = line;
  return found;
}

std::string without_trace(const std::string& content) {
  const auto at = content.find("\r\nSubject:");
  return at == std::string::npos ? content : content.substr(at + 2);
}

}  // namespace

TEST_CASE("Extensions: what is offered, sent and heard, for each use and each downstream",
          "[session][extensions][line:14]") {
  for (const Use& use : uses())
    for (const Server& server : servers())
      for (const Moment moment : {Moment::unknown, Moment::known, Moment::changed}) {
        CAPTURE(use.name, server.name, static_cast<int>(moment));
        Cell cell(use, server, moment);
        World& world = cell.world();
        for (const Keywords& list : {ours, passed_on})
          for (const std::string& keyword : list) {
            CAPTURE(keyword);
            CHECK(!line_with(cell.offers(), keyword).empty() ==
                  is_offered(keyword, use, server, moment));
          }
        // SIZE is the smaller of the two limits.
        const bool theirs =
            moment == Moment::changed || (moment == Moment::known && has(server.keywords, "SIZE"));
        CHECK((line_with(cell.offers(), "SIZE") == "SIZE 1000") == theirs);

        const auto before = world.downstream.promised();
        const bool offered =
            use.unoffered.empty() || is_offered(use.needs.front(), use, server, moment);
        const bool all_there =
            std::all_of(use.needs.begin(), use.needs.end(),
                        [&](const std::string& need) { return has(server.keywords, need); });
        // BODY belongs to two extensions: where one is offered, it is a value that the other lacks.
        std::string unoffered = use.unoffered;
        const std::string other = use.mail == " BODY=BINARYMIME" ? "8BITMIME" : "BINARYMIME";
        if (use.mail.starts_with(" BODY=") && is_offered(other, use, server, moment))
          unoffered = "MAIL 501 5.5.4";
        const std::string wanted = !offered                           ? unoffered
                                   : all_there || use.refusal.empty() ? "taken"
                                                                      : use.refusal;
        CHECK(cell.heard() == wanted);
        CHECK(world.downstream.promised() - before == (wanted == "taken" ? 1 : 0));
        if (wanted == "taken") {
          CHECK(last_command(world, "MAIL") ==
                fmt::format("MAIL FROM:<{}>{}", use.sender, all_there ? use.mail : ""));
          CHECK(last_command(world, "RCPT") ==
                fmt::format("RCPT TO:<{}>{}", use.recipient, all_there ? use.rcpt : ""));
          const bool by_chunk = !last_command(world, "BDAT").empty();
          CHECK(by_chunk == (use.mail == " BODY=BINARYMIME"));
          std::string content = use.content;
          if (!by_chunk && !content.ends_with("\r\n")) content += "\r\n";
          CHECK(without_trace(world.downstream.ledger().back().content) == content);
          const auto& session = world.downstream.sessions().back();
          CHECK(session.tls.has_value() == (use.under_tls && has(server.keywords, "STARTTLS")));
        }
        CHECK(cell.end() == "");
      }
}

TEST_CASE("SIZE: what is announced is compared with their limit, met or not",
          "[session][extensions]") {
  World world;
  world.downstream.settings().capabilities = {"SIZE 1000"};
  world.listen();
  world.forward();
  auto& client = world.client;
  const auto announce = [&] {
    client.connect();
    client.greeting();
    client.command("EHLO c.example");
    const auto mail = client.command("MAIL FROM:<a@b.example> SIZE=1001");
    if (mail.code != 250) return fmt::format("MAIL {}", mail.code);
    return fmt::format("RCPT {}", client.command("RCPT TO:<x@example.net>").code);
  };
  CHECK(announce() == "RCPT 552");
  CHECK(announce() == "MAIL 552");
  CHECK(world.end() == "");
}

TEST_CASE("BINARYMIME: DATA is no way to send it (RFC 3030 section 3)",
          "[session][extensions][line:10]") {
  World world;
  world.downstream.settings().capabilities = {"CHUNKING", "BINARYMIME"};
  world.listen();
  world.forward();
  auto& client = world.client;
  const auto begin = [&] {
    client.connect();
    client.greeting();
    client.command("EHLO c.example");
  };
  begin();
  CHECK(client.recipient("x@example.net").code == 250);
  CHECK(client.message().code == 250);
  begin();
  CHECK(client.command("MAIL FROM:<a@b.example> BODY=BINARYMIME").code == 250);
  CHECK(client.command("RCPT TO:<x@example.net>").code == 250);
  CHECK(client.command("DATA").code == 503);
  SECTION("chunks still are one") {
    client.send("BDAT 17 LAST\r\nSubject: s\r\n\r\nx\n\r");
    CHECK(client.reply().code == 250);
    CHECK(world.downstream.ledger().back().content.ends_with("\r\n\r\nx\n\r"));
  }
  SECTION("its header section has lines all the same") {
    const auto bad = GENERATE(as<std::string>(), "a: b\nc: d\r\n\r\nx", "a: b\rc\r\n\r\nx");
    client.send(fmt::format("BDAT {} LAST\r\n{}", bad.size(), bad));
    CHECK(client.reply().text() == "5.6.11 Lines must end in CRLF");
  }
  SECTION("nor does a NUL stand in it") {
    client.send("BDAT 11 LAST\r\n" + std::string("a: \0b\r\n\r\nxy", 11));
    CHECK(client.reply().code == 554);
  }
  CHECK(world.end() == "");
}

TEST_CASE("BINARYMIME: a large message goes as one chunk, octet for octet",
          "[session][extensions]") {
  World world(1, {.window = 16 * 1024});
  world.settings.memory_octets = 4096;
  world.downstream.settings().capabilities = {"CHUNKING", "BINARYMIME", "SIZE 10000000"};
  world.listen();
  world.forward();
  auto& client = world.client;
  client.connect();
  client.greeting();
  CHECK(client.recipient("x@example.net").code == 250);
  CHECK(client.message().code == 250);
  client.connect();
  client.greeting();
  client.command("EHLO c.example");
  // Also of exactly so many octets as are read at once.
  const std::size_t size = GENERATE(as<std::size_t>(), 300'000, 65'536, 131'072);
  std::string content = "Subject: s\r\n\r\n";
  while (content.size() < size) content += static_cast<char>(content.size() * 7 % 256);
  CHECK(client.command("MAIL FROM:<a@b.example> BODY=BINARYMIME").code == 250);
  CHECK(client.command("RCPT TO:<x@example.net>").code == 250);
  const bool refused = GENERATE(false, true);
  if (refused)
    world.downstream.fail(
        {testing::Phase::end_of_data, testing::Fault::Kind::reply, "552 5.3.4 no\r\n", 1});
  client.send(fmt::format("BDAT {} LAST\r\n", content.size()) + content);
  CHECK(client.reply().code == (refused ? 552 : 250));
  CHECK(world.downstream.ledger().back().content.ends_with(content));
  CHECK(world.end() == "");
}

TEST_CASE("Extensions: servers that differ offer what all of them have", "[session][extensions]") {
  World world;
  testing::ScriptedDownstream second;
  world.downstream.settings().capabilities = {"SIZE 5000", "8BITMIME", "DSN", "CHUNKING",
                                              "BINARYMIME"};
  second.settings().capabilities = {"SIZE 4000", "8BITMIME", "SMTPUTF8", "CHUNKING", "BINARYMIME"};
  world.listen();
  world.listen(World::second, second);
  const auto offers = [&] {
    world.client.connect();
    world.client.greeting();
    return world.client.command("EHLO c.example").text();
  };
  const auto message_to = [&](const std::string& recipient) {
    world.client.connect();
    world.client.greeting();
    CHECK(world.client.recipient(recipient).code == 250);
    CHECK(world.client.message().code == 250);
  };
  const auto differ = [&](const std::string& text) {
    CHECK_FALSE(line_with(text, "8BITMIME").empty());
    CHECK(line_with(text, "DSN").empty());
    CHECK(line_with(text, "SMTPUTF8").empty());
  };
  SECTION("in one pool") {
    world.pool.to = {{World::first, 1}, {World::second, 1}};
    world.pool.messages_per_connection = 1;
    world.forward();
    message_to("x@example.net");
    CHECK(line_with(offers(), "BINARYMIME").empty());  // the other has not been met
    message_to("x@example.net");
    const std::string both = offers();
    differ(both);
    CHECK(line_with(both, "SIZE") == "SIZE 4000");
    CHECK_FALSE(line_with(both, "BINARYMIME").empty());
  }
  SECTION("on two ways") {
    world.recipients.add_domain("other.example");
    world.forward();
    deliver::PoolSettings settings = world.pool;
    settings.to = {World::second};
    world.route("other.example", settings);
    message_to("x@example.net");
    CHECK(line_with(offers(), "BINARYMIME").empty());
    message_to("x@other.example");
    const std::string both = offers();
    differ(both);
    CHECK(line_with(both, "SIZE") == "SIZE 5000");  // each way judges it again
    CHECK_FALSE(line_with(both, "BINARYMIME").empty());
  }
  CHECK(world.end() == "");
}
