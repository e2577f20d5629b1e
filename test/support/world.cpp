#include "world.hpp"

#include <postern/smtp/timeouts.hpp>

#include <fmt/format.h>

#include <chrono>

namespace postern::test {
namespace {

using namespace std::chrono_literals;
namespace timeouts = smtp::timeouts;

}  // namespace

const SocketAddress World::first{IpAddress::v4({127, 0, 0, 1}), 2526};
const SocketAddress World::second{IpAddress::v4({127, 0, 0, 2}), 2526};

World::World(std::uint64_t seed, testing::LinkOptions downstream_link)
    : sim(seed), files(sim), network(sim, downstream_link), sessions_(sim, "worker") {
  files.add_directory(spool);
  downstream.settings().patience = 24h;  // longer than any limit of ours: whoever hangs is seen
  recipients.add_domain("example.net");
  settings.hostname = "mx.example.net";
  settings.spool_directory = spool;
  pool.to = {first};
  pool.hostname = settings.hostname;
  pool.timeouts = {timeouts::downstream_connect,    timeouts::downstream_greeting,
                   timeouts::downstream_mail,       timeouts::downstream_rcpt,
                   timeouts::downstream_data,       timeouts::downstream_block,
                   timeouts::downstream_end_of_data};
}

World::~World() {
  if (!ended_) end();
}

void World::listen(const SocketAddress& address, testing::ScriptedDownstream& server) {
  network.listen(address,
                 [&server](net::StreamPtr stream) { return server.serve(std::move(stream)); });
}

deliver::Pool& World::forward() {
  auto route = std::make_unique<deliver::SmtpRoute>(sim, network, log, pool);
  forward_ = route.get();
  route_ = std::move(route);
  return forward_->pool();
}

void World::deliver_to_maildir() {
  deliver::MaildirSettings where{maildir, settings.hostname};
  route_ = std::make_unique<deliver::Maildir>(sim, files, log, std::move(where));
}

net::StreamPtr World::connect(testing::LinkOptions link, bool full) {
  if (!services_) {
    services_.reset(new session::Services{sim, files, log, *route_, recipients, settings, *this});
  }
  const SocketAddress from{IpAddress::v4({192, 0, 2, 1}),
                           static_cast<std::uint16_t>(50000 + count_)};
  const SocketAddress to{IpAddress::v4({192, 0, 2, 25}), 25};
  auto [theirs, ours] = testing::make_stream_pair(sim, link, from, to);
  session_end_ = &testing::MemoryStream::of(*ours);
  auto session =
      std::make_unique<session::Session>(std::move(ours), *services_, fmt::format("s{}", ++count_));
  registry_.push_back(*session);
  session::Session::start(sessions_, std::move(session), full);
  return std::move(theirs);
}

void World::drain() {
  registry_.each([](session::Session& session) { session.drain(); });
}

void World::shut_down() {
  registry_.each([](session::Session& session) { session.shut_down(); });
}

std::string World::end(std::size_t hung) {
  ended_ = true;
  std::string left;
  sim.run_for(6h);  // beyond the sum of all limits
  if (running() > 0) left += fmt::format("{} sessions live on:\n{}", running(), sim.waiting());
  shut_down();
  sim.run_for(6h);
  if (route_) sim.run(route_->close());
  sim.run_for(1min);
  if (forward_ && forward_->pool().open_connections() > 0)
    left += fmt::format("{} connections are not given back\n", forward_->pool().open_connections());
  if (network.served() > hung)
    left += fmt::format("{} streams to downstreams are open\n", network.served() - hung);
  network.stop();
  sim.run_until_idle();
  if (sim.live_tasks() > 0) left += fmt::format("{} tasks live on\n", sim.live_tasks());
  return left;
}

}  // namespace postern::test
