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
// Whether the folder in which `path` lies, or will lie, is his.
bool owns_folder_of(const Identity& identity, const std::string& path);

// A worker, started as root, becomes `user` for good: groups, group, user, no capability (of the
// bounding set either), no way back; all of it is asked for again from the system. Started by
// somebody else, or without a user, only capabilities go (a listening socket is inherited, not
// bound). Errors: not_found (no such user or group), permission.
Result<void> drop_privileges(const std::string& user, const std::string& group);

// The helper, started as root, becomes `user` for good, but for what setuid programs that it starts
// then give themselves: it keeps the bounding set and the right to gain rights by a file. Started
// by somebody else, or without a user, only capabilities go. Errors: as above.
Result<void> become_starter(const std::string& user, const std::string& group);
// Whether a program that we start gets the rights of its file (PR_SET_NO_NEW_PRIVS is not set).
bool setuid_works();

// The master, started as root with a `user`, stays root but keeps of its capabilities those that it
// needs for a next generation of workers; the others leave the bounding set too, and it has the
// groups of `user`. Started by somebody else it keeps the right to bind low ports, if it has it.
// What it starts inherits nothing. Where a helper `starts_programs` the bounding set stays: setuid
// programs are root by it. Errors: as above.
Result<void> limit_master(const std::string& user, const std::string& group, bool starts_programs);

// While this lives, the calling thread, and threads that it starts, make and open files as
// `identity`: in a folder of the workers' user root's rights would be theirs.
class FilesAs {
 public:
  explicit FilesAs(const Identity& identity);
  FilesAs(const FilesAs&) = delete;
  FilesAs& operator=(const FilesAs&) = delete;
  ~FilesAs();

 private:
  unsigned user_, group_;
};

}  // namespace postern::daemon
