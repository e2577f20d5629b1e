// A text that few have: one word where there is none.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace postern {

class RareText {
 public:
  RareText() = default;
  RareText(const RareText& other) { *this = std::string(other.text()); }
  RareText(RareText&&) noexcept = default;
  RareText& operator=(const RareText& other) { return *this = std::string(other.text()); }
  RareText& operator=(RareText&&) noexcept = default;
  RareText& operator=(std::string text) {
    text_ = text.empty() ? nullptr : std::make_unique<std::string>(std::move(text));
    return *this;
  }
  ~RareText() = default;

  void clear() { text_.reset(); }
  bool empty() const { return !text_; }
  std::string_view text() const { return text_ ? std::string_view(*text_) : std::string_view(); }

 private:
  std::unique_ptr<std::string> text_;
};

}  // namespace postern
