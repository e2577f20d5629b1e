// Sessions with servers, to be resumed at the next connection (RFC 8446 section 2.2, RFC 5077);
// inside `net` only.
#pragma once

#include <postern/net/openssl.hpp>

#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace postern::net {

using SslSessionPtr = std::unique_ptr<SSL_SESSION, FreeWith<SSL_SESSION_free>>;

// What was last heard of each server, by whatever key tells servers apart. A key must hold the name
// that was verified: who resumes is not verified again.
class TlsSessions {
 public:
  static constexpr std::size_t most = 256;  // beyond it any other one goes

  SSL_SESSION* find(const std::string& key) const {
    const auto found = sessions_.find(key);
    return found == sessions_.end() ? nullptr : found->second.get();
  }
  void put(const std::string& key, SslSessionPtr session) {
    if (!session) return;
    if (sessions_.size() >= most && !sessions_.contains(key)) sessions_.erase(sessions_.begin());
    sessions_[key] = std::move(session);
  }
  void erase(const std::string& key) { sessions_.erase(key); }

 private:
  std::map<std::string, SslSessionPtr> sessions_;
};

}  // namespace postern::net
