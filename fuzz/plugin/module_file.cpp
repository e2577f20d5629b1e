// Modules: whatever a file in a plugin folder holds, nothing is read beyond it, and what is found
// lies in it.
#include <postern/plugin/module_file.hpp>

#include <elf.h>

#include <cstring>

#include "../../test/unit/plugin/elf_file.hpp"
#include "../fuzz.hpp"

using namespace postern;
using namespace postern::plugin;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view file = input_text(data, size);
  const auto section = manifest_section(file);
  if (section) {
    FUZZ_CHECK(section->size() <= max_manifest_octets);
    FUZZ_CHECK(section->empty() || (section->data() >= file.data() &&
                                    section->data() + section->size() <= file.data() + size));
  }
  for (const std::string_view text : {file, section ? *section : std::string_view()}) {
    const auto manifest = parse_manifest(text);
    if (!manifest) continue;
    FUZZ_CHECK(!manifest->name.empty() && !manifest->abi.empty());
    const std::string mismatch = abi_mismatch(manifest->abi, own_abi());
    FUZZ_CHECK(mismatch.empty() == (manifest->abi == own_abi()));
    FUZZ_CHECK(mismatch.find('\n') == std::string::npos);
  }
  return 0;
}

std::vector<std::string> fuzz_seeds() {
  ElfFile two(manifest_text());
  two.sections[0] = two.sections[1];
  return {ElfFile(manifest_text()).octets(),
          two.octets(),
          ElfFile("x").octets(),
          manifest_text(),
          manifest_text("x", own_abi()),
          ElfFile(manifest_text("x", own_abi())).octets()};
}
