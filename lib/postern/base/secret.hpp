// Octets that only their user should see, such as a password: wiped when they go, and nothing that
// makes text of values takes them.
#pragma once

#include <string>
#include <string_view>

namespace postern {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string octets) : octets_(std::move(octets)) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other) {
    if (this != &other) {
      wipe(octets_);
      octets_ = other.octets_;
    }
    return *this;
  }
  // Short strings are copied where they are moved: what is left behind goes, too.
  Secret(Secret&& other) noexcept : octets_(std::move(other.octets_)) { wipe(other.octets_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe(octets_);
      octets_ = std::move(other.octets_);
      wipe(other.octets_);
    }
    return *this;
  }
  ~Secret() { wipe(octets_); }

  bool empty() const { return octets_.empty(); }
  std::string_view octets() const { return octets_; }

  // Overwrites the whole of a string's memory and leaves it empty.
  static void wipe(std::string& text) noexcept;

 private:
  std::string octets_;
};

}  // namespace postern
