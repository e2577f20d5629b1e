// ldap_rcpt: whether a recipient exists, by a directory that the test plays on a thread (RFC 4511).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using testing::Harness;

namespace {

// BER, as far as LDAP needs it: definite lengths, tags of one octet.
std::string element(unsigned tag, const std::string& content) {
  std::string out(1, static_cast<char>(tag));
  if (content.size() < 128)
    out += static_cast<char>(content.size());
  else
    out += std::string("\x82") + static_cast<char>(content.size() >> 8) +
           static_cast<char>(content.size() & 255);
  return out + content;
}
struct Element {
  unsigned tag = 0;
  std::string content;
};
// Takes an element off the front; the tag 0 where there is no whole one.
Element take(std::string& octets) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(octets[i]); };
  if (octets.size() < 2) return {};
  std::size_t length = at(1), head = 2;
  if (length >= 128) {
    const std::size_t count = length & 127;
    if (octets.size() < 2 + count) return {};
    for (length = 0; head < 2 + count; ++head) length = length << 8 | at(head);
  }
  if (octets.size() < head + length) return {};
  Element taken{at(0), octets.substr(head, length)};
  octets.erase(0, head + length);
  return taken;
}

// The values of an equality match, or of those within and, or.
void add_values(Element filter, std::vector<std::string>& values) {
  if (filter.tag == 0xa3) {
    take(filter.content);
    values.push_back(take(filter.content).content);
  } else if (filter.tag == 0xa4 || filter.tag == 0x87) {
    values.emplace_back("a wildcard");
  } else {
    while (!filter.content.empty()) add_values(take(filter.content), values);
  }
}

enum class Does {
  answers,
  refuses,
  drops,
  keeps_silent,
  talks_nonsense,
  has_no_base,
  is_busy,
  refers
};

// Knows anna, in whatever domain.
class Directory {
 public:
  Directory() : listening_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(bind(listening_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(listen(listening_, 16) == 0);
    REQUIRE(getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Directory() {
    ends_ = true;
    thread_.join();
    ::close(listening_);
  }

  std::string uri() const { return fmt::format("ldap://127.0.0.1:{}", port_); }
  std::string keys(const std::string& more = "", const std::string& domains = "example.net") const {
    return fmt::format(
        "domains = [\"{}\"]\nuri = \"{}\"\nbase = \"dc=example\"\npatience = \"500ms\"\n{}\n",
        domains, uri(), more);
  }
  // The connections that there are; it has happened when this returns.
  void cut() {
    cut_ = true;
    for (int i = 0; i < 12'000 && cut_; ++i) std::this_thread::sleep_for(5ms);
    REQUIRE_FALSE(cut_);
  }

  std::atomic<Does> does{Does::answers};
  std::atomic<int> connections{0}, binds{0}, searches{0};
  std::vector<std::string> values() {
    const std::lock_guard lock(mutex_);
    return values_;
  }
  std::string bound_as() {
    const std::lock_guard lock(mutex_);
    return bound_as_;
  }

 private:
  struct Client {
    int socket;
    std::string input;
  };

  void serve() {
    std::vector<Client> clients;
    const auto drop = [&](const Client& client) { ::close(client.socket); };
    while (!ends_) {
      std::vector<pollfd> waits{{listening_, POLLIN, 0}};
      for (const Client& client : clients) waits.push_back({client.socket, POLLIN, 0});
      poll(waits.data(), waits.size(), 5);
      if (cut_) {
        std::for_each(clients.begin(), clients.end(), drop);
        clients.clear();
        cut_ = false;
        continue;
      }
      for (std::size_t i = clients.size(); i > 0; --i)
        if (waits[i].revents != 0 && !hear(clients[i - 1])) {
          drop(clients[i - 1]);
          clients.erase(clients.begin() + static_cast<std::ptrdiff_t>(i - 1));
        }
      if (waits[0].revents != 0) {
        clients.push_back({accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC), ""});
        ++connections;
      }
    }
    std::for_each(clients.begin(), clients.end(), drop);
  }

  bool hear(Client& client) {
    char buffer[4096];
    const auto count = recv(client.socket, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    client.input.append(buffer, static_cast<std::size_t>(count));
    for (Element message = take(client.input); message.tag != 0; message = take(client.input)) {
      const std::string id = element(2, take(message.content).content);
      if (!answer(client.socket, id, take(message.content))) return false;
    }
    return true;
  }

  static std::string result(unsigned tag, unsigned code) {
    return element(tag, element(10, std::string(1, static_cast<char>(code))) + element(4, "") +
                            element(4, "the test says so"));
  }
  void say(int socket, const std::string& id, const std::string& operation) {
    const std::string message = element(0x30, id + operation);
    (void)!send(socket, message.data(), message.size(), MSG_NOSIGNAL);
  }

  bool answer(int socket, const std::string& id, Element request) {
    const Does now = does;
    if (now == Does::drops) return false;
    if (now == Does::keeps_silent) return true;
    if (now == Does::talks_nonsense) {
      (void)!send(socket, "HTTP/1.0 400 Bad\r\n\r\n", 20, MSG_NOSIGNAL);
      return true;
    }
    if (request.tag == 0x60) {
      take(request.content);
      const std::string name = take(request.content).content;
      const std::lock_guard lock(mutex_);
      bound_as_ = name + " " + take(request.content).content;
      ++binds;
      say(socket, id, result(0x61, now == Does::refuses ? 49 : 0));
      return true;
    }
    if (request.tag != 0x63) return request.tag != 0x42;
    ++searches;
    bool found = false;
    for (int i = 0; i < 6; ++i) take(request.content);  // base to typesOnly
    {
      const std::lock_guard lock(mutex_);
      values_.clear();
      add_values(take(request.content), values_);
      for (const std::string& value : values_) found = found || value.starts_with("anna");
    }
    if (found && now == Does::answers)
      say(socket, id, element(0x64, element(4, "cn=anna,dc=example") + element(0x30, "")));
    if (now == Does::refers)
      say(socket, id, element(0x73, element(4, "ldap://127.0.0.1:1/dc=elsewhere")));
    say(socket, id, result(0x65, now == Does::has_no_base ? 32 : now == Does::is_busy ? 51 : 0));
    return true;
  }

  int listening_;
  int port_ = 0;
  std::atomic<bool> ends_{false}, cut_{false};
  std::mutex mutex_;
  std::vector<std::string> values_;
  std::string bound_as_;
  std::thread thread_;
};

constexpr const char* unknown = "550 5.1.1 No such recipient";
constexpr const char* deferred = "451 4.4.3 Temporary problem, please try again later";

std::string rcpt(Harness& h, const std::string& to = "anna@example.net") {
  h.client.close();
  test::arrive(h);
  h.client.command("EHLO client.example");
  h.client.command("MAIL FROM:<a@b.example> SMTPUTF8");
  return in_one_line(h.client.command("RCPT TO:<" + to + ">"));
}
bool is_taken(const std::string& heard) { return heard.starts_with("250"); }

}  // namespace

TEST_CASE("ldap_rcpt: a recipient that the directory has is left to others, another does not exist",
          "[plugins][ldap_rcpt]") {
  Directory directory;
  Harness h;
  h.recipients.add_domain("other.example");
  h.load("ldap_rcpt", directory.keys());
  CHECK(is_taken(rcpt(h)));
  CHECK(rcpt(h, "bert@example.net").starts_with("550 5.1.1"));
  CHECK(is_taken(rcpt(h, "bert@other.example")));
  CHECK(is_taken(rcpt(h, "Postmaster@example.net")));
  CHECK(h.end() == "");
  CHECK(directory.searches == 3);
  CHECK(directory.connections == 1);
}

TEST_CASE("ldap_rcpt: what an address holds is searched for, and nothing else",
          "[plugins][ldap_rcpt]") {
  struct Row {
    const char* why;
    const char* filter;
    const char* to;
    std::vector<std::string> values;
  };
  const auto row = GENERATE(values<Row>({
      {"both attributes",
       "(|(mail=%a)(mailAlternateAddress=%a))",
       "b@EXAMPLE.net",
       {"b@example.net", "b@example.net"}},
      {"its parts", "(&(uid=%u)(ou=%d))", "b+c@example.net", {"b+c", "example.net"}},
      {"a wildcard", "(mail=%a)", "*@example.net", {"*@example.net"}},
      {"an injection", "(mail=%a)", "\"*)(mail=*\"@example.net", {"*)(mail=*@example.net"}},
      {"an injection of a local-part", "(uid=%u)", "\"*)(mail=*\"@example.net", {"*)(mail=*"}},
      {"a backslash", "(uid=%u)", "\"\\\\2a\"@example.net", {"\\2a"}},
      {"UTF-8", "(uid=%u)", "j\xc3\xbcrg@example.net", {"j\xc3\xbcrg"}},
  }));
  CAPTURE(row.why);
  Directory directory;
  Harness h;
  h.load("ldap_rcpt", directory.keys(fmt::format("filter = \"{}\"", row.filter)));
  CHECK(rcpt(h, row.to).starts_with("550 5.1.1"));
  CHECK(h.end() == "");
  CHECK(directory.values() == row.values);
}

TEST_CASE("ldap_rcpt: it may take those that it finds itself", "[plugins][ldap_rcpt]") {
  const bool accepts = GENERATE(false, true);
  Directory directory;
  Harness h;
  h.load("ldap_rcpt", directory.keys(accepts ? "accept = true" : "", ".example"));
  CHECK(is_taken(rcpt(h, "anna@c.example")) == accepts);
  CHECK(rcpt(h, "bert@c.example").starts_with("550 5.1.1"));
  CHECK(h.end() == "");
}

TEST_CASE("ldap_rcpt: answers are remembered, each for its time", "[plugins][ldap_rcpt]") {
  Directory directory;
  Harness h;
  h.load("ldap_rcpt", directory.keys());
  CHECK(is_taken(rcpt(h)));
  CHECK_FALSE(is_taken(rcpt(h, "bert@example.net")));
  h.run_for(50s);
  CHECK(is_taken(rcpt(h)));
  CHECK_FALSE(is_taken(rcpt(h, "bert@example.net")));
  CHECK(directory.searches == 2);
  h.run_for(15s);
  CHECK(is_taken(rcpt(h)));
  CHECK_FALSE(is_taken(rcpt(h, "bert@example.net")));
  CHECK(directory.searches == 3);
  h.run_for(5min);
  CHECK(is_taken(rcpt(h)));
  CHECK(directory.searches == 4);
  CHECK(h.end() == "");
}

TEST_CASE("ldap_rcpt: an outage defers, or what on_error says, and is not remembered",
          "[plugins][ldap_rcpt]") {
  struct Row {
    const char* why;
    Does does;
    const char* told;  // in the log
  };
  const auto row = GENERATE(values<Row>({
      {"it hangs up", Does::drops, "closed"},
      {"it keeps silent", Does::keeps_silent, "timed_out"},
      {"it talks nonsense", Does::talks_nonsense, "ldap://127.0.0.1"},
      {"it does not know us", Does::refuses, "permission"},
      {"it has no such base", Does::has_no_base, "not_found"},
      {"it is busy", Does::is_busy, "busy"},
  }));
  const bool lenient = GENERATE(false, true);
  CAPTURE(row.why, lenient);
  Directory directory;
  directory.does = row.does;
  Harness h;
  h.load("ldap_rcpt", directory.keys(lenient ? "on_error = \"next\"" : ""));
  const std::string heard = rcpt(h);
  CHECK(heard == (lenient ? "250 2.0.0 OK" : deferred));
  std::string told;
  for (const std::string& line : h.log.lines)
    if (test::contains(line, "ldap_rcpt: ")) told += line + "\n";
  CHECK(test::contains(told, row.told));
  directory.does = Does::answers;
  h.run_for(4s);
  CHECK(is_taken(rcpt(h)));
  CHECK_FALSE(is_taken(rcpt(h, "bert@example.net")));
  CHECK(h.end() == "");
}

TEST_CASE("ldap_rcpt: after silence nobody waits for a while", "[plugins][ldap_rcpt]") {
  Directory directory;
  directory.does = Does::keeps_silent;
  Harness h;
  h.load("ldap_rcpt", directory.keys());
  CHECK(rcpt(h) == deferred);
  const int asked = directory.connections;
  CHECK(rcpt(h) == deferred);
  CHECK(rcpt(h, "bert@example.net") == deferred);
  CHECK(directory.connections == asked);
  CHECK(h.end() == "");
}

TEST_CASE("ldap_rcpt: a connection that was cut off is made again, unseen by the client",
          "[plugins][ldap_rcpt]") {
  Directory directory;
  Harness h;
  h.load("ldap_rcpt", directory.keys("found_for = \"0s\""));
  CHECK(is_taken(rcpt(h)));
  CHECK(is_taken(rcpt(h)));
  CHECK(directory.connections == 1);
  directory.cut();
  CHECK(is_taken(rcpt(h)));
  CHECK(directory.connections == 2);
  CHECK(h.end() == "");
}

TEST_CASE("ldap_rcpt: a connection that nobody uses is closed", "[plugins][ldap_rcpt]") {
  Directory directory;
  Harness h;
  h.load("ldap_rcpt", directory.keys("found_for = \"0s\""));
  CHECK(is_taken(rcpt(h)));
  h.run_for(61s);
  h.tick();
  h.run_for(1s);
  CHECK(is_taken(rcpt(h)));
  CHECK(directory.connections == 2);
  CHECK(h.end() == "");
}

TEST_CASE("ldap_rcpt: the same address is looked up once at a time, others beside it",
          "[plugins][ldap_rcpt]") {
  Directory directory;
  Harness h;
  h.load("ldap_rcpt",
         directory.keys("found_for = \"0s\"\nnot_found_for = \"0s\"\nconnections = 4"));
  std::vector<net::StreamPtr> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(h.connect());
    const std::string local_part = i % 2 == 0 ? "anna" : "bert";
    clients.back()->write("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<" + local_part +
                          "@example.net>\r\n");
  }
  h.run_for(1s);
  CHECK(directory.searches == 2);
  int taken = 0, refused = 0;
  for (const auto& client : clients) {
    taken += test::contains(std::string(client->input()), "\r\n250 2.0.0 OK");
    refused += test::contains(std::string(client->input()), "\r\n550 5.1.1");
  }
  CHECK(taken == 10);
  CHECK(refused == 10);
  clients.clear();
  CHECK(h.end() == "");
}

TEST_CASE("ldap_rcpt: who asked first may go, and the others still hear", "[plugins][ldap_rcpt]") {
  Directory directory;
  Harness h;
  h.load("ldap_rcpt", directory.keys());
  net::StreamPtr first = h.connect(), second = h.connect();
  for (auto* client : {&first, &second})
    (*client)->write("EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<anna@example.net>\r\n");
  h.run_for(1ms);
  first->reset();
  h.run_for(1s);
  CHECK(test::contains(std::string(second->input()), "\r\n250 2.0.0 OK"));
  first.reset();
  second.reset();
  CHECK(h.end() == "");
}

TEST_CASE("ldap_rcpt: it says who it is, by a password or a file of one", "[plugins][ldap_rcpt]") {
  const bool by_file = GENERATE(false, true);
  Directory directory;
  Harness h;
  const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("postern-ldap-{}", getpid())).string();
  std::ofstream(path) << "secret\n";
  h.load("ldap_rcpt", directory.keys("bind_dn = \"cn=mx\"\n" +
                                     (by_file ? "password_file = \"" + path + "\""
                                              : std::string("password = \"secret\""))));
  CHECK(is_taken(rcpt(h)));
  CHECK(directory.bound_as() == "cn=mx secret");
  std::ofstream(path, std::ios::trunc).close();
  directory.cut();
  h.run_for(10min);
  if (by_file) CHECK(rcpt(h) == deferred);  // no password: it would be nobody
  std::filesystem::remove(path);
  CHECK(h.end() == "");
}

TEST_CASE("ldap_rcpt: a reference to elsewhere is no recipient, and is not followed",
          "[plugins][ldap_rcpt]") {
  Directory directory;
  directory.does = Does::refers;
  Harness h;
  h.load("ldap_rcpt", directory.keys());
  CHECK(rcpt(h).starts_with("550 5.1.1"));
  CHECK(h.end() == "");
}

TEST_CASE("ldap_rcpt: a domain has its own server, and one's answers are not another's",
          "[plugins][ldap_rcpt]") {
  Directory directory, other;
  other.does = Does::refers;
  Harness h;
  h.recipients.add_domain("other.example");
  h.load("ldap_rcpt", directory.keys("filter = \"(uid=%u)\"", "example.net\", \"other.example"));
  h.domain("other.example", "[plugin.ldap_rcpt]\nuri = \"" + other.uri() + "\"\n");
  CHECK(is_taken(rcpt(h)));
  CHECK_FALSE(is_taken(rcpt(h, "anna@other.example")));
  CHECK(is_taken(rcpt(h)));
  CHECK(other.searches == 1);
  CHECK(h.end() == "");
}

TEST_CASE("ldap_rcpt: what cannot work is told", "[plugins][ldap_rcpt]") {
  struct Row {
    const char* keys;
    const char* told;
  };
  const auto row = GENERATE(values<Row>({
      {"", "base"},
      {"base = \"dc=x\"\nfilter = \"(mail=%x)\"", "another letter"},
      {"base = \"dc=x\"\nfilter = \"(mail=%\"", "another letter"},
      {"base = \"dc=x\"\nfilter = \"(mail=*)\"", "the same for everybody"},
      {"base = \"dc=x\"\nbind_dn = \"cn=x\"", "needs a password"},
      {"base = \"dc=x\"\npassword = \"x\"", "no bind_dn"},
      {"base = \"dc=x\"\nbind_dn = \"cn=x\"\npassword = \"x\"\npassword_file = \"y\"", "enough"},
      {"base = \"dc=x\"\nuri = \"ldaps://127.0.0.1\"", "ldaps"},
  }));
  CAPTURE(row.keys);
  Harness h;
  h.load("ldap_rcpt", std::string("domains = [\"example.net\"]\n") + row.keys);
  REQUIRE(h.problems().size() == 1);
  CHECK(test::contains(h.problems()[0], row.told));
}
