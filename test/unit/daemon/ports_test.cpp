#include "ports.hpp"

#include <catch.hpp>

#include <vector>

namespace postern::daemon {

TEST_CASE("Ports: each socket belongs to the block that asked for its address", "[daemon][ports]") {
  const SocketAddress any{IpAddress::v4({127, 0, 0, 1}), 0};
  const SocketAddress other{IpAddress::v4({127, 0, 0, 2}), 0};
  Ports ports(2, {});
  REQUIRE(ports.open({any, other, any}, "postern.toml"));
  const auto in_another_order = ports.sockets_of({any, any, other});
  REQUIRE(in_another_order.sockets.size() == 6);
  CHECK(in_another_order.listeners == std::vector<std::uint64_t>{0, 0, 2, 2, 1, 1});
  CHECK(in_another_order.sockets[0] == ports.all()[0].sockets[0]);
  CHECK(in_another_order.sockets[2] == ports.all()[1].sockets[0]);

  ports.keep_only({other});
  const auto one = ports.sockets_of({other});
  CHECK(one.sockets == ports.all()[0].sockets);
  CHECK(one.listeners == std::vector<std::uint64_t>{0, 0});
}

}  // namespace postern::daemon
