#include "privileges.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace postern::daemon {
namespace {

Result<void> become(const std::string& user, const Identity& identity) {
  if (initgroups(user.c_str(), identity.gid) != 0)
    return fail_errno(errno, fmt::format("taking the groups of {}", user));
  if (setresgid(identity.gid, identity.gid, identity.gid) != 0 ||
      setresuid(identity.uid, identity.uid, identity.uid) != 0)
    return fail_errno(errno, fmt::format("becoming {}", user));
  return {};
}

// Both sets of 32 capabilities that version 3 has, all empty.
bool drop_capabilities() {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  return syscall(SYS_capset, &head, sets.data()) == 0;
}

bool has_capabilities() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  if (syscall(SYS_capget, &head, sets.data()) != 0) return true;
  for (const auto& set : sets)
    if (set.effective != 0 || set.permitted != 0 || set.inheritable != 0) return true;
  return false;
}

bool is_only(const Identity& identity) {
  uid_t real_user = 0, user = 0, saved_user = 0;
  gid_t real_group = 0, group = 0, saved_group = 0;
  if (getresuid(&real_user, &user, &saved_user) != 0) return false;
  if (getresgid(&real_group, &group, &saved_group) != 0) return false;
  return real_user == identity.uid && user == identity.uid && saved_user == identity.uid &&
         real_group == identity.gid && group == identity.gid && saved_group == identity.gid;
}

}  // namespace

Result<Identity> find_identity(const std::string& user, const std::string& group) {
  const passwd* entry = getpwnam(user.c_str());
  if (!entry) return fail(Errc::not_found, fmt::format("no user '{}' on this system", user));
  Identity identity{entry->pw_uid, entry->pw_gid};
  if (group.empty()) return identity;
  const ::group* named = getgrnam(group.c_str());
  if (!named) return fail(Errc::not_found, fmt::format("no group '{}' on this system", group));
  identity.gid = named->gr_gid;
  return identity;
}

Result<void> drop_privileges(const std::string& user, const std::string& group) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const bool root = geteuid() == 0;
  if (root && user.empty()) return {};  // asked to stay root
  Identity identity{geteuid(), getegid()};
  if (root) {
    auto found = find_identity(user, group);
    if (!found) return fail(found.error());
    identity = *found;
    auto became = become(user, identity);
    if (!became) return became;
    if (!is_only(identity))
      return fail(Errc::permission,
                  fmt::format("becoming {}: the system kept another identity", user));
  }
  if (identity.uid == 0) return {};  // user = "root"
  if (!drop_capabilities() || has_capabilities() || setuid(0) == 0)
    return fail(Errc::permission, "dropping privileges: the system left us some");
  return {};
}

void create_for(const std::string& path, const std::string& user, const std::string& group) {
  if (path.empty() || geteuid() != 0 || user.empty()) return;
  auto identity = find_identity(user, group);
  if (!identity) return;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
  if (fd < 0) return;  // it is there, or the opening will say why not
  (void)!fchown(fd, identity->uid, identity->gid);
  close(fd);
}

}  // namespace postern::daemon
