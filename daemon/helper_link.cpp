#include "helper_link.hpp"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "spawn.hpp"

namespace postern::daemon {

Result<std::unique_ptr<HelperLink>> HelperLink::make(std::uint64_t generation,
                                                     std::string_view bundle) {
  std::unique_ptr<HelperLink> link(new HelperLink(generation));
  std::array<int, 2> pair{};
  // Datagrams in sequence: a request is whole, and the end of the last worker can be seen.
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return fail_errno(errno, "making a socket pair");
  link->workers_end_ = pair[0];
  link->helpers_end_ = pair[1];
  auto memory = make_memory_file("postern-bundle", bundle);
  if (!memory) return fail(memory.error());
  link->bundle_ = *memory;
  return link;
}

HelperLink::~HelperLink() {
  for (const int descriptor : {workers_end_, helpers_end_, bundle_})
    if (descriptor >= 0) close(descriptor);
}

Result<void> HelperLink::start() {
  lseek(bundle_, 0, SEEK_SET);
  auto pid = spawn_self({{"--helper", std::to_string(helpers_end_)}, {helpers_end_}, bundle_, -1});
  if (!pid) return fail(pid.error());
  pid_ = *pid;
  started = std::chrono::steady_clock::now();
  restart_at = TimePoint::max();
  return {};
}

void HelperLink::retire() {
  for (int* descriptor : {&workers_end_, &helpers_end_})
    if (*descriptor >= 0) close(std::exchange(*descriptor, -1));
}

bool HelperLink::ended(int& status) {
  if (pid_ < 0 || waitpid(pid_, &status, WNOHANG) == 0) return false;
  pid_ = -1;
  return true;
}

void HelperLink::kill() const {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

}  // namespace postern::daemon
