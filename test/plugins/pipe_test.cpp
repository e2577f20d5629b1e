// pipe: recipients whose mail is handed to a program.
#include <string>

#include "catch.hpp"
#include "support/dialogue.hpp"

using namespace postern;
using namespace std::chrono_literals;
using net::ProgramEnd;
using test::in_one_line;
using testing::Harness;

namespace {

const std::string content = "Subject: test\r\n\r\n.dot\r\n..\r\nend\r\n";

struct WithProgram {
  explicit WithProgram(const std::string& manner,
                       ProgramEnd end = {ProgramEnd::Kind::exited, 0, ""}) {
    h.configure("[[program]]\nname = \"p\"\nmanner = \"" + manner +
                "\"\ncommand = [\"/bin/p\"]\nat_a_time = 1\ntimeout = \"30s\"\n");
    h.load("pipe", "program = \"p\"");
    h.programs.install("p", taken, std::move(end));
  }
  std::string send(const std::string& message = content) {
    test::arrive(h);
    const auto rcpt = h.client.recipient("x@example.net");
    if (rcpt.code != 250) return in_one_line(rcpt);
    return in_one_line(h.client.message(message));
  }

  testing::SimPrograms::Taken taken;
  Harness h;
};

// Reads on, or does not read at all, and never ends by itself.
coro::Task<void> hang(net::RunningProgram program, bool reads, bool& saw_end) {
  while (reads) {
    program.talk->consume(program.talk->input().size());
    auto more = co_await program.talk->more(coro::forever);
    if (more) continue;
    saw_end = more.error().code == Errc::closed;
    break;
  }
  auto gone = co_await program.end->more(coro::forever);
  (void)gone;
}

coro::Task<void> lose_the_helper(net::RunningProgram program) {
  auto more = co_await program.talk->more(coro::forever);
  (void)more;
  program.end.reset();
}

}  // namespace

TEST_CASE("pipe: qmail-queue reads the message, then the envelope", "[plugins][pipe]") {
  WithProgram with("qmail-queue");
  CHECK(with.send().substr(0, 19) == "250 2.0.0 queued as");
  CHECK(with.taken.whole);
  CHECK(with.taken.call.words.empty());
  CHECK(with.taken.second == std::string("Fa@b.example\0Tx@example.net\0\0", 29));
  CHECK(with.taken.input.ends_with("Subject: test\n\n.dot\n..\nend\n"));
  CHECK(with.taken.input.find('\r') == std::string::npos);
  CHECK(with.taken.input.starts_with("Received: "));
  CHECK(with.h.end() == "");
}

TEST_CASE("pipe: a batch is SMTP", "[plugins][pipe]") {
  WithProgram with("bsmtp");
  CHECK(with.send().substr(0, 9) == "250 2.0.0");
  CHECK(with.taken.input.starts_with(
      "MAIL FROM:<a@b.example>\r\nRCPT TO:<x@example.net>\r\nDATA\r\nReceived: "));
  CHECK(with.taken.input.ends_with("Subject: test\r\n\r\n..dot\r\n...\r\nend\r\n.\r\nQUIT\r\n"));
  CHECK(with.h.end() == "");
}

TEST_CASE("pipe: sendmail is told the envelope", "[plugins][pipe]") {
  WithProgram with("sendmail");
  CHECK(with.send().substr(0, 9) == "250 2.0.0");
  CHECK(with.taken.call.words == std::vector<std::string>{"a@b.example", "x@example.net"});
  CHECK(with.taken.input.ends_with("Subject: test\n\n.dot\n..\nend\n"));
  CHECK(with.h.end() == "");
}

TEST_CASE("pipe: a mailbox that could be an option is refused at RCPT", "[plugins][pipe]") {
  WithProgram with("sendmail");
  test::arrive(with.h);
  CHECK(in_one_line(with.h.client.recipient("-oX@example.net")).substr(0, 9) == "501 5.1.3");
  CHECK(with.h.end() == "");
}

TEST_CASE("pipe: what its end means to the client", "[plugins][pipe]") {
  using Kind = ProgramEnd::Kind;
  struct Row {
    const char* manner;
    ProgramEnd end;
    const char* reply;
  };
  const auto row = GENERATE(values<Row>({
      {"qmail-queue", {Kind::exited, 31, ""}, "554 5.3.0 The message was refused"},
      {"qmail-queue", {Kind::exited, 53, "disk"}, "451 4.3.0"},
      {"sendmail", {Kind::exited, 75, "later"}, "451 4.3.0"},
      {"sendmail", {Kind::killed, 9, ""}, "451 4.3.0"},
      {"bsmtp", {Kind::exited, 2, "  550 no such user\n"}, "550 5.3.0 no such user"},
      {"bsmtp", {Kind::exited, 2, "  450 later\n"}, "451 4.3.0 later"},
  }));
  CAPTURE(row.manner, row.reply);
  WithProgram with(row.manner, row.end);
  CHECK(with.send().starts_with(row.reply));
  CHECK(with.h.end() == "");
}

TEST_CASE("pipe: one that hangs is given up in time, and never sees the end of a half message",
          "[plugins][pipe]") {
  WithProgram with("sendmail");
  const bool before_the_end = GENERATE(true, false);
  bool saw_end = false;
  with.h.programs.install("p", [&](net::ProgramCall, net::RunningProgram theirs) {
    return hang(std::move(theirs), !before_the_end, saw_end);
  });
  const std::string message =
      before_the_end ? content + std::string(2'000'000, 'x') + "\r\n" : content;
  const auto begin = with.h.sim.elapsed();
  CHECK(with.send(message).substr(0, 3) == "451");
  CHECK(with.h.sim.elapsed() - begin < 60s);
  CHECK(saw_end == !before_the_end);
  CHECK(with.h.end() == "");
}

TEST_CASE("pipe: without a helper, or where it is busy, the client comes again",
          "[plugins][pipe]") {
  WithProgram with("sendmail");
  with.h.programs.fail(GENERATE(Errc::busy, Errc::descriptors));
  CHECK(with.send().substr(0, 5) == "451 4");
  CHECK(with.h.end() == "");
}

TEST_CASE("pipe: a helper that dies leaves no promise", "[plugins][pipe]") {
  WithProgram with("sendmail");
  with.h.programs.install("p", [](net::ProgramCall, net::RunningProgram theirs) {
    return lose_the_helper(std::move(theirs));
  });
  CHECK(with.send().substr(0, 5) == "451 4");
  CHECK(with.h.end() == "");
}

TEST_CASE("pipe: a program that nobody has described is a mistake", "[plugins][pipe]") {
  Harness h;
  h.load("pipe", "program = \"nothing\"");
  const auto problems = h.problems();
  REQUIRE(problems.size() == 1);
  CHECK(test::contains(problems.front(), "no [[program]] is called 'nothing'"));
}

TEST_CASE("pipe: a domain without a program goes the site's way", "[plugins][pipe]") {
  Harness h;
  h.load("pipe");
  test::arrive(h);
  CHECK(h.client.recipient("x@example.net").code == 250);
  CHECK(h.client.message().code == 250);
  CHECK(test::delivered_to(h.downstream) == "<x@example.net> ");
  CHECK(h.end() == "");
}
