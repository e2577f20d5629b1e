#include "helper_run.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace postern::daemon {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using net::ProgramEnd;

// The worker's own limit comes first: it knows better what to tell its client.
constexpr auto extra_time = 10s;
constexpr auto grace = 5s;  // after the end of a dialogue, and from SIGTERM to SIGKILL
constexpr auto never = HelperRun::TimePoint::max();

// Nothing of our own: a program finds what any service's would.
const char* const environment[] = {
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", nullptr};

void tell(int end, const ProgramEnd& what) {
  const std::string text = net::write_program_end(what);
  // It fits into an empty socket; whoever went hears nothing.
  (void)!send(end, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

class Plan {
 public:
  Plan() {
    posix_spawn_file_actions_init(&files_);
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);  // what it starts goes with it
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~Plan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&files_);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  void put(int descriptor, int number) {
    posix_spawn_file_actions_adddup2(&files_, descriptor, number);
  }
  int run(pid_t& pid, std::vector<std::string>& words) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    return posix_spawn(&pid, words.front().c_str(), &files_, &attributes_, arguments.data(),
                       const_cast<char* const*>(environment));
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

std::unique_ptr<HelperRun> HelperRun::start(const deliver::ProgramSettings& program,
                                            const std::vector<std::string>& arguments,
                                            const std::vector<int>& descriptors) {
  const bool dialogue = program.manner == deliver::Manner::exim_pipe;
  const int end = descriptors[0], talk = descriptors[1];
  const int input = dialogue ? -1 : descriptors.back();
  std::array<int, 2> output{-1, -1};
  int failed = pipe2(output.data(), O_CLOEXEC) == 0 ? 0 : errno;
  pid_t pid = -1;
  if (!failed) {
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    Plan plan;
    plan.put(talk, STDIN_FILENO);
    if (dialogue)
      plan.put(talk, STDOUT_FILENO);
    else
      plan.put(program.manner == deliver::Manner::qmail_queue ? descriptors[2] : output[1],
               STDOUT_FILENO);
    plan.put(output[1], STDERR_FILENO);
    std::vector<std::string> words = program.command;
    words.insert(words.end(), arguments.begin(), arguments.end());
    failed = plan.run(pid, words);
  }
  if (output[1] >= 0) close(output[1]);
  if (failed) refuse(end, fmt::format("{}: {}", program.command.front(), std::strerror(failed)));
  for (const int descriptor : descriptors)
    if (failed || (descriptor != end && descriptor != input)) close(descriptor);
  if (!failed)
    return std::unique_ptr<HelperRun>(new HelperRun(program, pid, end, output[0], input));
  if (output[0] >= 0) close(output[0]);
  return nullptr;
}

void HelperRun::refuse(int end, std::string why) {
  tell(end, {ProgramEnd::Kind::refused, 0, std::move(why)});
}

HelperRun::HelperRun(const deliver::ProgramSettings& program, pid_t pid, int end, int output,
                     int input)
    : program_(program),
      pid_(pid),
      end_(end),
      output_(output),
      input_(input),
      due_(Clock::now() + program.timeout + extra_time),
      next_signal_(SIGKILL) {}

HelperRun::~HelperRun() {
  for (const int descriptor : {end_, output_, input_})
    if (descriptor >= 0) close(descriptor);
}

void HelperRun::watch(std::vector<pollfd>& polled) const {
  if (output_ >= 0) polled.push_back({output_, POLLIN, 0});
  if (!abandoned_) polled.push_back({end_, POLLRDHUP, 0});
}

void HelperRun::heard(const pollfd& polled) {
  if (polled.revents == 0) return;
  if (polled.fd == output_) return read_output();
  if (polled.fd == end_) given_up();
}

// In a dialogue the end of its input is the end: an SMTP server takes no half message. Others
// would, and are killed while their input is held open.
void HelperRun::given_up() {
  abandoned_ = true;
  if (program_.manner != deliver::Manner::exim_pipe) {
    signal(SIGKILL);
    due_ = never;
    return;
  }
  next_signal_ = SIGTERM;
  due_ = std::min(due_, Clock::now() + grace);
}

// What Exim has taken is delivered by children of its own, which no dialogue's end may hit.
void HelperRun::signal(int number) const {
  ::kill(program_.manner == deliver::Manner::exim_pipe ? pid_ : -pid_, number);
}

void HelperRun::on_time(TimePoint now) {
  if (now < due_) return;
  late_ = !abandoned_;
  signal(next_signal_);
  due_ = next_signal_ == SIGTERM ? now + grace : never;
  next_signal_ = SIGKILL;
}

// All is read, so that it never waits for us; the first octets are kept.
void HelperRun::read_output() {
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t count = read(output_, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      close(std::exchange(output_, -1));
      return;
    }
    const auto room = net::Programs::most_output_octets - text_.size();
    text_.append(buffer.data(), std::min(static_cast<std::size_t>(count), room));
  }
}

bool HelperRun::reap() {
  int status = 0;
  const pid_t ended = waitpid(pid_, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) return false;
  if (output_ >= 0) read_output();
  ProgramEnd end{ProgramEnd::Kind::killed, 0, std::move(text_)};
  if (late_) {
    end.kind = ProgramEnd::Kind::late;
  } else if (ended > 0 && WIFEXITED(status)) {
    end.kind = ProgramEnd::Kind::exited;
    end.code = WEXITSTATUS(status);
  } else if (ended > 0) {
    end.code = WTERMSIG(status);
  }
  tell(end_, end);
  return true;
}

}  // namespace postern::daemon
