// Streams with TLS on them, on every implementation there is: a stream does not show that it is
// encrypted.
#include <postern/coro/group.hpp>
#include <postern/net/tls.hpp>

#include <stdexcept>

#include "fixture.hpp"
#include "unit/net/made_certificate.hpp"

namespace postern::conformance {
namespace {

const testing::MadeCertificate& certificate() {
  static const auto made = testing::make_certificate({.names = {"mx.example.net"}});
  return made;
}

class TlsFixture final : public Fixture {
 public:
  explicit TlsFixture(std::unique_ptr<Fixture> plain) : plain_(std::move(plain)) {
    server_ = *net::TlsServer::make({});
    server_->use(*net::TlsCertificates::make({certificate().pair()}));
    server_->use(net::TicketKeys::make());
    client_ = *net::TlsClient::make(net::TlsTrust::anybody, {});
  }

  coro::Scheduler& scheduler() override { return plain_->scheduler(); }
  net::Network& network() override { return plain_->network(); }
  net::Files& files() override { return plain_->files(); }
  dns::Resolver& resolver() override { return plain_->resolver(); }
  Names& names() override { return plain_->names(); }
  std::string directory() override { return plain_->directory(); }
  std::size_t more_than_fits() const override { return plain_->more_than_fits(); }
  SocketAddress listen(Accept accept) override { return plain_->listen(std::move(accept)); }
  SocketAddress refusing() override { return plain_->refusing(); }
  SocketAddress silent() override { return plain_->silent(); }
  void run_until_stopped() override { plain_->run_until_stopped(); }
  void stop() override { plain_->stop(); }

  std::pair<net::StreamPtr, net::StreamPtr> streams() override {
    auto [ours, theirs] = plain_->streams();
    if (!plain_->run(secure(*ours, *theirs))) throw std::runtime_error("no handshake");
    return {std::move(ours), std::move(theirs)};
  }

 private:
  coro::Task<bool> secure(net::Stream& ours, net::Stream& theirs) {
    coro::Group<Result<net::TlsFacts>> sides;
    sides.add(client_->connect(ours, net::TlsStart::at_once, "mx.example.net", patience));
    sides.add(server_->accept(theirs, net::TlsStart::at_once, patience));
    bool good = true;
    auto keep = [&](const Result<net::TlsFacts>& facts) { good = good && facts; };
    auto both = co_await sides.each(keep);
    co_return both&& good;
  }

  std::unique_ptr<Fixture> plain_;
  std::unique_ptr<net::TlsServer> server_;
  std::unique_ptr<net::TlsClient> client_;
};

}  // namespace

std::vector<Implementation> stream_implementations() {
  std::vector<Implementation> all = implementations();
  for (const Implementation& plain : implementations())
    all.push_back({"TLS on " + plain.name,
                   [make = plain.make] { return std::make_unique<TlsFixture>(make()); }});
  return all;
}

}  // namespace postern::conformance
