// tarpit: answer ever more slowly to who makes mistakes.
#include <postern/plugin.hpp>

#include <algorithm>
#include <map>
#include <memory>

namespace postern::plugins {
namespace {

// Refusals are told by the session's id. Two scopes may have one for a moment, after XCLIENT.
using Table = std::multimap<std::string, std::size_t, std::less<>>;

// The errors of one session, as long as it lives.
class Seat {
 public:
  Seat(Table& table, std::string_view session) : table_(&table), at_(table.emplace(session, 0)) {}
  Seat(Seat&& other) noexcept : table_(std::exchange(other.table_, nullptr)), at_(other.at_) {}
  Seat& operator=(Seat&&) = delete;
  ~Seat() {
    if (table_) table_->erase(at_);
  }
  std::size_t& errors() const { return at_->second; }

 private:
  Table* table_;
  Table::iterator at_;
};

struct Client : Fact<> {
  explicit Client(Seat s) : seat(std::move(s)) {}
  Seat seat;
};

class Tarpit final : public PluginOf<Tarpit> {
 public:
  static constexpr const char* summary = "Answers ever more slowly to clients that make mistakes.";
  struct Settings {
    std::size_t after = 3;
    std::chrono::milliseconds delay = 2s;
    double factor = 2;
    std::chrono::milliseconds most = 30s;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("after", &Settings::after,
               "refusals and unknown commands that are free, counted from the last message that "
               "was taken");
    schema.key("delay", &Settings::delay, "how long the next reply waits").at_most(60s);
    schema.key("factor", &Settings::factor, "how much longer each further one waits")
        .at_least(1)
        .at_most(100);
    schema.key("most", &Settings::most, "no reply waits longer: clients give up after minutes")
        .at_most(60s);
  }
  void setup(Hooks& hooks) override {
    hooks.on_connect(this, &Tarpit::arrive);
    hooks.on_rejected(this, &Tarpit::count);
    hooks.on_accepted(this, &Tarpit::forgive);
    hooks.on_unrecognized(this, &Tarpit::unrecognized);
    hooks.on_helo(this, &Tarpit::helo);
    hooks.on_mail(this, &Tarpit::mail);
    hooks.on_rcpt(this, &Tarpit::rcpt);
    hooks.on_data(this, &Tarpit::data);
    hooks.on_noop(this, &Tarpit::command);
    hooks.on_vrfy(this, &Tarpit::command);
  }

 private:
  void arrive(Session& session) { session.facts().put(Client(Seat(table_, session.id()))); }

  void count(Rejected what) {
    const auto [first, last] = table_.equal_range(what.session);
    for (auto at = first; at != last; ++at) ++at->second;
  }
  void forgive(Accepted what) {
    const auto [first, last] = table_.equal_range(what.session);
    for (auto at = first; at != last; ++at) at->second = 0;
  }

  void unrecognized(Command& command) {
    if (const Client* client = command.session().facts().find<Client>()) ++client->seat.errors();
    slow_down(command.session());
  }
  void helo(Hello& hello) { slow_down(hello.session()); }
  void mail(Transaction& tx) { slow_down(tx.session()); }
  void rcpt(Recipient& to) { slow_down(to.session()); }
  void data(Transaction& tx) { slow_down(tx.session()); }
  void command(Command& command) { slow_down(command.session()); }

  void slow_down(Session& session) {
    const Client* client = session.facts().find<Client>();
    if (!client || session.may_relay() || session.authenticated()) return;
    const Settings& here = settings(session);
    if (client->seat.errors() < std::max<std::size_t>(here.after, 1)) return;
    double wait = static_cast<double>(here.delay.count());
    const double most = static_cast<double>(here.most.count());
    for (std::size_t i = here.after; i < client->seat.errors() && wait < most; ++i)
      wait *= here.factor;
    session.slow_down(std::chrono::milliseconds(static_cast<std::int64_t>(std::min(wait, most))));
  }

  Table table_;  // the worker's own
};

}  // namespace

POSTERN_PLUGIN(Tarpit, "tarpit")

}  // namespace postern::plugins
