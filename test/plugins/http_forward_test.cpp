// http_forward: recipients whose mail is posted to a web server.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using testing::Harness;

namespace {

// Reads a request and says `reply`; empty: nothing, and waits for the end.
struct WebServer {
  coro::Task<void> serve(net::StreamPtr stream) {
    ++connections;
    request.clear();
    while (!whole()) {
      request += stream->input();
      stream->consume(stream->input().size());
      if (whole() || request.size() >= answers_at) break;
      auto more = co_await stream->more(coro::forever);
      if (!more) co_return;
    }
    if (closes) co_return;
    stream->write(reply);
    auto more = co_await stream->more(coro::forever);
    (void)more;
  }
  bool whole() const {
    const auto at = request.find("Content-Length: "), head = request.find("\r\n\r\n");
    if (at == std::string::npos || head == std::string::npos) return false;
    return request.size() >= head + 4 + std::stoul(request.substr(at + 16));
  }
  bool has(const std::string& line) const {
    return request.find("\r\n" + line + "\r\n") != std::string::npos;
  }

  std::string reply = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  bool closes = false;
  std::size_t answers_at = std::string::npos;
  std::string request;
  int connections = 0;
};

struct Posted {
  explicit Posted(const std::string& keys = {},
                  const std::string& url = "http://127.0.0.1:8080/in") {
    h.load("http_forward", "url = \"" + url + "\"\nanswer_within = \"20s\"\n" + keys);
    for (const char* address : {"127.0.0.1:8080", "192.0.2.80:8080"})
      h.network.listen(*SocketAddress::parse(address),
                       [this](net::StreamPtr stream) { return web.serve(std::move(stream)); });
  }
  std::string send(const std::string& message = "Subject: s\r\n\r\n.b\r\n") {
    test::arrive(h);
    const auto rcpt = h.client.recipient("x@example.net");
    if (rcpt.code != 250) return in_one_line(rcpt);
    return in_one_line(h.client.message(message));
  }

  WebServer web;
  Harness h;
};

}  // namespace

TEST_CASE("http_forward: posts the message with its envelope", "[plugins][http_forward]") {
  Posted posted("headers = [\"Authorization: Bearer x\"]");
  CHECK(posted.send().substr(0, 18) == "250 2.0.0 taken as");
  CHECK(posted.web.request.starts_with("POST /in HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"));
  CHECK(posted.web.has("Content-Type: message/rfc822"));
  CHECK(posted.web.has("Postern-Sender: <a@b.example>"));
  CHECK(posted.web.has("Postern-Recipient: <x@example.net>"));
  CHECK(posted.web.has("Postern-Client: 192.0.2.1"));
  CHECK(posted.web.has("Authorization: Bearer x"));
  CHECK(posted.web.request.find("Idempotency-Key: \"s1") != std::string::npos);
  CHECK(posted.web.request.find("\r\n\r\nReceived: ") != std::string::npos);
  CHECK(posted.web.request.ends_with("Subject: s\r\n\r\n.b\r\n"));
  CHECK(posted.h.end() == "");
}

TEST_CASE("http_forward: what a status means to the client", "[plugins][http_forward]") {
  struct Row {
    const char* reply;
    const char* heard;
  };
  const auto row = GENERATE(values<Row>({
      {"HTTP/1.1 202 Taken\r\n\r\n", "250 2.0.0"},
      {"HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\nnot here\n", "550 5.3.0 not here"},
      {"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", "550 5.3.0 no"},
      {"HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\n<html>", "550 5.3.0 The message was not taken"},
      {"HTTP/1.1 408 Slow\r\nContent-Length: 0\r\n\r\n", "451 4.3.0"},
      {"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", "451 4.3.0"},
      {"HTTP/1.1 413 Big\r\nContent-Length: 0\r\n\r\n", "552 5.3.4"},
      {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "451 4.3.0"},
      {"HTTP/1.1 302 There\r\nLocation: http://192.0.2.80:8080/\r\nContent-Length: 0\r\n\r\n",
       "451 4.3.0"},
      {"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "250 2.0.0"},
      {"220 smtp.example ESMTP\r\n", "451 4.3.0"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "451 4.3.0"},
  }));
  CAPTURE(row.reply);
  Posted posted;
  posted.web.reply = row.reply;
  CHECK(posted.send().starts_with(row.heard));
  CHECK(posted.web.connections == 1);
  CHECK(posted.h.end() == "");
}

TEST_CASE("http_forward: the site says what 4xx and 5xx are", "[plugins][http_forward]") {
  Posted posted("on_4xx = 450\non_5xx = 554");
  const bool four = GENERATE(true, false);
  posted.web.reply = four ? "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n"
                          : "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
  CHECK(posted.send().substr(0, 9) == (four ? "450 4.3.0" : "554 5.3.0"));
  CHECK(posted.h.end() == "");
}

TEST_CASE("http_forward: a server that goes, hangs or is not there defers",
          "[plugins][http_forward]") {
  Posted posted;
  const int how = GENERATE(0, 1, 2, 3);
  if (how == 0) posted.web.closes = true;
  if (how == 1) posted.web.reply.clear();
  if (how == 2) posted.h.network.fail(*SocketAddress::parse("127.0.0.1:8080"), Errc::refused);
  if (how == 3) posted.h.network.silence(*SocketAddress::parse("127.0.0.1:8080"));
  const auto begin = posted.h.sim.elapsed();
  CHECK(posted.send().substr(0, 5) == "451 4");
  CHECK(posted.h.sim.elapsed() - begin < 30s);
  CHECK(posted.h.end() == "");
}

TEST_CASE("http_forward: an answer before the end of the message takes nothing",
          "[plugins][http_forward]") {
  Posted posted;
  posted.web.answers_at = 1000;
  const bool refuses = GENERATE(true, false);
  if (refuses) posted.web.reply = "HTTP/1.1 413 Big\r\nContent-Length: 0\r\n\r\n";
  const std::string line = std::string(76, 'x') + "\r\n";
  std::string large = "Subject: s\r\n\r\n";
  while (large.size() < 2'000'000) large += line;
  CHECK(posted.send(large).substr(0, 3) == (refuses ? "552" : "451"));
  CHECK(posted.h.end() == "");
}

TEST_CASE("http_forward: a name is asked for in the DNS, localhost is not",
          "[plugins][http_forward]") {
  const bool local = GENERATE(true, false);
  Posted posted("", local ? "http://localhost:8080/" : "http://web.example:8080/");
  posted.h.dns.add_a("web.example", "192.0.2.80");
  CHECK(posted.send().substr(0, 3) == "250");
  CHECK(posted.web.has(local ? "Host: localhost:8080" : "Host: web.example:8080"));
  CHECK(posted.h.end() == "");
}

TEST_CASE("http_forward: a name that is not there defers", "[plugins][http_forward]") {
  Posted posted("", "http://gone.example:8080/");
  CHECK(posted.send().substr(0, 5) == "451 4");
  CHECK(posted.h.end() == "");
}

TEST_CASE("http_forward: a URL that is none is a mistake", "[plugins][http_forward]") {
  Harness h;
  h.load("http_forward", "url = \"ftp://a.example/\"");
  REQUIRE(h.problems().size() == 1);
  CHECK(test::contains(h.problems().front(), "http://"));
}
