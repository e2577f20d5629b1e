// The master: binds ports, starts and watches workers, relays signals. It parses nothing from the
// network, runs no event loop and loads no plugin; what it waits for, it waits for in poll().
#pragma once

#include <postern/base/log_writer.hpp>
#include <postern/policy/load.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "assignment.hpp"
#include "certificates.hpp"
#include "child.hpp"
#include "control.hpp"
#include "helper_link.hpp"
#include "judge.hpp"
#include "ports.hpp"
#include "service_manager.hpp"
#include "tally.hpp"

namespace postern::json {
class Writer;
}

namespace postern::daemon {

class Master {
 public:
  explicit Master(std::string configuration_file);
  ~Master();

  // Until all workers have gone. The exit status: 1 when it could not start, which one line on
  // standard error has said.
  int run();

 private:
  using Clock = std::chrono::steady_clock;
  using TimePoint = Clock::time_point;

  // A worker's sockets go to another when it is away for longer.
  static constexpr std::chrono::milliseconds absence{100};

  // The place of one worker in a generation; whoever fills it may change.
  struct Slot {
    bool serves() const { return child != nullptr && child->state == Child::State::serving; }

    Child* child = nullptr;  // null: between two
    TimePoint away_since;
    TimePoint restart_at = TimePoint::max();
    std::chrono::milliseconds back_off{0};
    std::uint64_t restarts = 0;
  };
  // One configuration and the workers that run with it.
  struct Generation {
    std::uint64_t number = 0;
    std::shared_ptr<const std::string> bundle;  // encoded for the workers
    policy::MasterSettings settings;
    std::optional<CertificateWatch> certificates;  // where a listener speaks TLS
    std::vector<Slot> slots;
    TimePoint ready_by = TimePoint::max();
    std::chrono::system_clock::time_point ready_at;
  };
  // A command that the workers were asked to answer.
  struct Inquiry {
    std::uint64_t client = 0;
    TimePoint due;
    std::set<Child*> awaited;
  };

  // master.cpp: the loop, the end.
  bool open_signals();
  void turn();
  TimePoint next_due() const;
  void handle_signals();
  void on_signal(int number);
  void on_time(TimePoint now);
  void stop();
  void reopen_logs();
  void say(const std::string& line);  // standard error before the start is complete, then the log

  // master_generations.cpp: start and reload.
  void begin_generation();
  void judged();
  void start_generation();
  Result<void> open_log(const policy::MasterSettings& settings);
  void go_on_as_before();
  void take_over();
  void give_up(const std::string& why);
  void next_request();
  void tell_ready();
  std::string not_usable() const;

  // master_control.cpp: commands.
  Result<void> open_control(const policy::MasterSettings& settings);
  Result<Control> make_control(const policy::MasterSettings& settings);
  void serve_control(const pollfd* polled, std::size_t count, TimePoint now);
  void obey(const Control::Command& command, TimePoint now);
  void ask_workers(std::uint64_t client, const std::string& word, TimePoint now);
  void take_answer(Child& child, const Answer& answer);
  void settle_inquiries(TimePoint now);
  std::string status(const Inquiry& inquiry) const;
  bool all_serve() const;
  void write_generations(json::Writer& json) const;
  void write_workers(json::Writer& json) const;
  void tell_verdict(bool taken_over);

  // master_tls.cpp: what the listeners with TLS have.
  void hand_over_tls(const Generation& generation, Child& child);
  void keep_tls(TimePoint now);
  void rotate_ticket_keys(TimePoint now);

  // master_helpers.cpp: who starts programs for the workers.
  Result<void> start_helper(const Generation& generation, std::string_view bundle);
  int helper_of(std::uint64_t generation) const;
  void reap_helpers();
  void keep_helpers(TimePoint now);

  // master_workers.cpp.
  void start_worker(Generation& generation, std::size_t slot);
  void hear(Child& child);
  void take(Child& child, const Message& message);
  void reap();
  void died(Child& child, int status);
  void replace(Generation& generation, Child& child, Level level, std::string_view how);
  void leave(Child& child);
  void condemn(Child& child, int number);
  void watch(Child& child, TimePoint now);
  void share_out();
  Generation* generation_of(const Child& child);
  Slot* slot_of(const Child& child);

  std::string file_;
  ServiceManager manager_;
  std::unique_ptr<LogWriter> log_;    // null until the configuration is known
  policy::LogSettings log_settings_;  // of log_
  std::string log_user_;              // likewise
  int signals_ = -1;                  // signalfd
  std::optional<Judge> judge_;
  policy::Bundle judged_bundle_;
  std::string judged_bytes_;
  std::unique_ptr<Ports> ports_;
  std::unique_ptr<Generation> current_;               // null until the start is complete
  std::unique_ptr<Generation> next_;                  // not ready yet
  std::vector<std::unique_ptr<Child>> children_;      // of every generation
  std::vector<std::unique_ptr<HelperLink>> helpers_;  // likewise
  bool no_more_programs_ = false;                     // the rights to start them have been given up
  std::vector<Presence> presence_;  // of the slots of current_, when last looked at
  Columns columns_;                 // who serves what of it
  std::uint64_t generations_ = 0;
  std::optional<Tally> tally_;
  std::unique_ptr<Control> control_;
  std::map<std::uint64_t, Inquiry> inquiries_;
  std::uint64_t inquiries_asked_ = 0;
  std::vector<std::uint64_t> reload_asked_by_;  // clients of the next reload ...
  std::vector<std::uint64_t> reloading_for_;    // ... and of the one under way
  std::vector<std::string> verdict_;            // what there is to say about it
  std::vector<std::string> refused_;            // of the last one, if it was refused
  std::chrono::system_clock::time_point refused_at_;
  std::chrono::system_clock::time_point began_ = std::chrono::system_clock::now();
  std::optional<net::TicketKeys> ticket_keys_;  // from the first worker with TLS on
  TimePoint ticket_keys_due_ = TimePoint::max();
  TimePoint certificates_due_ = TimePoint::max();  // to be looked at
  bool reload_asked_ = false;
  int stops_asked_ = 0;
  TimePoint kill_all_at_ = TimePoint::max();
  bool started_ = false;  // a generation was ready
  bool failed_ = false;   // the start was given up
};

}  // namespace postern::daemon
