// Delivery to a web server: one POST for each message, with the envelope in header fields; a status
// of 2xx is its 250. One connection for each, so that none that was kept can take half a message.
#pragma once

#include <postern/base/log.hpp>
#include <postern/base/url.hpp>
#include <postern/coro/slots.hpp>
#include <postern/deliver/http_message.hpp>
#include <postern/deliver/route.hpp>
#include <postern/dns/resolver.hpp>
#include <postern/net/network.hpp>
#include <postern/net/tls.hpp>

#include <memory>
#include <string>
#include <vector>

namespace postern::deliver {

struct HttpSettings {
  Url url;
  std::vector<std::string> fields;  // "NAME: VALUE", behind ours
  int on_4xx = 550;                 // what our client hears of such a status ...
  int on_5xx = 451;
  coro::Duration timeout = std::chrono::seconds(60);  // for all of it
  std::size_t at_a_time = 20;
  bool operator==(const HttpSettings&) const = default;
};

class HttpRoute final : public Route {
 public:
  HttpRoute(net::Network& network, dns::Resolver& resolver, Log& log, HttpSettings settings)
      : network_(network),
        resolver_(resolver),
        log_(log),
        settings_(std::move(settings)),
        slots_(settings_.at_a_time) {}

  smtp::Capabilities offers() const override;
  std::unique_ptr<Delivery> begin(Envelope& envelope) override;
  coro::Task<void> close() override { co_return; }

 private:
  class Transaction;

  net::Network& network_;
  dns::Resolver& resolver_;
  Log& log_;
  HttpSettings settings_;
  coro::Slots slots_;
  std::unique_ptr<net::TlsClient> tls_;  // made when it is first needed
};

// The head of the request, with its empty line.
std::string http_request_head(const HttpSettings& settings, const Envelope& envelope,
                              std::uint64_t octets);
// What our client hears of a status. 408, 425 and 429 always mean to come again, and 3xx is
// trouble: no redirect is followed.
smtp::Reply reply_to_status(const HttpSettings& settings, int status, const std::string& text,
                            const std::string& id);

}  // namespace postern::deliver
