// The header section of a message (RFC 5322 section 2.2) over the octets that were received.
//
// Order and octets are kept: what is written out is what came in, save the edits that were asked
// for. Works on the message as DATA or BDAT carried it, after dot-unstuffing: lines end in CRLF.
//
// The one reading, also of malformed sections, chosen to agree with the MTAs that we forward to:
// - Lines end at CRLF and nowhere else; a bare CR or LF is an octet like another.
// - A field is `name *WSP ":" value CRLF`, name of ftext (RFC 5322 section 3.6.8: printable ASCII
//   but the colon); blanks before the colon are obsolete syntax (section 4.5) and not part of the
//   name. A line that begins with a blank or tab, even of nothing else, continues the field.
// - The section ends at the first empty line, which separates it from the body and is neither's.
// - A line that is no field (no colon, an empty or 8-bit name, a continuation of nothing) ends it
//   too and is the first line of the body. So do Postfix and Exim, which put the empty line before
//   it: were it skipped instead, fields that they treat as body would count here as fields.
// - One "From " or ">From " line at the very beginning (mbox) is kept where it is and skipped.
// - A section that the message ends in has no body.
// What is not as RFC 5322 section 2 wants it is told by oddities().
#pragma once

#include <postern/base/result.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern::mail {

struct HeaderLimits {
  std::size_t octets = 1024 * 1024;  // of the section, its line ends included
  std::size_t fields = 1000;
};

enum class Oddity : std::uint16_t {
  no_empty_line = 1,        // the message ends in the header section
  ended_by_line = 2,        // ... or a line that is no field ended it
  mbox_line = 4,            // "From " at the beginning
  blank_before_colon = 8,   // "Name : value"
  blank_continuation = 16,  // a folded line of blanks only
  bare_newline = 32,        // CR without LF, or LF without CR
  nul = 64,
  eight_bit = 128,  // octets over 127: only with SMTPUTF8 (RFC 6532)
  long_line = 256,  // over 998 octets without CRLF (RFC 5322 section 2.1.1)
};

class HeaderSection {
 public:
  // Views into the section: any edit ends their life.
  struct Field {
    std::string_view name;    // as written
    std::string_view value;   // after the colon, folding included, without the CRLF at its end
    std::string_view octets;  // all of it, CRLF included
  };

  HeaderSection() = default;  // empty, with an empty line

  // `message`: its beginning, at least until complete() says so. Errors: too_long (a limit).
  static Result<HeaderSection> parse(std::string_view message, HeaderLimits limits = {});

  // Whether `message` holds a whole header section; if not, `searched` is where to go on when more
  // has come. A reader asks until this, the limit of octets, or the end of the message.
  static bool complete(std::string_view message, std::size_t& searched);

  std::size_t body_offset() const { return body_offset_; }  // in what was parsed
  bool has(Oddity oddity) const { return (oddities_ & static_cast<unsigned>(oddity)) != 0; }
  unsigned oddities() const { return oddities_; }

  std::size_t size() const { return entries_.size(); }
  Field operator[](std::size_t index) const;

  // Names are compared without case.
  std::size_t count(std::string_view name) const;
  std::optional<std::size_t> find(std::string_view name, std::size_t from = 0) const;
  std::optional<std::size_t> find_last(std::string_view name) const;
  // The unfolded, trimmed value of the first such field.
  std::optional<std::string> value(std::string_view name) const;

  // Edits. `value` may be folded (CRLF, then a blank); if it is not, it is folded here, at its
  // blanks, to lines of 78 octets where they allow it. Errors: malformed (the name is not ftext;
  // the value has a control, a Unicode line separator, or a CRLF that would end the field);
  // too_long (a line over 998 octets).
  Result<void> add_top(std::string_view name, std::string_view value) {
    return insert(0, name, value);
  }
  Result<void> append(std::string_view name, std::string_view value) {
    return insert(size(), name, value);
  }
  Result<void> insert(std::size_t before, std::string_view name, std::string_view value);
  Result<void> replace(std::size_t index, std::string_view value);  // keeps name and place
  void remove(std::size_t index);
  std::size_t remove_all(std::string_view name);  // how many there were

  // Appends the section and its empty line; where it had none, none: but for a body that begins
  // with a blank, which would else become the continuation of a field that an edit put before it.
  void append_to(std::string& out) const;
  std::string text() const;

 private:
  struct Entry {  // offsets into octets_
    std::uint32_t begin, name_end, colon, end;
  };

  static std::optional<Entry> read_field(std::string_view octets, std::size_t begin,
                                         std::size_t line_end);
  bool take_line(std::string_view message, std::size_t at, std::size_t end);
  void end_at(std::string_view message, std::size_t at);
  void note_octets();
  bool is_named(const Entry& entry, std::string_view name) const;
  Result<Entry> store(std::string_view name, std::string_view value);

  std::string octets_;  // what was received up to the body, then what edits added
  std::vector<Entry> entries_;
  std::size_t lead_octets_ = 0;  // of an mbox line
  std::size_t body_offset_ = 0;
  bool body_begins_blank_ = false;  // with a blank or tab, and no empty line before it
  unsigned oddities_ = 0;
};

}  // namespace postern::mail
