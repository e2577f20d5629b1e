// Connections in memory: two streams, each of which reads what the other writes, with the faults
// that a network has.
//
//   auto [client, server] = make_stream_pair(sim, {.latency = 20ms, .pieces = Pieces::random});
#pragma once

#include <postern/net/stream.hpp>
#include <postern/testing/sim_scheduler.hpp>

#include <memory>
#include <utility>

namespace postern::testing {

// How what was written comes out at the other side.
enum class Pieces {
  whole,   // all that has arrived at once
  random,  // 1 to 2048 octets at a time, as drawn
  single,  // octet by octet
};

struct LinkOptions {
  Duration latency{};  // from a write to its arrival
  Pieces pieces = Pieces::whole;
  // Octets on their way and not yet taken by the reader: more stays with the writer, unsent.
  std::size_t window = 256 * 1024;
};

class Link;

class MemoryStream final : public net::Stream {
 public:
  // The stream behind `stream`, which must be of this kind.
  static MemoryStream& of(net::Stream& stream) { return dynamic_cast<MemoryStream&>(stream); }

  SocketAddress local() const override { return local_; }

  // From now on nothing that this side sends or does reaches the other one, not even its end: a
  // pulled plug. What was written before still arrives.
  void hang();
  // Octets that the reader of this stream has not got yet: on their way, or held back by its
  // pauses.
  std::size_t arriving() const;
  // How often this side has written: what a kernel would send as a segment each.
  std::size_t writes() const { return writes_; }

 private:
  friend class Link;
  friend class Pipe;
  friend std::pair<net::StreamPtr, net::StreamPtr> make_stream_pair(SimScheduler&, LinkOptions,
                                                                    SocketAddress, SocketAddress);
  MemoryStream(std::shared_ptr<Link> link, int side, SocketAddress local, SocketAddress remote);
  ~MemoryStream() override = default;
  void dispose() noexcept override;
  void end_connection() override;
  void reset_connection() override;
  std::size_t send(std::string_view octets) override;
  void pause_input() override;
  void resume_input() override;

  std::shared_ptr<Link> link_;
  int side_;
  SocketAddress local_;
  std::size_t writes_ = 0;
};

// Both ends of a connection that is already there.
std::pair<net::StreamPtr, net::StreamPtr> make_stream_pair(
    SimScheduler& sim, LinkOptions options = {},
    SocketAddress first = {IpAddress::v4({127, 0, 0, 1}), 40000},
    SocketAddress second = {IpAddress::v4({127, 0, 0, 1}), 25});

}  // namespace postern::testing
