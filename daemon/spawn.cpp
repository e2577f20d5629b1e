#include "spawn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace postern::daemon {
namespace {

// posix_spawn's two objects, with their ends.
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
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Plan() {
    posix_spawnattr_destroy(&attributes_);
    posix_spawn_file_actions_destroy(&files_);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  void put(int descriptor, int number) {  // on its own number it only loses close-on-exec
    posix_spawn_file_actions_adddup2(&files_, descriptor, number);
  }
  void open_nothing(int number) {
    posix_spawn_file_actions_addopen(&files_, number, "/dev/null", O_RDONLY, 0);
  }
  int run(pid_t& pid, char* const arguments[]) {
    return posix_spawn(&pid, "/proc/self/exe", &files_, &attributes_, arguments, environ);
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

Result<pid_t> spawn_self(const ChildSetup& setup) {
  Plan plan;
  if (setup.standard_input < 0)
    plan.open_nothing(STDIN_FILENO);
  else
    plan.put(setup.standard_input, STDIN_FILENO);
  if (setup.standard_error >= 0) plan.put(setup.standard_error, STDERR_FILENO);
  for (const int descriptor : setup.inherit) plan.put(descriptor, descriptor);
  std::vector<std::string> words{"posternd"};
  words.insert(words.end(), setup.arguments.begin(), setup.arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  if (const int number = plan.run(pid, arguments.data()))
    return fail_errno(number, "starting a process");
  return pid;
}

Result<int> make_memory_file(const char* name, std::string_view content) {
  const int descriptor = memfd_create(name, MFD_CLOEXEC);
  if (descriptor < 0) return fail_errno(errno, "making a file in memory");
  while (!content.empty()) {
    const ssize_t count = write(descriptor, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int number = errno;
      close(descriptor);
      return fail_errno(number, "writing a file in memory");
    }
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  lseek(descriptor, 0, SEEK_SET);
  return descriptor;
}

std::string read_memory_file(int descriptor, std::size_t limit_octets) {
  std::string content(limit_octets, '\0');
  const ssize_t count = pread(descriptor, content.data(), content.size(), 0);
  content.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  return content;
}

std::string describe_status(int status) {
  if (!WIFSIGNALED(status)) return fmt::format("status {}", WEXITSTATUS(status));
  const char* name = sigdescr_np(WTERMSIG(status));
  return fmt::format("signal {} ({})", WTERMSIG(status), name ? name : "unknown");
}

}  // namespace postern::daemon
