// The suites `spf`: what RFC 7208 makes of a record, case by case, and what a bug once made of it.
#include <postern/base/text.hpp>
#include <postern/dns/names.hpp>
#include <postern/testing/sim_scheduler.hpp>
#include <postern/verify/spf.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "catch.hpp"
#include "suite_file.hpp"
#include "yaml.hpp"

using namespace postern;
using namespace postern::verify;
using nlohmann::json;

namespace {

// The zones of one scenario as the resolver's contract has it: names in answers are host names or
// the answer is malformed, aliases are followed. "SPF" stands for TXT where no TXT is given;
// "TIMEOUT" answers whatever the records before it do not.
class SuiteResolver final : public dns::Resolver {
 public:
  explicit SuiteResolver(const json& zones) {
    for (const auto& [name, records] : zones.items()) {
      const auto plain = dns::query_name(name);
      REQUIRE(plain);
      zones_[*plain] = records;
    }
  }

  coro::Task<Result<dns::Answer<IpAddress>>> a(std::string name) override {
    co_return addresses(std::move(name), "A");
  }
  coro::Task<Result<dns::Answer<IpAddress>>> aaaa(std::string name) override {
    co_return addresses(std::move(name), "AAAA");
  }
  coro::Task<Result<dns::Answer<dns::Mx>>> mx(std::string name) override {
    co_return read<dns::Mx>(std::move(name), "MX", [](const json& value) {
      dns::Mx mx;
      mx.preference = static_cast<std::uint16_t>(std::stoi(value.at(0).get<std::string>()));
      mx.host = lower(value.at(1).get<std::string>());
      return mx;
    });
  }
  coro::Task<Result<dns::Answer<std::string>>> txt(std::string name) override {
    co_return read<std::string>(std::move(name), "TXT", [](const json& value) {
      if (value.is_string()) return value.get<std::string>();
      std::string joined;
      for (const json& part : value) joined += part.get<std::string>();
      return joined;
    });
  }
  coro::Task<Result<dns::Answer<std::string>>> ptr(IpAddress address) override {
    co_return read<std::string>(dns::pointer_name(address), "PTR", [](const json& value) {
      std::string host = lower(value.get<std::string>());
      if (host.ends_with('.')) host.pop_back();
      return host;
    });
  }

 private:
  static bool is_shown(const IpAddress&) { return true; }
  static bool is_shown(const std::string&) { return true; }
  static bool is_shown(const dns::Mx& mx) { return mx.host.empty() || dns::is_host_name(mx.host); }

  Result<dns::Answer<IpAddress>> addresses(std::string name, const char* type) {
    return read<IpAddress>(std::move(name), type, [](const json& value) {
      return IpAddress::parse(value.get<std::string>()).value();
    });
  }

  template <typename Record, typename Convert>
  Result<dns::Answer<Record>> read(std::string name, std::string type, Convert convert) {
    for (int aliases = 0; aliases < 8; ++aliases) {
      auto plain = dns::query_name(name);
      if (!plain) return fail(plain.error());
      dns::Answer<Record> answer;
      const auto zone = zones_.find(*plain);
      answer.name_exists = zone != zones_.end();
      if (!answer.name_exists) return answer;
      const bool only_spf =
          std::none_of(zone->second.begin(), zone->second.end(),
                       [](const json& r) { return r.is_object() && r.contains("TXT"); });
      std::string alias;
      bool is_alias = false;
      for (const json& record : zone->second) {
        if (record.is_string() || record.contains("TIMEOUT")) {
          if (answer.empty()) return fail(Errc::timed_out);
          continue;
        }
        const std::string what = record.begin().key();
        const json& value = record.begin().value();
        if (what == "CNAME") is_alias = true, alias = value;
        const bool wanted = what == type || (what == "SPF" && type == "TXT" && only_spf);
        if (wanted && value != "NONE") answer.records.push_back(convert(value));
      }
      if (!is_alias || alias.empty()) {
        for (const Record& record : answer.records)
          if (!is_shown(record)) return fail(Errc::malformed, "no host's name");
        return answer;
      }
      name = alias;
    }
    return fail(Errc::servfail, "aliases without end");
  }

  std::map<std::string, json> zones_;
};

struct Deviation {
  const char* result;
  const char* why;
};
using Deviations = std::map<std::string, Deviation>;

SpfAnswer ask(const json& zones, const json& test) {
  testing::SimScheduler sim;
  SuiteResolver resolver(zones);
  const std::string from = test.at("mailfrom");
  const auto at = from.rfind('@');
  const std::string local = at == from.npos ? "" : from.substr(0, at);
  const std::string domain = at == from.npos ? from : from.substr(at + 1);
  auto query =
      spf_query_of_sender(IpAddress::parse(test.at("host").get<std::string>()).value(), local,
                          domain, test.at("helo").get<std::string>(), "receiver.example");
  SpfAnswer answer = sim.run(check_host(resolver, std::move(query)));
  CHECK(sim.live_tasks() == 0);
  return answer;
}

bool is_among(const json& wanted, const std::string& result) {
  if (wanted.is_string()) return wanted == result;
  return std::find(wanted.begin(), wanted.end(), result) != wanted.end();
}

// The number of cases.
int run(const std::string& text, const Deviations& deviations) {
  int cases = 0;
  std::set<std::string> deviated;
  for (const json& scenario : suites::parse_yaml(text)) {
    for (const auto& [name, test] : scenario.at("tests").items()) {
      ++cases;
      const SpfAnswer answer = ask(scenario.at("zonedata"), test);
      const std::string result(verify::name(answer.result));
      CAPTURE(scenario.value("description", ""), name, test.dump(), answer.problem,
              answer.mechanism);
      CHECK(answer.lookups <= max_spf_lookups);
      CHECK((result == "temperror" || result == "permerror") == !answer.problem.empty());
      if (const auto deviation = deviations.find(name); deviation != deviations.end()) {
        CAPTURE(deviation->second.why);
        CHECK(result == deviation->second.result);
        CHECK_FALSE(is_among(test.at("result"), result));
        deviated.insert(name);
        continue;
      }
      if (!is_among(test.at("result"), result)) UNSCOPED_INFO("is " << result);
      CHECK(is_among(test.at("result"), result));
      if (!test.contains("explanation")) continue;
      const std::string wanted = test.at("explanation");
      CHECK(answer.explanation == (wanted == "DEFAULT" ? "" : wanted));
    }
  }
  CHECK(deviated.size() == deviations.size());
  return cases;
}

}  // namespace

TEST_CASE("spf: all of RFC 7208's suite", "[suites][spf][line:39]") {
  const auto text = suites::suite_file("spf/rfc7208-tests.yml");
  if (!text) return;
  constexpr const char* no_host =
      "an MX record names a host (RFC 5321 section 5.1), and the resolver takes no other name from "
      "strangers: the answer is malformed";
  const Deviations deviations = {
      {"mx-colon-domain", {"temperror", no_host}},
      {"mx-colon-domain-ip4mapped", {"temperror", no_host}},
  };
  CHECK(run(*text, deviations) == 203);
}

TEST_CASE("spf: the regressions of another implementation", "[suites][spf]") {
  const auto text = suites::suite_file("spf/pyspf-extra-tests.yml");
  if (!text) return;
  constexpr const char* unknown = "RFC 7208 section 6: an unknown modifier is ignored";
  const Deviations deviations = {
      {"default-modifier", {"neutral", unknown}},
      {"default-modifier-harsh", {"neutral", unknown}},
  };
  CHECK(run(*text, deviations) == 16);
}
