#include "privileges.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>

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

using CapabilitySet = std::uint64_t;

constexpr CapabilitySet bit(unsigned capability) { return CapabilitySet{1} << capability; }

// Binding at a reload; making workers that are another user, without a bounding set, and ending
// them; reading a configuration and keys that are not root's.
constexpr CapabilitySet of_master = bit(CAP_NET_BIND_SERVICE) | bit(CAP_SETUID) | bit(CAP_SETGID) |
                                    bit(CAP_SETPCAP) | bit(CAP_KILL) | bit(CAP_DAC_READ_SEARCH);

struct Capabilities {
  CapabilitySet effective = 0, permitted = 0, inheritable = 0;
};

// Containers often have the stronger right only: then a reload reads as the start did by that one.
CapabilitySet kept_by_master(CapabilitySet permitted) {
  const bool may_read = permitted & bit(CAP_DAC_READ_SEARCH);
  return may_read ? of_master : of_master | bit(CAP_DAC_OVERRIDE);
}

// Version 3 has two words of 32.
std::optional<Capabilities> get_capabilities() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> words{};
  if (syscall(SYS_capget, &head, words.data()) != 0) return {};
  const auto whole = [](std::uint32_t low, std::uint32_t high) {
    return CapabilitySet{high} << 32 | low;
  };
  return Capabilities{whole(words[0].effective, words[1].effective),
                      whole(words[0].permitted, words[1].permitted),
                      whole(words[0].inheritable, words[1].inheritable)};
}

// Keeps of what this thread has only these, and looks whether the system did so.
bool set_capabilities(CapabilitySet kept) {
  const auto had = get_capabilities();
  if (!had) return false;
  const CapabilitySet wanted = had->permitted & kept;
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> words{};
  for (std::size_t i = 0; i < words.size(); ++i)
    words[i].effective = words[i].permitted = static_cast<std::uint32_t>(wanted >> (32 * i));
  if (syscall(SYS_capset, &head, words.data()) != 0) return false;
  const auto has = get_capabilities();
  return has && has->permitted == wanted && has->effective == wanted && has->inheritable == 0;
}

// Where the right to do so has been taken from us, PR_SET_NO_NEW_PRIVS alone must do in the
// workers.
bool drop_bounding(CapabilitySet kept) {
  const auto had = get_capabilities();
  if (had && !(had->effective & bit(CAP_SETPCAP))) return true;
  for (unsigned capability = 0; capability < 64; ++capability) {
    const int has = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    if (has < 0) return true;  // the kernel has no more
    if (has == 0 || (kept & bit(capability))) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) return false;
  }
  return true;
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

bool owns_folder_of(const Identity& identity, const std::string& path) {
  struct stat status {};
  return stat(path.substr(0, path.rfind('/')).c_str(), &status) == 0 &&
         status.st_uid == identity.uid;
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
    if (identity.uid != 0 && !drop_bounding(0))
      return fail(Errc::permission, "dropping privileges: the system left us some");
    auto became = become(user, identity);
    if (!became) return became;
    if (!is_only(identity))
      return fail(Errc::permission,
                  fmt::format("becoming {}: the system kept another identity", user));
  }
  if (identity.uid == 0) return {};  // user = "root"
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (!set_capabilities(0) || setuid(0) == 0)
    return fail(Errc::permission, "dropping privileges: the system left us some");
  return {};
}

Result<void> become_starter(const std::string& user, const std::string& group) {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (geteuid() == 0 && user.empty()) return {};  // asked to stay root
  if (geteuid() == 0) {
    auto identity = find_identity(user, group);
    if (!identity) return fail(identity.error());
    auto became = become(user, *identity);
    if (!became) return became;
    if (!is_only(*identity))
      return fail(Errc::permission,
                  fmt::format("becoming {}: the system kept another identity", user));
    if (identity->uid == 0) return {};  // user = "root"
  }
  if (!set_capabilities(0) || setuid(0) == 0)
    return fail(Errc::permission, "dropping privileges: the system left us some");
  return {};
}

bool setuid_works() { return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0; }

Result<void> limit_master(const std::string& user, const std::string& group, bool starts_programs) {
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  if (geteuid() != 0) {
    if (set_capabilities(bit(CAP_NET_BIND_SERVICE))) return {};
    return fail(Errc::permission, "dropping privileges: the system left us some");
  }
  if (user.empty()) return {};  // asked to stay root
  auto identity = find_identity(user, group);
  if (!identity) return fail(identity.error());
  if (identity->uid == 0) return {};
  if (initgroups(user.c_str(), identity->gid) != 0)
    return fail_errno(errno, fmt::format("taking the groups of {}", user));
  const auto had = get_capabilities();
  const CapabilitySet kept = kept_by_master(had ? had->permitted : 0);
  if ((!starts_programs && !drop_bounding(kept)) || !set_capabilities(kept))
    return fail(Errc::permission, "dropping privileges: the system left us some");
  return {};
}

FilesAs::FilesAs(const Identity& identity)
    : user_(static_cast<unsigned>(setfsuid(identity.uid))),
      group_(static_cast<unsigned>(setfsgid(identity.gid))) {}

FilesAs::~FilesAs() {
  setfsuid(user_);
  setfsgid(group_);
}

}  // namespace postern::daemon
