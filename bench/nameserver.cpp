// The name server of the measurements: "no such name" to everybody but the test entry of RFC 5782,
// and every answer but those about clients' host names a fixed time late.
//
//   nameserver PORT MILLISECONDS     answers at once; SIGUSR1: late, SIGUSR2: at once again
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;
using namespace std::string_view_literals;

constexpr std::size_t header_octets = 12;  // RFC 1035 section 4.1.1
constexpr std::size_t datagram_octets =
    512;  // RFC 1035 section 4.2.1; nothing we are asked is longer
constexpr unsigned type_ptr = 12, type_a = 1;

volatile std::sig_atomic_t is_late = 0;

// Up to the end of the question; nothing where that is malformed.
std::optional<std::size_t> end_of_question(std::string_view query) {
  std::size_t at = header_octets;
  while (at < query.size() && query[at] != 0) at += static_cast<unsigned char>(query[at]) + 1u;
  at += 5;  // the root label, type, class
  if (at > query.size()) return {};
  return at;
}

unsigned type_of(std::string_view question) {
  return static_cast<unsigned char>(question[question.size() - 3]);
}

std::string answer_to(std::string_view question) {
  const std::string_view name = question.substr(header_octets);
  const bool listed = name.starts_with("\x01\x32\x01\x30\x01\x30\x03\x31\x32\x37"sv) &&
                      type_of(question) == type_a;  // 2.0.0.127
  std::string reply(question);
  reply[2] = static_cast<char>(0x84);                  // a response, authoritative
  reply[3] = static_cast<char>(listed ? 0x80 : 0x83);  // NXDOMAIN
  reply.replace(4, 8, listed ? "\0\1\0\1\0\0\0\0"sv : "\0\1\0\0\0\1\0\0"sv);
  // An hour each: 127.0.0.2, or the root's SOA, without which "no such name" is not remembered.
  reply +=
      listed
          ? "\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4\x7f\0\0\2"sv
          : "\0\0\6\0\1\0\0\x0e\x10\0\x16\0\0\0\0\0\1\0\0\x0e\x10\0\0\x0e\x10\0\0\x0e\x10\0\0\x0e\x10"sv;
  return reply;
}

struct Answer {
  Clock::time_point due;
  sockaddr_in to;
  std::string octets;
};

class NameServer {
 public:
  NameServer(int socket, std::chrono::milliseconds delay) : socket_(socket), delay_(delay) {}

  void run() {
    for (;;) {
      wait();
      while (take()) {
      }
      while (!late_.empty() && late_.front().due <= Clock::now()) {
        send(late_.front());
        late_.pop_front();
      }
    }
  }

 private:
  // Until there is a query, or the first late answer is due.
  void wait() const {
    timespec left{};
    if (!late_.empty()) {
      const auto ns = std::chrono::nanoseconds(late_.front().due - Clock::now()).count();
      left.tv_nsec = ns > 0 ? ns : 0;  // far less than a second
    }
    pollfd watched{socket_, POLLIN, 0};
    ppoll(&watched, 1, late_.empty() ? nullptr : &left, nullptr);
  }

  // One query; false: there is none.
  bool take() {
    std::array<char, datagram_octets> buffer;
    Answer answer;
    socklen_t length = sizeof answer.to;
    const ssize_t count = recvfrom(socket_, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&answer.to), &length);
    if (count < 0) return false;
    const std::string_view query(buffer.data(), static_cast<std::size_t>(count));
    const auto end = end_of_question(query);
    if (!end) return true;
    const std::string_view question = query.substr(0, *end);
    answer.octets = answer_to(question);
    if (is_late == 0 || type_of(question) == type_ptr) {
      send(answer);
    } else {
      answer.due = Clock::now() + delay_;
      late_.push_back(std::move(answer));
    }
    return true;
  }

  void send(const Answer& answer) const {
    sendto(socket_, answer.octets.data(), answer.octets.size(), 0,
           reinterpret_cast<const sockaddr*>(&answer.to), sizeof answer.to);
  }

  int socket_;
  std::chrono::milliseconds delay_;
  std::deque<Answer> late_;  // all have waited, or will, equally long: in the order of their time
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "nameserver PORT MILLISECONDS\n");
    return 2;
  }
  std::signal(SIGUSR1, [](int) { is_late = 1; });
  std::signal(SIGUSR2, [](int) { is_late = 0; });
  sockaddr_in here{};
  here.sin_family = AF_INET;
  here.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int room = 4 << 20;  // for a burst of clients
  setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (bind(udp, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0) {
    std::perror("nameserver: bind");
    return 1;
  }
  NameServer(udp, std::chrono::milliseconds(std::atoi(argv[2]))).run();
}
