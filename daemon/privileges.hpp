// Becoming the user that the configuration names.
#pragma once

#include <postern/base/result.hpp>

#include <string>

namespace postern::daemon {

// Whom `user` and `group` (empty: the user's) are. Errors: not_found, with a whole line as text.
struct Identity {
  unsigned uid = 0;
  unsigned gid = 0;
};
Result<Identity> find_identity(const std::string& user, const std::string& group);

// Started as root, this process becomes `user` for good: groups, group, user, no capability, no way
// back; all of it is asked for again from the system. Started by somebody else, or without a user,
// only capabilities go (a listening socket is inherited, not bound).
// Errors: not_found (no such user or group), permission.
Result<void> drop_privileges(const std::string& user, const std::string& group);

// Creates a log file (no path: none) that does not exist yet so that `user` owns it: the master
// opens it first, its workers after they have dropped their privileges. What goes wrong shows when
// it is opened.
void create_for(const std::string& path, const std::string& user, const std::string& group);

}  // namespace postern::daemon
