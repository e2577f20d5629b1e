// SocketAddress to and from the system's form.
#pragma once

#include <postern/base/ip.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

namespace postern::net {

class RawAddress {
 public:
  explicit RawAddress(const SocketAddress& address);
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }
  int family() const { return storage_.ss_family; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

SocketAddress from_raw(const sockaddr_storage& storage);  // 0.0.0.0:0 for another family

}  // namespace postern::net
