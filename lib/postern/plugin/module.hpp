// How a plugin becomes a module: POSTERN_PLUGIN(Dnsbl, "dnsbl").
//
// The manifest lies in an ELF section, to be read before the module is loaded: a module of another
// API, compiler or sanitizer is told from a sentence, not from a crash.
#pragma once

#include <postern/plugin/plugin.hpp>
#include <postern/policy/plugin_type.hpp>

#include <memory>

// The version of this contract: the library's soname.
#define POSTERN_PLUGIN_API "0"

#define POSTERN_TEXT_OF(x) #x
#define POSTERN_TEXT(x) POSTERN_TEXT_OF(x)
#if defined(__SANITIZE_ADDRESS__)
#define POSTERN_ABI_SANITIZER "address"
#elif defined(__SANITIZE_THREAD__)
#define POSTERN_ABI_SANITIZER "thread"
#else
#define POSTERN_ABI_SANITIZER "none"
#endif
#if defined(__clang__)
#define POSTERN_ABI_COMPILER "clang " POSTERN_TEXT(__clang_major__)
#else
#define POSTERN_ABI_COMPILER "gcc " POSTERN_TEXT(__GNUC__)
#endif
// What two halves must agree on to exchange C++ objects.
#define POSTERN_ABI                                                       \
  "api " POSTERN_PLUGIN_API ", " POSTERN_ABI_COMPILER                     \
  ", C++ ABI " POSTERN_TEXT(__GXX_ABI_VERSION) ", strings " POSTERN_TEXT( \
      _GLIBCXX_USE_CXX11_ABI) ", sanitizer " POSTERN_ABI_SANITIZER

#ifndef POSTERN_PLUGIN_VERSION
#define POSTERN_PLUGIN_VERSION ""
#endif
#ifndef POSTERN_PLUGIN_LICENCE
#define POSTERN_PLUGIN_LICENCE ""
#endif

namespace postern::plugin {

// The one symbol of a module.
struct Module {
  const char* name;
  policy::PluginType (*type)();
  std::unique_ptr<Plugin> (*make)();
};

template <typename P>
policy::PluginType type_of(const char* name) {
  using Settings = typename P::Settings;
  auto type = policy::plugin_type<Settings>(name, P::summary, POSTERN_PLUGIN_VERSION, &P::describe);
  if constexpr (requires(const Settings& settings) { P::fault(settings); })
    type.fault = [](const void* settings) -> std::string {
      return P::fault(*static_cast<const Settings*>(settings));
    };
  return type;
}

}  // namespace postern::plugin

#define POSTERN_PLUGIN(Class, Name)                                                              \
  extern "C" {                                                                                   \
  [[gnu::section(".postern.plugin"), gnu::used, gnu::retain]] const char postern_manifest[] =    \
      "postern-plugin\0name=" Name "\0version=" POSTERN_PLUGIN_VERSION                           \
      "\0licence=" POSTERN_PLUGIN_LICENCE "\0abi=" POSTERN_ABI "\0";                             \
  [[gnu::visibility("default")]] extern const ::postern::plugin::Module postern_module;          \
  const ::postern::plugin::Module postern_module = {                                             \
      Name, [] { return ::postern::plugin::type_of<Class>(Name); },                              \
      []() -> std::unique_ptr<::postern::plugin::Plugin> { return std::make_unique<Class>(); }}; \
  }
