#include <postern/base/secret.hpp>

#include <cstring>

namespace postern {

void Secret::wipe(std::string& text) noexcept {
  text.resize(text.capacity());  // within its capacity: allocates nothing
  explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace postern
