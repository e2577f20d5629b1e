#include "state_command.hpp"

#include <postern/base/json.hpp>
#include <postern/base/timestamp.hpp>
#include <postern/policy/load.hpp>
#include <postern/store/lmdb_file.hpp>
#include <postern/store/lmdb_writer.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <vector>

namespace postern::cli {
namespace {

using store::Entry;
using store::Item;
using store::WallTime;

constexpr std::size_t page = 1000;  // entries that are read, or changed, at a time

int complain(const std::string& line) {
  std::fprintf(stderr, "postern: %s\n", line.c_str());
  return 1;
}

// A key is "INSTANCE/KEY" for people; in the store an octet 0 stands for the first slash.
std::string stored(std::string key) {
  const auto slash = key.find('/');
  if (slash != key.npos) key[slash] = '\0';
  return key;
}
std::string shown(std::string key) {
  const auto null = key.find('\0');
  if (null != key.npos) key[null] = '/';
  return key;
}

// No octet of an entry acts on a terminal.
std::string printable(std::string_view text) {
  std::string quoted;
  json::append_string(quoted, text, store::max_value_octets);
  return quoted.substr(1, quoted.size() - 2);
}

std::string hex(std::string_view octets) {
  std::string out;
  for (const char octet : octets) out += fmt::format("{:02x}", static_cast<unsigned char>(octet));
  return out;
}
std::optional<std::string> from_hex(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  if (text.size() % 2 != 0) return {};
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]), low = digit(text[i + 1]);
    if (high < 0 || low < 0) return {};
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string time_left(const Entry& entry, WallTime now) {
  if (entry.form == store::Form::places) return "is held";
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(entry.expires - now).count();
  if (seconds < 120) return fmt::format("expires in {}s", seconds);
  if (seconds < 7200) return fmt::format("expires in {}m", seconds / 60);
  if (seconds < 172'800) return fmt::format("expires in {}h", seconds / 3600);
  return fmt::format("expires in {}d", seconds / 86'400);
}

std::string as_json(const Item& item, bool with_octets) {
  std::string line, when;
  append_timestamp(when, item.entry.expires);
  json::Writer writer(line);
  writer.begin().key("key").string(shown(item.key), store::max_key_octets);
  writer.key("value").string(describe(item.entry), store::max_value_octets);
  writer.key("expires").string(when);
  if (with_octets)
    writer.key("name")
        .string(hex(item.key), 2 * store::max_key_octets)
        .key("entry")
        .raw('"' + hex(encode(item.entry)) + '"');
  writer.end();
  return line;
}

std::string as_text(const Item& item, WallTime now) {
  return fmt::format("{}  {}  ({})", printable(shown(item.key)), printable(describe(item.entry)),
                     time_left(item.entry, now));
}

// The file while a command works on it.
class Session {
 public:
  Session(const store::LmdbPlace& place, bool create) {
    become_owner(place.folder);
    store::LmdbPlace where = place;
    where.create = create;
    std::vector<std::string> notes;
    auto opened = store::LmdbFile::open(where, notes);
    for (const std::string& note : notes) complain(note);
    if (opened)
      file_ = std::move(*opened);
    else
      error_ = opened.error().describe();
  }
  ~Session() {
    if (file_) file_->finish();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  const std::string& error() const { return error_; }

  // False: something went wrong, and has been told.
  bool each(const std::string& prefix, const std::function<void(const Item&)>& look) {
    store::LmdbReader reader(file_);
    std::string after;
    for (;;) {
      const auto items = reader.scan(prefix, after, page, store::system_clock().now());
      if (!items) return complain(items.error().describe()), false;
      for (const Item& item : *items) look(item);
      if (items->size() < page) return true;
      after = items->back().key;
    }
  }

  template <typename Change>
  bool change(const std::vector<Item>& items, Change one) {
    for (std::size_t at = 0; at < items.size(); at += page) {
      store::LmdbTransaction transaction(*file_);
      int code = transaction.begin();
      for (std::size_t i = at; i < std::min(items.size(), at + page) && code == 0; ++i)
        code = one(transaction, items[i]);
      if (code == 0) code = transaction.commit();
      if (code != 0) return complain(store::lmdb_error(code, "state").describe()), false;
    }
    return true;
  }

 private:
  // What root makes there the workers could not open.
  static void become_owner(const std::string& folder) {
    struct stat status {};
    if (geteuid() != 0 || stat(folder.c_str(), &status) != 0) return;
    (void)!setegid(status.st_gid);
    (void)!seteuid(status.st_uid);
  }

  std::shared_ptr<store::LmdbFile> file_;
  std::string error_;
};

bool print(Session& session, const std::string& prefix, const StateCommand& command) {
  const WallTime now = store::system_clock().now();
  const bool dump = command.verb == "dump";
  return session.each(prefix, [&](const Item& item) {
    const std::string line = dump || command.json ? as_json(item, dump) : as_text(item, now);
    std::printf("%s\n", line.c_str());
  });
}

int get(Session& session, const std::string& key, const StateCommand& command) {
  std::optional<Item> found;
  const auto look = [&](const Item& item) {
    if (item.key == key) found = item;
  };
  if (!session.each(key, look)) return 1;
  if (!found) return complain("there is no " + printable(shown(key)));
  const std::string line =
      command.json ? as_json(*found, false) : as_text(*found, store::system_clock().now());
  std::printf("%s\n", line.c_str());
  return 0;
}

int erase(Session& session, const std::string& key, const StateCommand& command) {
  std::vector<Item> doomed;
  const auto look = [&](const Item& item) {
    if (command.prefix || item.key == key) doomed.push_back({item.key, {}});
  };
  if (!session.each(key, look)) return 1;
  store::Update update;
  update.kind = store::Update::Kind::erase;
  update.now = store::system_clock().now();
  const auto one = [&](store::LmdbTransaction& transaction, const Item& item) {
    store::Outcome outcome;
    return transaction.apply(item.key, update, outcome);
  };
  if (!session.change(doomed, one)) return 1;
  if (command.json)
    std::printf("{\"erased\":%zu}\n", doomed.size());
  else
    std::printf("%zu erased\n", doomed.size());
  return doomed.empty() ? 1 : 0;
}

// Nothing is loaded when a line is wrong.
std::optional<Item> parse(const std::string& line) {
  const auto object = nlohmann::json::parse(line, nullptr, false);
  if (!object.is_object() || !object.contains("name") || !object.contains("entry")) return {};
  if (!object["name"].is_string() || !object["entry"].is_string()) return {};
  const auto key = from_hex(object["name"].get<std::string>());
  const auto octets = from_hex(object["entry"].get<std::string>());
  if (!key || key->empty() || !octets) return {};
  auto entry = store::decode(*octets);
  if (!entry) return {};
  return Item{*key, std::move(*entry)};
}

int load(Session& session, const StateCommand& command) {
  std::vector<Item> items;
  std::string line;
  for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
    auto item = parse(line);
    if (!item)
      return complain(fmt::format(
          "standard input:{}: is not what `postern state dump` writes; nothing was loaded",
          number));
    items.push_back(std::move(*item));
  }
  const auto one = [](store::LmdbTransaction& transaction, const Item& item) {
    return transaction.restore(item.key, item.entry);
  };
  if (!session.change(items, one)) return 1;
  if (command.json)
    std::printf("{\"loaded\":%zu}\n", items.size());
  else
    std::printf("%zu loaded\n", items.size());
  return 0;
}

}  // namespace

int run_state(const std::string& configuration, const StateCommand& command) {
  const auto bundle = policy::read_bundle(configuration);
  if (!bundle) return complain(bundle.error().text);
  const policy::StateSettings settings = policy::state_settings(*bundle);
  Session session({settings.path.text, settings.size}, command.verb == "load");
  if (!session.error().empty()) return complain(session.error());
  const std::string key = stored(command.key);
  if (command.verb == "get") return get(session, key, command);
  if (command.verb == "erase") return erase(session, key, command);
  if (command.verb == "load") return load(session, command);
  return print(session, key, command) && std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace postern::cli
