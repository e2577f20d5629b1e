// The helpers: one for each generation that starts programs, replaced when it dies, ended after the
// generation's last worker.
#include <fmt/format.h>

#include <algorithm>

#include "master.hpp"
#include "privileges.hpp"
#include "spawn.hpp"

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto first_back_off = 100ms;  // doubled with each death ...
constexpr std::chrono::milliseconds longest_back_off = 5s;
constexpr auto long_life = 10s;  // ... that comes sooner than this

}  // namespace

// Before limit_master(): what a helper is to start may be setuid, and gets of the capabilities that
// make it root no more than the master's bounding set holds.
Result<void> Master::start_helper(const Generation& generation, std::string_view bundle) {
  if (!generation.settings.starts_programs()) return {};
  if (no_more_programs_)
    return fail(Errc::permission,
                "the configuration now names programs to start, and the rights for that were given "
                "up at start; restart posternd");
  if (!setuid_works() && log_)
    log_->warning(
        "programs are started without the rights of their file (NoNewPrivileges=yes): a setuid "
        "Exim or qmail-queue does not work so");
  auto link = HelperLink::make(generation.number, bundle);
  if (!link) return fail(link.error());
  auto started = (*link)->start();
  if (!started) return started;
  helpers_.push_back(std::move(*link));
  return {};
}

int Master::helper_of(std::uint64_t generation) const {
  for (const auto& helper : helpers_)
    if (helper->generation() == generation) return helper->workers_end();
  return -1;
}

void Master::reap_helpers() {
  for (const auto& helper : helpers_) {
    int status = 0;
    if (!helper->ended(status) || helper->retired()) continue;
    const TimePoint now = Clock::now();
    if (now - helper->started >= long_life) helper->back_off = 0ms;
    helper->restart_at = now + helper->back_off;
    say(fmt::format("the helper (generation {}) ended with {}; the next one starts in {} ms",
                    helper->generation(), describe_status(status), helper->back_off.count()));
    helper->back_off = std::clamp(2 * helper->back_off, std::chrono::milliseconds(first_back_off),
                                  longest_back_off);
  }
  std::erase_if(helpers_, [](const auto& each) { return each->retired() && each->pid() < 0; });
}

void Master::keep_helpers(TimePoint now) {
  for (const auto& helper : helpers_) {
    const auto of_it = [&](const auto& owner) {
      return owner != nullptr && (*owner).number == helper->generation();
    };
    const bool has_workers =
        std::any_of(children_.begin(), children_.end(),
                    [&](const auto& child) { return child->generation() == helper->generation(); });
    if (!helper->retired() && !has_workers && !of_it(current_) && !of_it(next_)) helper->retire();
    if (helper->retired() || now < helper->restart_at) continue;
    auto started = helper->start();
    if (started) continue;
    say(fmt::format("starting the helper: {}", started.error().text));
    helper->restart_at = now + longest_back_off;
  }
}

}  // namespace postern::daemon
