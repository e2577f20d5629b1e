#include <postern/base/text.hpp>
#include <postern/smtp/domain.hpp>
#include <postern/smtp/limits.hpp>
#include <postern/smtp/parameters.hpp>
#include <postern/smtp/xtext.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace postern::smtp {
namespace {

enum class Keyword : std::uint8_t {
  size,
  body,
  smtputf8,
  ret,
  envid,
  auth,
  prdr,
  requiretls,
  notify,
  orcpt
};

constexpr std::array<std::string_view, 10> keyword_names = {
    "SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH", "PRDR", "REQUIRETLS", "NOTIFY", "ORCPT"};

struct Parameter {
  std::string_view text;  // "SIZE=10"
  std::string_view name;
  std::string_view value;
  bool has_value = false;  // "SIZE=" has one, of no octets
};

// The next parameter, cut off `text`; its `text` is empty at the end.
Parameter take_parameter(std::string_view& text) {
  Parameter parameter;
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  parameter.text = text.substr(0, text.find(' '));
  text.remove_prefix(parameter.text.size());
  const auto equals = parameter.text.find('=');
  parameter.name = parameter.text.substr(0, equals);
  parameter.has_value = equals != std::string_view::npos;
  if (parameter.has_value) parameter.value = parameter.text.substr(equals + 1);
  return parameter;
}

std::optional<Keyword> keyword_of(std::string_view name) {
  for (std::size_t i = 0; i < keyword_names.size(); ++i)
    if (iequals(name, keyword_names[i])) return static_cast<Keyword>(i);
  return {};
}

bool offers(const Capabilities& offered, Keyword keyword) {
  switch (keyword) {
    case Keyword::size:
      return offered.size;
    case Keyword::body:
      return offered.eight_bit_mime || offered.binarymime;
    case Keyword::smtputf8:
      return offered.smtputf8;
    case Keyword::auth:
      return !offered.auth.empty() || offered.auth_parameter;
    case Keyword::prdr:
      return offered.prdr;
    case Keyword::requiretls:
      return offered.requiretls;
    case Keyword::ret:
    case Keyword::envid:
    case Keyword::notify:
    case Keyword::orcpt:
      return offered.dsn;
  }
  return false;
}

// Each reader returns false for a value that the grammar does not have.

bool read_size(std::string_view value, std::optional<std::uint64_t>& size) {
  if (value.empty() || value.size() > limits::size_digits) return false;
  if (!std::all_of(value.begin(), value.end(), is_digit)) return false;
  // Twenty digits may be more than fits: it is as good as endless.
  size = to_number<std::uint64_t>(value).value_or(std::numeric_limits<std::uint64_t>::max());
  return true;
}

bool read_body(std::string_view value, const Capabilities& offered, Body& body) {
  if (iequals(value, "7BIT"))
    body = Body::seven_bit;
  else if (iequals(value, "8BITMIME") && offered.eight_bit_mime)
    body = Body::eight_bit_mime;
  else if (iequals(value, "BINARYMIME") && offered.binarymime)
    body = Body::binary_mime;
  else
    return false;
  return true;
}

bool read_ret(std::string_view value, Ret& ret) {
  if (iequals(value, "FULL"))
    ret = Ret::full;
  else if (iequals(value, "HDRS"))
    ret = Ret::headers;
  else
    return false;
  return true;
}

bool read_envid(std::string_view value, std::string& envid) {
  if (value.empty() || value.size() > limits::envid_octets || !decode_xtext(value)) return false;
  envid = value;
  return true;
}

bool read_auth(std::string_view value, std::string& auth) {
  if (value.empty() || (value != "<>" && !decode_xtext(value))) return false;
  auth = value;
  return true;
}

bool read_notify(std::string_view value, std::optional<Notify>& notify) {
  Notify found;
  while (true) {
    const auto comma = value.find(',');
    const std::string_view word = value.substr(0, comma);
    if (iequals(word, "NEVER"))
      found.never = true;
    else if (iequals(word, "SUCCESS"))
      found.success = true;
    else if (iequals(word, "FAILURE"))
      found.failure = true;
    else if (iequals(word, "DELAY"))
      found.delay = true;
    else
      return false;
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
  if (found.never && (found.success || found.failure || found.delay)) return false;
  notify = found;
  return true;
}

// addr-type ";" address. RFC 6533 section 3 lets the type utf-8 hold UTF-8 as it is.
bool read_orcpt(std::string_view value, std::string& orcpt) {
  const auto semicolon = value.find(';');
  if (semicolon == std::string_view::npos || semicolon == 0) return false;
  if (value.size() > limits::orcpt_octets) return false;
  const std::string_view type = value.substr(0, semicolon), address = value.substr(semicolon + 1);
  const auto in_type = [](char c) { return is_alnum(c) || c == '-'; };
  if (address.empty() || !std::all_of(type.begin(), type.end(), in_type)) return false;
  if (iequals(type, "utf-8") && !all_ascii(address)) {
    if (!is_clean_utf8(address)) return false;
  } else if (!decode_xtext(address)) {
    return false;
  }
  orcpt = value;
  return true;
}

bool read(const Parameter& parameter, Keyword keyword, const Capabilities& offered,
          MailParameters& into) {
  switch (keyword) {
    case Keyword::size:
      return read_size(parameter.value, into.size);
    case Keyword::body:
      return read_body(parameter.value, offered, into.body);
    case Keyword::ret:
      return read_ret(parameter.value, into.ret);
    case Keyword::envid:
      return read_envid(parameter.value, into.envid);
    case Keyword::auth:
      return read_auth(parameter.value, into.auth);
    case Keyword::smtputf8:
      into.smtputf8 = true;
      return !parameter.has_value;
    case Keyword::prdr:
      into.prdr = true;
      return !parameter.has_value;
    case Keyword::requiretls:
      into.requiretls = true;
      return !parameter.has_value;
    case Keyword::notify:
    case Keyword::orcpt:
      break;
  }
  return false;
}

bool read(const Parameter& parameter, Keyword keyword, const Capabilities&, RcptParameters& into) {
  if (keyword == Keyword::notify) return read_notify(parameter.value, into.notify);
  return keyword == Keyword::orcpt && read_orcpt(parameter.value, into.orcpt);
}

bool is_for_rcpt(Keyword keyword) {
  return keyword == Keyword::notify || keyword == Keyword::orcpt;
}

bool is_name(std::string_view name) {
  return !name.empty() && is_alnum(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_alnum(c) || c == '-'; });
}

template <typename Parameters>
Result<Parameters> parse(std::string_view text, const Capabilities& offered, bool for_rcpt) {
  Parameters parameters;
  parameters.text = trim(text);
  unsigned seen = 0;
  for (auto next = take_parameter(text); !next.text.empty(); next = take_parameter(text)) {
    const auto keyword = keyword_of(next.name);
    if (!is_name(next.name)) return fail(Errc::malformed, "parameter name");
    const bool taken = keyword && (offers(offered, *keyword) || *keyword == Keyword::requiretls);
    if (!taken || is_for_rcpt(*keyword) != for_rcpt)
      return fail(Errc::unsupported, std::string(next.name));
    const unsigned bit = 1u << static_cast<unsigned>(*keyword);
    if ((seen & bit) != 0 || !read(next, *keyword, offered, parameters))
      return fail(Errc::malformed, std::string(next.name));
    seen |= bit;
  }
  return parameters;
}

}  // namespace

Result<MailParameters> parse_mail_parameters(std::string_view text, const Capabilities& offered) {
  return parse<MailParameters>(text, offered, false);
}

Result<RcptParameters> parse_rcpt_parameters(std::string_view text, const Capabilities& offered) {
  return parse<RcptParameters>(text, offered, true);
}

void distrust_auth(MailParameters& parameters) {
  if (parameters.auth.empty() || parameters.auth == "<>") return;
  parameters.auth = "<>";
  std::string_view rest = parameters.text;
  std::string text;
  for (auto next = take_parameter(rest); !next.text.empty(); next = take_parameter(rest)) {
    if (!text.empty()) text += ' ';
    text += keyword_of(next.name) == Keyword::auth ? std::string_view("AUTH=<>") : next.text;
  }
  parameters.text = std::move(text);
}

std::string parameters_for(std::string_view text, const Capabilities& offered) {
  std::string out;
  for (auto next = take_parameter(text); !next.text.empty(); next = take_parameter(text)) {
    const auto keyword = keyword_of(next.name);
    if (!keyword || !offers(offered, *keyword)) continue;
    if (*keyword == Keyword::prdr) continue;  // between two hops alone
    Body body;
    if (*keyword == Keyword::body && !read_body(next.value, offered, body)) continue;
    out += ' ';
    out += next.text;
  }
  return out;
}

}  // namespace postern::smtp
