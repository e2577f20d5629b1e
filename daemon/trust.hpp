// Whether others than root decide what root does.
#pragma once

#include <postern/policy/bundle.hpp>

#include <string>
#include <vector>

namespace postern::daemon {

// Started as root: a line for each settings file, and folder of one, that a group or everybody may
// write to. Whoever can change the configuration chooses the user, the log file and the plugins. A
// folder with the sticky bit, such as /tmp, does not let others replace our files.
std::vector<std::string> writable_by_others(const policy::Bundle& bundle);

}  // namespace postern::daemon
