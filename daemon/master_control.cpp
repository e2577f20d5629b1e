// Commands from the control socket. The master answers for itself, asks every worker of every
// generation, and does not wait for any of them.
#include <postern/base/json.hpp>
#include <postern/base/timestamp.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "master.hpp"
#include "privileges.hpp"

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto answer_limit = 1s;

std::string_view name(Child::State state) {
  switch (state) {
    case Child::State::starting:
      return "starting";
    case Child::State::serving:
      return "serving";
    case Child::State::leaving:
      return "draining";
    case Child::State::condemned:
      return "being killed";
  }
  return "";
}

std::string timestamp(std::chrono::system_clock::time_point when) {
  std::string text;
  append_timestamp(text, when);
  return text;
}

// The word after "command"; empty where there is none.
std::string command_of(const std::string& line) {
  const auto request = nlohmann::json::parse(line, nullptr, false);
  if (!request.is_object()) return {};
  const auto command = request.find("command");
  return command != request.end() && command->is_string() ? command->get<std::string>()
                                                          : std::string();
}

// From another process: it must stay one line.
bool is_one_line(std::string_view json) {
  return json.starts_with('{') && json.find('\n') == std::string_view::npos;
}

void identify(json::Writer& json, const Child& child) {
  json.key("worker").number(child.slot()).key("generation").number(child.generation());
  json.key("pid").number(child.pid());
}

}  // namespace

// The socket of these settings; the one that is open stays where they do not change it. One that
// nobody asked for may be missing: that is told, and status will not find us.
Result<void> Master::open_control(const policy::MasterSettings& settings) {
  if (control_ && control_->path() == settings.control_socket) return {};
  auto opened = make_control(settings);
  if (opened) {
    control_.reset();
    control_ = std::make_unique<Control>(std::move(*opened));
    return {};
  }
  const std::string text = fmt::format(
      "control.socket: {}; change it in {}, or let the user of posternd write to its folder",
      opened.error().text, file_);
  if (settings.control_asked) return fail(opened.error().code, text);
  control_.reset();
  log_->warning("{}. Until then `postern status` does not reach this posternd", text);
  return {};
}

// In a folder of the workers' user with his rights, elsewhere with ours, but for his group.
Result<Control> Master::make_control(const policy::MasterSettings& settings) {
  auto identity = find_identity(settings.user, settings.group);
  if (geteuid() != 0 || settings.user.empty() || !identity)
    return Control::open(settings.control_socket);
  Identity maker{0, identity->gid};
  if (owns_folder_of(*identity, settings.control_socket)) maker.uid = identity->uid;
  const FilesAs as(maker);
  return Control::open(settings.control_socket);
}

void Master::serve_control(const pollfd* polled, std::size_t count, TimePoint now) {
  for (const Control::Command& command : control_->serve(polled, count, now)) obey(command, now);
}

void Master::obey(const Control::Command& command, TimePoint now) {
  const std::string word = command_of(command.line);
  const auto refuse = [&](std::string_view why) {
    control_->send_last(command.client, control_error(why), now);
  };
  if (word == "status") return ask_workers(command.client, word, now);
  if (word != "reload" && word != "stop")
    return refuse(R"(no such command; {"command":"status"}, "reload" and "stop" are known)");
  if (!command.may_change) return refuse("only root and the user of posternd may do that");
  if (word == "stop") {
    stop();
    return control_->send(command.client, R"({"stopping":true})", now);  // its end is our end
  }
  if (!current_) return refuse("posternd is starting or stopping");
  reload_asked_by_.push_back(command.client);
  reload_asked_ = true;
  next_request();
}

void Master::ask_workers(std::uint64_t client, const std::string& word, TimePoint now) {
  Inquiry inquiry{client, now + answer_limit, {}};
  const std::uint64_t number = ++inquiries_asked_;
  for (const auto& child : children_) {
    if (child->state != Child::State::serving && child->state != Child::State::leaving) continue;
    child->send(Ask{number, word});
    inquiry.awaited.insert(child.get());
  }
  inquiries_[number] = std::move(inquiry);
  settle_inquiries(now);
}

void Master::take_answer(Child& child, const Answer& answer) {
  const auto inquiry = inquiries_.find(answer.number);
  if (inquiry == inquiries_.end() || inquiry->second.awaited.erase(&child) == 0) return;
  const TimePoint now = Clock::now();
  if (control_ && is_one_line(answer.json))
    control_->send(inquiry->second.client, answer.json, now);
  settle_inquiries(now);
}

void Master::settle_inquiries(TimePoint now) {
  std::erase_if(inquiries_, [&](const auto& entry) {
    const Inquiry& inquiry = entry.second;
    if (!inquiry.awaited.empty() && now < inquiry.due) return false;
    if (control_) control_->send_last(inquiry.client, status(inquiry), now);
    return true;
  });
}

// The last line: the master's own view, and who was silent.
std::string Master::status(const Inquiry& inquiry) const {
  std::string line;
  json::Writer json(line);
  json.begin().key("version").string(POSTERN_VERSION).key("pid").number(getpid());
  json.key("configuration")
      .string(std::filesystem::absolute(file_).string())
      .key("started")
      .string(timestamp(began_));
  json.key("state").string(stops_asked_ > 0 ? "stopping" : current_ ? "running" : "starting");
  write_generations(json);
  write_workers(json);
  json.begin_array("listening");
  if (ports_)
    for (const Port& port : ports_->all()) json.string(port.bound.text());
  json.end().begin("counters");
  const auto totals = tally_->totals();
  for (const CountName& each : count_names)
    json.key(each.name).number(totals[static_cast<std::size_t>(each.count)]);
  json.end().begin_array("silent");
  for (const Child* child : inquiry.awaited) {
    identify(json.begin(), *child);
    json.end();
  }
  json.end().key("healthy").boolean(inquiry.awaited.empty() && all_serve()).end();
  return line;
}

bool Master::all_serve() const {
  return current_ && std::all_of(current_->slots.begin(), current_->slots.end(),
                                 [](const Slot& slot) { return slot.serves(); });
}

void Master::write_generations(json::Writer& json) const {
  if (current_) {
    json.key("generation").number(current_->number);
    json.key("since").string(timestamp(current_->ready_at));
  }
  if (next_) json.key("next_generation").number(next_->number);
  if (refused_at_ == std::chrono::system_clock::time_point()) return;
  json.begin("refused_reload").key("at").string(timestamp(refused_at_));
  json.begin_array("problems");
  for (const std::string& problem : refused_) json.string(problem);
  json.end().end();
}

void Master::write_workers(json::Writer& json) const {
  const TimePoint now = Clock::now();
  json.begin_array("workers");
  for (const auto& child : children_) {
    identify(json.begin(), *child);
    json.key("state").string(name(child->state)).key("sessions").number(child->sessions);
    json.key("lag_us").number(child->lag_us).key("uptime_s");
    json.number(std::chrono::duration_cast<std::chrono::seconds>(now - child->started).count());
    if (current_ && child->generation() == current_->number)
      json.key("restarts").number(current_->slots.at(child->slot()).restarts);
    json.end();
  }
  for (std::size_t i = 0; current_ && i < current_->slots.size(); ++i) {
    const Slot& slot = current_->slots[i];
    if (slot.child) continue;
    json.begin().key("worker").number(i).key("generation").number(current_->number);
    json.key("state").string("restarting").key("restarts").number(slot.restarts).end();
  }
  json.end();
}

// A reload has come to its end: whoever asked for it by command hears how.
void Master::tell_verdict(bool taken_over) {
  const bool refused = !taken_over && stops_asked_ == 0;
  refused_at_ =
      refused ? std::chrono::system_clock::now() : std::chrono::system_clock::time_point();
  refused_ = refused ? verdict_ : std::vector<std::string>();
  std::string line;
  json::Writer json(line);
  json.begin().key("reloaded").boolean(taken_over);
  if (current_) json.key("generation").number(current_->number);
  json.begin_array("problems");
  for (const std::string& problem : verdict_) json.string(problem);
  json.end().end();
  if (control_)
    for (const std::uint64_t client : reloading_for_)
      control_->send_last(client, line, Clock::now());
  reloading_for_.clear();
  verdict_.clear();
}

}  // namespace postern::daemon
