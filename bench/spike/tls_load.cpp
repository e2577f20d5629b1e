// Clients that say EHLO, STARTTLS, EHLO, QUIT, each a session after the other, on a thread of its
// own.
//
//   tls-load --port 2525 --mode full --clients 16 --seconds 2
//
// Modes: full, a new TLS session each time; resumed, the ticket of the session before, and it
// counts as failed when the server does not take it; plain, the same dialogue without STARTTLS.
// Prints one JSON object; status 1 when a session failed.
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace postern::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr timeval patience{20, 0};

struct Freed {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Context = std::unique_ptr<SSL_CTX, Freed>;
using Ssl = std::unique_ptr<SSL, Freed>;
using Ticket = std::unique_ptr<SSL_SESSION, Freed>;

enum class Mode { full, resumed, plain };

class Socket {
 public:
  explicit Socket(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      ::close(fd_);
      throw std::runtime_error("connect");
    }
  }
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// One session after the other; keeps the last ticket.
class Client {
 public:
  Client(std::uint16_t port, Mode mode)
      : port_(port), mode_(mode), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_session_cache_mode(context_.get(),
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_set_app_data(context_.get(), this);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      static_cast<Client*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))
          ->ticket_.reset(SSL_SESSION_dup(session));
      return 0;
    });
  }

  // Throws std::runtime_error: what went wrong.
  void run() {
    const Socket socket(port_);
    socket_ = &socket;
    ssl_.reset();
    expect(220);
    say("EHLO client.example.org", 250);
    if (mode_ != Mode::plain) {
      say("STARTTLS", 220);
      shake_hands();
      say("EHLO client.example.org", 250);
    }
    say("QUIT", 221);
    if (ssl_) SSL_shutdown(ssl_.get());
  }

 private:
  void shake_hands() {
    Ssl ssl(SSL_new(context_.get()));
    const bool offers = mode_ == Mode::resumed && ticket_;
    // A copy: OpenSSL spoils a session of TLS 1.3 by using it, and no new ticket may come.
    const Ticket once(offers ? SSL_SESSION_dup(ticket_.get()) : nullptr);
    if (offers) SSL_set_session(ssl.get(), once.get());
    SSL_set_fd(ssl.get(), socket_->fd());
    if (SSL_connect(ssl.get()) != 1) throw std::runtime_error("the handshake failed");
    if (offers && SSL_session_reused(ssl.get()) != 1)
      throw std::runtime_error("the ticket was not taken");
    ssl_ = std::move(ssl);
  }
  void say(std::string_view line, int code) {
    const std::string octets = std::string(line) + "\r\n";
    const auto size = static_cast<int>(octets.size());
    const auto sent = ssl_ ? SSL_write(ssl_.get(), octets.data(), size)
                           : send(socket_->fd(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent != size) throw std::runtime_error("sending failed");
    expect(code);
  }
  void expect(int code) {
    std::string heard;
    while (!is_whole(heard)) {
      char buffer[4096];
      const auto count = ssl_ ? SSL_read(ssl_.get(), buffer, sizeof buffer)
                              : recv(socket_->fd(), buffer, sizeof buffer, 0);
      if (count <= 0) throw std::runtime_error("no reply, or only half of it");
      heard.append(buffer, static_cast<std::size_t>(count));
    }
    if (std::atoi(heard.c_str()) != code) throw std::runtime_error(heard);
  }
  // The last line has no hyphen behind its code.
  static bool is_whole(std::string_view reply) {
    if (!reply.ends_with("\r\n")) return false;
    const auto last = reply.rfind('\n', reply.size() - 2) + 1;  // npos + 1 is 0
    return reply.size() > last + 3 && reply[last + 3] != '-';
  }

  std::uint16_t port_;
  Mode mode_;
  Context context_;
  Ticket ticket_;
  Ssl ssl_;
  const Socket* socket_ = nullptr;
};

struct Options {
  std::uint16_t port = 0;
  Mode mode = Mode::full;
  int clients = 16;
  double seconds = 1;
};

Options read_options(const std::vector<std::string>& words) {
  Options options;
  for (std::size_t i = 0; i + 1 < words.size(); i += 2) {
    const std::string &name = words[i], &value = words[i + 1];
    if (name == "--port") options.port = static_cast<std::uint16_t>(std::stoi(value));
    if (name == "--clients") options.clients = std::stoi(value);
    if (name == "--seconds") options.seconds = std::stod(value);
    if (name == "--mode")
      options.mode = value == "resumed" ? Mode::resumed
                     : value == "plain" ? Mode::plain
                                        : Mode::full;
  }
  return options;
}

int main(int argc, char** argv) {
  const Options options = read_options({argv + 1, argv + argc});
  std::atomic<int> sessions{0}, failed{0};
  const auto began = Clock::now();
  const auto until = began + std::chrono::duration_cast<Clock::duration>(
                                 std::chrono::duration<double>(options.seconds));
  const auto work = [&] {
    Client client(options.port, options.mode);
    while (Clock::now() < until) {
      try {
        client.run();
        ++sessions;
      } catch (const std::runtime_error& error) {
        if (failed++ == 0) std::fprintf(stderr, "tls-load: a session failed: %s\n", error.what());
      }
    }
  };
  std::vector<std::thread> clients;
  for (int i = 0; i < options.clients; ++i) clients.emplace_back(work);
  for (std::thread& client : clients) client.join();
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  fmt::print(R"({{"sessions": {}, "failed": {}, "seconds": {:.3f}}})"
             "\n",
             sessions.load(), failed.load(), seconds);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace postern::bench

int main(int argc, char** argv) { return postern::bench::main(argc, argv); }
