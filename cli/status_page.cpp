#include "status_page.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>

namespace postern::cli {
namespace {

using nlohmann::json;

std::string text(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::uint64_t number(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number() ? found->get<std::uint64_t>() : 0;
}

json array(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_array() ? *found : json::array();
}

json object(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : json::object();
}

// "2026-11-21T11:15:31.123456Z" -> "2026-11-21 11:15:31 UTC"
std::string moment(std::string timestamp) {
  if (timestamp.size() < 19) return timestamp;
  timestamp[10] = ' ';
  return timestamp.substr(0, 19) + " UTC";
}

std::string duration(std::uint64_t seconds) {
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 7200) return fmt::format("{} min", seconds / 60);
  if (seconds < 172'800) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86'400);
}

std::string head(const json& master) {
  std::string out = fmt::format("posternd {}, {}, pid {}, since {}\n", text(master, "version"),
                                text(master, "configuration"), number(master, "pid"),
                                moment(text(master, "started")));
  if (master.contains("generation"))
    out += fmt::format("{}; generation {} since {}\n", text(master, "state"),
                       number(master, "generation"), moment(text(master, "since")));
  else
    out += text(master, "state") + '\n';
  std::string addresses;
  for (const json& address : array(master, "listening"))
    if (address.is_string()) addresses += ' ' + address.get<std::string>();
  if (!addresses.empty()) out += "listening on" + addresses + '\n';
  return out;
}

std::string workers(const json& master) {
  std::string out =
      fmt::format("\n{:>6} {:>10} {:>8} {:<12} {:>8} {:>9} {:>8} {:>8}\n", "worker", "generation",
                  "pid", "state", "sessions", "loop lag", "up", "restarts");
  const auto is_silent = [&](const json& worker) {
    for (const json& silent : array(master, "silent"))
      if (number(silent, "pid") == number(worker, "pid")) return true;
    return false;
  };
  for (const json& worker : array(master, "workers")) {
    const bool runs = worker.contains("pid");
    const auto lag = static_cast<double>(number(worker, "lag_us")) / 1000;
    out += fmt::format(
        "{:>6} {:>10} {:>8} {:<12} {:>8} {:>9} {:>8} {:>8}\n", number(worker, "worker"),
        number(worker, "generation"), runs ? std::to_string(number(worker, "pid")) : "-",
        runs && is_silent(worker) ? "silent" : text(worker, "state"),
        runs ? std::to_string(number(worker, "sessions")) : "-",
        runs ? fmt::format("{:.1f} ms", lag) : "-",
        runs ? duration(number(worker, "uptime_s")) : "-", number(worker, "restarts"));
  }
  return out;
}

std::string sums(const json& master) {
  const json counters = object(master, "counters");
  const auto count = [&](const char* name) { return number(counters, name); };
  return fmt::format(
      "\nsince the start\n"
      "  sessions    {}; {} refused by plugins, {} told that there are too many\n"
      "  logins      {} accepted, {} refused; {} could not be told\n"
      "  messages    {} accepted, {} deferred, {} refused\n"
      "  recipients  {} accepted, {} deferred, {} refused\n"
      "  workers     {} ended unasked\n",
      count("sessions"), count("sessions_refused"), count("sessions_overload"),
      count("auth_accepted"), count("auth_refused"), count("auth_failed"),
      count("messages_accepted"), count("messages_deferred"), count("messages_refused"),
      count("recipients_accepted"), count("recipients_deferred"), count("recipients_refused"),
      count("workers_lost"));
}

struct Downstream {
  std::size_t workers = 0, down = 0;
  std::uint64_t open = 0, opened = 0, failed = 0, crowded = 0;
};

// Each worker meets the servers by itself: sums over all, and how many find one down.
std::string downstreams(const std::vector<json>& answer) {
  std::map<std::string, Downstream> servers;
  std::uint64_t waiting = 0;
  for (const json& worker : answer)
    for (const json& pool : array(worker, "downstreams")) {
      waiting += number(pool, "waiting");
      for (const json& server : array(pool, "servers")) {
        Downstream& sum = servers[text(server, "to")];
        ++sum.workers;
        if (!server.value("up", true)) ++sum.down;
        sum.open += number(server, "open");
        sum.opened += number(server, "opened");
        sum.failed += number(server, "failed");
        sum.crowded += number(server, "crowded");
      }
    }
  if (servers.empty()) return {};
  std::string out = fmt::format("\n{:<28} {:<14} {:>5} {:>8} {:>7} {:>8}\n", "downstream", "state",
                                "open", "opened", "failed", "crowded");
  for (const auto& [address, sum] : servers) {
    const std::string state = sum.down == 0 ? "up"
                              : sum.down == sum.workers
                                  ? "down"
                                  : fmt::format("down for {} of {}", sum.down, sum.workers);
    out += fmt::format("{:<28} {:<14} {:>5} {:>8} {:>7} {:>8}\n", address, state, sum.open,
                       sum.opened, sum.failed, sum.crowded);
  }
  if (waiting > 0) out += fmt::format("{} messages wait for a connection\n", waiting);
  return out;
}

// What is wrong, and what to do about it.
std::string advice(const json& master) {
  std::string out;
  const json refused = object(master, "refused_reload");
  if (!refused.empty()) {
    out += fmt::format("\nThe configuration on the disk was refused at {}, and is not in use:\n",
                       moment(text(refused, "at")));
    for (const json& problem : array(refused, "problems"))
      if (problem.is_string()) out += "  " + problem.get<std::string>() + '\n';
    out += "Correct it, look at it with `postern check`, then `postern reload`.\n";
  }
  if (!array(master, "silent").empty())
    out +=
        "\nA worker did not answer within a second. If it stays silent for 5 s it is replaced; "
        "the log tells what\nheld its loop.\n";
  else if (!master.value("healthy", false) && text(master, "state") == "running")
    out += "\nA worker is being started anew: the log tells why the one before ended.\n";
  return out;
}

}  // namespace

std::string status_page(const std::vector<json>& answer) {
  const json& master = answer.back();
  return head(master) + workers(master) + downstreams(answer) + sums(master) + advice(master);
}

}  // namespace postern::cli
