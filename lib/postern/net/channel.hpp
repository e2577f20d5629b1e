// Octets to and from another process of ours, over an inherited socket pair.
#pragma once

#include <postern/base/result.hpp>
#include <postern/net/loop.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace postern::net {

class ChannelReader {
 public:
  virtual void received(std::string_view octets) = 0;  // valid during the call
  virtual void channel_ended() = 0;                    // the other process is gone; called once

 protected:
  ~ChannelReader() = default;
};

// Reads from the moment it is opened. What the other side does not take yet waits in memory: what
// is sent here is short and rare.
class Channel {
 public:
  // `socket` becomes the channel's. Errors: descriptors, io.
  static Result<std::unique_ptr<Channel>> open(Loop& loop, int socket, ChannelReader& reader);
  virtual ~Channel() = default;  // what was not taken yet is lost
  virtual void send(std::string octets) = 0;
};

}  // namespace postern::net
