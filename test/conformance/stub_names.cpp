#include "stub_names.hpp"

#include <postern/dns/names.hpp>

namespace postern::conformance {
namespace {

namespace wire = testing::wire;

// 4 or 16 octets.
std::string octets_of(const std::string& address) {
  const IpAddress ip = IpAddress::parse(address).value();
  const std::size_t first = ip.is_v4() ? 12 : 0;
  return {ip.octets().begin() + first, ip.octets().end()};
}

}  // namespace

StubNames::StubNames(net::Loop& loop)
    : stub_(loop, [this](const testing::DnsQuery& query) { return respond(query); }) {}

void StubNames::add_a(const std::string& name, const std::string& address) {
  names_[name].records.push_back({wire::a, octets_of(address)});
}
void StubNames::add_aaaa(const std::string& name, const std::string& address) {
  names_[name].records.push_back({wire::aaaa, octets_of(address)});
}
void StubNames::add_mx(const std::string& name, std::uint16_t preference, const std::string& host) {
  names_[name].records.push_back({wire::mx, wire::mx_data(preference, host)});
}
void StubNames::add_txt(const std::string& name, const std::string& text) {
  std::vector<std::string> strings;
  for (std::size_t at = 0; at < text.size(); at += 255) strings.push_back(text.substr(at, 255));
  names_[name].records.push_back({wire::txt, wire::txt_data(strings)});
}
void StubNames::add_ptr(const std::string& address, const std::string& host) {
  const std::string name = dns::pointer_name(IpAddress::parse(address).value());
  names_[name].records.push_back({wire::ptr, wire::name(host)});
}

std::size_t StubNames::asked(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? 0 : found->second.asked;
}

std::vector<testing::DnsResponse> StubNames::respond(const testing::DnsQuery& query) {
  wire::Message message = query.answer();
  const auto found = names_.find(query.name);
  if (found == names_.end()) return {testing::DnsResponse(message.code(3).negative(300, 300))};
  Name& name = found->second;
  ++name.asked;
  if (name.silent) return {};
  if (name.broken) return {testing::DnsResponse(message.code(2))};
  for (const Record& record : name.records)
    if (record.type == query.type) message.answer(record.type, 300, record.data);
  const bool too_long = !query.tcp && message.octets().size() > 1232;
  return {testing::DnsResponse(too_long ? query.answer().truncated() : message)};
}

}  // namespace postern::conformance
