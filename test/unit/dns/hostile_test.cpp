// A server that is broken or hostile: each time an error for that lookup, and nothing for others.
#include <postern/net/socket_address.hpp>
#include <postern/net/sockets.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include "loop_world.hpp"

using namespace postern;
using namespace postern::dns;
using testing::DnsQuery;
using testing::DnsResponse;
namespace wire = postern::testing::wire;

namespace {

using Responses = std::vector<DnsResponse>;

Errc code_of(const Addresses& answer) {
  REQUIRE_FALSE(answer);
  return answer.error().code;
}

// What is asked for as "good.example" is answered whatever happens to the rest.
testing::DnsStub::Handler unless_good(testing::DnsStub::Handler handler) {
  return [handler = std::move(handler)](const DnsQuery& query) {
    if (query.name.ends_with("good.example")) return say(listed(query));
    return handler(query);
  };
}

}  // namespace

TEST_CASE("hostile DNS: a datagram without an octet ends nothing", "[dns][hostile][S030]") {
  // CVE-2023-32067: c-ares took it for the end of a connection.
  LoopWorld world(unless_good([](const DnsQuery& query) {
    return Responses{DnsResponse(std::string()), DnsResponse(std::string()),
                     DnsResponse(listed(query), 20ms)};
  }));
  std::deque<coro::Outcome<Addresses>> outcomes(50);
  coro::Scope scope(world.loop, "clients");
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const char* end = i % 2 == 0 ? ".example" : ".good.example";
    scope.start(coro::keep(world.dns->a(std::to_string(i) + end), outcomes[i]));
  }
  world.join(scope);
  for (const auto& outcome : outcomes) CHECK(outcome.ok());
}

TEST_CASE("hostile DNS: nothing but empty datagrams times out", "[dns][hostile][S030]") {
  LoopWorld world(
      unless_good([](const DnsQuery&) { return Responses{DnsResponse(std::string())}; }), 100ms, 2);
  const Errc code = code_of(world.ask());
  CHECK((code == Errc::timed_out || code == Errc::refused));  // by the version of c-ares
  CHECK(world.ask("good.example"));
}

TEST_CASE("hostile DNS: a server that does not know EDNS is asked without",
          "[dns][hostile][S030]") {
  std::size_t without = 0;
  LoopWorld world([&](const DnsQuery& query) {
    if (query.edns) return say(query.answer().code(1));
    ++without;
    return say(listed(query));
  });
  std::deque<coro::Outcome<Addresses>> outcomes(200);
  coro::Scope scope(world.loop, "clients");
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    scope.start(coro::keep(world.dns->a(std::to_string(i) + ".example"), outcomes[i]));
  world.join(scope);
  for (const auto& outcome : outcomes) CHECK(outcome.ok());
  CHECK(without == 200);
}

TEST_CASE("hostile DNS: FORMERR to everything is a failure of the server", "[dns][hostile][S030]") {
  LoopWorld world(unless_good([](const DnsQuery& query) { return say(query.answer().code(1)); }));
  CHECK(code_of(world.ask()) == Errc::servfail);
  CHECK(world.ask("good.example"));
}

TEST_CASE("hostile DNS: response codes are failures, one server or two", "[dns][hostile]") {
  const unsigned code = GENERATE(2u, 4u, 5u);
  CAPTURE(code);
  LoopWorld world(
      unless_good([&](const DnsQuery& query) { return say(query.answer().code(code)); }));
  CHECK(code_of(world.ask()) == Errc::servfail);
  CHECK(world.stub.udp_queries() == 1);
  CHECK(world.ask("good.example"));
  testing::DnsStub other(world.loop, [](const DnsQuery& query) { return say(listed(query)); });
  world.settings.servers.push_back(other.address());
  world.restart();
  CHECK(world.ask());
}

TEST_CASE("hostile DNS: what was truncated comes by TCP", "[dns][hostile][S030]") {
  LoopWorld world([](const DnsQuery& query) {
    if (!query.tcp) return say(query.answer().truncated());
    return say(listed(query));
  });
  for (int i = 0; i < 10; ++i) CHECK(world.ask(std::to_string(i) + ".example"));
  CHECK(world.stub.connections() == 1);  // it stays open
  CHECK(world.stub.tcp_queries() == 10);
}

TEST_CASE("hostile DNS: a connection that ends after each answer", "[dns][hostile][S030]") {
  LoopWorld world([](const DnsQuery& query) {
    if (!query.tcp) return say(query.answer().truncated());
    return say(listed(query));
  });
  world.stub.close_tcp_after(1);
  std::deque<coro::Outcome<Addresses>> outcomes(100);
  coro::Scope scope(world.loop, "clients");
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    scope.start(coro::keep(world.dns->a(std::to_string(i) + ".example"), outcomes[i]));
  world.join(scope);
  for (const auto& outcome : outcomes) CHECK(outcome.ok());
}

TEST_CASE("hostile DNS: a connection that ends instead of an answer fails that lookup alone",
          "[dns][hostile][S030]") {
  LoopWorld world(
      [](const DnsQuery& query) {
        if (query.name.ends_with("good.example")) return say(listed(query));
        if (!query.tcp) return say(query.answer().truncated());
        return nothing();
      },
      500ms);
  world.stub.close_tcp_after(1);
  coro::Outcome<Addresses> bad, good;
  coro::Scope scope(world.loop, "clients");
  scope.start(coro::keep(world.dns->a("bad.example"), bad));
  scope.start(coro::keep(world.dns->a("good.example"), good));
  world.join(scope);
  CHECK(bad.is(Errc::refused));
  CHECK(good.ok());
}

TEST_CASE("hostile DNS: a listener that never answers by TCP times out", "[dns][hostile][S030]") {
  LoopWorld world(
      [](const DnsQuery& query) {
        if (!query.tcp) return say(query.answer().truncated());
        return nothing();
      },
      100ms, 2);
  CHECK(code_of(world.ask()) == Errc::timed_out);
}

TEST_CASE("hostile DNS: forged answers are passed over", "[dns][hostile][S030]") {
  const std::string evil("\x0a\x66\x66\x66", 4);
  const auto forged = [&](const DnsQuery& query) {
    const unsigned wrong_id = query.id ^ 1;
    return Responses{
        DnsResponse(wire::Message(query.name, query.type, wrong_id).answer(wire::a, 300, evil)),
        DnsResponse(wire::Message("evil.example", query.type, query.id).answer(wire::a, 300, evil)),
        DnsResponse(wire::Message(query.name, wire::mx, query.id).answer(wire::a, 300, evil)),
        DnsResponse(std::string("\0", 1)), DnsResponse(std::string(11, '\0'))};
  };
  LoopWorld world([&](const DnsQuery& query) {
    auto all = forged(query);
    all.push_back(DnsResponse(listed(query), 20ms));
    return all;
  });
  const auto answer = world.ask();
  REQUIRE(answer);
  CHECK(answer->records.at(0).text() == "127.0.0.2");
  world.stub.handle(forged);
  world.settings.timeout = 100ms;
  world.settings.tries = 2;
  world.restart();
  CHECK(code_of(world.ask()) == Errc::timed_out);
}

TEST_CASE("hostile DNS: an answer from another port is passed over", "[dns][hostile]") {
  LoopWorld world([](const DnsQuery&) { return nothing(); }, 100ms, 2);
  const testing::DnsStub other(world.loop, [](const DnsQuery&) { return nothing(); });
  world.stub.handle([&](const DnsQuery& query) {
    other.send_datagram(listed(query).octets(), query.port);
    return nothing();
  });
  CHECK(code_of(world.ask()) == Errc::timed_out);
  CHECK(world.stub.udp_queries() == 2);
}

TEST_CASE("hostile DNS: an answer that comes after its time is nobody's", "[dns][hostile]") {
  std::size_t asked = 0;
  LoopWorld world(
      [&](const DnsQuery& query) {
        ++asked;
        const auto after = asked == 1 ? 400ms : 0ms;  // the first comes during the second try
        return Responses{DnsResponse(listed(query), after)};
      },
      300ms, 3);
  CHECK(world.ask());
  CHECK(asked == 2);
  CHECK(world.ask("two.example"));
}

TEST_CASE("hostile DNS: nobody listens", "[dns][hostile][S030]") {
  LoopWorld world([](const DnsQuery& query) { return say(listed(query)); });
  SocketAddress nowhere;
  {
    const testing::DnsStub gone(world.loop, [](const DnsQuery&) { return nothing(); });
    nowhere = gone.address();
  }
  world.settings.servers = {nowhere};
  world.restart();
  const auto began = world.loop.now();
  CHECK(code_of(world.ask()) == Errc::refused);  // ICMP says so: no need to wait
  CHECK(world.loop.now() - began < 900ms);
  world.settings.servers = {nowhere, world.stub.address()};
  world.restart();
  CHECK(world.ask());
}

TEST_CASE("hostile DNS: a network that cannot be reached", "[dns][hostile]") {
  LoopWorld world([](const DnsQuery& query) { return say(listed(query)); }, 100ms, 2);
  world.settings.servers = {*SocketAddress::parse("[100::1]:53")};  // RFC 6666: discarded
  world.restart();
  const Errc code = code_of(world.ask());
  CHECK((code == Errc::refused || code == Errc::timed_out || code == Errc::io));
}

TEST_CASE("hostile DNS: malformed answers are malformed", "[dns][hostile][S031][S032]") {
  struct Row {
    const char* why;
    std::function<wire::Message(wire::Message)> spoil;
  };
  static const std::string address("\x7f\0\0\x02", 4);
  const auto row = GENERATE(values<Row>({
      {"a compressed name that points at itself",
       [](wire::Message m) { return m.answer(wire::pointer(12 + 11 + 4), wire::a, 1, address); }},
      {"an address of five octets",
       [](wire::Message m) { return m.answer(wire::a, 1, address + "x"); }},
      {"a record that is longer than the message",
       [](wire::Message m) {
         return m.raw(wire::pointer(12) + wire::u16(wire::a) + wire::u16(1) + wire::u32(1) +
                          wire::u16(60'000),
                      1);
       }},
      {"more records announced than sent", [](wire::Message m) { return m.raw("", 7); }},
      {"an alias with CR LF",
       [](wire::Message m) { return m.answer(wire::cname, 1, wire::name("a\r\nb.example")); }},
      {"only records of other names",
       [](wire::Message m) { return m.answer(wire::name("evil.example"), wire::a, 1, address); }},
  }));
  CAPTURE(row.why);
  LoopWorld world(
      unless_good([&](const DnsQuery& query) { return say(row.spoil(query.answer())); }));
  CHECK(code_of(world.ask("a.example")) == Errc::malformed);
  CHECK(world.ask("good.example"));
}

TEST_CASE("hostile DNS: a chain of fifty aliases", "[dns][hostile][S032]") {
  LoopWorld world([](const DnsQuery& query) {
    if (!query.tcp) return say(query.answer().truncated());
    wire::Message message = query.answer();
    std::string owner = query.name;
    for (int i = 0; i < 50; ++i) {
      const std::string target = "n" + std::to_string(i) + ".example";
      message.answer(wire::name(owner), wire::cname, 300, wire::name(target));
      owner = target;
    }
    return say(message.answer(wire::name(owner), wire::a, 300, "abcd"));
  });
  CHECK(code_of(world.ask()) == Errc::malformed);
}

TEST_CASE("hostile DNS: 64 KiB of TXT by TCP", "[dns][hostile][S032]") {
  const std::vector<std::string> strings(254, std::string(255, 'x'));
  LoopWorld world([&](const DnsQuery& query) {
    if (!query.tcp) return say(query.answer().truncated());
    return say(query.answer().answer(wire::txt, 300, wire::txt_data(strings)));
  });
  const auto txt = world.run(world.dns->txt("a.example"));
  REQUIRE(txt);
  CHECK(txt->records.at(0).size() == 254 * 255);
  CHECK(world.dns->cache().octets() < 100'000);
}

TEST_CASE("hostile DNS: names that nobody may be shown", "[dns][hostile][S031]") {
  const std::string label(63, 'x');
  const std::string bad =
      GENERATE_COPY(std::string("a\0b.example", 11), std::string("a\"b.example"),
                    std::string("a\r\nb.example"), std::string("<script>.example"),
                    label + "." + label + "." + label + "." + label + "." + label);
  LoopWorld world([&](const DnsQuery& query) {
    if (query.type == wire::ptr) return say(query.answer().answer(wire::ptr, 60, wire::name(bad)));
    return say(query.answer().answer(wire::mx, 60, wire::mx_data(10, bad)));
  });
  const auto ptr = world.run(world.dns->ptr(IpAddress::v4({192, 0, 2, 1})));
  REQUIRE_FALSE(ptr);
  CHECK(ptr.error().code == Errc::malformed);
  CHECK(ptr.error().text.find('\r') == std::string::npos);
  const auto mx = world.run(world.dns->mx("a.example"));
  REQUIRE_FALSE(mx);
  CHECK(mx.error().code == Errc::malformed);
}
