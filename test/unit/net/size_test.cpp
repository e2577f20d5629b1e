#include <postern/net/tcp_stream.hpp>

#include "catch.hpp"

using namespace postern;

TEST_CASE("TcpStream: handle and stream stay within their share of DESIGN.md section 5",
          "[net][memory]") {
  static_assert(sizeof(net::TcpStream) <= 400);
  SUCCEED("TcpStream: " << sizeof(net::TcpStream) << " octets");
}
