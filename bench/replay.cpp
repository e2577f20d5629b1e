// The day, replayed: its clients come to a server, many at a time, each lane in order.
//
//   day --world                                    # JSON: mailboxes, DNS lists and host names
//   day --port 2525 --clients 50 [--part 10]       # a line of JSON for each session
//   day --port 2525 --clients 50 --brief           # only how many there were, and the time
//
// The last line is {"sessions": N, "strayed": N, "seconds": S}: who strayed was not told what was
// expected. Status 1 when somebody was not told anything.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "caller.hpp"
#include "day.hpp"

namespace postern::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int stalled_ms = 60'000;  // nothing heard for so long: something hangs

// ---- JSON ----

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out.append({'\\', c});
    else if (static_cast<unsigned char>(c) < ' ')
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + '"';
}

void add(std::string& out, std::string_view name, std::string_view text) {
  if (!text.empty()) out += fmt::format(", \"{}\": {}", name, quoted(text));
}

std::string json(const Turn& turn) {
  const bool message = turn.octets.ends_with("\r\n.\r\n");
  const std::string_view said = turn.octets;
  std::string out = fmt::format("{{\"code\": {}", turn.code);
  add(out, "said", message ? "." : said.substr(0, said.find('\r')));
  add(out, "by", turn.by);
  add(out, "settings", turn.settings);
  add(out, "text", turn.text);
  add(out, "observed", turn.observed);
  add(out, "heard", turn.heard);
  return out + '}';
}

std::string json(const Visit& visit) {
  std::string out = fmt::format(
      R"({{"id": "{}", "kind": "{}", "client": "{}", "port": {}, "ended": {}, "turns": [)",
      visit.id, visit.kind, dotted(visit.client), visit.port, visit.ended);
  for (const Turn& turn : visit.turns) out += (out.back() == '[' ? "" : ", ") + json(turn);
  return out + "]}";
}

void print_world(const Day& day) {
  std::string out = "{\"mailboxes\": {";
  for (const auto& [domain, names] : day.mailboxes) {
    out += fmt::format("{}\"{}\": [", out.back() == '{' ? "" : ", ", domain);
    for (const auto& name : names) out += (out.back() == '[' ? "" : ", ") + quoted(name);
    out += ']';
  }
  out += "}, \"listed\": {";
  for (const auto& [zone, clients] : day.listed) {
    out += fmt::format("{}\"{}\": [", out.back() == '{' ? "" : ", ", zone);
    for (const auto client : clients)
      out += (out.back() == '[' ? "" : ", ") + quoted(dotted(client));
    out += ']';
  }
  out += "}, \"hosts\": {";
  for (const auto& [client, host] : day.hosts)
    out += fmt::format("{}\"{}\": {}", out.back() == '{' ? "" : ", ", dotted(client), quoted(host));
  fmt::print("{}}}}}\n", out);
}

// ---- Driving ----

class Replay {
 public:
  Replay(std::uint16_t port, std::size_t clients)
      : port_(port), epoll_(epoll_create1(EPOLL_CLOEXEC)), slots_(clients) {}
  ~Replay() { ::close(epoll_); }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  // False: somebody could not connect, or nothing is heard any more.
  bool run(Phase& phase);
  std::size_t sessions() const { return sessions_; }
  std::size_t strayed() const { return strayed_; }

 private:
  struct Slot {
    Caller caller;
    Lane* lane = nullptr;
    std::size_t next = 0;  // of the lane's
  };

  bool go_on(Slot& slot, Phase& phase);

  std::uint16_t port_;
  int epoll_;
  std::vector<Slot> slots_;
  std::size_t next_lane_ = 0;
  std::size_t talking_ = 0;
  std::size_t sessions_ = 0;
  std::size_t strayed_ = 0;
};

bool Replay::run(Phase& phase) {
  std::this_thread::sleep_for(phase.pause);
  next_lane_ = 0;
  for (Slot& slot : slots_)
    if (!go_on(slot, phase)) return false;
  std::array<epoll_event, 256> events;
  while (talking_ > 0) {
    const int count = epoll_wait(epoll_, events.data(), events.size(), stalled_ms);
    if (count == 0 || (count < 0 && errno != EINTR)) {
      std::fprintf(stderr, "day: nothing heard for %d s\n", stalled_ms / 1000);
      return false;
    }
    for (int i = 0; i < count; ++i) {
      Slot& slot = *static_cast<Slot*>(events[static_cast<std::size_t>(i)].data.ptr);
      const Caller::State state = slot.caller.advance();
      if (state == Caller::State::talking) continue;
      slot.caller.close();
      --talking_;
      strayed_ += state == Caller::State::strayed;
      if (!go_on(slot, phase)) return false;
    }
  }
  return true;
}

// The lane's next visit, or another lane's first.
bool Replay::go_on(Slot& slot, Phase& phase) {
  if (!slot.lane || slot.next == slot.lane->size()) {
    slot.lane = next_lane_ < phase.lanes.size() ? &phase.lanes[next_lane_++] : nullptr;
    slot.next = 0;
  }
  if (!slot.lane) return true;
  if (!slot.caller.begin((*slot.lane)[slot.next++], port_)) {
    std::perror("day: connecting");
    return false;
  }
  ++talking_;
  ++sessions_;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &slot;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, slot.caller.socket(), &event) == 0;
}

struct Options {
  std::uint16_t port = 0;
  std::size_t clients = 50;
  std::size_t part = 1;
  bool world = false;
  bool brief = false;
};

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0;
}

std::optional<Options> read_options(const std::vector<std::string_view>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view name = arguments[i];
    if (name == "--world" || name == "--brief") {
      (name == "--world" ? options.world : options.brief) = true;
      continue;
    }
    if (++i == arguments.size()) return {};
    const bool good = name == "--port"      ? read_number(arguments[i], options.port)
                      : name == "--clients" ? read_number(arguments[i], options.clients)
                      : name == "--part"    ? read_number(arguments[i], options.part)
                                            : false;
    if (!good) return {};
  }
  if (!options.world && options.port == 0) return {};
  return options;
}

int replay(Day& day, const Options& options) {
  Replay replay(options.port, options.clients);
  const auto began = Clock::now();
  bool heard = true;
  for (Phase& phase : day.phases) heard = heard && replay.run(phase);
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  for (const Phase& phase : day.phases)
    for (const Lane& lane : phase.lanes)
      for (const Visit& visit : lane)
        if (!options.brief) fmt::print("{}\n", json(visit));
  fmt::print("{{\"sessions\": {}, \"strayed\": {}, \"seconds\": {:.3f}}}\n", replay.sessions(),
             replay.strayed(), seconds);
  return heard ? 0 : 1;
}

int main(int argc, char** argv) {
  const auto options = read_options({argv + 1, argv + argc});
  if (!options) {
    std::fprintf(stderr,
                 "day --world [--part N]\n"
                 "day --port N [--clients N] [--part N] [--brief]\n");
    return 2;
  }
  Day day = make_day(options->part);
  if (!options->world) return replay(day, *options);
  print_world(day);
  return 0;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) { return postern::bench::main(argc, argv); }
