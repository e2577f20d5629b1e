#include <postern/coro/deadline.hpp>
#include <postern/coro/sleep.hpp>
#include <postern/testing/sim_network.hpp>

namespace postern::testing {

SimNetwork::SimNetwork(SimScheduler& sim, LinkOptions options)
    : sim_(sim), options_(options), scope_(sim, "scripted server") {}

SimNetwork::~SimNetwork() {
  try {
    stop();
  } catch (...) {  // whoever wants to see a server's exception calls stop()
  }
}

void SimNetwork::listen(const ServerAddress& address, Handler handler) {
  Place& place = places_[address];
  place.kind = Place::Kind::serves;
  place.handler = std::move(handler);
}

void SimNetwork::fail(const ServerAddress& address, Errc why) {
  Place& place = places_[address];
  place.kind = Place::Kind::refuses;
  place.why = why;
}

void SimNetwork::silence(const ServerAddress& address) {
  places_[address].kind = Place::Kind::silent;
}

coro::Task<Result<net::StreamPtr>> SimNetwork::connect(ServerAddress to, Duration limit) {
  ++places_[to].attempts;
  auto stream = co_await coro::within(limit, open(to));
  co_return stream;
}

coro::Task<Result<net::StreamPtr>> SimNetwork::open(ServerAddress to) {
  auto answered = co_await coro::sleep(2 * options_.latency);
  if (!answered) co_return postern::fail(answered.error().code, "connect");
  const Place& place = places_[to];
  if (place.kind == Place::Kind::silent) {
    auto never = co_await never_.wait();
    co_return postern::fail(never.error().code, "connect");
  }
  if (place.kind == Place::Kind::refuses) co_return postern::fail(place.why, "connect");
  const SocketAddress from{IpAddress::v4({127, 0, 0, 1}), next_port_++};
  auto [ours, theirs] = make_stream_pair(sim_, options_, from, to.socket);
  scope_.start(place.handler(std::move(theirs)));
  co_return std::move(ours);
}

std::size_t SimNetwork::attempts(const ServerAddress& address) const {
  const auto found = places_.find(address);
  return found == places_.end() ? 0 : found->second.attempts;
}

coro::Task<void> SimNetwork::join() { co_await scope_.join(); }

void SimNetwork::stop() {
  scope_.stop(Errc::cancelled);
  sim_.run(join());
}

}  // namespace postern::testing
