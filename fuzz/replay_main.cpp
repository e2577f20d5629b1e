// Runs a fuzz target without libFuzzer: over the files named, or over inputs mutated from its
// seeds. The generator's seed is fixed and printed, so a failure repeats; an argument "seed=N" sets
// another.
#include <array>
#include <fstream>
#include <iterator>
#include <random>

#include "fuzz.hpp"

namespace {

constexpr int inputs = 5000;  // some hundred milliseconds under sanitizers
constexpr std::size_t max_octets = 600;

std::mt19937_64 generator;

std::size_t below(std::size_t bound) { return bound == 0 ? 0 : generator() % bound; }

// Octets and words that the grammars of mail turn upon.
std::string token() {
  static const std::array<std::string, 40> tokens = {"\r",        "\n",
                                                     "\r\n",      ".",
                                                     "\r\n.\r\n", std::string(1, '\0'),
                                                     "<",         ">",
                                                     "@",         "\"",
                                                     "\\",        "+",
                                                     "=",         ";",
                                                     ",",         " ",
                                                     "-",         "\xff",
                                                     "\xc3\xbc",  "\xc2\x85",
                                                     "[",         "]",
                                                     ":",         "250",
                                                     "250-",      "5.1.1",
                                                     "+0A",       "+2B",
                                                     "IPv6:",     "::",
                                                     "\x7f",      "\t",
                                                     "0",         "9",
                                                     "LAST",      "SIZE=",
                                                     "FROM:",     "\xed\xa0\x80",
                                                     "..",        "\r\r\n"};
  return tokens[below(tokens.size())];
}

void mutate(std::string& text, const std::vector<std::string>& seeds) {
  const std::size_t at = below(text.size() + 1);
  switch (below(7)) {
    case 0:
      text.insert(at, token());
      break;
    case 1:
      text.insert(at, 1, static_cast<char>(below(256)));
      break;
    case 2:
      if (at < text.size()) text[at] = static_cast<char>(below(256));
      break;
    case 3:
      text.erase(at, 1 + below(8));
      break;
    case 4:
      text.insert(at, text.substr(below(text.size() + 1), 1 + below(40)));
      break;
    case 5:
      text.replace(at, std::string::npos, seeds[below(seeds.size())]);
      break;
    case 6:
      if (at < text.size()) text[at] = token()[0];
      break;
  }
  if (text.size() > max_octets) text.resize(max_octets);
}

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void run_file(const char* name) {
  std::ifstream file(name, std::ios::binary);
  run(std::string(std::istreambuf_iterator<char>(file), {}));
}

void write_corpus(const std::string& folder) {
  int number = 0;
  for (const std::string& seed : fuzz_seeds())
    std::ofstream(folder + "/seed" + std::to_string(number++), std::ios::binary) << seed;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t seed = 20011;
  bool files = false;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("seed=")) {
      seed = std::strtoull(argument.c_str() + 5, nullptr, 10);
    } else if (argument.starts_with("corpus=")) {
      write_corpus(argument.substr(7));
      return 0;
    } else {
      run_file(argv[i]);
      files = true;
    }
  }
  if (files) return 0;
  std::printf("%d inputs from seed=%llu\n", inputs, static_cast<unsigned long long>(seed));
  std::fflush(stdout);
  generator.seed(seed);
  const std::vector<std::string> seeds = fuzz_seeds();
  run("");
  for (const std::string& input : seeds) run(input);
  for (int i = 0; i < inputs; ++i) {
    std::string input = seeds[below(seeds.size())];
    for (std::size_t n = 1 + below(8); n > 0; --n) mutate(input, seeds);
    run(input);
  }
}
