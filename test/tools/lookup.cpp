// lookup SERVER[,SERVER…] TYPE NAME [TYPE NAME …]: asks all at the same time by the real resolver
// and prints a JSON object for each, in the order given; then the resolver's counters. TYPE is a,
// aaaa, mx, txt, ptr (of an address), listing (of a name: what is_listing says) or reverse (an
// address: names and those that confirm it). For tests in other languages.
#include <postern/base/json.hpp>
#include <postern/coro/group.hpp>
#include <postern/dns/ares_resolver.hpp>
#include <postern/dns/forward_confirmed.hpp>
#include <postern/dns/names.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <stdexcept>

using namespace postern;

namespace {

constexpr std::size_t whole = 100'000;  // octets of a record that are printed

using Line = std::pair<std::size_t, std::string>;  // its place, and what to print

std::string text(const IpAddress& address) { return address.text(); }
std::string text(const dns::Mx& mx) { return fmt::format("{} {}", mx.preference, mx.host); }
std::string text(const std::string& record) { return record; }

std::string describe(const Error& error) {
  std::string line;
  json::Writer out(line);
  out.begin().key("error").string(name(error.code)).key("text").string(error.text).end();
  return line;
}

template <typename Record>
std::string describe(const Result<dns::Answer<Record>>& answer) {
  if (!answer) return describe(answer.error());
  std::string line;
  json::Writer out(line);
  out.begin().key("exists").boolean(answer->name_exists).key("ttl").number(answer->ttl.count());
  out.begin_array("records");
  for (const Record& record : answer->records) out.string(text(record), whole);
  out.end().end();
  return line;
}

std::string describe(const Result<bool>& listed) {
  if (!listed) return describe(listed.error());
  return *listed ? R"({"listed":true})" : R"({"listed":false})";
}

std::string describe(const Result<dns::ReverseDns>& reverse) {
  if (!reverse) return describe(reverse.error());
  std::string line;
  json::Writer out(line);
  out.begin().begin_array("names");
  for (const std::string& name : reverse->names) out.string(name);
  out.end().begin_array("confirmed");
  for (const std::string& name : reverse->confirmed) out.string(name);
  out.end().key("unsure").boolean(reverse->unsure).end();
  return line;
}

coro::Task<Line> look_up(dns::Resolver& dns, std::size_t place, std::string type,
                         std::string name) {
  std::string line;
  if (type == "a") {
    const auto answer = co_await dns.a(std::move(name));
    line = describe(answer);
  } else if (type == "aaaa") {
    const auto answer = co_await dns.aaaa(std::move(name));
    line = describe(answer);
  } else if (type == "mx") {
    const auto answer = co_await dns.mx(std::move(name));
    line = describe(answer);
  } else if (type == "txt") {
    const auto answer = co_await dns.txt(std::move(name));
    line = describe(answer);
  } else if (type == "ptr") {
    const IpAddress address = IpAddress::parse(name).value();
    const auto answer = co_await dns.ptr(address);
    line = describe(answer);
  } else if (type == "listing") {
    const auto answer = co_await dns.a(std::move(name));
    line = describe(dns::is_listing(answer));
  } else if (type == "reverse") {
    const IpAddress address = IpAddress::parse(name).value();
    const auto reverse = co_await dns::reverse_dns(dns, address);
    line = describe(reverse);
  } else {
    throw std::invalid_argument("unknown type " + type);
  }
  Line result(place, std::move(line));
  co_return result;
}

coro::Task<std::vector<std::string>> look_up_all(dns::Resolver& dns,
                                                 std::vector<std::string> what) {
  coro::Group<Line> lookups;
  for (std::size_t i = 0; i + 1 < what.size(); i += 2)
    lookups.add(look_up(dns, i / 2, what[i], what[i + 1]));
  std::vector<std::string> lines(what.size() / 2);
  auto keep = [&](Line line) { lines[line.first] = std::move(line.second); };
  co_await lookups.each(keep);
  co_return lines;
}

std::vector<SocketAddress> servers(std::string_view list) {
  std::vector<SocketAddress> addresses;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    addresses.push_back(SocketAddress::parse(list.substr(0, comma)).value());
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return addresses;
}

struct StopLoop final : coro::Completion {
  explicit StopLoop(net::Loop& l) : loop(l) {}
  void finished() noexcept override { loop.stop(); }
  net::Loop& loop;
};

void run(const char* server_list, std::vector<std::string> what) {
  net::Loop loop;
  dns::Settings settings;
  settings.servers = servers(server_list);
  const auto resolver = dns::make_resolver(loop, settings);
  coro::Context context(loop, "lookup");
  StopLoop finished(loop);
  auto task = look_up_all(*resolver, std::move(what));
  if (!task.start(context, finished)) loop.run();
  for (const std::string& line : task.await_resume()) fmt::print("{}\n", line);
  const auto& counters = resolver->counters();
  fmt::print(R"({{"asked":{},"cached":{},"joined":{},"sent":{},"failed":{}}})"
             "\n",
             counters.asked, counters.cached, counters.joined, counters.sent, counters.failed);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc % 2 != 0) {
    std::fputs("lookup SERVER[,SERVER...] TYPE NAME [TYPE NAME ...]\n", stderr);
    return 2;
  }
  try {
    run(argv[1], {argv + 2, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lookup: %s\n", error.what());
    return 1;
  }
}
