#include <postern/dns/question.hpp>

#include <fmt/format.h>

namespace postern::dns {
namespace {

std::size_t heap_octets(const IpAddress&) { return 0; }
std::size_t heap_octets(const std::string& text) {
  return text.capacity() > std::string().capacity() ? text.capacity() + 1 : 0;
}
std::size_t heap_octets(const Mx& mx) { return heap_octets(mx.host); }

template <typename Record>
std::size_t record_octets(const std::vector<Record>& records) {
  std::size_t octets = records.capacity() * sizeof(Record);
  for (const Record& record : records) octets += heap_octets(record);
  return octets;
}

}  // namespace

std::string_view name(Type type) {
  switch (type) {
    case Type::a:
      return "A";
    case Type::ptr:
      return "PTR";
    case Type::mx:
      return "MX";
    case Type::txt:
      return "TXT";
    case Type::aaaa:
      return "AAAA";
  }
  return "?";
}

std::string Question::text() const { return fmt::format("{} {}", name, dns::name(type)); }

std::chrono::seconds ttl_of(const AnyAnswer& answer) {
  return std::visit([](const auto& typed) { return typed.ttl; }, answer);
}

bool is_negative(const AnyAnswer& answer) {
  return std::visit([](const auto& typed) { return typed.empty(); }, answer);
}

std::size_t octets_of(const AnyAnswer& answer) {
  const auto of = [](const auto& typed) { return record_octets(typed.records); };
  return sizeof answer + std::visit(of, answer);
}

}  // namespace postern::dns
