#include <postern/plugin/module_file.hpp>

#include <functional>

#include "elf_file.hpp"

using namespace postern;
using namespace postern::plugin;

namespace {

Result<Manifest> manifest_of(const std::string& file) {
  const auto section = manifest_section(file);
  if (!section) return fail(section.error());
  return parse_manifest(*section);
}

constexpr std::string_view ours = "api 0, gcc 12, C++ ABI 1017, strings 1, sanitizer none";

}  // namespace

TEST_CASE("module_file: the manifest is read from its section", "[plugin][module_file]") {
  const auto manifest = manifest_of(ElfFile(manifest_text("dnsbl", "api 0, gcc 12")).octets());
  REQUIRE(manifest);
  CHECK(*manifest == Manifest{"dnsbl", "1.2", "MIT", "api 0, gcc 12"});
}

TEST_CASE("module_file: each damage is told and nothing is read beyond the file",
          "[plugin][module_file]") {
  struct Row {
    const char* why;
    std::function<void(ElfFile&)> damage;
    Errc code;
  };
  const auto huge = ~std::uint64_t{0};
  const auto row = GENERATE_COPY(values<Row>({
      {"no ELF", [](ElfFile& f) { f.header.e_ident[1] = 'X'; }, Errc::malformed},
      {"32 bit", [](ElfFile& f) { f.header.e_ident[EI_CLASS] = ELFCLASS32; }, Errc::malformed},
      {"the other byte order", [](ElfFile& f) { f.header.e_ident[EI_DATA] = ELFDATA2MSB; },
       Errc::malformed},
      {"a program", [](ElfFile& f) { f.header.e_type = ET_EXEC; }, Errc::malformed},
      {"sections of another size", [](ElfFile& f) { f.header.e_shentsize = 63; }, Errc::malformed},
      {"more sections than the file holds", [](ElfFile& f) { f.header.e_shnum = 4; },
       Errc::malformed},
      {"sections behind its end", [](ElfFile& f) { f.header.e_shoff += 1; }, Errc::malformed},
      {"sections at the end of all memory", [=](ElfFile& f) { f.header.e_shoff = huge - 63; },
       Errc::malformed},
      {"names in no section", [](ElfFile& f) { f.header.e_shstrndx = 3; }, Errc::malformed},
      {"names behind its end", [=](ElfFile& f) { f.sections[2].sh_offset = huge; },
       Errc::malformed},
      {"names longer than it", [=](ElfFile& f) { f.sections[2].sh_size = huge; }, Errc::malformed},
      {"a name behind all names", [](ElfFile& f) { f.sections[1].sh_name = 0xffffffff; },
       Errc::not_found},
      {"a name that is cut off", [](ElfFile& f) { f.sections[2].sh_size = 16; }, Errc::not_found},
      {"another section", [](ElfFile& f) { f.names[2] = 'q'; }, Errc::not_found},
      {"no sections at all", [](ElfFile& f) { f.header.e_shnum = 0; }, Errc::malformed},
      {"a manifest that is not in the file", [](ElfFile& f) { f.sections[1].sh_type = SHT_NOBITS; },
       Errc::malformed},
      {"a manifest behind its end", [=](ElfFile& f) { f.sections[1].sh_offset = huge; },
       Errc::malformed},
      {"a manifest longer than any", [=](ElfFile& f) { f.sections[1].sh_size = huge; },
       Errc::too_long},
      {"a manifest that is cut off", [](ElfFile& f) { f.sections[1].sh_size -= 1; },
       Errc::malformed},
      {"a manifest of someone else", [](ElfFile& f) { f.contents[0] = 'q'; }, Errc::malformed},
      {"an empty manifest", [](ElfFile& f) { f.sections[1].sh_size = 0; }, Errc::malformed},
  }));
  CAPTURE(row.why);
  ElfFile file(manifest_text());
  row.damage(file);
  const auto manifest = manifest_of(file.octets());
  REQUIRE_FALSE(manifest);
  CHECK(name(manifest.error().code) == name(row.code));
}

TEST_CASE("module_file: a file that is cut off anywhere is refused", "[plugin][module_file]") {
  const std::string whole = ElfFile(manifest_text()).octets();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    // A copy of that very size: the sanitizer sees a read behind it.
    const std::string part(whole, 0, size);
    const auto manifest = manifest_of(part);
    REQUIRE_FALSE(manifest);
    CHECK(manifest.error().code == Errc::malformed);
  }
}

TEST_CASE("module_file: what a manifest says cannot act on a terminal", "[plugin][module_file]") {
  const auto manifest = parse_manifest(manifest_text("x\x1b[2J"));
  REQUIRE(manifest);
  CHECK(manifest->name == "x\\x1b[2J");
  CHECK(parse_manifest(manifest_text("")).error().code == Errc::malformed);
  CHECK(parse_manifest(manifest_text(std::string(5000, 'x'))).error().code == Errc::too_long);
}

TEST_CASE("module_file: an ABI that does not fit is told in one sentence",
          "[plugin][module_file]") {
  struct Row {
    std::string abi;
    std::string says;
  };
  const auto row = GENERATE(values<Row>({
      {"api 7, gcc 12, C++ ABI 1017, strings 1, sanitizer none", "plugin api 7"},
      {"api 0, gcc 12, C++ ABI 1017, strings 1, sanitizer address", "with sanitizer address"},
      {"api 0, clang 14, C++ ABI 1002, strings 1, sanitizer none", "another compiler"},
      {"api 0, gcc 12, C++ ABI 1017, strings 0, sanitizer none", "another compiler"},
      {"api 0", "sanitizer none"},
      {"", "this version's headers"},
  }));
  CAPTURE(row.abi);
  const std::string text = abi_mismatch(row.abi, ours);
  CAPTURE(text);
  CHECK(text.find(row.says) != std::string::npos);
  CHECK(text.find('\n') == std::string::npos);
  CHECK(abi_mismatch(ours, ours).empty());
}

TEST_CASE("module_file: files that are none are told, and none holds the reader",
          "[plugin][module_file]") {
  CHECK(read_manifest("/nonexistent/x.so").error().code == Errc::not_found);
  CHECK(read_manifest("/").error().code == Errc::malformed);
  CHECK(read_manifest("/dev/null").error().code == Errc::malformed);
  CHECK(read_manifest("/proc/self/exe").error().code != Errc::malformed);  // PIE, but no plugin
}
