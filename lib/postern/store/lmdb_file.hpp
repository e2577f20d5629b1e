// The state store's file: an LMDB environment in a folder of its own. What is here may wait for the
// disk or for another writer, but for LmdbReader.
//
//   state.mdb       the entries, and an index of them by the time of their expiry
//   state.mdb-lock  LMDB's: readers, and the writers' lock
//   owners          who has it open (owners.hpp)
//   running         the boot during which it was opened; absent after a clean end
//
// It is never synced while in use, so that writers do not wait for the disk: what is written is the
// kernel's, and a process that is killed tears nothing. Only the kernel's own end might; `running`
// tells, and the file is then put aside (docs/adr/0011).
#pragma once

#include <postern/store/owners.hpp>
#include <postern/store/store.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct MDB_env;
struct MDB_txn;

namespace postern::store {

struct LmdbPlace {
  std::string folder;
  std::size_t size = 1'000'000'000;  // the most that the file may have
  bool create = true;                // the folder and the file
};

class LmdbFile {
 public:
  // A file that is none of ours, torn, or known to be corrupt (`suspect`: its inode) is moved
  // aside, and a new one begun; `notes` gets a line about it for the log.
  // Errors: not_found (only without `create`), permission, no_space, io, busy, malformed.
  static Result<std::shared_ptr<LmdbFile>> open(const LmdbPlace& place,
                                                std::vector<std::string>& notes,
                                                std::uint64_t suspect = 0);
  ~LmdbFile();
  LmdbFile(const LmdbFile&) = delete;
  LmdbFile& operator=(const LmdbFile&) = delete;

  const Owners& owners() const { return *owners_; }
  std::uint64_t inode() const { return inode_; }
  std::size_t map_pages() const { return map_pages_; }
  bool in_place() const;  // nobody has put it aside
  void clear_stale_readers();
  // Before it is closed for good: syncs it when nobody else has it open.
  void finish();

 private:
  friend class LmdbReader;
  friend class LmdbTransaction;
  LmdbFile() = default;
  int open_environment(const LmdbPlace& place);
  int open_tables(bool create);
  bool is_whole() const;

  std::string folder_;
  std::unique_ptr<Owners> owners_;
  std::uint64_t inode_ = 0;
  std::size_t map_pages_ = 0;
  std::size_t page_octets_ = 0;
  MDB_env* env_ = nullptr;
  unsigned entries_ = 0;
  unsigned expiry_ = 0;
};

// Reads, in about a microsecond, without a lock. Not from two threads.
class LmdbReader {
 public:
  explicit LmdbReader(std::shared_ptr<LmdbFile> file) : file_(std::move(file)) {}
  ~LmdbReader();
  LmdbReader(const LmdbReader&) = delete;
  LmdbReader& operator=(const LmdbReader&) = delete;

  // As it is there, expired or not.
  Result<std::optional<Entry>> get(std::string_view key);
  Result<std::vector<Item>> scan(std::string_view prefix, std::string_view after, std::size_t most,
                                 WallTime now);
  struct Usage {
    std::uint64_t entries = 0;
    std::uint64_t octets = 0;
    std::uint64_t size = 0;
    bool any_due = false;  // something has expired
  };
  Result<Usage> usage(WallTime now);
  // Whether each entry is in the index where it says, and each of the index has one: for tests.
  Result<void> verify();

 private:
  class Look;
  std::shared_ptr<LmdbFile> file_;
  MDB_txn* txn_ = nullptr;
};

// Changes, all or none. Each function returns LMDB's code: 0, or the transaction is to be given up.
class LmdbTransaction {
 public:
  explicit LmdbTransaction(LmdbFile& file) : file_(file) {}
  ~LmdbTransaction() { abort(); }
  LmdbTransaction(const LmdbTransaction&) = delete;
  LmdbTransaction& operator=(const LmdbTransaction&) = delete;

  int begin();  // waits for other writers
  int apply(std::string_view key, const Update& update, Outcome& outcome);
  int restore(std::string_view key, const Entry& entry);  // as a dump has it
  // Removes what has expired, of the `most` entries that come first in the index; and while more is
  // used than should be, those that would expire first.
  struct Swept {
    std::uint64_t expired = 0;
    std::uint64_t evicted = 0;
  };
  int sweep(WallTime now, std::size_t most, Swept& swept);
  int commit();
  void abort();

 private:
  int find(std::string_view key, std::optional<Entry>& entry, std::uint32_t& indexed);
  int put(std::string_view key, const Entry& entry, std::optional<std::uint32_t> indexed);
  int remove(std::string_view key, std::uint32_t indexed);
  int unindex(std::string_view key, std::uint32_t indexed);
  int sweep_one(std::string_view key, std::uint32_t indexed, WallTime now, bool crowded,
                Swept& swept);
  int move(std::string_view key, std::uint32_t indexed, const Entry& entry);
  bool is_crowded();

  LmdbFile& file_;
  MDB_txn* txn_ = nullptr;
};

// Of LMDB's codes, and those of the system that it passes on.
Error lmdb_error(int code, std::string_view what);
// The environment is of no use any more and must be opened again; `corrupt`: by what it holds.
bool is_fatal(int code);
bool is_corrupt(int code);

// Keys beyond what LMDB takes (511 octets, of which the index needs 4) are cut and marked with a
// sum of the whole.
inline constexpr std::size_t most_stored_octets = 500;
std::string stored_key(std::string_view key);

}  // namespace postern::store
