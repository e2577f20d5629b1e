// Runs the dialogues in this folder; README.md has their language.
#include <postern/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "catch.hpp"
#include "support/client.hpp"

using namespace postern;

namespace {

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char mark = at + 1 < text.size() ? text[at + 1] : '\0';
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    ++at;
    if (mark == 'r')
      out += '\r';
    else if (mark == 'n')
      out += '\n';
    else if (mark == '0')
      out += '\0';
    else if (mark == '\\')
      out += '\\';
    else if (mark == 'x') {
      out += static_cast<char>(std::stoi(std::string(text.substr(at + 1, 2)), nullptr, 16));
      at += 2;
    } else
      throw std::runtime_error(fmt::format("unknown escape \\{}", mark));
  }
  return out;
}

class Script {
 public:
  void run(const std::filesystem::path& path);

 private:
  void line(std::string_view text);
  void prepare(std::string_view word, std::string_view rest);
  void act(std::string_view word, std::string_view rest);
  void hear(std::string_view wanted);
  void set(std::string_view rest);
  void trust(std::string_view way);
  void expect_command(std::string_view wanted);
  test::Client& client();
  std::string take_replies();
  void require(bool good, const std::string& what) {
    if (!good) throw std::runtime_error(what);
  }
  std::size_t delivered() const {
    return maildir_ ? world_.files.tree().size() : world_.downstream.promised();
  }

  test::World world_;
  bool maildir_ = false;
  bool prepared_ = false;
  std::unique_ptr<test::Client> client_;
  std::string group_;               // C+ lines, for the next C:
  std::vector<std::string> heard_;  // replies that no S: has named yet
  std::size_t commands_ = 0;        // of the downstream's, named by D: so far
};

test::Client& Script::client() {
  if (!prepared_) {
    prepared_ = true;
    world_.listen();
    if (maildir_)
      world_.deliver_to_maildir();
    else
      world_.forward();
  }
  if (!client_) client_ = std::make_unique<test::Client>(world_);
  return *client_;
}

// One second passes; replies that came are kept.
std::string Script::take_replies() {
  const std::string now = client().hear();
  for (std::size_t at = 0; at < now.size();) {
    const auto end = std::min(now.find(", ", at), now.size());
    heard_.push_back(now.substr(at, end - at));
    at = end + 2;
  }
  return now;
}

void Script::hear(std::string_view wanted) {
  if (wanted == "nothing") {
    take_replies();
    return require(heard_.empty(), "heard " + (heard_.empty() ? "" : heard_.front()));
  }
  if (wanted == "end") {
    take_replies();
    require(heard_.empty(), "heard " + (heard_.empty() ? "" : heard_.front()));
    return require(client().ended(), "it has not closed");
  }
  if (heard_.empty()) take_replies();
  require(!heard_.empty(), "heard nothing");
  const std::string got = heard_.front();
  heard_.erase(heard_.begin());
  require(got == wanted, "heard " + got);
}

void Script::set(std::string_view rest) {
  const auto blank = rest.find(' ');
  const std::string key(rest.substr(0, blank));
  const std::string_view value = rest.substr(blank + 1);
  auto& settings = world_.settings;
  if (key == "bare_newline") {
    settings.bare_newline =
        value == "normalize" ? smtp::BareNewline::normalize : smtp::BareNewline::reject;
    return;
  }
  const std::map<std::string, std::function<void(std::size_t)>> numbers = {
      {"message_octets", [&](std::size_t n) { settings.message_octets = n; }},
      {"header_octets", [&](std::size_t n) { settings.header_octets = n; }},
      {"recipients", [&](std::size_t n) { settings.recipients = n; }},
      {"errors", [&](std::size_t n) { settings.errors = n; }},
      {"messages", [&](std::size_t n) { settings.messages = n; }},
      {"received_fields", [&](std::size_t n) { settings.received_fields = n; }},
  };
  const auto found = numbers.find(key);
  const auto number = to_number<std::size_t>(value);
  require(found != numbers.end() && number, "no such setting");
  found->second(*number);
}

void Script::trust(std::string_view way) {
  auto& listener = world_.listener;
  require(way == "proxy" || way == "xclient" || way == "xforward", "no such way");
  auto& list = way == "proxy"     ? listener.proxy_from
               : way == "xclient" ? listener.xclient_from
                                  : listener.xforward_from;
  list.push_back(*Network::parse("0.0.0.0/0"));
}

void Script::expect_command(std::string_view wanted) {
  std::vector<std::string> all;
  for (const auto& session : world_.downstream.sessions())
    all.insert(all.end(), session.commands.begin(), session.commands.end());
  require(commands_ < all.size(), "the downstream was sent no more");
  const std::string& got = all[commands_++];
  require(got == wanted, "the downstream was sent " + got);
}

void Script::act(std::string_view word, std::string_view rest) {
  if (word == "wait")
    world_.sim.run_for(std::chrono::seconds(*to_number<int>(rest)));
  else if (word == "connect")
    client_.reset();
  else if (word == "close")
    client().close();
  else if (word == "half-close")
    client().half_close();
  else if (word == "reset")
    client().reset();
  else if (word == "delivered")
    require(delivered() == to_number<std::size_t>(rest), fmt::format("delivered {}", delivered()));
  else
    throw std::runtime_error("unknown line");
}

void Script::prepare(std::string_view word, std::string_view rest) {
  require(!prepared_, "too late for this");
  if (word == "route")
    maildir_ = rest == "maildir";
  else if (word == "set")
    set(rest);
  else if (word == "trust")
    trust(rest);
  else {
    const auto blank = rest.find(' ');
    world_.downstream.settings().recipients[std::string(rest.substr(0, blank))] =
        std::string(rest.substr(blank + 1)) + "\r\n";
  }
}

void Script::line(std::string_view text) {
  if (text.empty() || text.front() == '#') return;
  const auto blank = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, blank);
  const std::string_view rest = text.substr(std::min(blank + 1, text.size()));
  if (word == "route" || word == "set" || word == "trust" || word == "downstream")
    return prepare(word, rest);
  if (word == "C+") {
    group_.append(rest).append("\r\n");
  } else if (word == "C:") {
    client().send(std::exchange(group_, {}).append(rest).append("\r\n"));
  } else if (word == "C>") {
    client().send(unescape(rest));
  } else if (word == "S:") {
    hear(rest);
  } else if (word == "D:") {
    expect_command(rest);
  } else {
    act(word, rest);
  }
}

void Script::run(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string text;
  for (int number = 1; std::getline(file, text); ++number) {
    try {
      line(text);
    } catch (const std::exception& error) {
      FAIL_CHECK(
          fmt::format("{}:{}: {}: {}", path.filename().string(), number, text, error.what()));
      break;
    }
  }
  if (client_ && !client_->ended()) client_->close();
  CHECK(heard_ == std::vector<std::string>());
  CHECK(world_.end() == "");
}

}  // namespace

TEST_CASE("wire: the dialogues go as they are written", "[wire]") {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(POSTERN_WIRE))
    if (entry.path().extension() == ".smtp") paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  REQUIRE(!paths.empty());
  for (const auto& path : paths) {
    CAPTURE(path.filename().string());
    Script().run(path);
  }
}
