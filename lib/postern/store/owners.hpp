// Who has the store open: each has a place in a small file and holds the kernel's lock on it, which
// goes when its process does, however it ends. Process numbers could be somebody else's by then.
#pragma once

#include <postern/base/result.hpp>
#include <postern/store/update.hpp>

#include <memory>
#include <string>

namespace postern::store {

class Owners final : public Living {
 public:
  // Errors: io, permission, no_space, busy (no place is left).
  static Result<std::unique_ptr<Owners>> open(const std::string& path);
  ~Owners();
  Owners(const Owners&) = delete;
  Owners& operator=(const Owners&) = delete;

  Owner me() const { return me_; }
  bool alone() const;  // nobody else has it open
  bool alive(Owner owner) const override;

 private:
  explicit Owners(int fd) : fd_(fd) {}
  bool take_place();

  int fd_;
  Owner me_ = 0;
};

}  // namespace postern::store
