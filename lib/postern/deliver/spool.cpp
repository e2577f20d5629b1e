#include <postern/deliver/spool.hpp>

#include <algorithm>
#include <utility>

namespace postern::deliver {

coro::Task<Result<void>> Spool::settle() {
  if (!file_) {
    auto file = co_await files_.create_unnamed(directory_);
    if (!file) co_return fail(file.error());
    file_ = std::move(*file);
  }
  std::string octets = std::exchange(tail_, {});
  const std::size_t count = octets.size();
  auto written = co_await file_->write(std::move(octets));
  if (written) filed_ += count;
  co_return written;
}

coro::Task<Result<std::string>> Spool::read(std::uint64_t offset, std::size_t most) {
  if (offset >= filed_) {
    const auto at = static_cast<std::size_t>(offset - filed_);
    if (at >= tail_.size()) co_return std::string();
    co_return tail_.substr(at, most);
  }
  const auto in_file = static_cast<std::size_t>(std::min<std::uint64_t>(most, filed_ - offset));
  auto octets = co_await file_->read(offset, in_file);
  if (octets && octets->empty()) co_return fail(Errc::io, "the spool file is shorter than it was");
  if (octets && offset + octets->size() == filed_) octets->append(tail_, 0, most - octets->size());
  co_return octets;
}

}  // namespace postern::deliver
