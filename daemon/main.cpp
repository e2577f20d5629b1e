#include <postern/base/log_writer.hpp>
#include <postern/net/loop.hpp>
#include <postern/net/sockets.hpp>
#include <postern/policy/load.hpp>

#include <cstdio>

#include "worker.hpp"

using namespace postern;

int main(int argc, char** argv) {
  auto bundle = policy::read_bundle(argv[argc - 1]);
  if (!bundle) return std::fprintf(stderr, "%s\n", bundle.error().text.c_str()), 1;
  auto loaded = policy::load(*bundle);
  for (const auto& line : loaded.lines()) std::fprintf(stderr, "%s\n", line.c_str());
  if (!loaded.usable()) return 1;
  LogWriter log(LogTarget::on(2), {});
  log.start();
  net::Loop loop;
  daemon::Worker worker(loop, log, loaded, {});
  for (const auto& listen : loaded.configuration.listen) {
    auto socket = net::make_listening_socket(listen.address);
    if (!socket) return std::fprintf(stderr, "%s\n", socket.error().text.c_str()), 1;
    worker.serve(*socket);
  }
  loop.run();
}
