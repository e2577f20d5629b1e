// `postern plugin …`: what there is, what one of them does, a new one.
#pragma once

#include <string>

namespace postern::cli {

// Each writes to standard output, complains on standard error, and returns the exit status.
// `configuration`: where plugin_path stands; a file that is not there names no folders.
int list_plugins(const std::string& configuration, bool json);
int help_plugin(const std::string& configuration, const std::string& name, bool json);
// A project for a plugin in `folder`, which is made; empty: ./NAME. Overwrites nothing.
int new_plugin(const std::string& name, std::string folder);

}  // namespace postern::cli
