#include <postern/net/ticket_keys.hpp>

#include <strings.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace postern::net {
namespace {

static_assert(sizeof(TicketKey) == 80, "plain octets, without padding");

void fill(TicketKey& key) {
  if (getrandom(&key, sizeof key, 0) != static_cast<ssize_t>(sizeof key))
    throw std::system_error(errno, std::generic_category(), "random numbers");
}

}  // namespace

TicketKeys TicketKeys::make() {
  TicketKeys made;
  for (TicketKey& key : made.keys_) fill(key);
  return made;
}

Result<TicketKeys> TicketKeys::parse(std::string_view bytes) {
  if (bytes.size() != octets) return fail(Errc::malformed, "ticket keys");
  TicketKeys parsed;
  std::memcpy(parsed.keys_.data(), bytes.data(), octets);
  return parsed;
}

TicketKeys::~TicketKeys() { explicit_bzero(keys_.data(), octets); }

void TicketKeys::rotate() {
  keys_[0] = keys_[1];
  keys_[1] = keys_[2];
  fill(keys_[2]);
}

std::string TicketKeys::serialize() const {
  return std::string(reinterpret_cast<const char*>(keys_.data()), octets);
}

const TicketKey* TicketKeys::find(const unsigned char* name) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const TicketKey& key) {
    return std::equal(key.name.begin(), key.name.end(), name);
  });
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace postern::net
