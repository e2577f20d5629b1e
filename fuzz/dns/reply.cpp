// Answers from the network: what is read is bounded, names only what may be shown, and is no more
// than what was sent. The first octet of the input chooses the type of the question.
#include <postern/base/text.hpp>
#include <postern/dns/names.hpp>
#include <postern/dns/wire.hpp>

#include <algorithm>
#include <array>

#include "../../test/support/dns_message.hpp"
#include "../fuzz.hpp"

using namespace postern;
using namespace postern::dns;
namespace wire = postern::testing::wire;

namespace {

constexpr std::array<Type, 5> types = {Type::a, Type::aaaa, Type::mx, Type::txt, Type::ptr};

void check(const Answer<IpAddress>& answer, Type type, std::size_t size) {
  FUZZ_CHECK(answer.records.size() * 4 <= size);
  if (type != Type::a) return;
  FUZZ_CHECK(std::all_of(answer.records.begin(), answer.records.end(),
                         [](const IpAddress& address) { return address.is_v4(); }));
}

void check(const Answer<Mx>& answer, Type, std::size_t) {
  std::uint16_t last = 0;
  for (const Mx& mx : answer.records) {
    FUZZ_CHECK(mx.host.empty() || is_host_name(mx.host));
    FUZZ_CHECK(mx.preference >= last);
    last = mx.preference;
  }
}

void check(const Answer<std::string>& answer, Type type, std::size_t size) {
  std::size_t octets = 0;
  for (const std::string& record : answer.records) {
    octets += record.size();
    if (type == Type::ptr) FUZZ_CHECK(is_host_name(record) && lower(record) == record);
  }
  if (type == Type::txt) FUZZ_CHECK(octets <= size);
}

void check(const Reply& reply, Type type, std::size_t size) {
  const auto one = [&](const auto& answer) {
    FUZZ_CHECK(answer.records.size() <= most_records);
    FUZZ_CHECK(answer.ttl >= std::chrono::seconds(0));
    FUZZ_CHECK(answer.name_exists || answer.empty());
    FUZZ_CHECK(!reply.truncated || answer.empty());
    check(answer, type, size);
  };
  std::visit(one, reply.answer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Type type = types[data[0] % types.size()];
  const auto reply = read_reply({data + 1, size - 1}, Question{type, "example.net"});
  if (reply) {
    FUZZ_CHECK(size > 12);
    check(*reply, type, size);
    return 0;
  }
  const Error& error = reply.error();
  FUZZ_CHECK(error.code == Errc::malformed || error.code == Errc::servfail ||
             error.code == Errc::unsupported);
  FUZZ_CHECK(printable(error.text) == error.text);
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  const auto ask = [](std::uint16_t type) { return wire::Message("example.net", type); };
  const auto seed = [](std::size_t type, const wire::Message& message) {
    return static_cast<char>(type) + message.octets();
  };
  return {
      seed(0, ask(wire::a).answer(wire::a, 300, "abcd").answer(wire::a, 60, "efgh")),
      seed(0, ask(wire::a)
                  .answer(wire::cname, 300, wire::name("a.example"))
                  .answer(wire::name("a.example"), wire::a, 60, "efgh")),
      seed(0, ask(wire::a).code(3).negative(900, 60)),
      seed(0, ask(wire::a).negative(60, 900)),
      seed(0, ask(wire::a).code(2)),
      seed(0, ask(wire::a).truncated()),
      seed(1, ask(wire::aaaa).answer(wire::aaaa, 300, "abcdefghijklmnop")),
      seed(2, ask(wire::mx)
                  .answer(wire::mx, 300, wire::u16(10) + "\2mx" + wire::pointer(12))
                  .answer(wire::mx, 300, wire::mx_data(0, ""))),
      seed(3, ask(wire::txt).answer(wire::txt, 300, wire::txt_data({"v=spf1", "", " -all"}))),
      seed(4, ask(wire::ptr).answer(wire::ptr, 300, wire::name("mx.example.net"))),
  };
}
