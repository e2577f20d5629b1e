// Signals as calls on the loop.
#pragma once

#include <postern/base/result.hpp>
#include <postern/net/loop.hpp>

#include <initializer_list>
#include <memory>

namespace postern::net {

class SignalHandler {
 public:
  virtual void signalled(int number) = 0;

 protected:
  ~SignalHandler() = default;
};

// From construction to destruction `handler` hears of these signals; afterwards they do what they
// did by default.
class Signals {
 public:
  // Errors: io.
  static Result<std::unique_ptr<Signals>> open(Loop& loop, std::initializer_list<int> numbers,
                                               SignalHandler& handler);
  virtual ~Signals() = default;
};

}  // namespace postern::net
