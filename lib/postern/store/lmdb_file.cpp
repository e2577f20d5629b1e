// Entries in LMDB: reading, changing, expiry.
#include <postern/store/lmdb_file.hpp>

#include <fmt/format.h>
#include <lmdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace postern::store {
namespace {

constexpr std::size_t evicted_beyond_percent = 80;  // the rest is room to write in

MDB_val val(std::string_view octets) { return {octets.size(), const_cast<char*>(octets.data())}; }
std::string_view view(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

// Entries lie as encode() writes them, and behind it the second under which the index has them. It
// may be earlier than their expiry: what is prolonged is moved when that second has come.
std::string with_second(const Entry& entry, std::uint32_t second) {
  std::string octets = encode(entry);
  octets.append(reinterpret_cast<const char*>(&second), sizeof second);
  return octets;
}
std::optional<Entry> split(std::string_view octets, std::uint32_t& second) {
  if (octets.size() < sizeof second) return {};
  const std::size_t rest = octets.size() - sizeof second;
  std::memcpy(&second, octets.data() + rest, sizeof second);
  return decode(octets.substr(0, rest));
}

std::uint32_t second_of(WallTime time) {
  const auto milliseconds = std::max<std::int64_t>(0, time.time_since_epoch().count());
  return static_cast<std::uint32_t>(
      std::min<std::int64_t>((milliseconds + 999) / 1000, UINT32_MAX));
}

// The second in network order, so that the index is in the order of time; then the key.
std::string index_key(std::uint32_t second, std::string_view key) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(second >> shift & 255);
  return out.append(key);
}
std::uint32_t second_in(std::string_view index) {
  std::uint32_t second = 0;
  for (const char octet : index.substr(0, 4))
    second = second << 8 | static_cast<std::uint8_t>(octet);
  return second;
}

class Cursor {
 public:
  Cursor(MDB_txn* txn, unsigned table) { code_ = mdb_cursor_open(txn, table, &cursor_); }
  ~Cursor() {
    if (cursor_) mdb_cursor_close(cursor_);
  }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  // False at the end, and on an error: see code().
  bool move(MDB_cursor_op op) {
    if (code_ == 0) code_ = mdb_cursor_get(cursor_, &key, &value, op);
    return code_ == 0;
  }
  int code() const { return code_ == MDB_NOTFOUND ? 0 : code_; }
  MDB_val key{}, value{};

 private:
  MDB_cursor* cursor_ = nullptr;
  int code_ = 0;
};

}  // namespace

std::string stored_key(std::string_view key) {
  if (key.size() <= most_stored_octets) return std::string(key);
  std::uint64_t sum = 0xcbf29ce484222325;  // FNV-1a: stays the same between versions
  for (const char octet : key) sum = (sum ^ static_cast<std::uint8_t>(octet)) * 0x100000001b3;
  return fmt::format("{}~{:016x}", key.substr(0, most_stored_octets - 17), sum);
}

bool is_corrupt(int code) {
  switch (code) {
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_CURSOR_FULL:
    case MDB_INCOMPATIBLE:
      return true;
    default:
      return false;
  }
}
bool is_fatal(int code) { return is_corrupt(code) || code == MDB_PANIC || code == MDB_MAP_RESIZED; }

Error lmdb_error(int code, std::string_view what) {
  const auto errc = [&] {
    if (code == MDB_MAP_FULL || code == MDB_TXN_FULL || code == ENOSPC || code == EDQUOT ||
        code == EFBIG)
      return Errc::no_space;
    if (is_corrupt(code)) return Errc::malformed;
    if (code == MDB_READERS_FULL) return Errc::busy;
    return code > 0 ? errc_from_errno(code) : Errc::io;
  };
  return Error(errc(), fmt::format("{}: {}", what, mdb_strerror(code)));
}

// ---- Reading ----

// The one read transaction, for as long as this lives; between two it holds no page back.
class LmdbReader::Look {
 public:
  explicit Look(LmdbReader& reader) : reader_(reader) {
    if (reader.txn_)
      code_ = mdb_txn_renew(reader.txn_);
    else
      code_ = mdb_txn_begin(reader.file_->env_, nullptr, MDB_RDONLY, &reader.txn_);
  }
  ~Look() {
    if (code_ == 0) mdb_txn_reset(reader_.txn_);
  }
  Look(const Look&) = delete;
  Look& operator=(const Look&) = delete;
  int code() const { return code_; }
  MDB_txn* txn() const { return reader_.txn_; }

 private:
  LmdbReader& reader_;
  int code_;
};

LmdbReader::~LmdbReader() {
  if (txn_) mdb_txn_abort(txn_);
}

Result<std::optional<Entry>> LmdbReader::get(std::string_view key) {
  const Look look(*this);
  if (look.code() != 0) return fail(lmdb_error(look.code(), "state"));
  const std::string shortened = key.size() > most_stored_octets ? stored_key(key) : std::string();
  MDB_val wanted = val(shortened.empty() ? key : shortened), value{};
  const int code = mdb_get(look.txn(), file_->entries_, &wanted, &value);
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) return fail(lmdb_error(code, "state"));
  std::uint32_t second = 0;
  return split(view(value), second);
}

Result<std::vector<Item>> LmdbReader::scan(std::string_view prefix, std::string_view after,
                                           std::size_t most, WallTime now) {
  const Look look(*this);
  if (look.code() != 0) return fail(lmdb_error(look.code(), "state"));
  std::vector<Item> items;
  Cursor cursor(look.txn(), file_->entries_);
  const std::string from = stored_key(std::max(prefix, after));
  cursor.key = val(from);
  bool more = cursor.move(from.empty() ? MDB_FIRST : MDB_SET_RANGE);
  for (; more && items.size() < most; more = cursor.move(MDB_NEXT)) {
    const std::string_view key = view(cursor.key);
    if (!key.starts_with(prefix)) break;
    if (key == after && !after.empty()) continue;
    std::uint32_t second = 0;
    auto entry = split(view(cursor.value), second);
    if (entry && !entry->expired(now)) items.push_back({std::string(key), std::move(*entry)});
  }
  if (cursor.code() != 0) return fail(lmdb_error(cursor.code(), "state"));
  return items;
}

Result<LmdbReader::Usage> LmdbReader::usage(WallTime now) {
  const Look look(*this);
  if (look.code() != 0) return fail(lmdb_error(look.code(), "state"));
  Usage usage;
  for (const unsigned table : {0u, file_->entries_, file_->expiry_}) {  // 0: the free pages
    MDB_stat stat{};
    mdb_stat(look.txn(), table, &stat);
    usage.octets +=
        (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * file_->page_octets_;
    if (table == file_->entries_) usage.entries = stat.ms_entries;
  }
  usage.size = file_->map_pages_ * file_->page_octets_;
  Cursor cursor(look.txn(), file_->expiry_);
  usage.any_due = cursor.move(MDB_FIRST) && second_in(view(cursor.key)) < second_of(now);
  if (cursor.code() != 0) return fail(lmdb_error(cursor.code(), "state"));
  return usage;
}

Result<void> LmdbReader::verify() {
  const Look look(*this);
  if (look.code() != 0) return fail(lmdb_error(look.code(), "state"));
  Cursor entries(look.txn(), file_->entries_);
  std::size_t count = 0;
  for (bool more = entries.move(MDB_FIRST); more; more = entries.move(MDB_NEXT), ++count) {
    std::uint32_t second = 0;
    const auto entry = split(view(entries.value), second);
    const std::string place = index_key(second, view(entries.key));
    MDB_val key = val(place), value{};
    const int code = mdb_get(look.txn(), file_->expiry_, &key, &value);
    if (!entry || code != 0)
      return fail(Errc::malformed, fmt::format("{}: not in the index", view(entries.key)));
    if (second > second_of(entry->expires))
      return fail(Errc::malformed, fmt::format("{}: indexed too late", view(entries.key)));
  }
  if (entries.code() != 0) return fail(lmdb_error(entries.code(), "entries"));
  Cursor index(look.txn(), file_->expiry_);
  for (bool more = index.move(MDB_FIRST); more; more = index.move(MDB_NEXT)) --count;
  if (index.code() != 0) return fail(lmdb_error(index.code(), "index"));
  if (count != 0) return fail(Errc::malformed, "the index has others than the entries");
  return {};
}

// ---- Changing ----

int LmdbTransaction::begin() { return mdb_txn_begin(file_.env_, nullptr, 0, &txn_); }

int LmdbTransaction::commit() { return mdb_txn_commit(std::exchange(txn_, nullptr)); }

void LmdbTransaction::abort() {
  if (txn_) mdb_txn_abort(std::exchange(txn_, nullptr));
}

int LmdbTransaction::find(std::string_view key, std::optional<Entry>& entry,
                          std::uint32_t& indexed) {
  MDB_val wanted = val(key), value{};
  const int code = mdb_get(txn_, file_.entries_, &wanted, &value);
  if (code != 0) return code;
  entry = split(view(value), indexed);
  return 0;
}

int LmdbTransaction::apply(std::string_view key, const Update& update, Outcome& outcome) {
  const std::string name = stored_key(key);
  std::optional<Entry> current;
  std::uint32_t indexed = 0;
  const int code = find(name, current, indexed);
  const bool there = code == 0;
  if (!there && code != MDB_NOTFOUND) return code;
  const bool counts = current && !current->expired(update.now);
  const Applied applied = store::apply(update, counts ? &*current : nullptr, file_.owners());
  outcome = applied.outcome;
  if (!applied.changed) return 0;
  if (applied.entry)
    return put(name, *applied.entry, there ? std::optional(indexed) : std::nullopt);
  return there ? remove(name, indexed) : 0;
}

int LmdbTransaction::restore(std::string_view key, const Entry& entry) {
  const std::string name = stored_key(key);
  std::optional<Entry> current;
  std::uint32_t indexed = 0;
  const int code = find(name, current, indexed);
  if (code != 0 && code != MDB_NOTFOUND) return code;
  return put(name, entry, code == 0 ? std::optional(indexed) : std::nullopt);
}

int LmdbTransaction::put(std::string_view key, const Entry& entry,
                         std::optional<std::uint32_t> indexed) {
  std::uint32_t second = second_of(entry.expires);
  if (indexed && *indexed <= second) {
    second = *indexed;
  } else {
    if (indexed)
      if (const int code = unindex(key, *indexed)) return code;
    const std::string place = index_key(second, key);
    MDB_val index = val(place), nothing{};
    if (const int code = mdb_put(txn_, file_.expiry_, &index, &nothing, 0)) return code;
  }
  const std::string octets = with_second(entry, second);
  MDB_val name = val(key), value = val(octets);
  return mdb_put(txn_, file_.entries_, &name, &value, 0);
}

int LmdbTransaction::unindex(std::string_view key, std::uint32_t indexed) {
  const std::string place = index_key(indexed, key);
  MDB_val index = val(place);
  const int code = mdb_del(txn_, file_.expiry_, &index, nullptr);
  return code == MDB_NOTFOUND ? 0 : code;
}

int LmdbTransaction::remove(std::string_view key, std::uint32_t indexed) {
  MDB_val name = val(key);
  const int code = mdb_del(txn_, file_.entries_, &name, nullptr);
  if (code != 0 && code != MDB_NOTFOUND) return code;
  return unindex(key, indexed);
}

int LmdbTransaction::sweep(WallTime now, std::size_t most, Swept& swept) {
  bool crowded = is_crowded();
  for (std::size_t i = 0; i < most; ++i) {
    std::string index;
    {
      Cursor cursor(txn_, file_.expiry_);
      if (!cursor.move(MDB_FIRST)) return cursor.code();
      index = view(cursor.key);
    }
    const std::uint32_t second = second_in(index);
    if (second >= second_of(now) && !crowded) return 0;
    const int code = sweep_one(std::string_view(index).substr(4), second, now, crowded, swept);
    if (code != 0) return code;
    if (crowded && i % 16 == 15) crowded = is_crowded();
  }
  return 0;
}

int LmdbTransaction::sweep_one(std::string_view key, std::uint32_t indexed, WallTime now,
                               bool crowded, Swept& swept) {
  std::optional<Entry> entry;
  std::uint32_t second = indexed;
  const int code = find(key, entry, second);
  if (code == MDB_NOTFOUND) return unindex(key, indexed);
  if (code != 0) return code;
  const bool due = !entry || entry->expires <= now;
  if (entry && due && entry->form == Form::places) {  // of the dead, or held for long
    Update review;
    review.kind = Update::Kind::review;
    review.now = now;
    const Applied applied = store::apply(review, &*entry, file_.owners());
    if (applied.entry) return move(key, indexed, *applied.entry);
  }
  const bool prolonged = entry && second_of(entry->expires) > indexed;
  if (!due && prolonged) return move(key, indexed, *entry);
  if (!due && !crowded) return 0;
  ++(due ? swept.expired : swept.evicted);
  if (second != indexed)
    if (const int failed = unindex(key, indexed)) return failed;
  return remove(key, second);
}

int LmdbTransaction::move(std::string_view key, std::uint32_t indexed, const Entry& entry) {
  const int code = unindex(key, indexed);
  return code != 0 ? code : put(key, entry, std::nullopt);
}

// More pages are used than should be. Those that are free do not count.
bool LmdbTransaction::is_crowded() {
  std::size_t pages = 0;
  for (const unsigned table : {0u, file_.entries_, file_.expiry_}) {
    MDB_stat stat{};
    mdb_stat(txn_, table, &stat);
    pages += stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
  }
  return pages > file_.map_pages_ / 100 * evicted_beyond_percent;
}

}  // namespace postern::store
