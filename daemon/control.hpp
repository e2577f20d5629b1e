// The control socket: who may connect, one line from each client, the lines for it. What the
// commands mean is the master's matter.
//
// A client costs at most its place, one line of input and the lines that it does not read: whatever
// it sends, or does not, it harms its own connection only.
#pragma once

#include <postern/base/result.hpp>

#include <poll.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <vector>

namespace postern::daemon {

class Control {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::size_t most_clients = 32;
  static constexpr std::size_t max_line_octets = 4096;
  static constexpr std::chrono::seconds patience{10};  // for its line, and to take ours

  // What one client asks for; there is one command in a connection.
  struct Command {
    std::uint64_t client = 0;
    std::string line;         // without its newline
    bool may_change = false;  // root, or the user of this process; others may only look
  };

  // Makes the socket, with mode 0660, in place of one that nobody listens on any more; the last
  // folder of `path` is made if need be. Errors: exists (another process listens, or it is no
  // socket), too_long, permission, ...; the text names the path.
  static Result<Control> open(const std::string& path);
  Control(Control&& other) noexcept;
  Control& operator=(Control&&) = delete;
  ~Control();  // removes the socket, if it still is this one

  const std::string& path() const { return path_; }

  // Appends what poll() shall wait for; serve() wants the same part back.
  void watch(std::vector<pollfd>& polled) const;
  std::vector<Command> serve(const pollfd* polled, std::size_t count, TimePoint now);
  TimePoint due() const;  // when serve() has something to do whatever happens
  std::size_t clients() const { return clients_.size(); }

  // One JSON object for a client; the last one ends the connection. Nothing happens if it has gone.
  void send(std::uint64_t client, std::string_view json, TimePoint now);
  void send_last(std::uint64_t client, std::string_view json, TimePoint now);

 private:
  struct Client {
    std::uint64_t id = 0;
    int socket = -1;
    bool may_change = false;
    bool has_asked = false;
    bool ends = false;  // when all is sent
    std::string input, output;
    TimePoint due;  // max: we are working for it
  };
  enum class Step : std::uint8_t { wait, asked, gone };

  Control(std::string path, int listener, dev_t device, ino_t inode)
      : path_(std::move(path)), listener_(listener), device_(device), inode_(inode) {}
  void accept_all(TimePoint now);
  Step step(Client& client, short events, TimePoint now);
  Step read_line(Client& client, TimePoint now);
  bool flush(Client& client, TimePoint now);
  Client* find(std::uint64_t id);
  short events_of(const Client& client) const;

  std::string path_;
  int listener_;
  dev_t device_;
  ino_t inode_;
  std::list<Client> clients_;
  std::uint64_t count_ = 0;
};

// {"error": …}
std::string control_error(std::string_view text);

}  // namespace postern::daemon
