#include <postern/smtp/dot_codec.hpp>

#include <ctime>
#include <string>

#include "catch.hpp"

using namespace postern::smtp;
using namespace std::string_literals;

namespace {

struct Decoded {
  std::string body;
  bool done = false;
  std::size_t consumed = 0;
  BodyTraits traits;
};

// `step` octets at a time.
Decoded decode(std::string_view wire, std::size_t step, BareNewline policy = BareNewline::reject) {
  BodyDecoder decoder(policy);
  Decoded out;
  while (out.consumed < wire.size() && !out.done) {
    out.done = decoder.feed(wire.substr(out.consumed, step), out.body) == BodyDecoder::State::done;
    out.consumed += decoder.consumed();
  }
  out.traits = decoder.traits();
  return out;
}

std::string encode(std::string_view body, std::size_t step) {
  DotEncoder encoder;
  std::string out;
  for (std::size_t at = 0; at < body.size(); at += step) encoder.encode(body.substr(at, step), out);
  encoder.finish(out);
  return out;
}

}  // namespace

TEST_CASE("BodyDecoder: ends the message at CRLF.CRLF and nowhere else", "[smtp][dot][line:1]") {
  struct Row {
    const char* why;
    std::string wire;
    std::string body;
    bool done;
  };
  const auto row = GENERATE(values<Row>({
      {"plain end", "hi\r\n.\r\n", "hi\r\n", true},
      {"empty message", ".\r\n", "", true},
      {"empty line", "\r\n.\r\n", "\r\n", true},
      {"stuffed dot", "..a\r\n.\r\n", ".a\r\n", true},
      {"a line of one dot", "..\r\n.\r\n", ".\r\n", true},
      {"unstuffed dot line", ".a\r\n.\r\n", "a\r\n", true},
      {"dots inside", "a.b.\r\nc..\r\n.\r\n", "a.b.\r\nc..\r\n", true},
      {"CR before CRLF", "a\r\r\n.\r\n", "a\r\r\n", true},
      {"dot and CR CRLF", ".\r\r\n.\r\n", "\r\r\n", true},
      {"bare LF never ends it", "hi\n.\n", "hi\n.\n", false},
      {"LF.CRLF never ends it", "hi\n.\r\n", "hi\n.\r\n", false},
      {"CRLF.LF never ends it", "hi\r\n.\n", "hi\r\n\n", false},
      {"CR.CR never ends it", "hi\r.\rx", "hi\r.\rx", false},
      {"CR.CRLF never ends it", "hi\r.\r\n", "hi\r.\r\n", false},
      {"CRLF.CR never ends it", "hi\r\n.\rx", "hi\r\n\rx", false},
      {"NUL before the dot", "hi\r\n\0.\r\n"s, "hi\r\n\0.\r\n"s, false},
      {"NUL behind the dot", "hi\r\n.\0\r\n"s, "hi\r\n\0\r\n"s, false},
      {"blank behind the dot", "hi\r\n. \r\n", "hi\r\n \r\n", false},
  }));
  CAPTURE(row.why, row.wire);
  const std::size_t step = GENERATE(1u, 2u, 3u, 1000u);
  CAPTURE(step);
  const Decoded out = decode(row.wire, step);
  CHECK(out.done == row.done);
  CHECK(out.body == row.body);
  CHECK(out.consumed == row.wire.size());
}

TEST_CASE("BodyDecoder: leaves what follows the end of data", "[smtp][dot]") {
  const std::string wire = "hi\r\n.\r\nMAIL FROM:<x@y>\r\n.\r\n";
  for (std::size_t step : {1u, 7u, 100u}) {
    const Decoded out = decode(wire, step);
    CHECK(out.done);
    CHECK(wire.substr(out.consumed) == "MAIL FROM:<x@y>\r\n.\r\n");
  }
}

TEST_CASE("BodyDecoder: normalize makes every line end CRLF, as content", "[smtp][dot]") {
  struct Row {
    const char* why;
    std::string wire;
    std::string body;
  };
  const auto row = GENERATE(values<Row>({
      {"LF", "a\nb\r\n.\r\n", "a\r\nb\r\n"},
      {"CR", "a\rb\r\n.\r\n", "a\r\nb\r\n"},
      {"LF.LF is a line of one dot", "a\n.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
      {"LF.CRLF likewise", "a\n.\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
      {"CR.CR likewise", "a\r.\rb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
      {"behind LF nothing is un-stuffed", "a\n..\r\n.\r\n", "a\r\n..\r\n"},
      {"CRLF.LF: the dot was stuffing", "a\r\n.\nb\r\n.\r\n", "a\r\n\r\nb\r\n"},
      {"CR CRLF", "a\r\r\n.\r\n", "a\r\n\r\n"},
      {"LF CR", "a\n\rb\r\n.\r\n", "a\r\n\r\nb\r\n"},
      {"many CRs", "\r\r\r\r\n.\r\n", "\r\n\r\n\r\n\r\n"},
      {"nothing to do", "a\r\n.\r\n", "a\r\n"},
  }));
  CAPTURE(row.why, row.wire);
  const std::size_t step = GENERATE(1u, 2u, 3u, 1000u);
  const Decoded out = decode(row.wire, step, BareNewline::normalize);
  CHECK(out.done);
  CHECK(out.body == row.body);
  CHECK(out.traits.octets == row.body.size());
}

TEST_CASE("BodyDecoder: notes what it saw", "[smtp][dot]") {
  struct Row {
    std::string wire;
    bool bare_cr, bare_lf, nul, eight_bit;
    std::uint64_t longest;
  };
  const auto row = GENERATE(values<Row>({
      {"hello\r\nx\r\n.\r\n", false, false, false, false, 7},
      {"..hello\r\n.\r\n", false, false, false, false, 8},
      {"a\rb\r\n.\r\n", true, false, false, false, 5},
      {"a\nb\r\n.\r\n", false, true, false, false, 5},
      {"a\0\r\n.\r\n"s, false, false, true, false, 4},
      {"12345678\xc3\xbc\r\n.\r\n", false, false, false, true, 12},
      {"\xff\r\n.\r\n", false, false, false, true, 3},
      {".\r\n\xff\0\r"s, false, false, false, false, 0},  // behind the end of data: not ours
  }));
  CAPTURE(row.wire);
  const std::size_t step = GENERATE(1u, 4u, 1000u);
  const Decoded out = decode(row.wire, step);
  CHECK(out.traits.bare_cr == row.bare_cr);
  CHECK(out.traits.bare_lf == row.bare_lf);
  CHECK(out.traits.nul == row.nul);
  CHECK(out.traits.eight_bit == row.eight_bit);
  CHECK(out.traits.longest_line == row.longest);
  CHECK(out.traits.octets == out.body.size());
}

TEST_CASE("BodyDecoder: refuses NUL always and bare newlines by policy", "[smtp][dot]") {
  const auto refused = [](std::string wire, BareNewline policy) {
    BodyDecoder decoder(policy);
    std::string body;
    decoder.feed(wire, body);
    return decoder.must_be_refused();
  };
  CHECK_FALSE(refused("a\r\n.\r\n", BareNewline::reject));
  CHECK(refused("a\n.\r\n", BareNewline::reject));
  CHECK(refused("a\rb\r\n.\r\n", BareNewline::reject));
  CHECK_FALSE(refused("a\n.\r\n", BareNewline::normalize));
  CHECK(refused("a\0\r\n.\r\n"s, BareNewline::normalize));
}

TEST_CASE("BodyDecoder: beyond the limit it reads on and keeps nothing", "[smtp][dot]") {
  for (std::size_t step : {1u, 5u, 100u}) {
    CAPTURE(step);
    BodyDecoder decoder(BareNewline::reject, 10);
    const std::string wire = "12345678\r\nmore and more\r\n.\r\nQUIT\r\n";
    std::string body;
    std::size_t consumed = 0;
    while (!decoder.done()) {
      decoder.feed(std::string_view(wire).substr(consumed, step), body);
      consumed += decoder.consumed();
    }
    CHECK(decoder.too_big());
    CHECK(body.size() <= 10);
    CHECK(decoder.traits().octets == 25);
    CHECK(wire.substr(consumed) == "QUIT\r\n");
  }
  BodyDecoder exact(BareNewline::reject, 10);
  std::string body;
  CHECK(exact.feed("12345678\r\n.\r\n", body) == BodyDecoder::State::done);
  CHECK_FALSE(exact.too_big());
  CHECK(body == "12345678\r\n");
}

TEST_CASE("DotEncoder: stuffs, ends the last line, ends the data once", "[smtp][dot]") {
  struct Row {
    const char* why;
    std::string body;
    std::string wire;
  };
  const auto row = GENERATE(values<Row>({
      {"plain", "hi\r\n", "hi\r\n.\r\n"},
      {"empty", "", ".\r\n"},
      {"no final CRLF", "hi", "hi\r\n.\r\n"},
      {"final CR", "hi\r", "hi\r\n.\r\n"},
      {"final LF", "hi\n", "hi\r\n.\r\n"},
      {"dot line", ".\r\n", "..\r\n.\r\n"},
      {"dot first and later", ".a\r\n.b\r\nc.\r\n", "..a\r\n..b\r\nc.\r\n.\r\n"},
      {"only a dot", ".", "..\r\n.\r\n"},
      {"two dots", "..", "...\r\n.\r\n"},
      {"dot behind a bare LF", "a\n.\nb", "a\r\n..\r\nb\r\n.\r\n"},
      {"dot behind a bare CR", "a\r.\rb", "a\r\n..\r\nb\r\n.\r\n"},
      {"x CR . CRLF", "x\r.\r\n", "x\r\n..\r\n.\r\n"},
      {"CR CRLF", "a\r\r\nb", "a\r\n\r\nb\r\n.\r\n"},
      {"only CRs", "\r\r", "\r\n\r\n.\r\n"},
      {"only LFs", "\n\n", "\r\n\r\n.\r\n"},
      {"an end of data inside", "a\r\n.\r\nMAIL\r\n", "a\r\n..\r\nMAIL\r\n.\r\n"},
  }));
  CAPTURE(row.why, row.body);
  for (std::size_t step : {1u, 2u, 3u, 1000u}) {
    CAPTURE(step);
    CHECK(encode(row.body, step) == row.wire);
  }
}

TEST_CASE("dot codec: a body comes through unchanged", "[smtp][dot][line:3]") {
  const std::string body =
      "From: a\r\n..two\r\n.\r\n\r\n.\r\n.x\r\n" + std::string(2000, '.') + "\r\n";
  for (std::size_t step : {1u, 10u, 10'000u}) {
    const Decoded out = decode(encode(body, step), step);
    CHECK(out.done);
    CHECK(out.body == body);
  }
}

// Everything that short bodies can hold: 4^1 + ... + 4^6 of them over the octets that matter.
TEST_CASE("dot codec: no body of up to six octets leaves with two ends or a bare newline",
          "[smtp][dot]") {
  const std::string alphabet = "\r\n.x";
  std::size_t wrong = 0, differs = 0, lost = 0;
  for (std::size_t length = 1; length <= 6; ++length) {
    for (std::size_t number = 0; number < (std::size_t{1} << (2 * length)); ++number) {
      std::string body;
      for (std::size_t i = 0; i < length; ++i) body += alphabet[number >> (2 * i) & 3];
      const std::string wire = encode(body, 100);
      const std::string ending = "\r\n" + wire;  // so that an end at the very start is found too
      wrong += ending.find("\r\n.\r\n") + 5 != ending.size();
      for (std::size_t i = 0; i < wire.size(); ++i) {
        wrong += wire[i] == '\r' && wire[i + 1] != '\n';
        wrong += wire[i] == '\n' && (i == 0 || wire[i - 1] != '\r');
      }
      differs += encode(body, 1) != wire;
      const Decoded normalized = decode(body + "\r\n..\r\n.\r\n", 100, BareNewline::normalize);
      const Decoded octets = decode(body + "\r\n..\r\n.\r\n", 1, BareNewline::normalize);
      differs += normalized.body != octets.body || normalized.consumed != octets.consumed;
      lost += decode(encode(normalized.body, 3), 3).body != normalized.body;
    }
  }
  CHECK(wrong == 0);
  CHECK(differs == 0);
  CHECK(lost == 0);
}

TEST_CASE("dot codec: one octet repeated costs no more than linear time", "[smtp][dot]") {
  const auto octet = GENERATE('\r', '\n', '.', 'x');
  const std::string wire(1u << 20, octet);
  const std::clock_t start = std::clock();  // our own time, however busy the machine is
  CHECK(decode(wire, wire.size(), BareNewline::normalize).consumed == wire.size());
  CHECK(encode(wire, wire.size()).size() >= wire.size());
  CHECK(std::clock() - start < 10 * CLOCKS_PER_SEC);  // quadratic: many minutes
}

TEST_CASE("BodyDecoder: chunks have neither dots nor an end of their own", "[smtp][bdat][line:3]") {
  const std::string content = ".a\r\n.\r\n..b\r\nno end";
  for (std::size_t step = 1; step <= content.size(); ++step) {
    BodyDecoder decoder(BareNewline::reject, 1000, Framing::chunks);
    std::string body;
    for (std::size_t at = 0; at < content.size(); at += step)
      decoder.feed(std::string_view(content).substr(at, step), body);
    CHECK_FALSE(decoder.done());
    decoder.finish(body);
    CHECK(decoder.done());
    CHECK(body == content);
    CHECK_FALSE(decoder.must_be_refused());
    CHECK(decoder.traits().octets == content.size());
  }
}

TEST_CASE("BodyDecoder: octets of BINARYMIME stay what they are", "[smtp][bdat]") {
  const std::string content("a: b\r\n\r\n\0\r\r\n\n.\r\n.\r\n\xff\r", 21);
  for (const auto policy : {BareNewline::reject, BareNewline::normalize})
    for (std::size_t step = 1; step <= content.size(); ++step) {
      BodyDecoder decoder(policy, 1000, Framing::octets);
      std::string body;
      for (std::size_t at = 0; at < content.size(); at += step)
        decoder.feed(std::string_view(content).substr(at, step), body);
      CHECK_FALSE(decoder.done());
      decoder.finish(body);
      CHECK(decoder.done());
      CHECK(body == content);
      CHECK_FALSE(decoder.must_be_refused());
      CHECK(decoder.traits().octets == content.size());
      CHECK(decoder.traits().eight_bit);
    }
  BodyDecoder decoder(BareNewline::reject, 10, Framing::octets);
  std::string body;
  decoder.feed(content, body);
  CHECK(decoder.too_big());
}

TEST_CASE("BodyDecoder: a CR at the end of the chunks is a bare one", "[smtp][bdat]") {
  for (const auto policy : {BareNewline::reject, BareNewline::normalize}) {
    BodyDecoder decoder(policy, 1000, Framing::chunks);
    std::string body;
    decoder.feed("a\r", body);
    decoder.finish(body);
    CHECK(decoder.traits().bare_cr);
    CHECK(body == (policy == BareNewline::reject ? "a\r" : "a\r\n"));
    CHECK(decoder.must_be_refused() == (policy == BareNewline::reject));
  }
}
