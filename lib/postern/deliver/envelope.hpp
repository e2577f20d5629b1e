// The envelope of one transaction, as whoever takes the message over sees it.
#pragma once

#include <postern/base/ip.hpp>
#include <postern/base/rare_text.hpp>
#include <postern/smtp/parameters.hpp>
#include <postern/smtp/path.hpp>

#include <string>
#include <vector>

namespace postern::deliver {

// The client that speaks to us, for identity modes and trace fields.
struct Client {
  SocketAddress remote;
  SocketAddress local;  // the address of ours that it connected to
  std::string helo;     // what it calls itself; empty before HELO
  std::string name;     // its forward-confirmed host name; empty: not known
  RareText login;       // who has authenticated; empty: nobody
  bool esmtp = false;   // EHLO, not HELO
  bool tls = false;     // ... after STARTTLS, or on a listener that speaks TLS from the start
};

struct Recipient {
  smtp::Path path;
  smtp::RcptParameters parameters;
};

// Owned by the transaction; outlives the Delivery that refers to it.
struct Envelope {
  explicit Envelope(const Client& sender) : client(sender) {}
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;

  const Client& client;
  std::string id;  // of the transaction
  smtp::Path reverse_path;
  smtp::MailParameters parameters;
  std::vector<Recipient> recipients;  // those accepted, and last the one that is being asked about
};

}  // namespace postern::deliver
