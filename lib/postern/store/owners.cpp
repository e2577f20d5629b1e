#include <postern/store/owners.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <random>

namespace postern::store {
namespace {

// An owner's place is in his number, the rest of which is drawn.
constexpr unsigned place_bits = 12;
constexpr Owner places = Owner{1} << place_bits;

off_t offset_of(Owner owner) { return static_cast<off_t>((owner & (places - 1)) * sizeof(Owner)); }

struct flock lock_on(Owner place, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = offset_of(place);
  lock.l_len = sizeof(Owner);
  return lock;
}

bool is_locked(int fd, Owner place) {
  struct flock lock = lock_on(place, F_WRLCK);
  return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace

Result<std::unique_ptr<Owners>> Owners::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail_errno(errno, path);
  std::unique_ptr<Owners> owners(new Owners(fd));
  if (!owners->take_place()) return fail(Errc::busy, path + ": no place, or it cannot be written");
  return owners;
}

bool Owners::take_place() {
  std::random_device random;
  const Owner drawn = Owner{random()} << 32 ^ random();
  for (Owner place = 0; place < places; ++place) {
    struct flock lock = lock_on(place, F_WRLCK);
    if (fcntl(fd_, F_OFD_SETLK, &lock) != 0) continue;
    me_ = (drawn & ~(places - 1)) | place;
    return pwrite(fd_, &me_, sizeof me_, offset_of(me_)) == sizeof me_;
  }
  return false;
}

Owners::~Owners() { close(fd_); }

bool Owners::alone() const {
  for (Owner place = 0; place < places; ++place)
    if (place != (me_ & (places - 1)) && is_locked(fd_, place)) return false;
  return true;
}

bool Owners::alive(Owner owner) const {
  if (owner == me_) return true;
  Owner there = 0;
  return pread(fd_, &there, sizeof there, offset_of(owner)) == sizeof there && there == owner &&
         is_locked(fd_, owner);
}

}  // namespace postern::store
