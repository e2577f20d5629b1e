// What the helper is asked: whatever is understood is written again octet for octet, and no word of
// it becomes an argument that it should not be.
#include <postern/deliver/program.hpp>
#include <postern/net/program_request.hpp>

#include "../fuzz.hpp"

using namespace postern;
using deliver::Manner;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = input_text(data, size);
  const auto call = net::parse_request(input);
  if (!call) return 0;
  const auto again = net::write_request(*call);
  FUZZ_CHECK(again && *again == input);
  for (const Manner manner :
       {Manner::sendmail, Manner::bsmtp, Manner::qmail_queue, Manner::exim_pipe}) {
    const auto arguments = deliver::program_arguments(manner, call->words);
    if (!arguments) continue;
    bool behind = false;  // "--", or an option that takes a value
    for (const std::string& word : *arguments) {
      FUZZ_CHECK(word.find('\0') == std::string::npos && word.find('\n') == std::string::npos);
      const bool ours = word == "-i" || word == "-f" || word == "--" || word == "-bs" ||
                        word == "-oMa" || word == "-oMt" || word == "-oMs" || word == "-oMaa" ||
                        word == "-oMr";
      if (!ours) FUZZ_CHECK(!word.starts_with('-'));
      if (ours) FUZZ_CHECK(!behind);
      behind = behind || word == "--";
    }
  }
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  std::vector<std::string> seeds;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{},
        {"a@b.example", "x@example.net", "postmaster"},
        {"", "x@example.net"},
        {"192.0.2.5", "4000", "host.example", "user", "esmtpsa"},
        {"2001:db8::1", "1", "", "", "smtp"}}) {
    net::ProgramCall call;
    call.program = "p";
    call.words = words;
    seeds.push_back(*net::write_request(call));
  }
  return seeds;
}
