// The yardstick: the least that a filtering proxy on libuv, c-ares and C++20 coroutines can cost.
// It does what the scenarios ask for and nothing more: no limits, no timeouts, no log, no errors
// but the end of a connection, and shares no code with Postern.
//
//   spike PORT NAMESERVER_PORT ZONE DOWNSTREAM_PORT RECIPIENTS_FILE
#include <uv.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "coroutine.hpp"
#include "names.hpp"
#include "wire.hpp"

namespace spike {
namespace {

constexpr int backlog = 4096;

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

}  // namespace
}  // namespace spike

int main(int argc, char** argv) { return spike::main(argc, argv); }
