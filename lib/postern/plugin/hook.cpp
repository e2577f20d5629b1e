#include <postern/plugin/hook.hpp>

#include <array>

namespace postern::plugin {

std::string_view name(Hook hook) {
  static constexpr std::array<std::string_view, hook_count> names = {
      "admit",    "connect", "helo",       "auth_password", "auth_secret",  "mail",
      "rcpt",     "route",   "data",       "headers",       "message",      "received_line",
      "help",     "vrfy",    "noop",       "quit",          "unrecognized", "accepted",
      "rejected", "reset",   "disconnect", "record",        "tick"};
  return names[static_cast<std::size_t>(hook)];
}

}  // namespace postern::plugin
