// A module as a file, made octet by octet: whatever a test wants to be wrong with it.
#pragma once

#include <elf.h>

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace postern::plugin {

// One section besides the table of names; only the manifest in it matters.
struct ElfFile {
  explicit ElfFile(std::string manifest, std::string_view section = ".postern.plugin")
      : contents(std::move(manifest)) {
    names += section;
    names += std::string("\0.shstrtab\0", 11);
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_DYN;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = 3;
    header.e_shstrndx = 2;
    header.e_shoff = sizeof(header) + contents.size() + names.size();
    sections[1].sh_name = 1;
    sections[1].sh_type = SHT_PROGBITS;
    sections[1].sh_offset = sizeof(header);
    sections[1].sh_size = contents.size();
    sections[2].sh_name = static_cast<Elf64_Word>(names.size() - 10);
    sections[2].sh_type = SHT_STRTAB;
    sections[2].sh_offset = sizeof(header) + contents.size();
    sections[2].sh_size = names.size();
  }

  std::string octets() const {
    std::string out(reinterpret_cast<const char*>(&header), sizeof(header));
    out += contents;
    out += names;
    out.append(reinterpret_cast<const char*>(sections), sizeof(sections));
    return out;
  }

  Elf64_Ehdr header{};
  Elf64_Shdr sections[3]{};
  std::string contents;
  std::string names = std::string(1, '\0');
};

// "postern-plugin\0name=x\0abi=y\0"
inline std::string manifest_text(std::string_view name = "dnsbl", std::string_view abi = "api 0") {
  std::string out("postern-plugin\0name=", 20);
  out += name;
  out += std::string("\0version=1.2\0licence=MIT\0abi=", 30).substr(0, 29);
  out += abi;
  out += '\0';
  return out;
}

}  // namespace postern::plugin
