// A message on the wire: behind DATA with dot-stuffing and an end of data, for both sides (RFC 5321
// sections 4.1.1.4, 4.5.2); in chunks without either, as it is received (RFC 3030).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace postern::smtp {

// A CR without LF or an LF without CR (RFC 5321 section 2.3.8 forbids both). Servers that take one
// for a line end where others do not are what SMTP smuggling lives on (CVE-2023-51764, -51765,
// -51766).
enum class BareNewline : std::uint8_t {
  reject,     // kept and noted; the message is to be refused
  normalize,  // each becomes CRLF, as content: it neither ends the data nor starts a stuffed line
};

// How a message comes.
enum class Framing : std::uint8_t {
  dots,    // DATA
  chunks,  // BDAT: whoever counts the octets says finish()
  octets,  // BDAT of BODY=BINARYMIME: likewise, and there are no lines (RFC 3030 section 3)
};

// What was seen in a body.
struct BodyTraits {
  bool bare_cr = false;
  bool bare_lf = false;
  bool nul = false;
  bool eight_bit = false;
  std::uint64_t octets = 0;        // of the decoded body, those beyond the limit too
  std::uint64_t longest_line = 0;  // of the decoded body, CRLF included
};

// The server side. With dots it ends at CRLF.CRLF and nowhere else; the start of the data counts as
// after a CRLF.
class BodyDecoder {
 public:
  enum class State : std::uint8_t { more, done };

  // Beyond `limit` octets of decoded body nothing is appended, but all is read: the client gets its
  // 552 after the end of data.
  explicit BodyDecoder(BareNewline policy = BareNewline::reject,
                       std::uint64_t limit = std::numeric_limits<std::uint64_t>::max(),
                       Framing framing = Framing::dots)
      : policy_(policy),
        framing_(framing),
        place_(framing == Framing::dots ? Place::line_start : Place::in_line),
        limit_(limit) {}

  // Appends the decoded form of `in` to `out`. After done, what follows consumed() is the next
  // command.
  State feed(std::string_view in, std::string& out);
  // The last chunk is over. Its last line may lack its end.
  void finish(std::string& out);

  std::size_t consumed() const { return consumed_; }  // octets that the last feed() took
  bool done() const { return place_ == Place::done; }
  bool too_big() const { return traits_.octets > limit_; }
  const BodyTraits& traits() const { return traits_; }

  // Whether the body must not be forwarded whatever else is decided: a bare newline under `reject`,
  // or a NUL, around which servers disagree about what a line is.
  bool must_be_refused() const {
    if (framing_ == Framing::octets) return false;
    return traits_.nul || (policy_ == BareNewline::reject && (traits_.bare_cr || traits_.bare_lf));
  }

 private:
  // Where the next octet stands. What a place names as seen is held back: not yet appended.
  enum class Place : std::uint8_t { line_start, in_line, cr, dot, dot_cr, done };

  void read_lines(const char*& at, const char* end, std::string& out);
  void after_held(const char*& at, std::string& out);
  void bare_cr(std::string& out);
  void put(std::string_view octets, std::string& out);
  void end_line();

  BareNewline policy_;
  Framing framing_;
  Place place_;
  std::uint64_t limit_;
  std::uint64_t line_octets_ = 0;
  std::size_t consumed_ = 0;
  BodyTraits traits_;
};

// The client side. Whatever the body holds, what leaves has only CRLF as line end (a bare CR or LF
// becomes one), every line that begins with a dot stuffed, and one end of data.
class DotEncoder {
 public:
  void encode(std::string_view body, std::string& out);  // appends; may be called for each piece
  void finish(std::string& out);  // a final CRLF where there is none, and ".CRLF"

 private:
  bool line_start_ = true;
  bool held_cr_ = false;  // the last piece ended in it
};

}  // namespace postern::smtp
