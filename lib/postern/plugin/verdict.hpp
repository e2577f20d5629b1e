// What a decision returns.
//
//   return Verdict::reject({5, 7, 1}, "client listed in bl.example.net");
//
// A plugin names class, enhanced code and text; the basic code is that of the stage where the
// verdict takes effect. What a refusal becomes (softened, tagged, only recorded) is the
// instance's `mode`.
#pragma once

#include <postern/base/result.hpp>
#include <postern/smtp/reply.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace postern::plugin {

using smtp::EnhancedCode;

class [[nodiscard]] Verdict {
 public:
  enum class Kind : std::uint8_t { next, accept, defer, reject, hold, drop, failed };

  static Verdict next() { return Verdict(Kind::next); }
  // Only at `rcpt`: the recipient is in when nobody refuses.
  static Verdict accept() { return Verdict(Kind::accept); }
  static Verdict defer(EnhancedCode code, std::string text) {
    return {Kind::defer, code, std::move(text)};
  }
  static Verdict reject(EnhancedCode code, std::string text) {
    return {Kind::reject, code, std::move(text)};
  }
  // The reply to an unknown user, octet for octet.
  static Verdict reject_as_unknown();
  // The code itself matters (551, a milter's own). 4yz and 5yz only.
  static Verdict verbatim(const smtp::Reply& reply);
  // Into quarantine, with 250.
  static Verdict hold(std::string why) { return {Kind::hold, {}, std::move(why)}; }
  // Taken with 250 and thrown away: only for an instance with `may_drop = true`.
  static Verdict drop(std::string why) { return {Kind::drop, {}, std::move(why)}; }
  // It cannot tell: the instance's `on_error` decides.
  static Verdict failed(Error error) { return {Kind::failed, {}, error.describe()}; }
  static Verdict failed(Errc error) { return failed(Error(error)); }
  // ... and this is what it says where it defers, instead of 4.3.0: 451, {4, 4, 3}.
  static Verdict failed(Error error, std::uint16_t basic, EnhancedCode code) {
    Verdict verdict(Kind::failed, code, error.describe());
    verdict.basic_ = basic;
    return verdict;
  }

  // next(): a positive finding, which other instances' `exempt.passed` may trust.
  Verdict&& vouch(std::string why) && {
    vouches_ = true;
    text_ = std::move(why);
    return std::move(*this);
  }
  // next() at `rcpt`: the domain is ours, though not by me: an unknown recipient, no relaying.
  Verdict&& claim() && {
    claims_ = true;
    return std::move(*this);
  }
  // A refusal that ends the session.
  Verdict&& and_close() && {
    closes_ = true;
    return std::move(*this);
  }

  Kind kind() const { return kind_; }
  bool is_refusal() const { return kind_ >= Kind::defer && kind_ <= Kind::drop; }
  EnhancedCode code() const { return code_; }
  std::uint16_t basic_code() const { return basic_; }  // 0: the stage's
  const std::string& text() const { return text_; }
  bool vouches() const { return vouches_; }
  bool claims() const { return claims_; }
  bool closes() const { return closes_; }

  // Whether it can be acted on: its class is its kind's, its text is no flood.
  static constexpr std::size_t max_text_octets = 4096;
  bool makes_sense() const;

 private:
  explicit Verdict(Kind kind) : kind_(kind) {}
  Verdict(Kind kind, EnhancedCode code, std::string text)
      : kind_(kind), code_(code), text_(std::move(text)) {}

  Kind kind_;
  bool vouches_ = false;
  bool claims_ = false;
  bool closes_ = false;
  std::uint16_t basic_ = 0;
  EnhancedCode code_;
  std::string text_;
};

std::string_view name(Verdict::Kind kind);  // "reject"

}  // namespace postern::plugin
