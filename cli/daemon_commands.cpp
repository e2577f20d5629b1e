#include "daemon_commands.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <iterator>

#include "control_client.hpp"
#include "status_page.hpp"

namespace postern::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr int not_running = 3;
constexpr auto status_limit = 10s;
constexpr auto reload_limit = 90s;  // judging and getting ready may take 30 s each
constexpr auto stop_limit = 26h;    // drain_timeout, which is a day at most

int complain(const std::string& line) {
  std::fprintf(stderr, "postern: %s\n", line.c_str());
  return 1;
}

void print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
}

int explain(const Error& error, const std::string& configuration, const std::string& socket) {
  if (error.code == Errc::not_found) {
    complain(
        fmt::format("no posternd runs with {}: nobody listens on {}. Start it with `systemctl "
                    "start postern` or `posternd --config {}`",
                    configuration, socket, configuration));
    return not_running;
  }
  if (error.code == Errc::permission)
    return complain(
        fmt::format("{}: you may not ask it; be root, or in the group of the socket", error.text));
  return complain(fmt::format("{}; the log of posternd may tell more", error.describe()));
}

struct Asked {
  int status = 0;                  // not 0: it has been told why
  std::vector<std::string> lines;  // objects, at least one
};

Asked ask_daemon(const std::string& configuration, const std::string& command,
                 std::chrono::seconds limit) {
  const auto socket = control_socket(configuration);
  if (!socket) return {complain(socket.error().text), {}};
  auto lines = ask(*socket, command, limit);
  if (!lines) return {explain(lines.error(), configuration, *socket), {}};
  if (lines->empty()) return {complain("posternd ended before it answered"), {}};
  for (const std::string& line : *lines) {
    const json object = json::parse(line, nullptr, false);
    if (!object.is_object())
      return {complain("posternd answers no JSON; is it another version?"), {}};
    if (object.contains("error") && !object.contains("worker"))
      return {complain(object["error"].is_string() ? object["error"].get<std::string>() : line),
              {}};
  }
  return {0, std::move(*lines)};
}

// Each worker tells of its state store in a line of its own.
std::string store_advice(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    const json worker = json::parse(line, nullptr, false);
    const json store = worker.value("state_store", json::object());
    if (store.value("usable", true)) continue;
    return fmt::format(
        "\nWorker {} cannot use the state store: {}\nUntil it can, plugins that want it do as "
        "their on_error says.\n",
        worker.value("worker", 0), store.value("problem", std::string("it does not say why")));
  }
  return {};
}

}  // namespace

int status(const std::string& configuration, bool as_json) {
  const Asked asked = ask_daemon(configuration, "status", status_limit);
  if (asked.status != 0) return asked.status;
  std::vector<json> answer;
  for (const std::string& line : asked.lines) answer.push_back(json::parse(line));
  if (as_json)
    print(asked.lines);
  else
    std::fputs((status_page(answer) + store_advice(asked.lines)).c_str(), stdout);
  return answer.back().value("healthy", false) ? 0 : 1;
}

int reload(const std::string& configuration, bool as_json) {
  const Asked asked = ask_daemon(configuration, "reload", reload_limit);
  if (asked.status != 0) return asked.status;
  const json verdict = json::parse(asked.lines.back());
  const bool good = verdict.value("reloaded", false);
  if (as_json) {
    print(asked.lines);
    return good ? 0 : 1;
  }
  for (const json& problem : verdict.value("problems", json::array()))
    if (problem.is_string()) std::fprintf(stderr, "%s\n", problem.get<std::string>().c_str());
  const auto generation = verdict.value("generation", 0);
  if (!good) return complain(fmt::format("not reloaded; generation {} goes on", generation));
  std::printf("generation %d is ready\n", generation);
  return 0;
}

int stop(const std::string& configuration) {
  const Asked asked = ask_daemon(configuration, "stop", stop_limit);
  if (asked.status != 0) return asked.status;
  std::printf("posternd has ended\n");
  return 0;
}

}  // namespace postern::cli
