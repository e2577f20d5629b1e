// The yardstick: the least that a filtering proxy on libuv, c-ares and C++20 coroutines can cost.
// It does what the scenarios ask for and nothing more: no limits, no timeouts, no log, no errors
// but the end of a connection, and shares no code with Postern.
//
//   spike PORT NAMESERVER_PORT ZONE DOWNSTREAM_PORT RECIPIENTS_FILE
#include <ares.h>
#include <arpa/inet.h>
#include <uv.h>

#include <array>
#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace {

constexpr int backlog = 4096;
std::array<char, 64 * 1024> read_buffer;  // one for the loop: what is read is copied out at once

// ---- coroutines ---------------------------------------------------------------------------------

// Nobody waits for a session: it owns itself, and ends when its client does.
struct Session {
  struct promise_type {
    Session get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

class Forwarding {  // a task with a result, awaited at once
 public:
  struct promise_type {
    Forwarding get_return_object() { return Forwarding(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct Back {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> done) noexcept {
          return done.promise().waiter;
        }
        void await_resume() noexcept {}
      };
      return Back();
    }
    void return_value(bool value) { taken = value; }
    void unhandled_exception() { std::terminate(); }
    std::coroutine_handle<> waiter;
    bool taken = false;
  };
  using Handle = std::coroutine_handle<promise_type>;

  explicit Forwarding(Handle handle) : handle_(handle) {}
  Forwarding(const Forwarding&) = delete;
  Forwarding& operator=(const Forwarding&) = delete;
  ~Forwarding() { handle_.destroy(); }
  bool await_ready() { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiter) {
    handle_.promise().waiter = waiter;
    return handle_;
  }
  bool await_resume() { return handle_.promise().taken; }

 private:
  Handle handle_;
};

// ---- a connection -------------------------------------------------------------------------------

struct Wire {
  uv_tcp_t tcp{};
  uv_connect_t connecting{};
  std::string in, out;
  std::size_t used = 0;  // of `in`
  std::coroutine_handle<> waiter;
  std::string_view wanted;  // what `in` must hold for the waiter to go on
  bool over = false;

  explicit Wire(uv_loop_t* loop) {
    uv_tcp_init(loop, &tcp);
    tcp.data = this;
  }

  void listen_to_it() {
    uv_read_start(
        stream(),
        [](uv_handle_t*, std::size_t, uv_buf_t* buffer) {
          *buffer = uv_buf_init(read_buffer.data(), read_buffer.size());
        },
        [](uv_stream_t* from, ssize_t count, const uv_buf_t* buffer) {
          static_cast<Wire*>(from->data)->take(buffer->base, count);
        });
  }
  void take(const char* octets, ssize_t count) {
    if (count < 0) over = true;
    if (count > 0) in.append(octets, static_cast<std::size_t>(count));
    if (waiter && ready()) std::exchange(waiter, {}).resume();
  }
  bool ready() const { return over || in.find(wanted, used) != std::string::npos; }

  void say(std::string_view text) { out += text; }
  void flush() {  // an empty buffer of the socket holds all that the scenarios say
    if (out.empty()) return;
    uv_buf_t buffer = uv_buf_init(out.data(), static_cast<unsigned>(out.size()));
    if (uv_try_write(stream(), &buffer, 1) != static_cast<int>(out.size())) over = true;
    out.clear();
  }
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }

  struct Close {
    void operator()(Wire* wire) const {
      wire->flush();
      uv_close(reinterpret_cast<uv_handle_t*>(&wire->tcp),
               [](uv_handle_t* handle) { delete static_cast<Wire*>(handle->data); });
    }
  };

  // Up to the next `end` and with it, valid until the next wait; empty at the end of the
  // connection. All replies so far leave before a wait.
  auto until(std::string_view end) {
    struct Wait {
      Wire& wire;
      std::string_view end;
      bool await_ready() {
        if (wire.used == wire.in.size()) wire.in.clear(), wire.used = 0;
        wire.wanted = end;
        return wire.ready();
      }
      void await_suspend(std::coroutine_handle<> handle) {
        wire.flush();
        wire.waiter = handle;
      }
      std::string_view await_resume() {
        const std::size_t at = wire.in.find(end, wire.used);
        if (at == std::string::npos) return {};
        const std::size_t from = std::exchange(wire.used, at + end.size());
        return std::string_view(wire.in).substr(from, wire.used - from);
      }
    };
    return Wait{*this, end};
  }
  auto line() { return until("\r\n"); }
};
using WirePtr = std::unique_ptr<Wire, Wire::Close>;

struct Connecting {
  Wire& wire;
  sockaddr_in to;
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    wire.waiter = handle;
    uv_tcp_nodelay(&wire.tcp, 1);
    uv_tcp_connect(&wire.connecting, &wire.tcp, reinterpret_cast<const sockaddr*>(&to),
                   [](uv_connect_t* request, int status) {
                     auto* connected = static_cast<Wire*>(request->handle->data);
                     connected->over = status < 0;
                     std::exchange(connected->waiter, {}).resume();
                   });
  }
  void await_resume() {}
};

// ---- names --------------------------------------------------------------------------------------

class Names {
 public:
  struct Listing {  // shared with c-ares, which may answer when the client has gone
    bool known = false, listed = false;
    std::coroutine_handle<> waiter;
  };

  Names(uv_loop_t* loop, const std::string& server, std::string zone)
      : loop_(loop), zone_(std::move(zone)) {
    ares_options options{};
    options.flags = ARES_FLAG_STAYOPEN | ARES_FLAG_NOSEARCH;
    options.sock_state_cb = [](void* self, ares_socket_t socket, int read, int write) {
      static_cast<Names*>(self)->watch(socket, read != 0, write != 0);
    };
    options.sock_state_cb_data = this;
    ares_library_init(ARES_LIB_INIT_ALL);
    ares_init_options(&channel_, &options, ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB);
    ares_set_servers_ports_csv(channel_, server.c_str());
    uv_timer_init(loop, &timer_);
    timer_.data = this;
    uv_timer_start(
        &timer_, [](uv_timer_t* timer) { static_cast<Names*>(timer->data)->turn({}); }, 1000, 1000);
  }

  std::shared_ptr<Listing> ask(in_addr client) {
    const auto* octet = reinterpret_cast<const unsigned char*>(&client);
    std::array<char, 300> name;
    std::snprintf(name.data(), name.size(), "%u.%u.%u.%u.%s", octet[3], octet[2], octet[1],
                  octet[0], zone_.c_str());
    auto listing = std::make_shared<Listing>();
    ares_query(
        channel_, name.data(), 1 /* IN */, 1 /* A */,
        [](void* kept, int status, int, unsigned char*, int) {
          const std::unique_ptr<std::shared_ptr<Listing>> to(
              static_cast<std::shared_ptr<Listing>*>(kept));
          (*to)->known = true;
          (*to)->listed = status == ARES_SUCCESS;
          if ((*to)->waiter) (*to)->waiter.resume();
        },
        new std::shared_ptr<Listing>(listing));
    return listing;
  }

 private:
  void watch(ares_socket_t socket, bool read, bool write) {
    auto& poll = polls_[socket];
    if (!poll) {
      poll = new uv_poll_t();
      poll->data = this;
      uv_poll_init(loop_, poll, socket);
    }
    if (read || write) {
      uv_poll_start(poll, (read ? UV_READABLE : 0) | (write ? UV_WRITABLE : 0),
                    [](uv_poll_t* ready, int, int) {
                      uv_os_fd_t file = -1;
                      uv_fileno(reinterpret_cast<uv_handle_t*>(ready), &file);
                      static_cast<Names*>(ready->data)->turn(file);
                    });
      return;
    }
    uv_close(reinterpret_cast<uv_handle_t*>(poll),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
    polls_.erase(socket);
  }
  void turn(std::optional<int> file) {
    const ares_socket_t socket = file ? *file : ARES_SOCKET_BAD;
    ares_process_fd(channel_, socket, ARES_SOCKET_BAD);
  }

  uv_loop_t* loop_;
  std::string zone_;
  ares_channel channel_ = nullptr;
  uv_timer_t timer_{};
  std::unordered_map<ares_socket_t, uv_poll_t*> polls_;
};

struct Listed {
  Names::Listing& listing;
  Wire& wire;
  bool await_ready() { return listing.known; }
  void await_suspend(std::coroutine_handle<> handle) {
    wire.flush();
    listing.waiter = handle;
  }
  bool await_resume() { return listing.listed; }
};

// ---- sessions -----------------------------------------------------------------------------------

struct Proxy {
  uv_loop_t* loop;
  Names& names;
  std::unordered_set<std::string> recipients;
  sockaddr_in downstream{};
};

// Reads the replies of one write; false when one is not of the class that is due.
Forwarding replies(Wire& wire, std::string classes) {
  for (const char due : classes) {
    for (bool last = false; !last;) {
      const std::string_view line = co_await wire.line();
      if (line.size() < 4 || line[0] != due) co_return false;
      last = line[3] != '-';
    }
  }
  co_return true;
}

Forwarding forward(Proxy& proxy, std::string envelope, std::string classes, std::string body) {
  WirePtr downstream(new Wire(proxy.loop));
  Connecting connecting{*downstream, proxy.downstream};
  co_await connecting;
  if (downstream->over) co_return false;
  downstream->listen_to_it();
  bool good = co_await replies(*downstream, "2");
  downstream->say("EHLO mx.example.net\r\n");
  if (good) good = co_await replies(*downstream, "2");
  downstream->say(envelope);
  if (good) good = co_await replies(*downstream, classes);
  downstream->say(body);
  if (good) good = co_await replies(*downstream, "2");
  downstream->say("QUIT\r\n");
  co_return good;
}

bool begins(std::string_view line, std::string_view verb) {
  return line.substr(0, verb.size()) == verb;
}

std::string mailbox_of(std::string_view line) {
  const std::size_t from = line.find('<'), to = line.find('>');
  return from < to ? std::string(line.substr(from + 1, to - from - 1)) : std::string();
}

Session serve(Proxy& proxy, Wire* accepted, in_addr address) {
  const WirePtr client(accepted);
  const auto listing = proxy.names.ask(address);
  std::string envelope, classes;
  client->say("220 mx.example.net ESMTP\r\n");
  client->flush();
  client->listen_to_it();
  for (;;) {
    const std::string_view line = co_await client->line();
    if (line.empty()) co_return;
    if (begins(line, "EHLO")) {
      client->say("250-mx.example.net\r\n250-PIPELINING\r\n250 SIZE 52428800\r\n");
    } else if (begins(line, "MAIL")) {
      envelope = line;
      classes = "2";
      client->say("250 2.1.0 Sender OK\r\n");
    } else if (begins(line, "RCPT")) {
      std::string command(line);  // the view ends with a wait
      Listed waiting{*listing, *client};
      const bool listed = co_await waiting;
      if (!listed && proxy.recipients.count(mailbox_of(command)) > 0) {
        envelope += command;
        classes += '2';
        client->say("250 2.1.5 Recipient OK\r\n");
      } else {
        client->say("550 5.1.1 No such recipient here\r\n");
      }
    } else if (begins(line, "DATA")) {
      client->say("354 End with CRLF.CRLF\r\n");
      const std::string_view body = co_await client->until("\r\n.\r\n");
      const bool taken =
          co_await forward(proxy, envelope + "DATA\r\n", classes + "3", std::string(body));
      client->say(taken ? "250 2.0.0 Taken\r\n" : "451 4.4.1 Try again\r\n");
    } else if (begins(line, "QUIT")) {
      client->say("221 2.0.0 Bye\r\n");
      co_return;
    }
  }
}

void accept_one(uv_stream_t* listening, int) {
  auto& proxy = *static_cast<Proxy*>(listening->data);
  WirePtr client(new Wire(proxy.loop));
  sockaddr_in address{};
  int length = sizeof address;
  if (uv_accept(listening, client->stream()) != 0) return;
  if (uv_tcp_getpeername(&client->tcp, reinterpret_cast<sockaddr*>(&address), &length) != 0) return;
  serve(proxy, client.release(), address.sin_addr);
}

std::unordered_set<std::string> lines_of(const char* path) {
  std::unordered_set<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.insert(line);
  return lines;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "spike PORT NAMESERVER_PORT ZONE DOWNSTREAM_PORT RECIPIENTS_FILE\n");
    return 2;
  }
  uv_loop_t* loop = uv_default_loop();
  Names names(loop, std::string("127.0.0.1:") + argv[2], argv[3]);
  Proxy proxy{loop, names, lines_of(argv[5]), {}};
  uv_ip4_addr("127.0.0.1", std::atoi(argv[4]), &proxy.downstream);
  uv_tcp_t listening;
  sockaddr_in here{};
  uv_ip4_addr("127.0.0.1", std::atoi(argv[1]), &here);
  uv_tcp_init(loop, &listening);
  listening.data = &proxy;
  uv_tcp_bind(&listening, reinterpret_cast<const sockaddr*>(&here), 0);
  uv_tcp_nodelay(&listening, 1);  // accepted sockets inherit it
  if (const int error =
          uv_listen(reinterpret_cast<uv_stream_t*>(&listening), backlog, accept_one)) {
    std::fprintf(stderr, "spike: %s\n", uv_strerror(error));
    return 1;
  }
  return uv_run(loop, UV_RUN_DEFAULT);
}
