// Start and reload are one thing: a bundle is read, judged by a child, and given to new workers;
// when all of them are ready they take over, and the workers before them drain.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "cores.hpp"
#include "master.hpp"
#include "privileges.hpp"
#include "settings.hpp"
#include "trust.hpp"

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;

constexpr auto ready_limit = 30s;

}  // namespace

// A reload that is asked for while another is under way comes after it.
void Master::next_request() {
  if (!reload_asked_ || judge_ || next_ || !current_) return;
  reload_asked_ = false;
  reloading_for_.swap(reload_asked_by_);
  log_->notice("reading {} again", file_);
  manager_.reloading();
  begin_generation();
}

void Master::begin_generation() {
  auto bundle = policy::read_bundle(file_);
  if (!bundle) return give_up(bundle.error().text);
  for (const std::string& line : writable_by_others(*bundle)) verdict_.push_back(line);
  if (!verdict_.empty()) {
    for (const std::string& line : verdict_) say(line);
    return give_up(not_usable());
  }
  judged_bundle_ = std::move(*bundle);
  judged_bytes_ = judged_bundle_.serialize();
  auto judge = Judge::start(judged_bytes_, Clock::now());
  if (!judge) return give_up(judge.error().text);
  judge_.emplace(std::move(*judge));
}

void Master::judged() {
  const std::vector<std::string> lines = judge_->lines();
  const bool good = judge_->good();
  judge_.reset();
  verdict_ = lines;
  for (const std::string& line : lines) {
    if (good && started_)
      log_->warning("{}", line);
    else
      say(line);
  }
  if (!good) return give_up(not_usable());
  start_generation();
}

// After the problems have been told; at start they are all there is to say.
std::string Master::not_usable() const {
  if (!current_) return {};
  return fmt::format("{}: not usable; generation {} goes on", file_, current_->number);
}

void Master::start_generation() {
  auto loaded = policy::load_master(judged_bundle_);
  auto generation = std::make_unique<Generation>();
  generation->number = ++generations_;
  generation->settings = std::move(loaded.settings);
  const policy::Tls& tls = generation->settings.tls;
  if (generation->settings.speaks_tls)
    generation->certificates.emplace(tls,
                                     policy::certificate_pairs(tls, judged_bundle_.files).pairs);
  auto helper = start_helper(*generation, judged_bytes_);
  generation->bundle =
      std::make_shared<const std::string>(encode(BundleBytes{std::move(judged_bytes_)}));
  judged_bytes_ = std::string();
  judged_bundle_ = {};
  generation->ready_by = Clock::now() + ready_limit;
  const policy::MasterSettings& settings = generation->settings;
  const std::size_t workers = settings.workers == 0 ? usable_cores() : settings.workers;
  generation->slots.resize(workers);
  for (Slot& slot : generation->slots) slot.away_since = Clock::now();
  if (!helper) return give_up(helper.error().text);
  const bool programs = settings.starts_programs();
  auto limited = limit_master(settings.user, settings.group, programs);
  if (!limited) return give_up(limited.error().text);
  no_more_programs_ = no_more_programs_ || (!programs && !settings.user.empty() && geteuid() == 0);
  if (!ports_) ports_ = std::make_unique<Ports>(workers, manager_.take_sockets());
  auto opened = ports_->open(settings.listen, file_);
  if (!opened) return give_up(opened.error().text);
  auto log = open_log(settings);
  if (!log) return give_up(log.error().text);
  auto control = open_control(settings);
  if (!control) return give_up(control.error().text);
  next_ = std::move(generation);
  for (std::size_t slot = 0; next_ && slot < workers; ++slot) start_worker(*next_, slot);
}

// The master's own lines go where the workers' go, in the same form; a file is opened, and opened
// again, with their rights.
Result<void> Master::open_log(const policy::MasterSettings& settings) {
  if (log_ && log_settings_.target.text == settings.log.target.text &&
      log_settings_.level == settings.log.level && log_settings_.format == settings.log.format &&
      log_user_ == settings.user)
    return {};
  std::optional<FilesAs> as;
  if (geteuid() == 0 && !settings.user.empty()) {
    auto identity = find_identity(settings.user, settings.group);
    if (!identity) return fail(identity.error());
    as.emplace(*identity);
  }
  auto target = LogTarget::open(settings.log.target.text);
  if (!target)
    return fail(target.error().code, fmt::format("{}; make its folder, or change log.target in {}",
                                                 target.error().text, file_));
  LogWriter::Options options = log_options(settings.log);
  options.fields = {{"process", "master"}};
  log_ = std::make_unique<LogWriter>(std::move(*target), std::move(options));
  log_->start();
  log_settings_ = settings.log;
  log_user_ = settings.user;
  return {};
}

void Master::take_over() {
  const std::unique_ptr<Generation> before = std::move(current_);
  current_ = std::move(next_);
  started_ = true;
  certificates_due_ = Clock::now();
  presence_.clear();
  columns_.clear();
  share_out();
  for (const auto& child : children_)
    if (child->generation() != current_->number && child->state != Child::State::condemned)
      leave(*child);
  ports_->keep_only(current_->settings.listen);
  for (const Port& port : ports_->all()) log_->notice("listening on {}", port.bound.text());
  for (const SocketAddress& address : ports_->unused())
    log_->warning(
        "systemd listens on {} for us, and no [[listen]] in {} has that address: its "
        "clients wait for nobody",
        address.text(), file_);
  log_->notice("generation {} is ready: posternd {}, {}, {} workers", current_->number,
               POSTERN_VERSION, file_, current_->slots.size());
  current_->ready_at = std::chrono::system_clock::now();
  tell_ready();
  tell_verdict(true);
  next_request();
}

// An empty reason has been told already.
void Master::give_up(const std::string& why) {
  if (!why.empty()) say(why);
  if (verdict_.empty() && !why.empty()) verdict_.push_back(why);
  const std::uint64_t number = next_ ? next_->number : 0;
  next_.reset();
  for (const auto& child : children_)
    if (child->generation() == number) condemn(*child, SIGKILL);
  if (started_)
    go_on_as_before();
  else
    failed_ = true;
}

void Master::go_on_as_before() {
  if (!current_) return;  // stopping
  ports_->keep_only(current_->settings.listen);
  auto log = open_log(current_->settings);
  if (!log) log_->error("{}", log.error().text);
  auto control = open_control(current_->settings);
  if (!control) log_->error("{}", control.error().text);
  tell_ready();
  tell_verdict(false);
  next_request();
}

void Master::tell_ready() {
  manager_.ready(
      fmt::format("generation {}: {} workers", current_->number, current_->slots.size()));
}

}  // namespace postern::daemon
