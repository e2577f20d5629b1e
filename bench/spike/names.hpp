// Whether a DNS list names a client: c-ares on libuv, nothing remembered.
#pragma once

#include <ares.h>
#include <netinet/in.h>
#include <uv.h>

#include <array>
#include <coroutine>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "wire.hpp"

namespace spike {

class Names {
 public:
  struct Listing {  // shared with c-ares, which may answer when the client has gone
    bool known = false, listed = false;
    std::coroutine_handle<> waiter;
  };

  Names(uv_loop_t* loop, const std::string& server, std::string zone)
      : loop_(loop), zone_(std::move(zone)) {
    ares_options options{};
    options.flags = ARES_FLAG_STAYOPEN | ARES_FLAG_NOSEARCH;
    options.sock_state_cb = [](void* self, ares_socket_t socket, int read, int write) {
      static_cast<Names*>(self)->watch(socket, read != 0, write != 0);
    };
    options.sock_state_cb_data = this;
    ares_library_init(ARES_LIB_INIT_ALL);
    ares_init_options(&channel_, &options, ARES_OPT_FLAGS | ARES_OPT_SOCK_STATE_CB);
    ares_set_servers_ports_csv(channel_, server.c_str());
    uv_timer_init(loop, &timer_);
    timer_.data = this;
    uv_timer_start(
        &timer_, [](uv_timer_t* timer) { static_cast<Names*>(timer->data)->turn({}); }, 1000, 1000);
  }

  std::shared_ptr<Listing> ask(in_addr client) {
    const auto* octet = reinterpret_cast<const unsigned char*>(&client);
    std::array<char, 300> name;
    std::snprintf(name.data(), name.size(), "%u.%u.%u.%u.%s", octet[3], octet[2], octet[1],
                  octet[0], zone_.c_str());
    auto listing = std::make_shared<Listing>();
    ares_query(
        channel_, name.data(), 1 /* IN */, 1 /* A */,
        [](void* kept, int status, int, unsigned char*, int) {
          const std::unique_ptr<std::shared_ptr<Listing>> to(
              static_cast<std::shared_ptr<Listing>*>(kept));
          (*to)->known = true;
          (*to)->listed = status == ARES_SUCCESS;
          if ((*to)->waiter) (*to)->waiter.resume();
        },
        new std::shared_ptr<Listing>(listing));
    return listing;
  }

 private:
  void watch(ares_socket_t socket, bool read, bool write) {
    auto& poll = polls_[socket];
    if (!poll) {
      poll = new uv_poll_t();
      poll->data = this;
      uv_poll_init(loop_, poll, socket);
    }
    if (read || write) {
      uv_poll_start(poll, (read ? UV_READABLE : 0) | (write ? UV_WRITABLE : 0),
                    [](uv_poll_t* ready, int, int) {
                      uv_os_fd_t file = -1;
                      uv_fileno(reinterpret_cast<uv_handle_t*>(ready), &file);
                      static_cast<Names*>(ready->data)->turn(file);
                    });
      return;
    }
    uv_close(reinterpret_cast<uv_handle_t*>(poll),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
    polls_.erase(socket);
  }
  void turn(std::optional<int> file) {
    const ares_socket_t socket = file ? *file : ARES_SOCKET_BAD;
    ares_process_fd(channel_, socket, ARES_SOCKET_BAD);
  }

  uv_loop_t* loop_;
  std::string zone_;
  ares_channel channel_ = nullptr;
  uv_timer_t timer_{};
  std::unordered_map<ares_socket_t, uv_poll_t*> polls_;
};

struct Listed {
  Names::Listing& listing;
  Wire& wire;
  bool await_ready() { return listing.known; }
  void await_suspend(std::coroutine_handle<> handle) {
    wire.flush();
    listing.waiter = handle;
  }
  bool await_resume() { return listing.listed; }
};

}  // namespace spike
