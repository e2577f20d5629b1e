#include <postern/base/text.hpp>
#include <postern/plugin/module.hpp>
#include <postern/plugin/module_file.hpp>

#include <elf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>

namespace postern::plugin {
namespace {

constexpr std::string_view section_name = ".postern.plugin";
constexpr std::string_view magic = "postern-plugin";

// `size` octets at `offset`, when all of them are in the file.
std::optional<std::string_view> range(std::string_view file, std::uint64_t offset,
                                      std::uint64_t size) {
  if (offset > file.size() || size > file.size() - offset) return std::nullopt;
  return file.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

// Copied out: nothing in the file needs to be aligned.
template <typename T>
std::optional<T> read(std::string_view file, std::uint64_t offset) {
  const auto octets = range(file, offset, sizeof(T));
  if (!octets) return std::nullopt;
  T out;
  std::memcpy(&out, octets->data(), sizeof(T));
  return out;
}

bool is_shared_object(const Elf64_Ehdr& header) {
  constexpr unsigned char order =
      std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
  return std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
         header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == order &&
         header.e_type == ET_DYN;
}

std::optional<Elf64_Shdr> section(std::string_view file, const Elf64_Ehdr& header, unsigned index) {
  if (index >= header.e_shnum) return std::nullopt;
  // No overflow: range() has seen that all of the table is in the file.
  return read<Elf64_Shdr>(file, header.e_shoff + std::uint64_t{index} * sizeof(Elf64_Shdr));
}

bool is_named(std::string_view names, const Elf64_Shdr& of, std::string_view name) {
  if (of.sh_name >= names.size()) return false;
  const std::string_view rest = names.substr(of.sh_name);
  return rest.size() > name.size() && rest.starts_with(name) && rest[name.size()] == '\0';
}

tl::unexpected<Error> damaged() { return fail(Errc::malformed, "it is a damaged file"); }

// "gcc 12" of "api 0, gcc 12, …".
std::string_view part(std::string_view abi, std::size_t number) {
  for (; number > 0; --number) {
    const auto comma = abi.find(", ");
    if (comma == std::string_view::npos) return {};
    abi.remove_prefix(comma + 2);
  }
  return abi.substr(0, abi.find(", "));
}

// The bytes of a file while they are looked at.
class MappedFile {
 public:
  MappedFile() = default;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() {
    if (start_ != MAP_FAILED) munmap(start_, size_);
  }

  Result<std::string_view> open(const std::string& path) {
    const int fd =
        ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO must not hold us
    if (fd < 0) return fail_errno(errno, "opening it");
    auto mapped = map(fd);
    ::close(fd);
    return mapped;
  }

 private:
  Result<std::string_view> map(int fd) {
    struct stat about {};
    if (fstat(fd, &about) != 0) return fail_errno(errno, "looking at it");
    if (!S_ISREG(about.st_mode)) return fail(Errc::malformed, "it is no regular file");
    if (about.st_size == 0) return fail(Errc::malformed, "it is empty");
    size_ = static_cast<std::size_t>(about.st_size);
    if (size_ > max_module_octets) return fail(Errc::too_long, "it is larger than any module");
    start_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    if (start_ == MAP_FAILED) return fail_errno(errno, "reading it");
    return std::string_view(static_cast<const char*>(start_), size_);
  }

  void* start_ = MAP_FAILED;
  std::size_t size_ = 0;
};

}  // namespace

Result<std::string_view> manifest_section(std::string_view file) {
  const auto header = read<Elf64_Ehdr>(file, 0);
  if (!header || !is_shared_object(*header))
    return fail(Errc::malformed, "it is no shared object of this machine");
  if (header->e_shentsize != sizeof(Elf64_Shdr) ||
      !range(file, header->e_shoff, std::uint64_t{header->e_shnum} * sizeof(Elf64_Shdr)))
    return damaged();
  const auto names_header = section(file, *header, header->e_shstrndx);
  if (!names_header) return damaged();
  const auto names = range(file, names_header->sh_offset, names_header->sh_size);
  if (!names) return damaged();

  for (unsigned i = 0; i < header->e_shnum; ++i) {
    const auto each = section(file, *header, i);
    if (!each || !is_named(*names, *each, section_name)) continue;
    if (each->sh_type == SHT_NOBITS) return damaged();
    if (each->sh_size > max_manifest_octets)
      return fail(Errc::too_long, "its manifest is longer than any");
    const auto contents = range(file, each->sh_offset, each->sh_size);
    if (!contents) return damaged();
    return *contents;
  }
  return fail(Errc::not_found, "it is no plugin: it has no section .postern.plugin");
}

Result<Manifest> parse_manifest(std::string_view section) {
  if (section.size() > max_manifest_octets)
    return fail(Errc::too_long, "its manifest is longer than any");
  Manifest manifest;
  bool first = true;
  while (!section.empty()) {
    const auto end = section.find('\0');
    if (end == std::string_view::npos) return fail(Errc::malformed, "its manifest is cut off");
    const std::string_view line = section.substr(0, end);
    section.remove_prefix(end + 1);
    if (first && line != magic) return fail(Errc::malformed, "its manifest is none of ours");
    first = false;
    const auto take = [&](std::string_view key, std::string& into) {
      if (line.starts_with(key)) into = printable(line.substr(key.size()), 200);
    };
    take("name=", manifest.name);
    take("version=", manifest.version);
    take("licence=", manifest.licence);
    take("abi=", manifest.abi);
  }
  if (manifest.name.empty() || manifest.abi.empty())
    return fail(Errc::malformed, "its manifest lacks its name or its ABI");
  return manifest;
}

Result<Manifest> read_manifest(const std::string& path) {
  MappedFile file;
  const auto bytes = file.open(path);
  if (!bytes) return fail(bytes.error());
  const auto found = manifest_section(*bytes);
  if (!found) return fail(found.error());
  return parse_manifest(*found);
}

std::string_view own_abi() { return POSTERN_ABI; }

std::string abi_mismatch(std::string_view abi, std::string_view own) {
  if (abi == own) return {};
  const std::string_view theirs = part(abi, 0), ours = part(own, 0);
  if (theirs != ours)
    return fmt::format(
        "it was built for plugin {}, and this is Postern {} with plugin {}; "
        "build it again with this version's headers",
        theirs, POSTERN_VERSION, ours);
  constexpr std::size_t sanitizer = 4;
  if (part(abi, sanitizer) != part(own, sanitizer))
    return fmt::format("it was built with {}, and this Postern with {}; build both alike",
                       part(abi, sanitizer), part(own, sanitizer));
  return fmt::format(
      "it was built by another compiler ({}; this Postern: {}); build it again with "
      "the compiler of this Postern",
      abi, own);
}

}  // namespace postern::plugin
