// Starting, hearing, watching and replacing workers.
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>

#include "master.hpp"
#include "spawn.hpp"

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto ready_limit = 30s;       // like that of a generation
constexpr auto silence_limit = 5s;      // a worker beats once a second
constexpr auto abort_time = 1s;         // from SIGABRT, which may leave a core file, to SIGKILL
constexpr auto first_back_off = 100ms;  // doubled with each death ...
constexpr auto longest_back_off = 5000ms;
constexpr auto long_life = 10s;  // ... that comes sooner than this

double seconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Master::Generation* Master::generation_of(const Child& child) {
  for (Generation* generation : {current_.get(), next_.get()})
    if (generation != nullptr && generation->number == child.generation()) return generation;
  return nullptr;
}

// Null for a worker whose place is no longer its own.
Master::Slot* Master::slot_of(const Child& child) {
  Generation* generation = generation_of(child);
  if (generation == nullptr) return nullptr;
  Slot& slot = generation->slots.at(child.slot());
  return slot.child == &child ? &slot : nullptr;
}

void Master::start_worker(Generation& generation, std::size_t index) {
  Slot& slot = generation.slots[index];
  slot.restart_at = TimePoint::max();
  const TimePoint now = Clock::now();
  const auto row = tally_->claim();
  Ports::Sockets listening = ports_->sockets_of(generation.settings.listen);
  const Hello hello{index,
                    generation.number,
                    generation.slots.size(),
                    row.value_or(0),
                    tally_->descriptor(),
                    std::move(listening.sockets),
                    std::move(listening.listeners),
                    helper_of(generation.number)};
  auto child = row ? Child::start(hello, generation.bundle, now)
                   : fail(Errc::no_space, "too many workers are still draining");
  if (!child && row) tally_->fold(*row);
  if (child) {
    slot.child = child->get();
    slot.child->due = now + ready_limit;
    hand_over_tls(generation, *slot.child);
    children_.push_back(std::move(*child));
    return;
  }
  const std::string text = fmt::format("starting worker {}: {}", index, child.error().text);
  if (&generation == next_.get()) return give_up(text);
  log_->error("{}", text);
  slot.restart_at = now + longest_back_off;
}

void Master::hear(Child& child) {
  auto messages = child.receive(Clock::now());
  if (!messages) {
    say(fmt::format("{} talks nonsense ({}) and is killed", child.describe(),
                    messages.error().text));
    return condemn(child, SIGKILL);
  }
  for (const Message& message : *messages) take(child, message);
}

void Master::take(Child& child, const Message& message) {
  if (const auto* failed = std::get_if<Failed>(&message)) child.failure = failed->text;
  if (child.state == Child::State::condemned) return;
  child.due = child.heard + silence_limit;
  if (const auto* beat = std::get_if<Beat>(&message)) {
    child.lag_us = beat->lag_us;
    child.sessions = beat->sessions;
  }
  if (const auto* answer = std::get_if<Answer>(&message)) take_answer(child, *answer);
  if (std::holds_alternative<Ready>(message) && child.state == Child::State::starting) {
    child.state = Child::State::serving;
    const auto serves = [](const Slot& slot) { return slot.serves(); };
    if (next_ && std::all_of(next_->slots.begin(), next_->slots.end(), serves)) take_over();
  }
  // Not asked by us: somebody sent it a SIGTERM. It finishes its sessions beside its successor.
  if (std::holds_alternative<Draining>(message) && child.state == Child::State::serving) {
    child.state = Child::State::leaving;
    child.sockets.clear();
    if (slot_of(child))
      replace(*generation_of(child), child, Level::notice, "drains, as somebody told it");
  }
}

void Master::reap() {
  for (std::size_t i = 0; i < children_.size();) {
    int status = 0;
    if (waitpid(children_[i]->pid(), &status, WNOHANG) == 0) {
      ++i;
      continue;
    }
    const std::unique_ptr<Child> child = std::move(children_[i]);
    children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
    hear(*child);  // its last words
    tally_->fold(child->row);
    for (auto& [number, inquiry] : inquiries_) inquiry.awaited.erase(child.get());
    settle_inquiries(Clock::now());
    died(*child, status);
  }
}

void Master::died(Child& child, int status) {
  Generation* generation = generation_of(child);
  const bool owns = slot_of(child) != nullptr;
  const std::string how = child.failure.empty()
                              ? fmt::format("ended with {} after {:.1f} s", describe_status(status),
                                            seconds(Clock::now() - child.started))
                              : child.failure;
  if (owns && generation == next_.get())
    return give_up(child.failure.empty()
                       ? fmt::format("{} {} before it was ready", child.describe(), how)
                       : how);
  if (owns) return replace(*generation, child, Level::error, how);
  if (!started_) return;  // the start was given up
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    log_->info("{} has drained", child.describe());
  else if (child.state == Child::State::condemned)
    log_->info("{} {}", child.describe(), how);
  else {
    tally_->at(0).add(Count::workers_lost);
    log_->error("{} {}", child.describe(), how);
  }
}

// The first death is answered at once; who dies again and again waits longer and longer.
void Master::replace(Generation& generation, Child& child, Level level, std::string_view how) {
  Slot& slot = generation.slots[child.slot()];
  const TimePoint now = Clock::now();
  if (now - child.started >= long_life) slot.back_off = 0ms;
  if (log_->enabled(level))
    log_->write(level, fmt::format("{} {}; the next one starts in {} ms", child.describe(), how,
                                   slot.back_off.count()));
  slot.child = nullptr;
  ++slot.restarts;
  tally_->at(0).add(Count::workers_lost);
  slot.away_since = now;
  slot.restart_at = now + slot.back_off;
  slot.back_off = std::clamp(2 * slot.back_off, std::chrono::milliseconds(first_back_off),
                             std::chrono::milliseconds(longest_back_off));
}

void Master::leave(Child& child) {
  if (child.state != Child::State::serving) return;
  child.state = Child::State::leaving;
  child.sockets.clear();
  child.send(Drain{});
}

void Master::condemn(Child& child, int number) {
  if (child.state != Child::State::condemned) {
    if (Slot* slot = slot_of(child)) slot->away_since = Clock::now();
    child.state = Child::State::condemned;
    child.sockets.clear();
  }
  child.signal(number);
  child.due = Clock::now() + abort_time;
}

void Master::watch(Child& child, TimePoint now) {
  if (child.state != Child::State::condemned && child.state != Child::State::starting)
    child.due = child.heard + silence_limit;
  if (now < child.due) return;
  if (child.state == Child::State::condemned) return condemn(child, SIGKILL);
  say(fmt::format("{} has been silent for {:.0f} s and is aborted", child.describe(),
                  seconds(now - child.heard)));
  condemn(child, SIGABRT);
}

// Tells workers what to serve, then others what no longer to.
void Master::share_out() {
  if (!current_) return;
  std::vector<Presence> present;
  for (const Slot& slot : current_->slots) {
    if (slot.serves())
      present.push_back(Presence::serving);
    else
      present.push_back(Clock::now() < slot.away_since + absence ? Presence::blinking
                                                                 : Presence::away);
  }
  if (present == presence_) return;
  presence_ = present;
  columns_ = assign(ports_->columns(), present, columns_);
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    std::vector<Child*> servers;
    for (const std::size_t slot : columns_[column]) servers.push_back(current_->slots[slot].child);
    if (servers.empty()) continue;
    for (const int socket : ports_->column(column, current_->settings.listen)) {
      for (Child* server : servers)
        if (server->sockets.insert(socket).second) server->send(Serve{socket});
      for (const auto& child : children_)
        if (std::find(servers.begin(), servers.end(), child.get()) == servers.end() &&
            child->sockets.erase(socket) > 0)
          child->send(Release{socket});
    }
  }
}

}  // namespace postern::daemon
