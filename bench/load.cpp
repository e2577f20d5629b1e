// The load generator: N clients at a time, each a session after the other, on one thread.
//
//   load --port 2525 --scenario attack --clients 100 --seconds 2
//   load --port 2525 --scenario dnsbl --clients 100 --seconds 2 --strangers   # no address twice
//   load --port 2525 --scenario idle --clients 10000 --hold    # until standard input ends
//
// Prints one JSON object; status 1 when a session did not go as its script says.
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "client.hpp"
#include "scenario.hpp"

namespace postern::bench {
namespace {

constexpr int stalled_ms = 20'000;       // nothing heard for so long: something hangs
constexpr std::size_t connecting = 200;  // of those that are held, at a time

struct Options {
  std::uint16_t port = 0;
  std::string_view scenario;
  std::size_t clients = 1;
  double seconds = 1;
  bool hold = false;
  bool strangers = false;
};

class Load {
 public:
  Load(const Options& options, const std::vector<Script>& scripts)
      : options_(options),
        scripts_(scripts),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        clients_(options.clients) {}
  ~Load() { ::close(epoll_); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  bool run();   // sessions for the time given
  bool hold();  // each client once; they stay

 private:
  void begin(Client& client);
  void take(Client& client);
  void over(Client& client, const char* failure);
  void rest(Client& client);  // stays connected, unheard
  bool wait();
  std::uint32_t next_address();
  void report() const;

  const Options& options_;
  const std::vector<Script>& scripts_;
  int epoll_;
  std::vector<Client> clients_;
  std::vector<std::uint32_t> microseconds_;  // of each session, connecting to the last reply
  std::size_t started_ = 0;
  std::uint32_t stranger_ = std::random_device()();
  std::size_t running_ = 0;
  std::size_t failed_ = 0;
  Clock::time_point began_ = Clock::now();
  Clock::time_point until_;  // no session begins after it
  Clock::time_point ended_;
};

// Strangers come from 127.1.0.0 to 127.254.255.255, one after the other; from run to run elsewhere.
std::uint32_t Load::next_address() {
  constexpr std::uint32_t first = (127u << 24) + (1u << 16), count = 254u << 16;
  return options_.strangers ? first + stranger_++ % count : INADDR_LOOPBACK;
}

void Load::begin(Client& client) {
  ++running_;
  const Script& script = scripts_[started_++ % scripts_.size()];
  if (!client.connect(next_address(), options_.port, script))
    return over(client, std::strerror(errno));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &client;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, client.socket(), &event);
}

void Load::over(Client& client, const char* failure) {
  client.close();
  --running_;
  if (!failure) return;
  if (failed_++ == 0) std::fprintf(stderr, "load: a session failed: %s\n", failure);
}

void Load::rest(Client& client) {
  --running_;
  epoll_ctl(epoll_, EPOLL_CTL_DEL, client.socket(), nullptr);
}

void Load::take(Client& client) {
  errno = 0;
  switch (client.advance()) {
    case Client::State::talking:
      return;
    case Client::State::finished: {
      const auto took =
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - client.began());
      microseconds_.push_back(static_cast<std::uint32_t>(took.count()));
      if (options_.hold) rest(client);
      return;
    }
    case Client::State::closed:
      over(client, nullptr);
      break;
    case Client::State::failed:
      over(client, errno ? std::strerror(errno) : "not the reply that was expected, or the end");
      break;
  }
  if (!options_.hold && Clock::now() < until_) begin(client);
}

// One turn; false when nothing comes any more.
bool Load::wait() {
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll_, events.data(), events.size(), stalled_ms);
  if (count == 0) std::fprintf(stderr, "load: nothing heard for %d s\n", stalled_ms / 1000);
  if (count == 0 || (count < 0 && errno != EINTR)) return false;
  for (int i = 0; i < count; ++i)
    take(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr));
  return true;
}

bool Load::run() {
  until_ = began_ + std::chrono::duration_cast<Clock::duration>(
                        std::chrono::duration<double>(options_.seconds));
  for (Client& client : clients_) begin(client);
  bool heard = true;
  while (running_ > 0 && heard) heard = wait();
  ended_ = Clock::now();
  report();
  return heard && failed_ == 0;
}

bool Load::hold() {
  bool heard = true;
  while (heard && (started_ < clients_.size() || running_ > 0)) {
    while (started_ < clients_.size() && running_ < connecting) begin(clients_[started_]);
    if (running_ > 0) heard = wait();
  }
  ended_ = Clock::now();
  report();
  if (!heard || failed_ > 0) return false;
  char octet = 0;
  while (read(STDIN_FILENO, &octet, 1) > 0) {
  }
  const auto lost =
      std::count_if(clients_.begin(), clients_.end(), [](const Client& c) { return c.lost(); });
  if (lost > 0) std::fprintf(stderr, "load: %ld clients that were held were disconnected\n", lost);
  return lost == 0;
}

void Load::report() const {
  std::vector<std::uint32_t> sorted = microseconds_;
  std::sort(sorted.begin(), sorted.end());
  const auto percentile = [&](std::size_t percent) {
    return sorted.empty() ? 0 : sorted[(sorted.size() - 1) * percent / 100];
  };
  const double seconds = std::chrono::duration<double>(ended_ - began_).count();
  fmt::print(R"({{"sessions": {}, "failed": {}, "seconds": {:.3f}, "p50_us": {}, "p99_us": {}}})"
             "\n",
             sorted.size(), failed_, seconds, percentile(50), percentile(99));
  std::fflush(stdout);
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

std::optional<Options> read_options(const std::vector<std::string_view>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    if (name == "--hold" || name == "--strangers") {
      (name == "--hold" ? options.hold : options.strangers) = true;
      continue;
    }
    if (++i == arguments.size()) return {};
    const std::string_view value = arguments[i];
    const bool good = name == "--port"       ? read_number(value, options.port)
                      : name == "--clients"  ? read_number(value, options.clients)
                      : name == "--seconds"  ? read_number(value, options.seconds)
                      : name == "--scenario" ? (options.scenario = value, true)
                                             : false;
    if (!good) return {};
  }
  return options;
}

int main(int argc, char** argv) {
  const auto options = read_options({argv + 1, argv + argc});
  const auto scripts = options ? scripts_of(options->scenario) : std::nullopt;
  if (!scripts) {
    std::fprintf(
        stderr,
        "load --port N --scenario NAME [--clients N] [--seconds S | --hold] [--strangers]\n");
    return 2;
  }
  Load load(*options, *scripts);
  return (options->hold ? load.hold() : load.run()) ? 0 : 1;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) { return postern::bench::main(argc, argv); }
