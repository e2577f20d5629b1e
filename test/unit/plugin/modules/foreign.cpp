// A plugin for another version: to load it would be the end.
#include <cstdlib>

extern "C" {
[[gnu::section(".postern.plugin"), gnu::used]] const char postern_manifest[] =
    "postern-plugin\0name=foreign\0version=9\0abi=api 999, gcc 12, C++ ABI 1017, strings 1, "
    "sanitizer none\0";
}

namespace {
struct End {
  End() { std::abort(); }
} end;
}  // namespace
