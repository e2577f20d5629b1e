// LmdbFile: opening, and what is wrong with what is there.
#include <postern/store/lmdb_file.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <thread>

namespace postern::store {
namespace {

using namespace std::chrono_literals;

constexpr const char* data_name = "/state.mdb";
constexpr const char* lock_name = "/state.mdb-lock";
constexpr const char* running_name = "/running";
constexpr unsigned most_readers = 2048;
constexpr auto opening_limit = 5s;
// "about" holds it under "format": a file without it, or of another, is none of ours.
constexpr std::string_view file_format = "postern state 1";

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::uint64_t inode_of(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

// One at a time opens and closes: what is at that path must not change meanwhile.
class Opening {
 public:
  explicit Opening(const std::string& folder)
      : fd_(open((folder + "/opening").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    if (fd_ < 0) {
      error_ = errno;
      return;
    }
    const auto due = std::chrono::steady_clock::now() + opening_limit;
    while (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) error_ = errno;
      if (std::chrono::steady_clock::now() > due) error_ = EBUSY;
      if (error_ != 0) return;
      std::this_thread::sleep_for(1ms);
    }
  }
  ~Opening() {
    if (fd_ >= 0) close(fd_);
  }
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;
  int error() const { return error_; }

 private:
  int fd_;
  int error_ = 0;
};

// Who has it open goes on with the same two files under their new names.
std::string put_aside(const std::string& folder, std::string_view why) {
  const std::string aside = fmt::format("{}.aside-{}-{}", data_name, std::time(nullptr), getpid());
  rename((folder + lock_name).c_str(), (folder + aside + "-lock").c_str());
  if (rename((folder + data_name).c_str(), (folder + aside).c_str()) != 0)
    return fmt::format("{}{} {}, and cannot be put aside: {}", folder, data_name, why,
                       std::strerror(errno));  // NOLINT(concurrency-mt-unsafe): of one number
  return fmt::format("{0}{1} {2}: it is put aside as {0}{3}, and a new one begun", folder,
                     data_name, why, aside);
}

// Lost with the kernel's memory: data that the disk may have in part.
bool was_torn(const std::string& folder, const std::string& boot) {
  const std::string running = first_line(folder + running_name);
  return !running.empty() && running != boot;
}

Result<void> note_running(const std::string& folder, const std::string& boot) {
  if (first_line(folder + running_name) == boot) return {};
  const std::string path = folder + running_name;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail_errno(errno, path);
  const bool written =
      write(fd, boot.data(), boot.size()) == static_cast<ssize_t>(boot.size()) && fsync(fd) == 0;
  const int number = errno;
  close(fd);
  if (!written) return fail_errno(number, path);
  return {};
}

// LMDB has found its pages to make no sense. It does not go on, nor may the next one with them.
void lmdb_asserts(MDB_env* env, const char* text) {
  const auto* folder = static_cast<const std::string*>(mdb_env_get_userctx(env));
  const std::string note = folder ? put_aside(*folder, "is corrupt") : std::string();
  const std::string line = fmt::format("postern: state: {}: {}\n", text, note);
  (void)!write(STDERR_FILENO, line.data(), line.size());
  std::abort();
}

}  // namespace

Result<std::shared_ptr<LmdbFile>> LmdbFile::open(const LmdbPlace& place,
                                                 std::vector<std::string>& notes,
                                                 std::uint64_t suspect) {
  const std::string& folder = place.folder;
  if (!place.create && access((folder + data_name).c_str(), F_OK) != 0)
    return fail(Errc::not_found, folder + data_name + " is not there");
  if (place.create && mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno(errno, folder);
  const Opening opening(folder);
  if (opening.error() != 0) return fail_errno(opening.error(), folder);

  const std::string boot = first_line("/proc/sys/kernel/random/boot_id");
  const std::uint64_t there = inode_of(folder + data_name);
  if (there != 0 && there == suspect)
    notes.push_back(put_aside(folder, "is corrupt"));
  else if (there != 0 && was_torn(folder, boot))
    notes.push_back(put_aside(folder, "was in use when the system went down"));

  std::shared_ptr<LmdbFile> file(new LmdbFile);
  file->folder_ = folder;
  auto owners = Owners::open(folder + "/owners");
  if (!owners) return fail(owners.error());
  file->owners_ = std::move(*owners);
  if (auto noted = note_running(folder, boot); !noted) return fail(noted.error());

  int code = file->open_environment(place);
  if (is_corrupt(code)) {
    notes.push_back(put_aside(folder, fmt::format("is no state file ({})", mdb_strerror(code))));
    code = file->open_environment(place);
  }
  if (code != 0) return fail(lmdb_error(code, folder + data_name));
  file->inode_ = inode_of(folder + data_name);
  file->clear_stale_readers();
  return file;
}

int LmdbFile::open_environment(const LmdbPlace& place) {
  if (env_) mdb_env_close(env_);
  env_ = nullptr;
  if (const int code = mdb_env_create(&env_)) return code;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  mdb_env_set_mapsize(env_, place.size / page * page);
  mdb_env_set_maxreaders(env_, most_readers);
  mdb_env_set_maxdbs(env_, 4);
  mdb_env_set_userctx(env_, &folder_);
  mdb_env_set_assert(env_, lmdb_asserts);
  const unsigned flags = MDB_NOSUBDIR | MDB_NOTLS | MDB_NOSYNC | MDB_NORDAHEAD;
  if (const int code = mdb_env_open(env_, (folder_ + data_name).c_str(), flags, 0600)) return code;
  if (!is_whole()) return MDB_CORRUPTED;
  MDB_envinfo info{};
  MDB_stat stat{};
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &stat);
  page_octets_ = stat.ms_psize;
  map_pages_ = info.me_mapsize / page_octets_;
  const int code = open_tables(false);
  return code == MDB_NOTFOUND ? open_tables(true) : code;
}

// A page that the file does not have would be a SIGBUS.
bool LmdbFile::is_whole() const {
  MDB_envinfo info{};
  MDB_stat page{};
  struct stat status {};
  mdb_env_info(env_, &info);
  mdb_env_stat(env_, &page);
  if (stat((folder_ + data_name).c_str(), &status) != 0) return false;
  return static_cast<std::size_t>(status.st_size) >= (info.me_last_pgno + 1) * page.ms_psize;
}

// Without `create` it waits for no writer. MDB_NOTFOUND: it is new.
int LmdbFile::open_tables(bool create) {
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env_, nullptr, create ? 0 : MDB_RDONLY, &txn)) return code;
  const unsigned flags = create ? MDB_CREATE : 0;
  unsigned about = 0;
  int code = mdb_dbi_open(txn, "about", flags, &about);
  if (code == 0) code = mdb_dbi_open(txn, "entries", flags, &entries_);
  if (code == 0) code = mdb_dbi_open(txn, "expiry", flags, &expiry_);
  MDB_stat whole{};
  mdb_stat(txn, 1, &whole);                                              // the table of tables
  if (code == MDB_NOTFOUND && whole.ms_entries > 0) code = MDB_INVALID;  // somebody else's
  if (code == MDB_INCOMPATIBLE) code = MDB_INVALID;
  MDB_val key{6, const_cast<char*>("format")}, value{};
  if (code == 0) code = mdb_get(txn, about, &key, &value);
  if (code == 0 &&
      std::string_view(static_cast<char*>(value.mv_data), value.mv_size) != file_format)
    code = MDB_INVALID;
  if (code == MDB_NOTFOUND && create) {
    value = {file_format.size(), const_cast<char*>(file_format.data())};
    code = mdb_put(txn, about, &key, &value, 0);
  }
  if (code == 0) return mdb_txn_commit(txn);
  mdb_txn_abort(txn);
  return code;
}

LmdbFile::~LmdbFile() {
  if (env_) mdb_env_close(env_);
}

bool LmdbFile::in_place() const { return inode_of(folder_ + data_name) == inode_; }

void LmdbFile::clear_stale_readers() {
  int dead = 0;
  mdb_reader_check(env_, &dead);
}

void LmdbFile::finish() {
  const Opening opening(folder_);
  if (opening.error() != 0 || !owners_->alone() || !in_place()) return;
  if (mdb_env_sync(env_, 1) == 0) unlink((folder_ + running_name).c_str());
}

}  // namespace postern::store
