// One question to one server, one message back: what the caching resolver needs of the network. On
// c-ares in ares_exchange.hpp; a test has its own.
#pragma once

#include <postern/base/result.hpp>
#include <postern/dns/wire.hpp>

namespace postern::dns {

// tcp shares connections; tcp_alone makes one for this question, which nobody else's failure ends.
enum class Transport { udp, tcp, tcp_alone };

class Asker {
 public:
  // A message that belongs to the question (identifier, server), or why there is none: timed_out,
  // refused, unreachable, descriptors, io; cancelled when the exchange goes. Valid during the call;
  // may ask again from inside it.
  virtual void answered(Octets message) = 0;
  virtual void failed(const Error& error) = 0;

 protected:
  ~Asker() = default;
};

class Exchange {
 public:
  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  virtual ~Exchange() = default;  // every asker that still waits is told

  virtual std::size_t servers() const = 0;  // at least one
  // Calls `asker` once, from inside this call or later. By UDP the message may be truncated.
  virtual void ask(const Question& question, std::size_t server, Transport transport,
                   Asker& asker) = 0;
};

}  // namespace postern::dns
