// What a module says about itself before it is loaded: the manifest in its ELF section.
//
// A plugin for another version, compiler or sanitizer would crash or corrupt once it is mapped;
// read from the file it is one sentence. The file is not trusted: every offset and size in it is
// checked.
#pragma once

#include <postern/base/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace postern::plugin {

struct Manifest {
  std::string name;
  std::string version;  // empty: it tells none
  std::string licence;
  std::string abi;  // POSTERN_ABI of its build
  bool operator==(const Manifest&) const = default;
};

inline constexpr std::size_t max_module_octets = std::size_t{1} << 30;
inline constexpr std::size_t max_manifest_octets = 4096;

// The contents of the section `.postern.plugin` of a 64-bit ELF file of this machine's byte order.
// Errors: malformed (no such file, or damaged), not_found (a shared object, but no plugin),
// too_long.
Result<std::string_view> manifest_section(std::string_view file);
// What stands in it. Errors: malformed.
Result<Manifest> parse_manifest(std::string_view section);
// The manifest of the file at `path`; waits for the disk: for start-up and tools. Errors: as above,
// those of opening it, and too_long beyond max_module_octets.
Result<Manifest> read_manifest(const std::string& path);

// The ABI of this library: what a plugin's must be.
std::string_view own_abi();
// Why a plugin built for `abi` cannot be loaded by `own`, and what to do; empty: it can.
std::string abi_mismatch(std::string_view abi, std::string_view own);

}  // namespace postern::plugin
