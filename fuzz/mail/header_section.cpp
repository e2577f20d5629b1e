// The header section: what is written out is what was read, and what an edit adds is one field,
// wherever the section ends.
#include <postern/mail/header_section.hpp>

#include "../fuzz.hpp"

using namespace postern::mail;

namespace {

void edit(HeaderSection section, std::string_view body, std::string_view value) {
  const std::size_t before = section.size();
  const std::string untouched = section.text();
  if (!section.add_top("X-Added", value)) {
    FUZZ_CHECK(section.text() == untouched);
    return;
  }
  const auto again =
      HeaderSection::parse(section.text() + std::string(body), {.fields = 1'000'000});
  FUZZ_CHECK(section.size() == before + 1);
  FUZZ_CHECK(again && again->size() == before + 1);
  FUZZ_CHECK((*again)[0].octets == section[0].octets);
  section.remove(0);
  FUZZ_CHECK(section.text() == untouched);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message = input_text(data, size);
  const auto section = HeaderSection::parse(message);
  if (!section) return 0;
  const std::string_view body = message.substr(section->body_offset());
  FUZZ_CHECK(section->text() + std::string(body) == message);
  edit(*section, body, message.substr(0, size / 2));
  edit(*section, body, "value");
  const auto few = HeaderSection::parse(message, {.octets = 20, .fields = 2});
  FUZZ_CHECK(!few || (few->size() <= 2 && few->text().size() <= 22));
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  return {"A: 1\r\nB: 2\r\n\t3\r\n\r\nbody\r\n",
          "From x\r\nA : 1\r\n \r\nno field\r\nB: 2\r\n\r\n",
          " leading\r\nA: 1\r\n\r\n",
          "A: 1\r\n",
          "A: 1",
          "\r\n",
          "A: 1\rB: 2\n\nC: 3\r\n\r\n"};
}
