#include <postern/base/text.hpp>
#include <postern/smtp/domain.hpp>
#include <postern/smtp/limits.hpp>

#include <algorithm>

namespace postern::smtp {
namespace {

bool is_label_octet(char c) { return is_alnum(c) || c == '-' || c == '_' || !is_ascii(c); }

// Calls `check` with each label; an empty one is never right.
template <typename Check>
bool each_label(std::string_view text, Check check) {
  while (true) {
    const auto dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    if (label.empty() || label.size() > limits::domain_label_octets || !check(label)) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_helo_octet(char c) { return is_ascii(c) && is_label_octet(c); }

}  // namespace

bool is_clean_utf8(std::string_view text) {
  if (!valid_utf8(text) || std::any_of(text.begin(), text.end(), is_control)) return false;
  for (auto at = text.find('\xc2'); at != std::string_view::npos; at = text.find('\xc2', at + 1))
    if (static_cast<unsigned char>(text[at + 1]) < 0xa0) return false;
  return true;
}

bool is_domain(std::string_view text) {
  if (text.empty() || text.size() > limits::domain_octets) return false;
  if (!all_ascii(text) && !is_clean_utf8(text)) return false;
  return each_label(text, [](std::string_view label) {
    return label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(), is_label_octet);
  });
}

bool is_address_literal(std::string_view text) {
  if (text.size() < 3 || text.size() > limits::domain_octets) return false;
  if (text.front() != '[' || text.back() != ']') return false;
  text = text.substr(1, text.size() - 2);
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) {
    const auto address = IpAddress::parse(text);
    return address.has_value();
  }
  const std::string_view tag = text.substr(0, colon), content = text.substr(colon + 1);
  if (iequals(tag, "IPv6")) {
    // IpAddress knows both families; behind this tag only the one with colons is right.
    return content.find(':') != std::string_view::npos && IpAddress::parse(content).has_value();
  }
  if (tag.empty() || !is_alpha(tag.front()) || !is_alnum(tag.back())) return false;
  const auto in_tag = [](char c) { return is_alnum(c) || c == '-'; };
  const auto is_dcontent = [](char c) { return c > ' ' && c < 0x7f && (c < '[' || c > ']'); };
  return std::all_of(tag.begin(), tag.end(), in_tag) && !content.empty() &&
         std::all_of(content.begin(), content.end(), is_dcontent);
}

std::optional<IpAddress> address_of_literal(std::string_view text) {
  if (!is_address_literal(text)) return {};
  text = text.substr(1, text.size() - 2);
  if (istarts_with(text, "IPv6:")) text.remove_prefix(5);
  const auto address = IpAddress::parse(text);
  if (!address) return {};
  return *address;
}

Result<std::string> parse_helo_name(std::string_view argument) {
  if (argument.size() > limits::domain_octets) return fail(Errc::too_long, "HELO name");
  if (argument.starts_with('[')) {
    if (is_address_literal(argument)) return std::string(argument);
    return fail(Errc::malformed, "address literal");
  }
  std::string_view name = argument;
  if (name.ends_with('.')) name.remove_suffix(1);
  const bool good = !name.empty() && each_label(name, [](std::string_view label) {
    return std::all_of(label.begin(), label.end(), is_helo_octet);
  });
  if (!good) return fail(Errc::malformed, "HELO name");
  return std::string(argument);
}

}  // namespace postern::smtp
