// The dot codec: against a decoder so plain that it can be checked by eye, whole and in pieces, and
// there and back; and the same octets as chunks. The first octet chooses policy and size of the
// pieces.
#include <postern/smtp/dot_codec.hpp>

#include <algorithm>
#include <limits>

#include "../fuzz.hpp"

using namespace postern::smtp;

namespace {

struct Decoded {
  std::string body;
  std::size_t consumed = 0;
  bool done = false;
  bool refused = false;
  BodyTraits traits;
};

Decoded decode(std::string_view wire, std::size_t step, BareNewline policy) {
  BodyDecoder decoder(policy);
  Decoded out;
  while (!out.done && out.consumed < wire.size()) {
    out.done = decoder.feed(wire.substr(out.consumed, step), out.body) == BodyDecoder::State::done;
    out.consumed += decoder.consumed();
  }
  out.refused = decoder.must_be_refused();
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

bool line_starts(std::string_view wire, std::size_t at) {
  return at == 0 || (at >= 2 && wire.substr(at - 2, 2) == "\r\n");
}

// Where a body ends: behind the first CRLF (or at the start) that ".CRLF" follows.
std::size_t end_of_body(std::string_view wire) {
  for (std::size_t at = 0; at < wire.size(); ++at)
    if (line_starts(wire, at) && wire.substr(at, 3) == ".\r\n") return at;
  return std::string_view::npos;
}

std::string unstuffed(std::string_view wire) {
  std::string out;
  for (std::size_t at = 0; at < wire.size(); ++at)
    if (wire[at] != '.' || !line_starts(wire, at)) out += wire[at];
  return out;
}

bool only_crlf(std::string_view text) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\r' && text.substr(at + 1, 1) != "\n") return false;
    if (text[at] == '\n' && (at == 0 || text[at - 1] != '\r')) return false;
  }
  return true;
}

void check_encoder(std::string_view body, std::size_t step) {
  const std::string wire = encode(body, body.size() + 1);
  FUZZ_CHECK(encode(body, step) == wire);
  FUZZ_CHECK(only_crlf(wire));
  FUZZ_CHECK(end_of_body(wire) == wire.size() - 3);
  const Decoded back = decode(wire, step, BareNewline::reject);
  FUZZ_CHECK(back.done && back.consumed == wire.size());
  if (only_crlf(body) && (body.empty() || body.ends_with('\n'))) FUZZ_CHECK(back.body == body);
}

void check_chunks(std::string_view content, std::size_t step, BareNewline policy) {
  BodyDecoder decoder(policy, std::numeric_limits<std::uint64_t>::max(), Framing::chunks);
  std::string body;
  for (std::size_t at = 0; at < content.size(); at += step) {
    decoder.feed(content.substr(at, step), body);
    FUZZ_CHECK(decoder.consumed() == content.substr(at, step).size());
  }
  FUZZ_CHECK(!decoder.done());
  decoder.finish(body);
  FUZZ_CHECK(decoder.done() && decoder.traits().octets == body.size());
  FUZZ_CHECK((decoder.traits().bare_cr || decoder.traits().bare_lf) == !only_crlf(content));
  if (policy == BareNewline::reject || only_crlf(content))
    FUZZ_CHECK(body == content);
  else
    FUZZ_CHECK(only_crlf(body));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = 1 + data[0] / 2;
  const BareNewline policy = data[0] % 2 == 0 ? BareNewline::reject : BareNewline::normalize;
  const std::string_view wire = input_text(data + 1, size - 1);

  const Decoded whole = decode(wire, wire.size() + 1, policy);
  const Decoded parts = decode(wire, step, policy);
  FUZZ_CHECK(whole.body == parts.body && whole.done == parts.done &&
             whole.consumed == parts.consumed);
  FUZZ_CHECK(whole.refused == parts.refused && whole.traits.octets == parts.traits.octets);
  FUZZ_CHECK(whole.traits.longest_line == parts.traits.longest_line);
  FUZZ_CHECK(whole.traits.octets == whole.body.size());

  const std::size_t end = end_of_body(wire);
  FUZZ_CHECK(whole.done == (end != std::string_view::npos));
  FUZZ_CHECK(whole.consumed == (whole.done ? end + 3 : wire.size()));
  if (whole.done) {
    const std::string_view raw = wire.substr(0, end);
    const std::string content = unstuffed(raw);
    if (policy == BareNewline::reject || only_crlf(raw))
      FUZZ_CHECK(whole.body == content);
    else
      FUZZ_CHECK(only_crlf(whole.body));
    FUZZ_CHECK((whole.traits.bare_cr || whole.traits.bare_lf) == !only_crlf(raw));
    FUZZ_CHECK(whole.traits.nul == (raw.find('\0') != std::string_view::npos));
    check_encoder(whole.body, step);
  }
  check_encoder(wire, step);
  check_chunks(wire, step, policy);
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  std::vector<std::string> seeds;
  for (const std::string wire :
       {"hi\r\n.\r\n", ".\r\n", "..a\r\n..\r\n.\r\nQUIT\r\n", "a\n.\nb\r\n.\r\n",
        "a\n.\r\nb\r\n.\r\n", "a\r.\rb\r\n.\r\n", "a\r\n.\rb\r\n.\r\n", "a\r\n.\nb\r\n.\r\n",
        "\r\r\r\n.\r\r\n.\r\n", "From: a\r\nSubject: b\r\n\r\n.body\r\n\xff\r\n.\r\n"}) {
    for (const int first : {0, 1, 2, 3, 6, 7, 255})
      seeds.push_back(static_cast<char>(first) + wire);
  }
  return seeds;
}
