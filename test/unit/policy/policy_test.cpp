// Which of several settings holds for whom.
#include <postern/policy/policy.hpp>

#include <fmt/format.h>

#include <chrono>
#include <fstream>

#include "catch.hpp"
#include "fake_plugins.hpp"

namespace postern::policy {
namespace {

using Lines = std::vector<std::string>;
using namespace std::chrono_literals;

}  // namespace

TEST_CASE(
    "Snapshot: a recipient's setting goes before the domain's, the block's, the defaults' and "
    "the plugin's own",
    "[policy][snapshot]") {
  struct Row {
    const char* why;
    std::string defaults, of_block, domain, recipient;
    std::chrono::milliseconds at_site, at_domain, at_recipient;
  };
  const auto row = GENERATE(values<Row>({
      {"nobody says anything", "", "", "", "", 30s, 30s, 30s},
      {"the defaults do", "1s", "", "", "", 1s, 1s, 1s},
      {"the block does", "", "2s", "", "", 2s, 2s, 2s},
      {"the block goes before the defaults", "1s", "2s", "", "", 2s, 2s, 2s},
      {"the domain does", "1s", "2s", "3s", "", 2s, 3s, 3s},
      {"the recipient does", "1s", "2s", "3s", "4s", 2s, 3s, 4s},
      {"only the recipient does", "", "", "", "4s", 30s, 30s, 4s},
      {"the domain goes before the defaults", "1s", "", "3s", "", 1s, 3s, 3s},
  }));
  CAPTURE(row.why);
  const auto timeout = [](const std::string& value) {
    return value.empty() ? "" : "timeout = \"" + value + "\"\n";
  };
  Site site("[plugin_defaults]\n" + timeout(row.defaults) + block("late", timeout(row.of_block)));
  site.domain("example.net", "[plugin.late]\n" + timeout(row.domain) +
                                 "[recipient.\"Anna@example.net\".plugin.late]\n" +
                                 timeout(row.recipient));
  const Loaded loaded = site.load();
  CHECK(loaded.lines() == Lines{});
  const Snapshot& snapshot = *loaded.snapshot;
  CHECK(snapshot.site().of(0).common.timeout == row.at_site);
  CHECK(snapshot.of("bert", "example.net").of(0).common.timeout == row.at_domain);
  CHECK(snapshot.of("anna", "example.net").of(0).common.timeout == row.at_recipient);
  CHECK(snapshot.of("anna", "example.com").of(0).common.timeout == row.at_site);
  // What nobody set is the plugin's own.
  CHECK(snapshot.of("anna", "example.net").of(0).common.on_error == OnError::next);
}

TEST_CASE("Snapshot: each key overrides itself alone", "[policy][snapshot]") {
  Site site(block("recipient",
                  "threshold = 3\nzones = [\"a.example\"]\nmode = \"observe\"\n"
                  "exempt = { senders = [\"x@example.org\"], relay = true }\n"));
  site.domain("example.net",
              "[plugin.recipient]\nzones = [{ name = \"b.example\", weight = 2 }]\n"
              "exempt = { recipients = [\"abuse\"] }\n"
              "[recipient.\"anna@example.net\".plugin.recipient]\nmode = \"on\"\n");
  const Loaded loaded = site.load();
  CHECK(loaded.lines() == Lines{});
  const Policy& anna = loaded.snapshot->of("anna", "example.net");
  CHECK(settings_of(anna).threshold == 3);
  CHECK(settings_of(anna).zones == std::vector<Zone>{{"b.example", 2}});
  const Common& common = anna.of(0).common;
  CHECK(common.mode == Mode::on);
  CHECK(common.exempt.relay);
  CHECK(common.exempt.senders.contains("x", "example.org"));
  CHECK(common.exempt.recipients.contains("abuse", "example.net"));
  CHECK(loaded.snapshot->site().of(0).common.exempt.recipients.empty());
  CHECK(settings_of(loaded.snapshot->site()).zones == std::vector<Zone>{{"a.example", 1}});
}

TEST_CASE("Snapshot: finds domain and recipient in any case, quoted or not", "[policy][snapshot]") {
  Site site(block("recipient"));
  site.domain("Example.NET",
              "[recipient.\"\\\"John Doe\\\"@Example.net\".plugin.recipient]\n"
              "threshold = 9\n[plugin.recipient]\nthreshold = 5\n");
  const Loaded loaded = site.load();
  CHECK(loaded.lines() == Lines{});
  const Snapshot& snapshot = *loaded.snapshot;
  struct Row {
    std::string local_part, domain, scope;
  };
  const auto row = GENERATE(values<Row>({
      {"x", "example.net", "example.net"},
      {"x", "EXAMPLE.NET", "example.net"},
      {"\"john doe\"", "example.NET", "john doe@example.net"},
      {"\"jo\\hn doe\"", "example.net", "john doe@example.net"},
      {"x", "sub.example.net", "site"},
      {"x", "example.org", "site"},
      {"postmaster", "", "site"},
      {"", "", "site"},
      {"", "john doe@example.net", "site"},
      {"\"", "example.net", "example.net"},
      {std::string(2000, 'a'), "example.net", "site"},
  }));
  CAPTURE(row.local_part, row.domain);
  CHECK(snapshot.of(row.local_part, row.domain).scope() == row.scope);
}

TEST_CASE("Policy: knows its parents, what is mixed, and the score", "[policy][snapshot]") {
  Site site("[score]\ndefer_at = 5\nreject_at = 10\n" + block("recipient", "mode = \"score\"\n"));
  site.bundle.files[0].content = "mixed = \"strictest\"\n" + site.bundle.files[0].content;
  site.domain("a.example",
              "mixed = \"lenient\"\n[score]\nreject_at = 20\n"
              "[recipient.\"x@a.example\".plugin.recipient]\npoints = 2\n");
  site.domain("b.example", "");
  const Loaded loaded = site.load();
  CHECK(loaded.lines() == Lines{});
  const Policy& x = loaded.snapshot->of("x", "a.example");
  CHECK(x.scope() == "x@a.example");
  REQUIRE(x.parent() != nullptr);
  CHECK(x.parent()->scope() == "a.example");
  CHECK(x.parent()->parent() == &loaded.snapshot->site());
  CHECK(loaded.snapshot->site().parent() == nullptr);
  CHECK(x.of(0).common.points == 2);
  CHECK(x.mixed() == Mixed::lenient);
  CHECK(x.score().defer_at == 5u);
  CHECK(x.score().reject_at == 20u);
  const Policy& b = loaded.snapshot->of("x", "b.example");
  CHECK(b.scope() == "b.example");
  CHECK(b.mixed() == Mixed::strictest);
  CHECK(b.score().reject_at == 10u);
}

TEST_CASE("Snapshot: instances stand in the order of their blocks, under their names",
          "[policy][snapshot]") {
  const Loaded loaded =
      Site(block("late") + block("early", "name = \"early:strict\"\nthreshold = 7\n") +
           block("early"))
          .load();
  CHECK(loaded.lines() == Lines{});
  const auto& instances = loaded.snapshot->instances();
  REQUIRE(instances.size() == 3);
  CHECK(instances[1].name == "early:strict");
  CHECK(instances[1].type->name == "early");
  CHECK(instances[1].place.line == 8);
  CHECK(loaded.snapshot->find("early") == InstanceIndex{2});
  CHECK(loaded.snapshot->find("early:") == std::nullopt);
  CHECK(settings_of(loaded.snapshot->site(), 1).threshold == 7);
  CHECK(settings_of(loaded.snapshot->site(), 2).threshold == 1);
}

TEST_CASE("everywhere: joins equal elements of the site, the domains and the recipients",
          "[policy][snapshot]") {
  Site site(block("recipient", "zones = [\"a.example\", \"b.example\"]\nwords = [\"x\"]\n"));
  site.domain("one.example",
              "[plugin.recipient]\nzones = [\"b.example\", \"c.example\"]\n"
              "[recipient.\"r@one.example\".plugin.recipient]\n"
              "zones = [{ name = \"b.example\", weight = 5 }]\nwords = [\"y\", \"x\"]\n");
  site.domain("off.example", "[plugin.recipient]\nmode = \"off\"\nzones = [\"no.example\"]\n");
  const Loaded loaded = site.load();
  CHECK(loaded.lines() == Lines{});
  const Snapshot& snapshot = *loaded.snapshot;
  const auto& zones = snapshot.everywhere(0, &FakeSettings::zones);
  CHECK(zones ==
        std::vector<Zone>{{"a.example", 1}, {"b.example", 1}, {"c.example", 1}, {"b.example", 5}});
  CHECK(&snapshot.everywhere(0, &FakeSettings::zones) == &zones);
  CHECK(snapshot.everywhere(0, &FakeSettings::words) == std::vector<std::string>{"x", "y"});
}

TEST_CASE("everywhere: has at most 64 elements, and a note says what that means",
          "[policy][snapshot]") {
  const auto with = [](int domains) {
    Site site(block("recipient"));
    for (int i = 0; i < domains; ++i)
      site.domain(fmt::format("d{}.example", i),
                  fmt::format("[plugin.recipient]\nzones = [\"z{}.example\"]\n", i));
    return site.load();
  };
  CHECK(with(64).lines() == Lines{});
  const Loaded loaded = with(65);
  CHECK(loaded.usable());
  CHECK(loaded.lines() ==
        Lines{"postern.toml:6:1: plugin.zones: over all domains there are more than 64 different "
              "elements; what is done before the recipient is known uses the first 64"});
}

TEST_CASE("Snapshot: lives on without the configuration it came from", "[policy][snapshot]") {
  FakeCatalog catalog;
  std::shared_ptr<const Snapshot> snapshot;
  {
    Site site(block("recipient", "file = \"bad\"\n"));
    site.list("bad", "x@example.org\n").domain("example.net", "[plugin.recipient]\nloud = true\n");
    snapshot = load(site.bundle, catalog, {false}).snapshot;
  }
  const FakeSettings& settings = settings_of(snapshot->of("a", "example.net"));
  CHECK(settings.loud);
  CHECK(settings.list.contains("x", "example.org"));
}

// Run by hand: test-policy '[measure]'
TEST_CASE("Snapshot: a hundred thousand domains", "[.][measure]") {
  const auto resident = [] {
    std::ifstream in("/proc/self/statm");
    std::size_t all = 0, pages = 0;
    in >> all >> pages;
    return pages * 4096 / 1'000'000;
  };
  const auto ms = [](auto d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  };
  Site site(block("recipient", "zones = [\"a.example\"]\n") + block("late") + block("early"));
  const std::size_t before = resident();
  for (int i = 0; i < 100'000; ++i)
    site.domain(fmt::format("domain{}.example", i),
                fmt::format("[plugin.recipient]\nthreshold = {}\n[plugin.late]\nmode = "
                            "\"observe\"\n",
                            1 + i % 9));
  const std::size_t bundle = resident();
  const auto start = std::chrono::steady_clock::now();
  const Loaded loaded = site.load();
  const auto end = std::chrono::steady_clock::now();
  const std::size_t after = resident();
  REQUIRE(loaded.lines() == Lines{});
  long sum = 0;
  for (int i = 0; i < 1'000'000; ++i)
    sum += settings_of(loaded.snapshot->of("anna", "domain54321.example")).threshold;
  const auto looked = std::chrono::steady_clock::now();
  WARN(fmt::format("load {} ms; bundle {} MB, snapshot {} MB; look-up and of() {} ns ({})",
                   ms(end - start), bundle - before, after - bundle, ms(looked - end), sum));
}

}  // namespace postern::policy
