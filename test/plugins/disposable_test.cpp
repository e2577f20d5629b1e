// disposable: addresses that a user makes up, and that end by themselves.
#include <chrono>
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using test::in_one_line;
using test::Letter;
using testing::Harness;
using testing::Phase;

namespace {

std::string send(Harness& h, const std::string& to, const std::string& from = "a@b.example") {
  Letter letter;
  letter.to = to;
  letter.from = from;
  const std::string heard = in_one_line(test::whole_dialogue(h, letter));
  h.client.close();
  h.run_for(1s);
  return heard.starts_with("nowhere 250") ? "taken" : heard;
}

void load(Harness& h, const std::string& keys = {}) {
  h.load("disposable", "users = [\"anna@t.example\", \"o.k@t.example\"]\n" + keys);
  h.load("rcpt_ok", "recipients = [\"anna@t.example\"]");
}

constexpr const char* expired = "rcpt 550 5.1.6 Address expired";
constexpr const char* unknown = "rcpt 550 5.1.1";

}  // namespace

TEST_CASE("disposable: so many messages, and no more", "[plugins][disposable]") {
  struct Row {
    const char* address;
    int taken;
  };
  const auto row = GENERATE(values<Row>({
      {"shop.3.anna@t.example", 3},
      {"Shop.3.Anna@T.Example", 3},
      {"anna.2.count@t.example", 2},
      {"anna.count.2@t.example", 2},
      {"shop.1.o.k@t.example", 1},
      {"o.k.1.count@t.example", 1},
      {"shop.0.anna@t.example", 0},
      {"shop.99.anna@t.example", 5},  // the most
  }));
  CAPTURE(row.address);
  Harness h;
  load(h, "most = 5");
  for (int i = 0; i < row.taken; ++i) CHECK(send(h, row.address) == "taken");
  CHECK(send(h, row.address) == expired);
  if (row.taken > 0)
    CHECK(test::contains(test::delivered_to(h.downstream), test::contains(row.address, "o.k")
                                                               ? "<o.k@t.example>"
                                                               : "<anna@t.example>"));
  h.run_for(200 * 24h);
  CHECK(send(h, row.address) == expired);
  CHECK(send(h, "anna@t.example") == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("disposable: what is none is left to others", "[plugins][disposable]") {
  const std::string to =
      GENERATE("shop.3.bert@t.example", "shop.x.anna@t.example", "shop.anna@t.example",
               ".3.anna@t.example", "3.anna@t.example", "shop.3.@t.example",
               "anna.x.count@t.example", "anna.before.13xyz@t.example",
               "anna.before.20261301@t.example", "shop.9999999.anna@t.example");
  CAPTURE(to);
  Harness h;
  load(h);
  const std::string heard = send(h, to);
  CHECK((heard.starts_with(unknown) || heard.starts_with("rcpt 5")));
  CHECK(heard != expired);
  CHECK(h.store.updates() == 0);
  CHECK(h.end() == "");
}

TEST_CASE("disposable: only what was handed over counts", "[plugins][disposable]") {
  Harness h;
  load(h);
  const std::string to = "shop.1.anna@t.example";
  SECTION("RSET") {
    h.client.connect();
    REQUIRE(h.client.greeting().code == 220);
    CHECK(h.client.recipient(to).code == 250);
    CHECK(h.client.command("RSET").code == 250);
    h.client.close();
    h.run_for(1s);
  }
  SECTION("the downstream refuses") {
    h.downstream.fail({Phase::end_of_data, testing::Fault::Kind::reply, "451 4.3.0 later\r\n"});
    CHECK(send(h, to).starts_with("message 451"));
    h.downstream.mend();
  }
  CHECK(send(h, to) == "taken");
  CHECK(send(h, to) == expired);
  CHECK(h.end() == "");
}

TEST_CASE("disposable: of two at once the second has to wait", "[plugins][disposable]") {
  Harness h;
  load(h);
  const std::string to = "shop.1.anna@t.example";
  testing::HarnessClient other(h);
  other.connect();
  REQUIRE(other.greeting().code == 220);
  CHECK(other.recipient(to).code == 250);
  CHECK(send(h, to) == "rcpt 450 4.2.1 The last message to this address is on its way");
  CHECK(other.message().code == 250);
  CHECK(send(h, to) == expired);
  other.close();
  CHECK(h.end() == "");
}

TEST_CASE("disposable: until a day", "[plugins][disposable]") {
  Harness h;
  load(h);
  const auto now = std::chrono::floor<std::chrono::days>(h.store.now());
  const auto day_text = [](std::chrono::sys_days day) {
    const std::chrono::year_month_day date(day);
    return fmt::format("anna.before.{:04}{:02}{:02}@t.example", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  };
  const std::string to = day_text(now + std::chrono::days(2));
  CHECK(send(h, to) == "taken");
  CHECK(send(h, day_text(now)) == expired);
  h.run_for(24h);
  CHECK(send(h, to) == "taken");
  h.run_for(24h);
  CHECK(send(h, to) == expired);
  CHECK(h.end() == "");
}

TEST_CASE("disposable: a day without a year is the next one, once and for all",
          "[plugins][disposable]") {
  Harness h;
  load(h);
  const std::string to = "anna.before.10mar@t.example";
  CHECK(send(h, to) == "taken");
  h.run_for(366 * 24h);
  CHECK(send(h, to) == expired);
  CHECK(h.end() == "");
}

TEST_CASE("disposable: trusted senders do not count", "[plugins][disposable]") {
  Harness h;
  load(h, "trusted = [\"@friend.example\"]");
  const std::string to = "shop.1.anna@t.example";
  for (int i = 0; i < 3; ++i) CHECK(send(h, to, "a@friend.example") == "taken");
  CHECK(send(h, to) == "taken");
  CHECK(send(h, to) == expired);
  CHECK(send(h, to, "a@friend.example") == "taken");
  CHECK(h.end() == "");
}

TEST_CASE("disposable: without a store mail is deferred", "[plugins][disposable]") {
  Harness h;
  load(h);
  h.store.fail_with(Errc::io);
  CHECK(send(h, "shop.1.anna@t.example") ==
        "rcpt 450 4.3.0 Temporary problem, please try again later");
  CHECK(send(h, "anna@t.example") == "taken");
  CHECK(h.end() == "");
}
