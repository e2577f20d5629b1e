// What a list of a million entries costs: to make, to keep, and to look into.
//
//   lists [ENTRIES]
#include <postern/policy/address_table.hpp>
#include <postern/policy/domain_table.hpp>
#include <postern/policy/network_table.hpp>
#include <postern/policy/pattern_table.hpp>
#include <postern/policy/recipients.hpp>

#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace postern;
using namespace postern::policy;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t questions = 1'000'000;

std::size_t octets_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

double since(Clock::time_point began, double parts) {
  return std::chrono::duration<double, std::nano>(Clock::now() - began).count() / parts;
}

std::uint64_t spread(std::uint64_t n) { return (n + 1) * 0x9e3779b97f4a7c15U >> 20; }

std::string domain_of(std::uint64_t n) { return fmt::format("d{}.example.net", spread(n) % 5000); }

std::string local_part_of(std::uint64_t n) { return fmt::format("first.last{}", n); }

// Spread over 1.0.0.0 to 16.255.255.0: every /24 once.
IpAddress address_in(std::uint64_t n, std::uint8_t last) {
  const std::uint64_t network = (n * 7919) % (1 << 20);
  return *IpAddress::parse(
      fmt::format("{}.{}.{}.{}", 1 + (network >> 16), network >> 8 & 255, network & 255, last));
}

template <typename Table, typename Question, typename Line, typename Ask, typename Look>
void measure(const char* name, std::uint64_t entries, Line line, Ask ask, Look look) {
  std::vector<std::string> lines;
  std::size_t octets = 0;
  for (std::uint64_t i = 0; i < entries; ++i) octets += lines.emplace_back(line(i)).size() + 1;
  const std::size_t before = octets_in_use();
  auto began = Clock::now();
  auto table = std::make_unique<Table>();
  table->reserve(lines.size(), octets);
  for (const std::string& each : lines)
    if (const std::string fault = table->add(each); !fault.empty())
      throw std::runtime_error(each + ' ' + fault);
  table->finish();
  const double load_ms = since(began, 1e6);
  const std::size_t kept = octets_in_use() - before;
  lines = {};
  const auto look_up = [&](std::uint64_t from, bool expected) {
    std::vector<Question> asked;
    asked.reserve(questions);
    for (std::uint64_t i = 0; i < questions; ++i) asked.push_back(ask(from + spread(i) % entries));
    double best = 1e9;  // of several: others use this machine too
    for (int i = 0; i < 5; ++i) {
      std::size_t found = 0;
      began = Clock::now();
      for (const Question& question : asked) found += look(*table, question) ? 1U : 0U;
      best = std::min(best, since(began, questions));
      if (found != (expected ? questions : 0)) throw std::runtime_error("wrong answers");
    }
    return best;
  };
  const double hit = look_up(0, true);
  const double miss = look_up(entries, false);
  fmt::print(
      "{:<22} {:>8} entries: {:6.0f} ms to load, {:4.0f} octets each, hit {:4.0f} ns, miss "
      "{:4.0f} ns\n",
      name, entries, load_ms, static_cast<double>(kept) / static_cast<double>(entries), hit, miss);
}

// What is asked lies in a row, so that only the table is far away.
struct Text {
  std::array<char, 48> octets{};
  std::size_t size = 0;
  Text(const std::string& text) : size(text.size()) {  // NOLINT(google-explicit-constructor)
    std::copy(text.begin(), text.end(), octets.begin());
  }
  operator std::string_view() const {
    return {octets.data(), size};
  }  // NOLINT(google-explicit-constructor)
};

struct Address {
  Text local_part;
  Text domain;
};

Address address_of(std::uint64_t n) { return {Text(local_part_of(n)), Text(domain_of(n))}; }
std::string text_of(std::uint64_t n) { return local_part_of(n) + '@' + domain_of(n); }

// What any look-up among many entries has to do once or twice.
double ns_to_read_memory() {
  std::vector<std::uint64_t> next(std::size_t{1} << 22);
  for (std::size_t i = 0; i < next.size(); ++i) next[i] = spread(i) % next.size();
  const auto began = Clock::now();
  volatile std::uint64_t at = 0;  // or the compiler saves the reads
  for (std::size_t i = 0; i < questions; ++i) at = (next[at] + i) % next.size();
  return since(began, questions);
}

void run(std::uint64_t entries) {
  fmt::print("a read from memory, far away: {:.0f} ns\n", ns_to_read_memory());
  measure<AddressTable, Address>(
      "addresses", entries, text_of, address_of,
      [](const auto& table, const Address& a) { return table.contains(a.local_part, a.domain); });
  measure<RecipientTable, Address>(
      "recipients", entries, text_of, address_of, [](const auto& table, const Address& a) {
        return table.listed(a.local_part, a.domain) == RecipientList::Answer::listed;
      });
  measure<PatternTable, Text>(
      "patterns, all exact", entries, text_of, text_of,
      [](const auto& table, const Text& a) { return table.match(a) != nullptr; });
  measure<PatternTable, Text>(
      "... with replies", entries, [](auto n) { return text_of(n) + " has moved"; }, text_of,
      [](const auto& table, const Text& a) { return table.match(a) != nullptr; });
  measure<DomainTable, Text>(
      "domains", entries, [](auto n) { return fmt::format("host{}.example.net", n); },
      [](auto n) { return fmt::format("mail.host{}.example.net", n); },
      [](const auto& table, const Text& name) { return !table.find(name).empty(); });
  // As many as there are: the rest of the numbers is missed.
  const std::uint64_t networks = std::min<std::uint64_t>(entries, 500'000);
  const auto matches = [](const auto& table, const IpAddress& a) {
    return table.match(a) != nullptr;
  };
  measure<NetworkTable, IpAddress>(
      "networks /24", networks, [](auto n) { return address_in(n, 0).text() + "/24"; },
      [](auto n) { return address_in(n, 7); }, matches);
  measure<NetworkTable, IpAddress>(
      "networks, five lengths", networks,
      [](auto n) { return address_in(n, 7).text() + fmt::format("/{}", 28 + n % 5); },
      [](auto n) { return address_in(n, 7); }, matches);
}

}  // namespace

int main(int argc, char** argv) { run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000); }
