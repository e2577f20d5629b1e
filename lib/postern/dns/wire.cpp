#include <postern/base/text.hpp>
#include <postern/dns/names.hpp>
#include <postern/dns/wire.hpp>
#include <postern/dns/wire_reader.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postern::dns {
namespace {

constexpr std::uint16_t type_cname = 5;
constexpr std::uint16_t type_soa = 6;
constexpr std::uint16_t class_in = 1;

struct Header {
  bool is_answer = false;
  bool truncated = false;
  unsigned code = 0;
  std::uint16_t questions = 0;
  std::uint16_t answers = 0;
  std::uint16_t authorities = 0;
};

struct Alias {
  std::string from;
  std::string to;
  std::uint32_t ttl = 0;
};

template <typename Record>
struct Owned {
  std::string owner;
  Record record;
  std::uint32_t ttl = 0;
};

tl::unexpected<Error> broken(const Question& question, std::string_view why) {
  return fail(Errc::malformed, fmt::format("the answer about {}: {}", question.text(), why));
}

Header read_header(WireReader& in) {
  Header header;
  in.u16();  // the identifier
  const std::uint16_t flags = in.u16();
  header.is_answer = (flags & 0x8000) != 0 && (flags & 0x7800) == 0;  // QR; OPCODE is QUERY
  header.truncated = (flags & 0x0200) != 0;
  header.code = flags & 15;
  header.questions = in.u16();
  header.answers = in.u16();
  header.authorities = in.u16();
  in.u16();  // additional records
  return header;
}

tl::unexpected<Error> refuse(unsigned code, const Question& question) {
  static constexpr std::array<const char*, 6> names = {"", "FORMERR", "SERVFAIL",
                                                       "", "NOTIMP",  "REFUSED"};
  const std::string said =
      code < names.size() ? std::string(names[code]) : fmt::format("response code {}", code);
  return fail(code == 1 ? Errc::unsupported : Errc::servfail,
              fmt::format("{} for {}", said, question.text()));
}

std::uint32_t read_ttl(WireReader& in) {
  const std::uint32_t ttl = in.u32();
  return ttl > INT32_MAX ? 0 : ttl;  // RFC 2181 section 8
}

template <std::size_t count>
std::array<std::uint8_t, count> address_octets(WireReader& in) {
  std::array<std::uint8_t, count> octets{};
  const Octets taken = in.take(count);
  std::copy(taken.begin(), taken.end(), octets.begin());
  return octets;
}

std::string read_host(WireReader& in) {
  std::string host = in.read_name();
  if (in.good() && !is_host_name(host)) in.fail("it names no valid host");
  return host;
}

std::string read_text(WireReader& in, std::size_t end) {
  std::string text;
  while (in.good() && in.place() < end) {
    const Octets part = in.take(in.u8());
    if (in.place() > end) in.fail("a text longer than its record");
    text.append(part.begin(), part.end());
  }
  return text;
}

// Each reads a record's data, which ends at `end`; the caller checks that it was all.
void read_record(WireReader& in, Type type, std::size_t, IpAddress& out) {
  out = type == Type::a ? IpAddress::v4(address_octets<4>(in))
                        : IpAddress::v6(address_octets<16>(in));
}

void read_record(WireReader& in, Type, std::size_t, Mx& out) {
  out.preference = in.u16();
  out.host = in.read_name();
  if (in.good() && !out.host.empty() && !is_host_name(out.host)) in.fail("it names no valid host");
}

void read_record(WireReader& in, Type type, std::size_t end, std::string& out) {
  out = type == Type::txt ? read_text(in, end) : read_host(in);
}

template <typename Record>
class Body {
 public:
  Body(WireReader& in, const Question& question) : in_(in), question_(question) {}

  // The answer section.
  void read_answers(std::uint16_t count) {
    if (count > most_records) in_.fail("too many records");
    for (; count > 0 && in_.good(); --count) read_answer();
  }

  // The authority section, as far as its SOA record, which says for how long there is nothing.
  std::uint32_t read_negative_ttl(std::uint16_t count) {
    if (count > most_records) in_.fail("too many records");
    for (; count > 0 && in_.good(); --count) {
      in_.skip_name();
      const std::uint16_t type = in_.u16();
      in_.u16();
      const std::uint32_t ttl = read_ttl(in_);
      const std::size_t length = in_.u16();
      if (type == type_soa) return std::min(ttl, read_soa_minimum());
      in_.take(length);
    }
    return 0;
  }

  // What was read about the name asked for, or the one that it is an alias of.
  Answer<Record> take() {
    Answer<Record> answer;
    std::string current = question_.name;
    std::uint32_t ttl = UINT32_MAX;
    for (std::size_t hops = 0;; ++hops) {
      const auto alias = std::find_if(aliases_.begin(), aliases_.end(),
                                      [&](const Alias& a) { return a.from == current; });
      if (alias == aliases_.end()) break;
      if (hops == most_aliases) {
        in_.fail("too many aliases, or a circle of them");
        return answer;
      }
      current = alias->to;
      ttl = std::min(ttl, alias->ttl);
    }
    for (auto& owned : records_) {
      if (owned.owner != current) continue;
      ttl = std::min(ttl, owned.ttl);
      answer.records.push_back(std::move(owned.record));
    }
    if (answer.empty() && !records_.empty()) in_.fail("its records are of other names");
    answer.ttl = std::chrono::seconds(ttl);
    return answer;
  }

 private:
  void read_answer() {
    std::string owner = in_.read_name();
    const std::uint16_t type = in_.u16();
    const std::uint16_t network = in_.u16();
    const std::uint32_t ttl = read_ttl(in_);
    const std::size_t length = in_.u16();
    const std::size_t end = in_.place() + length;
    if (network == class_in && type == type_cname)
      read_alias(std::move(owner), ttl);
    else if (network == class_in && type == static_cast<std::uint16_t>(question_.type))
      read_owned(std::move(owner), ttl, end);
    else if (in_.good())
      in_.take(length);
    if (in_.good() && in_.place() != end) in_.fail("a record is longer or shorter than it says");
  }

  void read_alias(std::string owner, std::uint32_t ttl) {
    Alias alias;
    alias.from = std::move(owner);
    alias.to = in_.read_name();
    alias.ttl = ttl;
    if (aliases_.size() == 2 * most_aliases) in_.fail("too many aliases");
    aliases_.push_back(std::move(alias));
  }

  void read_owned(std::string owner, std::uint32_t ttl, std::size_t end) {
    Owned<Record> owned;
    owned.owner = std::move(owner);
    owned.ttl = ttl;
    read_record(in_, question_.type, end, owned.record);
    records_.push_back(std::move(owned));
  }

  std::uint32_t read_soa_minimum() {
    in_.skip_name();
    in_.skip_name();
    for (int i = 0; i < 4; ++i) in_.u32();  // serial, refresh, retry, expire
    return read_ttl(in_);
  }

  WireReader& in_;
  const Question& question_;
  std::vector<Alias> aliases_;
  std::vector<Owned<Record>> records_;
};

void sort_records(std::vector<Mx>& records) {
  const auto sooner = [](const Mx& a, const Mx& b) { return a.preference < b.preference; };
  std::stable_sort(records.begin(), records.end(), sooner);
}
template <typename Record>
void sort_records(std::vector<Record>&) {}

template <typename Record>
Result<Reply> read_body(WireReader& in, const Header& header, const Question& question) {
  Body<Record> body(in, question);
  Reply reply;
  Answer<Record> answer;
  reply.truncated = header.truncated;
  if (!header.truncated) {
    body.read_answers(header.answers);
    answer = body.take();
    answer.name_exists = header.code == 0;
    if (in.good() && answer.empty()) {
      const std::chrono::seconds ttl(body.read_negative_ttl(header.authorities));
      answer.ttl = std::min(answer.ttl, ttl);
    }
    if (!in.good()) return broken(question, in.why());
    if (!answer.empty() && !answer.name_exists)
      return broken(question, "it has records and says that the name does not exist");
  }
  sort_records(answer.records);
  reply.answer = std::move(answer);
  return reply;
}

}  // namespace

Result<Reply> read_reply(Octets message, const Question& question) {
  WireReader in(message);
  const Header header = read_header(in);
  if (!in.good()) return broken(question, in.why());
  if (!header.is_answer) return broken(question, "it is no answer");
  if (header.code != 0 && header.code != 3) return refuse(header.code, question);
  if (header.questions != 1) return broken(question, "it does not repeat the question");
  const std::string asked = in.read_name();
  const std::uint16_t type = in.u16();
  const std::uint16_t network = in.u16();
  if (!in.good()) return broken(question, in.why());
  if (asked != question.name || type != static_cast<std::uint16_t>(question.type) ||
      network != class_in)
    return broken(question, "it answers another question");
  switch (question.type) {
    case Type::a:
    case Type::aaaa:
      return read_body<IpAddress>(in, header, question);
    case Type::mx:
      return read_body<Mx>(in, header, question);
    case Type::ptr:
    case Type::txt:
      return read_body<std::string>(in, header, question);
  }
  return broken(question, "of an unknown type");
}

}  // namespace postern::dns
