#include <postern/net/tcp_stream.hpp>

#include "catch.hpp"

using namespace postern;

TEST_CASE("TcpStream: handle and stream stay within their share of an idle session's budget",
          "[net][memory]") {
  static_assert(sizeof(net::TcpStream) <= 400);
  SUCCEED("TcpStream: " << sizeof(net::TcpStream) << " octets");
}
