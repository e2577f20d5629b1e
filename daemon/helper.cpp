#include "helper.hpp"

#include <postern/net/program_request.hpp>
#include <postern/policy/load.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>

#include "check.hpp"
#include "privileges.hpp"
#include "settings.hpp"

namespace postern::daemon {
namespace {

// Programs find what they would at a shell, and some close all up to the limit.
constexpr rlim_t descriptor_limit = 8192;

void close_all(const std::vector<int>& descriptors) {
  for (const int descriptor : descriptors) close(descriptor);
}

// One request and what came with it. `octets` is empty when there is none; false: there will be
// none any more.
bool receive(int socket, std::string& octets, std::vector<int>& descriptors) {
  octets.resize(net::most_request_octets + 1);
  iovec data{octets.data(), octets.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(net::most_request_descriptors * sizeof(int))> buffer;
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = buffer.data();
  message.msg_controllen = buffer.size();
  const ssize_t count = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  octets.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) continue;
    descriptors.resize((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    std::memcpy(descriptors.data(), CMSG_DATA(head), descriptors.size() * sizeof(int));
  }
  return count > 0 || !descriptors.empty();
}

}  // namespace

Helper::Helper(int requests, int signals, std::vector<deliver::ProgramSettings> programs)
    : requests_(requests), signals_(signals), programs_(std::move(programs)) {}

void Helper::run() {
  while (requests_ >= 0 || !runs_.empty()) turn();
}

int Helper::wait_ms() const {
  auto due = Clock::time_point::max();
  for (const auto& run : runs_) due = std::min(due, run->due());
  if (due == Clock::time_point::max()) return -1;
  const auto left = std::clamp(due - Clock::now(), Clock::duration::zero(),
                               Clock::duration(std::chrono::hours(1)));
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

void Helper::turn() {
  std::vector<pollfd> polled{{signals_, POLLIN, 0}, {requests_, POLLIN, 0}};
  std::vector<std::size_t> begins;
  for (const auto& run : runs_) {
    begins.push_back(polled.size());
    run->watch(polled);
  }
  begins.push_back(polled.size());
  poll(polled.data(), polled.size(), wait_ms());
  signalfd_siginfo info{};
  while (read(signals_, &info, sizeof info) > 0) continue;  // each turn looks who has ended
  const auto now = Clock::now();
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    for (std::size_t at = begins[i]; at < begins[i + 1]; ++at) runs_[i]->heard(polled[at]);
    runs_[i]->on_time(now);
  }
  std::erase_if(runs_, [](const auto& run) { return run->reap(); });
  if (polled[1].revents != 0) take_requests();
}

void Helper::take_requests() {
  std::string octets;
  for (;;) {
    std::vector<int> descriptors;
    if (!receive(requests_, octets, descriptors)) {
      close(requests_);
      requests_ = -1;
      return;
    }
    if (octets.empty() && descriptors.empty()) return;
    take(octets, std::move(descriptors));
  }
}

bool Helper::is_free(const deliver::ProgramSettings& program) const {
  const auto of_it = [&](const auto& run) { return &run->program() == &program; };
  const auto running = std::count_if(runs_.begin(), runs_.end(), of_it);
  // Workers keep to the number; some that have said their last are still ending.
  const std::size_t most = 2 * program.at_a_time + 16;
  return runs_.size() < most_runs && static_cast<std::size_t>(running) < most;
}

void Helper::take(std::string_view octets, std::vector<int> descriptors) {
  const auto refuse = [&](const std::string& why) {
    if (!descriptors.empty()) HelperRun::refuse(descriptors.front(), why);
    close_all(descriptors);
  };
  auto call = net::parse_request(octets);
  if (!call || descriptors.size() != net::descriptors_of(*call)) return refuse("not understood");
  const auto named = [&](const auto& program) { return program.name == call->program; };
  const auto program = std::find_if(programs_.begin(), programs_.end(), named);
  if (program == programs_.end()) return refuse("the configuration names no such program");
  const bool dialogue = program->manner == deliver::Manner::exim_pipe;
  const bool second = program->manner == deliver::Manner::qmail_queue;
  if (call->dialogue != dialogue || call->second_input != second)
    return refuse("spoken to in another manner");
  if (!is_free(*program)) return refuse("too many of it run");
  auto arguments = deliver::program_arguments(program->manner, call->words);
  if (!arguments) return refuse(arguments.error().text);
  if (auto run = HelperRun::start(*program, *arguments, descriptors))
    runs_.push_back(std::move(run));
}

namespace {

// Errors: the text is for the administrator.
Result<std::vector<deliver::ProgramSettings>> prepare() {
  auto bytes = read_standard_input();
  if (!bytes) return fail(bytes.error());
  auto bundle = policy::Bundle::parse(*bytes);
  if (!bundle) return fail(bundle.error());
  const auto master = policy::load_master(*bundle);
  auto became = become_starter(master.settings.user, master.settings.group);
  if (!became) return fail(became.error());
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, descriptor_limit);
  setrlimit(RLIMIT_NOFILE, &limit);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0) return fail_errno(errno, "/dev/null");
  close(nothing);
  if (chdir("/") != 0) return fail_errno(errno, "/");
  return helper_programs(master.settings);
}

}  // namespace

// A terminal's signals reach the whole process group, and the master's come to it alone: what ends
// the helper is the end of the workers.
int run_helper(int requests) {
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2})
    std::signal(number, SIG_IGN);
  prctl(PR_SET_NAME, "postern-helper", 0, 0, 0);
  fcntl(requests, F_SETFD, FD_CLOEXEC);
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, nullptr);
  const int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  try {
    auto programs = prepare();
    if (!programs) {
      std::fprintf(stderr, "the helper cannot start: %s\n", programs.error().text.c_str());
      return 1;
    }
    Helper(requests, signals, std::move(*programs)).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "the helper ends: %s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace postern::daemon
