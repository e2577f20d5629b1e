#define CARES_NO_DEPRECATED  // ares_query, for c-ares before 1.28; the macro is c-ares's own

#include <postern/dns/ares_channel.hpp>

#include <ares.h>

#include <array>

namespace postern::dns {
namespace {

constexpr int class_in = 1;

Error error_of(int status) {
  const char* text = ares_strerror(status);
  switch (status) {
    case ARES_ETIMEOUT:
      return Error(Errc::timed_out, "no answer in time");
    case ARES_ECONNREFUSED:  // also: unreachable, or the connection broke
      return Error(Errc::refused, "the server cannot be reached, or ended the connection");
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
      return Error(Errc::cancelled, "the resolver is closing");
    case ARES_EBADRESP:
    case ARES_EBADNAME:
    case ARES_EFORMERR:
      return Error(Errc::malformed, text);
    case ARES_ESERVFAIL:
    case ARES_ENOTIMP:
    case ARES_EREFUSED:
      return Error(Errc::servfail, text);
    default:
      return Error(Errc::io, text);
  }
}

// As c-ares takes names: a backslash begins an escape there.
std::string escaped(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

struct AresChannel::Query {
  AresChannel& channel;
  Asker& asker;

  static void answered(void* argument, int status, int, unsigned char* octets, int count) {
    const std::unique_ptr<Query> query(static_cast<Query*>(argument));
    --query->channel.waiting_;
    if (octets != nullptr && count > 0)  // whatever the status says: we read it ourselves
      return query->asker.answered({octets, static_cast<std::size_t>(count)});
    query->asker.failed(error_of(status));
  }
};

Result<std::unique_ptr<AresChannel>> AresChannel::open(net::Loop& loop, const SocketAddress& server,
                                                       bool tcp,
                                                       std::chrono::milliseconds timeout) {
  std::unique_ptr<AresChannel> channel(new AresChannel(loop));
  auto opened = channel->open(server, tcp, timeout);
  if (!opened) return fail(opened.error());
  return channel;
}

Result<void> AresChannel::open(const SocketAddress& server, bool tcp,
                               std::chrono::milliseconds timeout) {
  std::array<char, 2> lookups{"b"};           // the DNS, not /etc/hosts
  std::array<char, 10> no_file{"/dev/null"};  // instead of resolv.conf
  ares_options options{};
  options.flags = ARES_FLAG_STAYOPEN | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES |
                  ARES_FLAG_NOCHECKRESP | ARES_FLAG_EDNS |
                  (tcp ? ARES_FLAG_USEVC : ARES_FLAG_IGNTC);
  options.timeout = static_cast<int>(timeout.count());
  options.tries = 1;
  options.ndots = 1;
  options.ednspsz = udp_octets;
  options.lookups = lookups.data();
  options.resolvconf_path = no_file.data();
  options.sock_state_cb = [](void* self, ares_socket_t socket, int readable, int writable) {
    static_cast<AresChannel*>(self)->watch(socket, readable != 0, writable != 0);
  };
  options.sock_state_cb_data = this;
  int given = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
              ARES_OPT_EDNSPSZ | ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_RESOLVCONF |
              ARES_OPT_SOCK_STATE_CB;
#ifdef ARES_OPT_QUERY_CACHE  // from 1.31 on: 0 switches it off
  given |= ARES_OPT_QUERY_CACHE;
#endif
  int status = ares_init_options(&channel_, &options, given);
  if (status == ARES_SUCCESS) status = ares_set_servers_ports_csv(channel_, server.text().c_str());
  if (status == ARES_SUCCESS) return {};
  return fail(Errc::io, std::string("making a DNS channel: ") + ares_strerror(status));
}

AresChannel::~AresChannel() {
  if (channel_) ares_destroy(channel_);
}

void AresChannel::ask(const Question& question, Asker& asker) {
  ++asked_;
  ++waiting_;
  ares_query(channel_, escaped(question.name).c_str(), class_in, static_cast<int>(question.type),
             &Query::answered, new Query{*this, asker});
}

void AresChannel::look_at_time() { ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD); }

// c-ares says which of its sockets to watch, also before it closes one.
void AresChannel::watch(int socket, bool readable, bool writable) {
  if (!readable && !writable) {
    watches_.erase(socket);
    return;
  }
  auto& watch = watches_[socket];
  if (!watch) {
    auto opened = net::SocketWatch::open(loop_, socket, *this);
    if (!opened) return;  // no memory: its queries run into their time limit
    watch = std::move(*opened);
  }
  watch->want(readable, writable);
}

void AresChannel::socket_ready(int socket, bool readable, bool writable) {
  ares_process_fd(channel_, readable ? socket : ARES_SOCKET_BAD,
                  writable ? socket : ARES_SOCKET_BAD);
}

}  // namespace postern::dns
