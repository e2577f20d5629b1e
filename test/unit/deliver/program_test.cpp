// What programs are told: nothing that a stranger chose is an option.
#include <postern/deliver/program.hpp>
#include <postern/deliver/program_route.hpp>

#include <string>
#include <vector>

#include "catch.hpp"

using namespace postern;
using deliver::Manner;
using net::ProgramEnd;
using Words = std::vector<std::string>;

TEST_CASE("program_arguments: Exim hears of the client, each behind its option",
          "[deliver][program]") {
  const auto full = deliver::program_arguments(
      Manner::exim_pipe, {"192.0.2.5", "4000", "host.example", "user", "esmtpsa"});
  REQUIRE(full);
  CHECK(*full == Words{"-bs", "-oMt", "", "-oMa", "192.0.2.5.4000", "-oMs", "host.example", "-oMaa",
                       "user", "-oMr", "esmtpsa"});
  const auto six =
      deliver::program_arguments(Manner::exim_pipe, {"2001:DB8::1", "1", "", "", "smtp"});
  REQUIRE(six);
  CHECK(*six == Words{"-bs", "-oMt", "", "-oMa", "2001:db8::1.1", "-oMr", "smtp"});
}

TEST_CASE("program_arguments: Exim is told nothing that is not what it should be",
          "[deliver][program]") {
  const Words good{"192.0.2.5", "4000", "host.example", "user", "esmtp"};
  REQUIRE(deliver::program_arguments(Manner::exim_pipe, good));
  struct Row {
    std::size_t place;
    std::string word;
  };
  const auto row = GENERATE(values<Row>({
      {0, ""},
      {0, "-bV"},
      {0, "192.0.2.5 -bV"},
      {0, "host.example"},
      {0, "127.0.0.1\n"},
      {1, ""},
      {1, "70000"},
      {1, "-1"},
      {1, "25x"},
      {2, "-oX"},
      {2, "${run{/bin/touch x}}"},
      {2, "a b"},
      {2, "a\n"},
      {2, std::string(256, 'a')},
      {2, ".a"},
      {2, "h\xc3\xb6st"},
      {2, std::string("a\0b", 3)},
      {3, "-bV"},
      {3, "a b"},
      {3, "a\n"},
      {3, std::string(256, 'a')},
      {4, "esmtp -bV"},
      {4, "-bV"},
      {4, "local"},
  }));
  Words words = good;
  words[row.place] = row.word;
  CAPTURE(row.place, row.word);
  CHECK_FALSE(deliver::program_arguments(Manner::exim_pipe, words));
}

TEST_CASE("program_arguments: Exim is told five things", "[deliver][program]") {
  CHECK_FALSE(deliver::program_arguments(Manner::exim_pipe, {}));
  CHECK_FALSE(
      deliver::program_arguments(Manner::exim_pipe, {"192.0.2.5", "1", "", "", "smtp", ""}));
}

TEST_CASE("program_arguments: sendmail's recipients stand behind --", "[deliver][program]") {
  const auto made = deliver::program_arguments(
      Manner::sendmail, {"a@b.example", "x@example.net", "postmaster", "\"-x y\"@example.net"});
  REQUIRE(made);
  CHECK(*made == Words{"-i", "-f", "a@b.example", "--", "x@example.net", "postmaster",
                       "\"-x y\"@example.net"});
  const auto bounce = deliver::program_arguments(Manner::sendmail, {"", "x@example.net"});
  REQUIRE(bounce);
  CHECK((*bounce)[2] == "<>");
}

TEST_CASE("program_arguments: what is no mailbox is no argument", "[deliver][program]") {
  const std::string word = GENERATE(as<std::string>{}, "-oX@example.net", "x", "-t", "", "|/bin/sh",
                                    "x@example.net\n", "/etc/passwd", "x@y@z");
  CAPTURE(word);
  CHECK_FALSE(deliver::program_arguments(Manner::sendmail, {"a@b.example", word}));
  if (!word.empty())
    CHECK_FALSE(deliver::program_arguments(Manner::sendmail, {word, "x@example.net"}));
  CHECK_FALSE(deliver::program_arguments(Manner::qmail_queue, {word}));
  CHECK_FALSE(deliver::program_arguments(Manner::bsmtp, {word}));
}

TEST_CASE("exim_call: a name that is none is not told", "[deliver][program]") {
  deliver::Client client;
  client.remote = {IpAddress::v4({192, 0, 2, 5}), 4000};
  client.name = "-oX host";
  client.login = "-bV";
  client.esmtp = client.tls = true;
  const auto call = deliver::exim_call("exim", client);
  CHECK(call.dialogue);
  CHECK(call.words == Words{"192.0.2.5", "4000", "", "", "esmtpsa"});
  CHECK(deliver::program_arguments(Manner::exim_pipe, call.words));
}

TEST_CASE("reply_to_end: 250 is for status 0 after the whole message alone", "[deliver][program]") {
  using Kind = ProgramEnd::Kind;
  struct Row {
    Manner manner;
    ProgramEnd end;
    bool whole;
    int code;
  };
  const auto row = GENERATE(values<Row>({
      {Manner::qmail_queue, {Kind::exited, 0, ""}, true, 250},
      {Manner::qmail_queue, {Kind::exited, 0, ""}, false, 451},
      {Manner::qmail_queue, {Kind::exited, 11, ""}, true, 554},
      {Manner::qmail_queue, {Kind::exited, 31, ""}, true, 554},
      {Manner::qmail_queue, {Kind::exited, 40, ""}, true, 554},
      {Manner::qmail_queue, {Kind::exited, 51, ""}, true, 451},
      {Manner::qmail_queue, {Kind::exited, 82, ""}, true, 451},
      {Manner::sendmail, {Kind::exited, 0, "550 is no reply here"}, true, 250},
      {Manner::sendmail, {Kind::exited, 65, ""}, true, 554},
      {Manner::sendmail, {Kind::exited, 67, ""}, true, 554},
      {Manner::sendmail, {Kind::exited, 75, ""}, true, 451},
      {Manner::sendmail, {Kind::exited, 77, ""}, true, 451},
      {Manner::sendmail, {Kind::killed, 9, ""}, true, 451},
      {Manner::sendmail, {Kind::late, 0, ""}, true, 451},
      {Manner::sendmail, {Kind::refused, 0, ""}, true, 451},
      {Manner::bsmtp, {Kind::exited, 0, "all is well"}, true, 250},
      {Manner::bsmtp, {Kind::exited, 2, "The error was:\n\n  550 unknown user\n\n"}, false, 550},
      {Manner::bsmtp, {Kind::exited, 0, "550 unknown user\n"}, true, 550},
      {Manner::bsmtp, {Kind::exited, 1, "452-no space\r\n452 later\r\n"}, true, 451},
      {Manner::bsmtp, {Kind::exited, 1, "nothing"}, true, 451},
      {Manner::bsmtp, {Kind::killed, 9, "550 x"}, true, 451},
  }));
  CAPTURE(static_cast<int>(row.manner), describe(row.end), row.whole);
  CHECK(deliver::reply_to_end(row.manner, row.end, row.whole, "id").code() == row.code);
}
