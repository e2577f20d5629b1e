#include <postern/plugin/verdict.hpp>
#include <postern/smtp/replies.hpp>

namespace postern::plugin {

Verdict Verdict::reject_as_unknown() { return verbatim(smtp::replies::unknown_user()); }

Verdict Verdict::verbatim(const smtp::Reply& reply) {
  Verdict verdict(reply.is_transient() ? Kind::defer : Kind::reject, reply.enhanced(),
                  std::string(reply.text()));
  verdict.basic_ = static_cast<std::uint16_t>(reply.code());
  return verdict;
}

bool Verdict::makes_sense() const {
  if (text_.size() > max_text_octets) return false;
  if (kind_ != Kind::defer && kind_ != Kind::reject) return true;
  const unsigned wanted = kind_ == Kind::defer ? 4 : 5;
  if (basic_ != 0) return basic_ / 100 == wanted;
  return code_.cls == wanted && code_.subject < 1000 && code_.detail < 1000;
}

std::string_view name(Verdict::Kind kind) {
  switch (kind) {
    case Verdict::Kind::next:
      return "next";
    case Verdict::Kind::accept:
      return "accept";
    case Verdict::Kind::defer:
      return "defer";
    case Verdict::Kind::reject:
      return "reject";
    case Verdict::Kind::hold:
      return "hold";
    case Verdict::Kind::drop:
      return "drop";
    case Verdict::Kind::failed:
      return "failed";
  }
  return "next";
}

}  // namespace postern::plugin
