// Content-Type, Content-Disposition and their like: a value with parameters (RFC 2045 section 5.1,
// RFC 2183), long and foreign ones in sections and percent-coded (RFC 2231).
//
// Nothing is decided here about parameters that stand twice or contradict each other: all are
// given, in order, for whoever has to be sure which one a mail program takes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

struct Parameter {
  std::string name;       // in lower case, without the marks of RFC 2231
  std::string value;      // decoded to UTF-8 where it was coded, else the octets as they are
  std::string language;   // RFC 2231 section 4, mostly empty
  bool extended = false;  // it was in the form of RFC 2231: name*, name*0, name*0*
};

struct ContentType {
  std::string type, subtype;  // in lower case; a disposition has no subtype
  std::vector<Parameter> parameters;
  bool malformed = false;  // anything that RFC 2045, 2231 do not allow
  bool truncated = false;  // there were more parameters than the limit

  // The first such parameter, one in the form of RFC 2231 before a plain one (RFC 6266
  // section 4.3).
  const Parameter* find(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

// Nothing when there is no type. At most `limit` parameters or sections of them are read.
std::optional<ContentType> parse_content_type(std::string_view value, std::size_t limit = 1000);

}  // namespace postern::mail
