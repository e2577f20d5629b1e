#include <postern/coro/sleep.hpp>
#include <postern/net/helper_programs.hpp>
#include <postern/net/program_request.hpp>
#include <postern/net/tcp_stream.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace postern::net {
namespace {

// Nothing tells when the helper has taken a call from a full queue: it is tried again.
constexpr Duration full_queue_pause = std::chrono::milliseconds(20);

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_ = -1;
};

struct Pair {
  Descriptor ours, theirs;
};

// The program's end blocks, as programs expect. Errors: descriptors.
Result<Pair> make_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail_errno(errno, "making a socket pair");
  return Pair{Descriptor(ends[0]), Descriptor(ends[1])};
}

// libuv's TCP handle takes any stream socket (uv_tcp_open).
Result<StreamPtr> adopt(Loop& loop, Descriptor socket) {
  auto* tcp = new TcpStream(loop);
  StreamPtr stream(tcp);
  if (const int failed = uv_tcp_open(tcp->handle(), socket.get()))
    return fail_errno(failed, "opening a socket pair");
  socket.release();
  tcp->start({});
  return stream;
}

// False: the queue is full. Errors: the system's.
Result<bool> send(int socket, std::string_view octets, const std::vector<int>& descriptors) {
  iovec data{const_cast<char*>(octets.data()), octets.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(most_request_descriptors * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
  std::memcpy(CMSG_DATA(head), descriptors.data(), descriptors.size() * sizeof(int));
  if (sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
  if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS) return false;
  return fail_errno(errno, "asking the helper");
}

}  // namespace

coro::Task<Result<RunningProgram>> HelperPrograms::start(ProgramCall call, Duration limit) {
  const coro::TimePoint due = loop_.now() + limit;
  auto octets = write_request(call);
  if (!octets) co_return fail(octets.error());
  auto end = make_pair();
  auto talk = make_pair();
  Result<Pair> second = Pair{};
  if (call.second_input) second = make_pair();
  for (const auto* pair : {&end, &talk, &second})
    if (!*pair) co_return fail(pair->error());
  std::vector<int> theirs{end->theirs.get(), talk->theirs.get()};
  if (call.second_input) theirs.push_back(second->theirs.get());
  if (!call.dialogue) theirs.push_back(talk->ours.get());
  for (;;) {
    auto sent = send(socket_, *octets, theirs);
    if (!sent) co_return fail(sent.error());
    if (*sent) break;
    if (loop_.now() >= due) co_return fail(Errc::busy, "the helper takes no more calls now");
    auto slept = co_await coro::sleep(full_queue_pause);
    if (!slept) co_return fail(slept.error());
  }
  auto end_stream = adopt(loop_, std::move(end->ours));
  if (!end_stream) co_return fail(end_stream.error());
  auto talk_stream = adopt(loop_, std::move(talk->ours));
  if (!talk_stream) co_return fail(talk_stream.error());
  RunningProgram running;
  running.end = std::move(*end_stream);
  running.talk = std::move(*talk_stream);
  if (call.second_input) {
    auto second_stream = adopt(loop_, std::move(second->ours));
    if (!second_stream) co_return fail(second_stream.error());
    running.second = std::move(*second_stream);
  }
  co_return running;
}

}  // namespace postern::net
