#include "master.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto extra_time = 30s;  // after drain_timeout, for commits that are under way
constexpr auto stopped_for = 2s;  // we were not scheduled: nobody's silence means anything

// Each session wants a descriptor or two; what the administrator allows is the hard limit.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int wait_ms(std::chrono::steady_clock::duration left) {
  constexpr auto longest = std::chrono::steady_clock::duration(1h);
  const auto wait = std::clamp(left, std::chrono::steady_clock::duration::zero(), longest);
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
}

}  // namespace

Master::Master(std::string configuration_file) : file_(std::move(configuration_file)) {}

Master::~Master() {
  if (signals_ >= 0) close(signals_);
}

int Master::run() {
  raise_descriptor_limit();
  if (!open_signals()) return 1;
  auto tally = Tally::create();
  if (!tally) return say(tally.error().describe()), 1;
  tally_.emplace(std::move(*tally));
  begin_generation();
  while (judge_ || next_ || current_ || !children_.empty() || !helpers_.empty()) turn();
  if (started_) log_->notice("posternd ends");
  return failed_ ? 1 : 0;
}

bool Master::open_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGCHLD, SIG_DFL);  // ignored, it would reap our children for us
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD})
    sigaddset(&set, number);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ >= 0) return true;
  say("waiting for signals: the kernel offers no signalfd");
  return false;
}

void Master::say(const std::string& line) {
  if (started_)
    log_->error("{}", line);
  else
    std::fprintf(stderr, "%s\n", line.c_str());
}

// One wait and all that it brought: signals first, then what the workers and clients say, then the
// time.
void Master::turn() {
  std::vector<pollfd> polled{{signals_, POLLIN, 0}};
  std::vector<Child*> of;
  for (const auto& child : children_)
    if (child->channel() >= 0) {
      polled.push_back({child->channel(), child->events(), 0});
      of.push_back(child.get());
    }
  const std::size_t children = polled.size();
  if (control_) control_->watch(polled);
  const TimePoint due = next_due();
  poll(polled.data(), polled.size(), due == TimePoint::max() ? -1 : wait_ms(due - Clock::now()));
  const TimePoint now = Clock::now();
  if (due != TimePoint::max() && now > due + stopped_for)
    for (const auto& child : children_) child->heard = now;
  if (polled[0].revents != 0) handle_signals();
  for (std::size_t i = 1; i < children; ++i) {
    if (polled[i].revents & POLLOUT) of[i - 1]->flush();
    if (polled[i].revents & ~POLLOUT) hear(*of[i - 1]);
  }
  if (control_) serve_control(polled.data() + children, polled.size() - children, now);
  reap();
  reap_helpers();
  if (judge_ && judge_->ended()) judged();
  on_time(now);
  share_out();
}

Master::TimePoint Master::next_due() const {
  TimePoint due = kill_all_at_;
  const auto earlier = [&](TimePoint other) { due = std::min(due, other); };
  if (judge_) earlier(judge_->due());
  if (next_) earlier(next_->ready_by);
  earlier(manager_.due());
  if (control_) earlier(control_->due());
  for (const auto& [number, inquiry] : inquiries_) earlier(inquiry.due);
  for (const auto& child : children_) earlier(child->due);
  for (const auto& helper : helpers_)
    if (!helper->retired()) earlier(helper->restart_at);
  if (!current_) return due;
  earlier(ticket_keys_due_);
  if (current_->certificates) earlier(certificates_due_);
  for (const Slot& slot : current_->slots) {
    earlier(slot.restart_at);
    if (!slot.serves() && Clock::now() <= slot.away_since + absence)
      earlier(slot.away_since + absence);
  }
  return due;
}

void Master::handle_signals() {
  signalfd_siginfo info{};
  while (read(signals_, &info, sizeof info) == sizeof info)
    on_signal(static_cast<int>(info.ssi_signo));
}

void Master::on_signal(int number) {
  switch (number) {
    case SIGTERM:
    case SIGINT:
      return stop();
    case SIGHUP:
      reload_asked_ = true;
      return next_request();
    case SIGUSR1:
      return reopen_logs();
    case SIGUSR2:
      if (log_) log_->warning("SIGUSR2: this version cannot be replaced while it runs; restart it");
      return;
    default:
      return;  // SIGCHLD: every turn looks for children that have ended
  }
}

void Master::on_time(TimePoint now) {
  if (judge_ && now >= judge_->due()) judge_->give_up();
  if (next_ && now >= next_->ready_by)
    give_up(
        fmt::format("the workers of generation {} were not ready in 30 s and are given up; looking "
                    "up host names and reading lists must not take so long: see {}",
                    next_->number, file_));
  for (const auto& child : children_) watch(*child, now);
  keep_helpers(now);
  manager_.on_time(now);
  settle_inquiries(now);
  if (current_) keep_tls(now);
  for (std::size_t slot = 0; current_ && slot < current_->slots.size(); ++slot)
    if (now >= current_->slots[slot].restart_at) start_worker(*current_, slot);
  if (now < kill_all_at_) return;
  kill_all_at_ = TimePoint::max();
  say("stopping took too long: the workers that are left are killed");
  for (const auto& child : children_) condemn(*child, SIGKILL);
  for (const auto& helper : helpers_) helper->kill();
}

// The first asks for a drain, the second for the end; then there is a last limit.
void Master::stop() {
  ++stops_asked_;
  if (log_ && stops_asked_ == 1) log_->notice("stopping: sessions may finish their transactions");
  if (log_ && stops_asked_ == 2) log_->notice("stopping now");
  manager_.stopping();
  reload_asked_ = false;
  judge_.reset();
  verdict_ = {"posternd is stopping"};
  reloading_for_.insert(reloading_for_.end(), reload_asked_by_.begin(), reload_asked_by_.end());
  tell_verdict(false);
  const auto limit = current_ ? current_->settings.drain_timeout : 0ms;
  if (stops_asked_ == 1) kill_all_at_ = Clock::now() + limit + extra_time;
  current_.reset();
  next_.reset();
  if (ports_) ports_->close_all();
  for (const auto& child : children_) {
    if (child->state == Child::State::starting)
      condemn(*child, SIGKILL);
    else if (stops_asked_ == 1)
      leave(*child);
    else
      child->send(Finish{});
  }
}

void Master::reopen_logs() {
  if (!log_) return;
  log_->reopen();
  for (const auto& child : children_) child->send(Reopen{});
}

}  // namespace postern::daemon
