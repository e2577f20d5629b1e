// systemd, as far as the master has to do with it: readiness, watchdog, and listening sockets that
// it has made for us. The protocols of sd_notify(3) and sd_listen_fds(3) are a datagram and three
// variables; no library is needed.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace postern::daemon {

class ServiceManager {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Takes the variables out of the environment: what is started from here is not meant by them.
  ServiceManager();

  void ready(std::string_view status);
  void reloading();
  void stopping();

  // When on_time() has a beat of the watchdog to send; max where none is wanted.
  TimePoint due() const { return due_; }
  void on_time(TimePoint now);

  // Listening TCP sockets that were passed on; the caller owns them now.
  std::vector<int> take_sockets();

 private:
  void tell(std::string_view text) const;

  std::string address_;  // of its socket, as NOTIFY_SOCKET has it
  std::chrono::microseconds interval_{0};
  TimePoint due_ = TimePoint::max();
  int sockets_ = 0;  // passed on, from descriptor 3
};

}  // namespace postern::daemon
