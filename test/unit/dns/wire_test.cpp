#include <postern/dns/wire.hpp>

#include "catch.hpp"
#include "support/dns_message.hpp"

using namespace postern;
using namespace postern::dns;
using namespace std::chrono_literals;
namespace wire = postern::testing::wire;
using wire::Message;

namespace {

const std::string loopback("\x7f\0\0\x02", 4);

Result<Reply> read(const std::string& octets, const Question& question) {
  return read_reply({reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size()},
                    question);
}
Result<Reply> read(const Message& message, Type type, const char* name = "example.net") {
  return read(message.octets(), Question{type, name});
}
template <typename Record>
Answer<Record> good(const Message& message, Type type, const char* name = "example.net") {
  const auto reply = read(message, type, name);
  if (!reply) FAIL(reply.error().describe());
  return std::get<Answer<Record>>(reply->answer);
}
void check_malformed(const Message& message, Type type, const char* name = "example.net") {
  const auto reply = read(message, type, name);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == Errc::malformed);
}

}  // namespace

TEST_CASE("read_reply: reads records of each type", "[dns][wire]") {
  const auto a = good<IpAddress>(
      Message("example.net", wire::a).answer(wire::a, 300, loopback).answer(wire::a, 60, "abcd"),
      Type::a);
  REQUIRE(a.records.size() == 2);
  CHECK(a.records[0].text() == "127.0.0.2");
  CHECK(a.ttl == 60s);
  CHECK(a.name_exists);

  const std::string six("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
  const auto aaaa =
      good<IpAddress>(Message("example.net", wire::aaaa).answer(wire::aaaa, 300, six), Type::aaaa);
  CHECK(aaaa.records.at(0).text() == "2001:db8::1");

  const auto mx = good<Mx>(Message("example.net", wire::mx)
                               .answer(wire::mx, 300, wire::mx_data(20, "b.example"))
                               .answer(wire::mx, 300, wire::mx_data(10, "A.Example"))
                               .answer(wire::mx, 300, wire::u16(30) + "\2mx" + wire::pointer(12)),
                           Type::mx);
  CHECK(mx.records ==
        std::vector<Mx>{{10, "a.example"}, {20, "b.example"}, {30, "mx.example.net"}});

  const auto ptr = good<std::string>(Message("1.2.0.192.in-addr.arpa", wire::ptr)
                                         .answer(wire::ptr, 300, wire::name("mx_1.Example.net")),
                                     Type::ptr, "1.2.0.192.in-addr.arpa");
  CHECK(ptr.records == std::vector<std::string>{"mx_1.example.net"});
}

TEST_CASE("read_reply: a null MX is an exchanger without a name", "[dns][wire]") {
  const auto mx = good<Mx>(
      Message("example.net", wire::mx).answer(wire::mx, 300, wire::mx_data(0, "")), Type::mx);
  CHECK(mx.records == std::vector<Mx>{{0, ""}});
}

TEST_CASE("read_reply: the strings of a TXT record are joined", "[dns][wire][S032]") {
  struct Row {
    const char* why;
    std::vector<std::string> strings;
    std::string text;
  };
  const auto row = GENERATE(values<Row>({
      {"one", {"v=spf1 -all"}, "v=spf1 -all"},
      {"two, without separator", {"v=spf1 ip4:192.0.2.", "1 -all"}, "v=spf1 ip4:192.0.2.1 -all"},
      {"empty ones among them", {"", "a", "", "b", ""}, "ab"},
      {"an empty one", {""}, ""},
      {"none at all", {}, ""},
      {"any octets", {std::string("\0\r\n\xff", 4)}, std::string("\0\r\n\xff", 4)},
      {"255 octets", {std::string(255, 'x'), "y"}, std::string(255, 'x') + "y"},
      {"255 strings", std::vector<std::string>(255, "z"), std::string(255, 'z')},
  }));
  CAPTURE(row.why);
  const auto txt = good<std::string>(
      Message("example.net", wire::txt).answer(wire::txt, 60, wire::txt_data(row.strings)),
      Type::txt);
  CHECK(txt.records == std::vector<std::string>{row.text});
}

TEST_CASE("read_reply: 64 KiB of TXT are read whole", "[dns][wire][S032]") {
  const std::vector<std::string> strings(254, std::string(255, 'x'));
  const auto txt = good<std::string>(
      Message("example.net", wire::txt).answer(wire::txt, 60, wire::txt_data(strings)), Type::txt);
  CHECK(txt.records.at(0).size() == 254 * 255);
}

TEST_CASE("read_reply: nothing there, and no such name", "[dns][wire]") {
  const auto no_data =
      good<IpAddress>(Message("example.net", wire::a).negative(3600, 900), Type::a);
  CHECK(no_data.empty());
  CHECK(no_data.name_exists);
  CHECK(no_data.ttl == 900s);  // RFC 2308 section 5: the lesser of the two

  const auto no_name =
      good<IpAddress>(Message("example.net", wire::a).code(3).negative(60, 900), Type::a);
  CHECK(no_name.empty());
  CHECK_FALSE(no_name.name_exists);
  CHECK(no_name.ttl == 60s);

  const auto without_soa = good<IpAddress>(Message("example.net", wire::a).code(3), Type::a);
  CHECK_FALSE(without_soa.name_exists);
  CHECK(without_soa.ttl == 0s);
}

TEST_CASE("read_reply: a time to live beyond 31 bits is none", "[dns][wire]") {
  const auto answer = good<IpAddress>(
      Message("example.net", wire::a).answer(wire::a, 0x80000000, loopback), Type::a);
  CHECK(answer.ttl == 0s);  // RFC 2181 section 8
}

TEST_CASE("read_reply: aliases lead to the records", "[dns][wire]") {
  // In any order, and their time counts too.
  const auto answer =
      good<IpAddress>(Message("example.net", wire::a)
                          .answer(wire::name("b.example"), wire::a, 300, loopback)
                          .answer(wire::name("a.example"), wire::cname, 20, wire::name("B.example"))
                          .answer(wire::cname, 300, wire::name("a.Example")),
                      Type::a);
  CHECK(answer.records.size() == 1);
  CHECK(answer.ttl == 20s);

  // RFC 2317: a slash in the name of a delegated network.
  const auto reverse =
      good<std::string>(Message("1.2.0.192.in-addr.arpa", wire::ptr)
                            .answer(wire::cname, 300, wire::name("1.0/25.2.0.192.in-addr.arpa"))
                            .answer(wire::name("1.0/25.2.0.192.in-addr.arpa"), wire::ptr, 300,
                                    wire::name("mx.example")),
                        Type::ptr, "1.2.0.192.in-addr.arpa");
  CHECK(reverse.records == std::vector<std::string>{"mx.example"});

  const auto nothing = good<IpAddress>(Message("example.net", wire::a)
                                           .code(3)
                                           .answer(wire::cname, 300, wire::name("a.example"))
                                           .negative(900, 900),
                                       Type::a);
  CHECK_FALSE(nothing.name_exists);
  CHECK(nothing.ttl == 300s);
}

TEST_CASE("read_reply: a chain of aliases has at most ten", "[dns][wire][S032]") {
  const int count = GENERATE(1, 10, 11, 20, 21, 50);
  CAPTURE(count);
  Message message("example.net", wire::a);
  std::string owner = "example.net";
  for (int i = 0; i < count; ++i) {
    const std::string target = "n" + std::to_string(i) + ".example";
    message.answer(wire::name(owner), wire::cname, 300, wire::name(target));
    owner = target;
  }
  message.answer(wire::name(owner), wire::a, 300, loopback);
  if (count <= 10)
    CHECK(good<IpAddress>(message, Type::a).records.size() == 1);
  else
    check_malformed(message, Type::a);
}

TEST_CASE("read_reply: a circle of aliases is malformed", "[dns][wire][S032]") {
  check_malformed(Message("example.net", wire::a)
                      .answer(wire::cname, 300, wire::name("a.example"))
                      .answer(wire::name("a.example"), wire::cname, 300, wire::name("example.net")),
                  Type::a);
  check_malformed(
      Message("example.net", wire::a).answer(wire::cname, 300, wire::name("example.net")), Type::a);
}

TEST_CASE("read_reply: failures of servers are not answers", "[dns][wire]") {
  struct Row {
    unsigned code;
    Errc error;
    const char* said;
  };
  const auto row = GENERATE(values<Row>({{1, Errc::unsupported, "FORMERR"},
                                         {2, Errc::servfail, "SERVFAIL"},
                                         {4, Errc::servfail, "NOTIMP"},
                                         {5, Errc::servfail, "REFUSED"},
                                         {9, Errc::servfail, "code 9"}}));
  CAPTURE(row.code);
  const auto reply =
      read(Message("example.net", wire::a).code(row.code).answer(wire::a, 1, loopback), Type::a);
  REQUIRE_FALSE(reply);
  CHECK(reply.error().code == row.error);
  CHECK(reply.error().text.find(row.said) != std::string::npos);
}

TEST_CASE("read_reply: says when the rest is to be had by TCP", "[dns][wire]") {
  const auto reply = read(Message("example.net", wire::a).truncated().raw("\xc0"), Type::a);
  REQUIRE(reply);
  CHECK(reply->truncated);
}

TEST_CASE("read_reply: an answer to something else is malformed", "[dns][wire]") {
  const auto answer = [](const char* name, std::uint16_t type) {
    return Message(name, type).answer(wire::a, 300, loopback);
  };
  CHECK(read(answer("Example.NET", wire::a), Type::a));
  check_malformed(answer("example.org", wire::a), Type::a);
  check_malformed(answer("www.example.net", wire::a), Type::a);
  check_malformed(answer("example.net", wire::mx), Type::a);
  check_malformed(answer("example.net", wire::a).questions(0), Type::a);
  check_malformed(answer("example.net", wire::a).questions(2), Type::a);
  check_malformed(answer("example.net", wire::a).flags(0x0180), Type::a);  // a query
  check_malformed(answer("example.net", wire::a).flags(0xa980), Type::a);  // another OPCODE
  check_malformed(answer("example.net", wire::a).code(3), Type::a);        // NXDOMAIN with records

  // Records of other names are nothing we asked for; alone they are not "nothing there" either.
  const std::string evil = wire::name("evil.example");
  check_malformed(Message("example.net", wire::a).answer(evil, wire::a, 300, loopback), Type::a);
  const auto both = good<IpAddress>(Message("example.net", wire::a)
                                        .answer(evil, wire::a, 1, "abcd")
                                        .answer(wire::a, 300, loopback),
                                    Type::a);
  CHECK(both.records.size() == 1);
  CHECK(both.ttl == 300s);
}

TEST_CASE("read_reply: a host's name is one that may be shown", "[dns][wire][S031]") {
  const std::string label(63, 'x');
  struct Row {
    const char* why;
    std::string name;  // on the wire
  };
  const auto row = GENERATE_COPY(values<Row>({
      {"NUL", wire::name(std::string("a\0b.example", 11))},
      {"a quote", wire::name("a\"b.example")},
      {"CR LF", wire::name("a\r\nb.example")},
      {"markup", wire::name("<script>.example")},
      {"a blank", wire::name("a b.example")},
      {"an octet beyond ASCII", wire::name("b\xc3\xbc.example")},
      {"a dot in a label", std::string("\3a.b\7example\0", 13)},
      {"a backslash", wire::name("a\\b.example")},
      {"the root", std::string(1, '\0')},
      {"over 253 octets",
       wire::name(label + "." + label + "." + label + "." + std::string(62, 'x'))},
      {"a label of 64 octets", wire::name(std::string(64, 'x'))},
      {"a label of an unknown form", std::string("\x80x\0", 3)},
  }));
  CAPTURE(row.why);
  check_malformed(Message("example.net", wire::ptr).answer(wire::ptr, 300, row.name), Type::ptr);
  if (row.name.size() > 1)
    check_malformed(
        Message("example.net", wire::mx).answer(wire::mx, 300, wire::u16(10) + row.name), Type::mx);
}

TEST_CASE("read_reply: what is asked for may have blanks, what is found may not",
          "[dns][wire][S031]") {
  const auto found = good<IpAddress>(
      Message("A b.example", wire::a).answer(wire::name("a B.example"), wire::a, 300, loopback),
      Type::a, "a b.example");
  CHECK(found.records.size() == 1);
  check_malformed(
      Message("a b.example", wire::mx).answer(wire::mx, 300, wire::mx_data(1, "a b.example")),
      Type::mx, "a b.example");
}

TEST_CASE("read_reply: an alias may lead only over names that can be printed",
          "[dns][wire][S031]") {
  const std::string odd = wire::name("a\r\nb.example");
  check_malformed(Message("example.net", wire::a)
                      .answer(wire::cname, 300, odd)
                      .answer(odd, wire::a, 300, loopback),
                  Type::a);
}

TEST_CASE("read_reply: compression leads backwards, and not too often", "[dns][wire][S032]") {
  const auto with_target = [](const std::string& target) {
    return Message("example.net", wire::ptr).answer(wire::ptr, 300, target);
  };
  const unsigned data = 12 + 13 + 4 + 2 + 10;  // where the record's data begins
  CHECK(good<std::string>(with_target("\1a" + wire::pointer(12)), Type::ptr).records.at(0) ==
        "a.example.net");
  check_malformed(with_target(wire::pointer(data)), Type::ptr);      // to itself
  check_malformed(with_target(wire::pointer(data + 2)), Type::ptr);  // forwards
  check_malformed(with_target("\1a" + wire::pointer(data)), Type::ptr);
  check_malformed(with_target(wire::pointer(0x3fff)), Type::ptr);
  check_malformed(with_target(std::string("\xc0", 1)), Type::ptr);

  const unsigned count = GENERATE(31u, 32u, 33u);
  CAPTURE(count);
  // A text record (passed over) that holds a ladder of pointers, each to the one before.
  std::string ladder = wire::pointer(12);
  for (unsigned i = 1; i < count - 1; ++i) ladder += wire::pointer(data + 2 * (i - 1));
  const auto message = Message("example.net", wire::ptr)
                           .answer(wire::txt, 300, ladder)
                           .answer(wire::ptr, 300, wire::pointer(data + 2 * (count - 2)));
  if (count <= 32)
    CHECK(good<std::string>(message, Type::ptr).records.at(0) == "example.net");
  else
    check_malformed(message, Type::ptr);
}

TEST_CASE("read_reply: a record's data is as long as it says", "[dns][wire][S032]") {
  const auto record = [](std::uint16_t type, const std::string& data) {
    return Message("example.net", type).answer(type, 300, data);
  };
  check_malformed(record(wire::a, "abc"), Type::a);
  check_malformed(record(wire::a, "abcde"), Type::a);
  check_malformed(record(wire::a, ""), Type::a);
  check_malformed(record(wire::aaaa, "abcd"), Type::aaaa);
  check_malformed(record(wire::mx, wire::mx_data(10, "a.example") + "x"), Type::mx);
  check_malformed(record(wire::mx, "x"), Type::mx);
  check_malformed(record(wire::ptr, ""), Type::ptr);
  check_malformed(record(wire::txt,
                         "\x05"
                         "abcd"),
                  Type::txt);
  check_malformed(record(wire::txt, "\xff"), Type::txt);
  // The length octet reaches into the next record.
  check_malformed(record(wire::txt,
                         "\x10"
                         "abcd")
                      .answer(wire::txt, 300, wire::txt_data({"b"})),
                  Type::txt);
}

TEST_CASE("read_reply: an answer cut anywhere is malformed, never less", "[dns][wire]") {
  const std::string whole = Message("example.net", wire::mx)
                                .answer(wire::mx, 300, wire::mx_data(10, "a.example"))
                                .answer(wire::mx, 300, wire::mx_data(20, "b.example"))
                                .octets();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const auto reply = read(whole.substr(0, size), Question{Type::mx, "example.net"});
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == Errc::malformed);
  }
  const std::string negative = Message("example.net", wire::mx).code(3).negative(60, 60).octets();
  for (std::size_t size = 0; size < negative.size(); ++size)
    CHECK_FALSE(read(negative.substr(0, size), Question{Type::mx, "example.net"}));
  CHECK(read(negative, Question{Type::mx, "example.net"}));
}

TEST_CASE("read_reply: looks at a thousand records and no more", "[dns][wire]") {
  const auto of = [](unsigned count) {
    Message message("example.net", wire::a);
    for (unsigned i = 0; i < count; ++i) message.answer(wire::a, 300, loopback);
    return message;
  };
  CHECK(good<IpAddress>(of(1000), Type::a).records.size() == 1000);
  check_malformed(of(1001), Type::a);
}
