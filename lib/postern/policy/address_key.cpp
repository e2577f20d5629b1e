#include <postern/base/text.hpp>
#include <postern/policy/address_key.hpp>

#include <algorithm>

namespace postern::policy {
namespace {

bool is_quoted(std::string_view local_part) {
  return local_part.size() >= 2 && local_part.front() == '"' && local_part.back() == '"';
}

}  // namespace

AddressKey::AddressKey(std::string_view local_part, std::string_view domain, Quotes quotes) {
  if (local_part.size() + domain.size() + 1 > buffer_.size()) return;
  char* end = buffer_.data();
  const bool unquote = quotes == Quotes::as_written && is_quoted(local_part);
  if (unquote) local_part = local_part.substr(1, local_part.size() - 2);
  for (std::size_t i = 0; i < local_part.size(); ++i) {
    if (unquote && local_part[i] == '\\' && i + 1 < local_part.size()) ++i;
    *end++ = ascii_lower(local_part[i]);
  }
  local_part_octets_ = static_cast<std::size_t>(end - buffer_.data());
  *end++ = '@';
  end = std::transform(domain.begin(), domain.end(), end, ascii_lower);
  octets_ = static_cast<std::size_t>(end - buffer_.data());
}

std::string unquoted_local_part(std::string_view local_part) {
  if (!is_quoted(local_part)) {
    constexpr std::string_view forbidden = " \t\"(),:;<>@[\\]";
    const bool good = std::none_of(local_part.begin(), local_part.end(), [&](char c) {
      return is_control(c) || forbidden.find(c) != std::string_view::npos;
    });
    return good ? std::string(local_part) : std::string();
  }
  std::string out;
  const std::string_view inner = local_part.substr(1, local_part.size() - 2);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '"') return {};
    if (inner[i] == '\\' && ++i == inner.size()) return {};
    out += inner[i];
  }
  return out;
}

}  // namespace postern::policy
