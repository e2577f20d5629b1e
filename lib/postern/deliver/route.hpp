// Whoever takes messages over: a downstream MTA, a Maildir. Where a 250 comes from.
#pragma once

#include <postern/coro/task.hpp>
#include <postern/deliver/envelope.hpp>
#include <postern/deliver/spool.hpp>
#include <postern/smtp/capabilities.hpp>
#include <postern/smtp/reply.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postern::deliver {

// How the way to whoever takes a message over is protected, where that was wanted; for the record.
struct Protection {
  std::string version;    // of TLS: "TLSv1.3"; empty: there is none,
  const char* none = "";  // ... and why: "not offered", "refused", "handshake failed"
  std::string cipher;
  bool verified = false;  // the server's certificate, by name and authority
  bool resumed = false;
};

// What is handed over.
struct Message {
  explicit Message(Spool& spool) : content(spool) {}
  std::string trace;              // what stands before it: our fields, or a whole edited header
  Spool& content;                 // as received, unstuffed,
  std::uint64_t begin = 0;        // ... from this octet on
  bool eight_bit = false;         // somewhere in it there are octets over 127
  bool eight_bit_header = false;  // ... in its header section (RFC 6532)
};

// How it ended. A positive reply is a promise that has been made to us: the message is durable
// there.
struct Handover {
  explicit Handover(smtp::Reply r) : reply(std::move(r)) {}
  smtp::Reply reply;       // for our client: fit to relay
  bool uncertain = false;  // the end of data was sent whole, its answer was not heard
  // By LMTP with several recipients, in the order of the envelope. Where they ended differently
  // (`agreement`) `reply` is no promise for any, but some of them may have the message.
  std::vector<smtp::Reply> each = {};
};

// One transaction's way. Destroying it before commit() has begun abandons the transaction: nothing
// is delivered. One call at a time; after a stop the replies mean nothing.
class Delivery {
 public:
  virtual ~Delivery() = default;

  // Asks about `envelope.recipients[index]`, the last one; the first call opens the way. The answer
  // is fit to relay: positive, or the refusal. 451 4.4.x where the downstream cannot be asked.
  virtual coro::Task<smtp::Reply> rcpt(std::size_t index) = 0;
  // Who gave the last answer, for the record.
  virtual std::string_view answered_by() const { return "downstream"; }
  // Nothing is asked of it for some time, the client sends the body for example: what others could
  // use may be lent to them.
  virtual void pauses() = 0;
  // Hands over to all recipients, or to none; by LMTP to some of them, which the handover tells.
  virtual coro::Task<Handover> commit(Message& message) = 0;
  // For the record: "127.0.0.1:2526", "maildir". Empty while not known.
  virtual std::string target() const = 0;
  // Null: nobody has asked for any.
  virtual const Protection* protection() const { return nullptr; }
};

class Route {
 public:
  virtual ~Route() = default;
  // Which extensions it could carry now, as far as is known.
  virtual smtp::Capabilities offers() const = 0;
  virtual std::unique_ptr<Delivery> begin(Envelope& envelope) = 0;
  // Ends what it keeps open (idle connections). Nothing is begun afterwards.
  virtual coro::Task<void> close() = 0;
};

}  // namespace postern::deliver
