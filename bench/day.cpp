#include "day.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <string_view>
#include <utility>

#include "dialogue.hpp"

namespace postern::bench {
namespace {

using namespace std::chrono_literals;

// Sessions of each kind in the whole day.
constexpr std::size_t unlikely = 18'500;
constexpr std::size_t invented = 40'000;
constexpr std::size_t catch_all_victims = 40;  // of the invented: their bounces are these
constexpr std::size_t victims = 20;            // users in whose name somebody sends spam
constexpr std::size_t strict_victims = 10;
constexpr std::size_t bounces_to_victim = 40;
constexpr std::size_t dictionaries = 60;  // networks that guess
constexpr std::size_t guessers = 40;      // sessions of each
constexpr std::size_t listed = 3'000;
constexpr std::size_t unwelcome_hosts = 1'000;
constexpr std::size_t newsletters = 500;
constexpr std::size_t relay_attempts = 300;
constexpr std::size_t good = 2'000;

// Settings of test/integration/day.py that decide what is expected here.
constexpr std::size_t shed_threshold = 20;
constexpr std::size_t flood_count = 20, strict_flood_count = 5;
constexpr auto retry = 2s;  // greylisting's delay is a second
constexpr std::uint32_t relaying = (127U << 24) + (250U << 16) + 1;  // 127.250.0.0/16 may
constexpr std::size_t from_a_network = 12;  // refusals: below the threshold

// In domains/: strict.test is stricter, watch.test only observes, lists.test has lists of its own,
// grey.test greylists, catchall.test takes everybody. steve.test has the site's settings.
constexpr const char* mailbox_domains[] = {"steve.test", "strict.test", "grey.test", "lists.test"};
constexpr std::size_t mailboxes = 150;

// Numbers below 343,000 differ in three syllables.
std::string word(std::size_t number) {
  constexpr std::string_view consonants = "bdfgklmnprstvz", vowels = "aeiou";
  number = (number * 48'271 + 7) % 343'000;
  std::string text;
  for (int i = 0; i < 3; ++i, number /= 70) {
    text += consonants[number % 14];
    text += vowels[number / 14 % 5];
  }
  return text;
}
// As somebody calls himself who makes up an address for each site: "slashdot.org".
std::string mailbox(std::size_t number) { return word(number % mailboxes) + ".org"; }

struct Unlikely {
  const char* form;  // of the local-part; {} is a word
  const char* rule;  // the text of the first rule that matches
};
constexpr std::array<Unlikely, 6> unlikely_forms{{
    {"{}7", "Localparts never end in digits"},
    {"\"{},x\"", "Localparts never contain a comma"},
    {"{}|x", "Localparts never contain PIPES"},
    {"_{}", "Localparts start with a-z/A-Z"},
    {"\"{}\"", "Localparts start with a-z/A-Z"},  // the quotes come first of all
    {"o'{}", "Quotes are never used in accounts on this system"},
}};

class Maker {
 public:
  explicit Maker(std::size_t part) : part_(part) {
    for (const char* domain : mailbox_domains)
      for (std::size_t i = 0; i < mailboxes; ++i) day_.mailboxes[domain].push_back(mailbox(i));
    day_.mailboxes["strict.test"].push_back("postbox");
    day_.mailboxes["catchall.test"] = {"*"};
  }

  Day make() {
    for (std::size_t i = 0; i < share(unlikely); ++i) bounce_to_unlikely(i);
    const std::size_t to_victims = share(catch_all_victims) * bounces_to_victim;
    for (std::size_t i = 0; i < share(invented) - to_victims; ++i) bounce_to_invented(i);
    for (std::size_t i = 0; i < share(catch_all_victims); ++i)
      flood("invented", word(200'000 + i) + "@catchall.test", flood_count);
    for (std::size_t i = 0; i < share(victims); ++i)
      flood("flood", mailbox(i) + "@steve.test", flood_count);
    for (std::size_t i = 0; i < share(strict_victims); ++i)
      flood("flood", mailbox(i) + "@strict.test", strict_flood_count);
    for (std::size_t i = 0; i < share(dictionaries); ++i) guess(i);
    for (std::size_t i = 0; i < share(listed); ++i) come_from_list(i);
    for (std::size_t i = 0; i < share(unwelcome_hosts); ++i) come_from_unwelcome_host(i);
    for (std::size_t i = 0; i < share(newsletters); ++i) send_newsletter(i);
    for (std::size_t i = 0; i < share(relay_attempts); ++i) try_to_relay(i);
    for (std::size_t i = 0; i < share(good); ++i) send_good(i);
    std::mt19937 random(20090628);
    for (std::size_t i = lanes_.size(); i > 1; --i) std::swap(lanes_[i - 1], lanes_[random() % i]);
    day_.phases.push_back({0s, std::move(lanes_)});
    day_.phases.push_back({retry, std::move(later_)});
    return std::move(day_);
  }

 private:
  std::size_t share(std::size_t number) const { return std::max<std::size_t>(1, number / part_); }

  // 127.1.0.1 and on; those of one kind share networks, yet none has enough to be shed.
  std::uint32_t somebody(const char* kind) {
    auto& [network, used] = networks_[kind];
    if (network == 0 || used == from_a_network) {
      network = next_network();
      used = 0;
    }
    return network + ++used;
  }
  std::uint32_t next_network() { return (127U << 24) + (1U << 16) + (networks_used_++ << 8); }

  Dialogue talk(const char* kind, std::uint32_t client) { return {++visits_, kind, client}; }
  Dialogue talk(const char* kind) { return talk(kind, somebody(kind)); }
  void alone(Visit visit) {
    lanes_.emplace_back();
    lanes_.back().push_back(std::move(visit));
  }

  // Challenges and automatic answers have a sender.
  static const char* sender_of_bounce(std::size_t i) { return i % 5 ? "" : "robot@cr.example"; }

  void bounce_to_unlikely(std::size_t i) {
    const Unlikely& shape = unlikely_forms[i % unlikely_forms.size()];
    const std::string local_part = fmt::format(fmt::runtime(shape.form), word(i));
    Dialogue it = talk("unlikely");
    it.greet();
    it.mail(sender_of_bounce(i));
    Turn refused{{}, 550, "rcpt_pattern_test", {}, shape.rule};
    const std::size_t where = i / unlikely_forms.size() % 20;
    if (where == 0) {
      it.take(local_part + "@watch.test", "rcpt_pattern_test");
      it.message_taken();
    } else if (where == 1) {
      refused.settings = "strict.test";
      if (&shape == &unlikely_forms.front()) {
        refused.code = 450;
        refused.text = "Digits are looked at by hand";
      }
      it.rcpt(local_part + "@strict.test", refused);
    } else {
      const char* domain = where < 4 ? "grey.test" : where < 6 ? "catchall.test" : "steve.test";
      it.rcpt(fmt::format("{}@{}", local_part, domain), refused);
    }
    alone(it.quit());
  }

  void bounce_to_invented(std::size_t i) {
    const std::size_t where = i % 20;
    Dialogue it = talk("invented");
    it.greet();
    it.mail(sender_of_bounce(i / 20));
    if (where < 2) {
      it.take(word(i) + (where == 0 ? "@watch.test" : "@catchall.test"));
      it.message_taken();
    } else {
      const char* domain = where < 5   ? "strict.test"
                           : where < 7 ? "grey.test"
                           : where < 8 ? "lists.test"
                                       : "steve.test";
      const std::string to = fmt::format("{}@{}", word(i), domain);
      it.rcpt(to, {{}, 550, "virtual_rcpt_ok", {}, fmt::format("Mail to {} is not accepted", to)});
    }
    alone(it.quit());
  }

  // After so many bounces to one address there are no more; his other mail is taken.
  void flood(const char* kind, const std::string& victim, std::size_t most) {
    const bool strict = victim.ends_with("@strict.test");
    const Turn refused{{},
                       strict ? 550 : 450,
                       "bounce_flood",
                       strict ? "strict.test" : "",
                       fmt::format("Too many bounces for {}", victim)};
    Lane lane;
    for (std::size_t i = 0; i < bounces_to_victim; ++i) {
      const bool is_answer = i % 7 == 3;  // and known as such only by its header
      Dialogue it = talk(kind);
      it.greet();
      it.mail(is_answer ? "anna@away.example" : "");
      if (i >= most && !is_answer) {
        it.rcpt(victim, refused);
      } else {
        it.take(victim);
        Turn turn = i < most ? Turn{{}, 250, "downstream"} : refused;
        if (turn.code == 450) turn.code = 451;  // at the end of a message
        it.message(std::move(turn), 600, is_answer ? "Auto-Submitted: auto-replied\r\n" : "");
      }
      lane.push_back(it.quit());
    }
    lanes_.push_back(std::move(lane));
  }

  // A network of many hosts. Some find a mailbox; from the threshold on nobody hears anything.
  void guess(std::size_t i) {
    const std::uint32_t network = next_network();
    const std::string domain = mailbox_domains[i % 2];
    const std::size_t guesses = i % 3 == 0 ? 15 : 10;
    std::size_t points = 0;
    Lane lane;
    for (std::uint32_t session = 0; session < guessers; ++session) {
      Dialogue it = talk("dictionary", network + 1 + session);
      if (points >= shed_threshold) {
        it.turned_away();
        lane.push_back(it.end());
        continue;
      }
      it.greet();
      it.mail("guess@dictionary.example");
      bool open = true;
      for (std::size_t g = 0; g < guesses && open; ++g) {
        const bool found = i % 4 == 1 && g == 3;
        const std::string to = fmt::format(
            "{}@{}", found ? mailbox(session) : word(300'000 + session * 20 + g), domain);
        open = points < shed_threshold;
        if (!open)
          it.rcpt(to, {{}, 550, "shed", {}, "Too many errors"}, false);
        else if (found)
          it.rcpt(to, {{}, 250, "downstream"}, false);
        else
          it.rcpt(to, {{}, 550, "virtual_rcpt_ok"}, false);
        points += !found;
      }
      lane.push_back(open ? it.quit() : it.end());
    }
    lanes_.push_back(std::move(lane));
  }

  // bl.test counts two, soft.test one; own.test is asked by lists.test alone.
  void come_from_list(std::size_t i) {
    const std::uint32_t client = somebody("listed");
    const std::string user = mailbox(i);
    Dialogue it = talk("listed", client);
    it.greet();
    it.mail("offers@shop.example");
    const char* zone = "bl.test";
    bool taken = true;
    switch (i % 10) {
      default:
        it.rcpt(user + "@steve.test", {{}, 550, "dnsbl", {}, "Listed in bl.test"});
        taken = false;
        break;
      case 4:
        it.take("anybody@watch.test", "dnsbl");
        break;
      case 5:
        zone = "soft.test";
        it.take(user + "@steve.test");
        break;
      case 6:
        zone = "soft.test";
        it.rcpt(user + "@strict.test", {{}, 550, "dnsbl", "strict.test", "Listed in soft.test"});
        taken = false;
        break;
      case 7:
        zone = "own.test";
        it.rcpt(user + "@lists.test", {{}, 450, "dnsbl", "lists.test", "Listed in own.test"});
        taken = false;
        break;
      case 8:
        it.take(user + "@lists.test");
        break;
      case 9:  // each by his own settings
        it.rcpt(user + "@steve.test", {{}, 550, "dnsbl", {}, "Listed in bl.test"});
        it.take("postbox@strict.test");
        it.take("anybody@watch.test", "dnsbl");
        break;
    }
    if (taken) it.message_taken(2000);
    day_.listed[zone].push_back(client);
    alone(it.quit());
  }

  void come_from_unwelcome_host(std::size_t i) {
    const std::uint32_t client = somebody("host");
    const std::string user = mailbox(i);
    const char* country = i % 10 < 5 ? "sa" : "ru";
    day_.hosts[client] = fmt::format("mail{}.{}.{}", i, word(i), country);
    Dialogue it = talk("host", client);
    it.greet();
    it.mail("offers@shop.example");
    const Turn refused{{}, 550, "rdns_blacklist", {}, fmt::format("Top-level domain {}", country)};
    if (i % 5 < 3) {
      it.rcpt(user + "@steve.test", refused);
    } else if (i % 5 == 3) {
      it.take(user + "@catchall.test");
      it.message_taken();
    } else if (i % 10 == 4) {  // .sa, which lists.test has not on its own list
      it.take(user + "@lists.test");
      it.message_taken();
    } else {
      Turn own = refused;
      own.settings = "lists.test";
      it.rcpt(user + "@lists.test", own);
    }
    alone(it.quit());
  }

  void send_newsletter(std::size_t i) {
    Dialogue it = talk("newsletter");
    it.greet();
    it.mail("invitations@news.linkedout.example");
    const std::string user = mailbox(i);
    if (i % 5 < 3) {
      it.rcpt(user + "@steve.test", {{}, 550, "badmailfrom", {}, "linkedout.example"});
    } else {
      it.take(user + (i % 5 == 3 ? "@catchall.test" : "@watch.test"),
              i % 5 == 3 ? "" : "badmailfrom");
      it.message_taken(3000);
    }
    alone(it.quit());
  }

  void try_to_relay(std::size_t i) {
    Dialogue it = talk("relay attempt");
    it.greet();
    it.mail("a@b.example");
    it.rcpt(fmt::format("{}@elsewhere.example", word(i)), {{}, 550, "core:relaying"});
    alone(it.quit());
  }

  void send_good(std::size_t i) {
    const std::size_t octets = 1000 + i * 37 % 7000;
    const std::size_t where = i % 10;
    const std::string user = mailbox(i / 10);
    if (where < 2) return send_greylisted(word(i), user + "@grey.test", octets);
    Dialogue it =
        where == 2 ? talk("good", relaying + static_cast<std::uint32_t>(i % 200)) : talk("good");
    it.greet();
    it.mail(fmt::format("{}@friend.example", word(i)));
    if (where == 2)
      it.take(word(i) + "@elsewhere.example");
    else if (where == 3)
      it.take(user + "@strict.test");
    else if (where == 4)
      it.take(user + "@lists.test");
    else if (where == 5)
      it.take(user + "@watch.test");
    else if (where == 6)  // bounces to him may be blocked, his mail is not
      it.take(word(200'000 + i / 10 % share(catch_all_victims)) + "@catchall.test");
    else
      it.take(user + "@steve.test");
    if (where == 7) it.take(user + "@catchall.test");
    it.message_taken(octets);
    alone(it.quit());
  }

  void send_greylisted(const std::string& from, const std::string& to, std::size_t octets) {
    const std::uint32_t client = somebody("good, greylisted");
    Dialogue first = talk("greylisted", client);
    first.greet();
    first.mail(from + "@friend.example");
    first.rcpt(to, {{}, 451, "greylisting", "grey.test", "temporarily deferred"});
    alone(first.quit());
    Dialogue again = talk("good", client);
    again.greet();
    again.mail(from + "@friend.example");
    again.take(to);
    again.message_taken(octets);
    later_.emplace_back();
    later_.back().push_back(again.quit());
  }

  struct Network {
    std::uint32_t address = 0;
    std::uint32_t used = 0;
  };

  std::size_t part_;
  std::size_t visits_ = 0;
  std::uint32_t networks_used_ = 0;
  std::map<std::string, Network> networks_;
  std::vector<Lane> lanes_, later_;
  Day day_;
};

}  // namespace

Day make_day(std::size_t part) { return Maker(part).make(); }

std::string dotted(std::uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255,
                     address & 255);
}

}  // namespace postern::bench
