#include <postern/base/text.hpp>
#include <postern/base/utf8.hpp>
#include <postern/mail/charset.hpp>

#include <iconv.h>

#include <array>
#include <cerrno>

namespace postern::mail {
namespace {

struct Known {
  std::string_view name;  // in lower case, as mail has it
  const char* iconv;      // as the C library has it
};

// Names that mail uses (IANA's, and some habits). A superset is taken where mailers mean it: GB2312
// labels GBK, KS C 5601 labels UHC, Shift_JIS labels CP932.
constexpr Known known[] = {
    {"ascii", "ASCII"},
    {"us-ascii", "ASCII"},
    {"ansi_x3.4-1968", "ASCII"},
    {"utf-8", "UTF-8"},
    {"utf8", "UTF-8"},
    {"unicode-1-1-utf-8", "UTF-8"},
    {"iso-8859-1", "LATIN1"},
    {"latin1", "LATIN1"},
    {"iso8859-1", "LATIN1"},
    {"iso_8859-1", "LATIN1"},
    {"iso-8859-2", "ISO-8859-2"},
    {"latin2", "ISO-8859-2"},
    {"iso8859-2", "ISO-8859-2"},
    {"iso-8859-3", "ISO-8859-3"},
    {"iso-8859-4", "ISO-8859-4"},
    {"iso-8859-5", "ISO-8859-5"},
    {"iso-8859-6", "ISO-8859-6"},
    {"iso-8859-7", "ISO-8859-7"},
    {"iso-8859-8", "ISO-8859-8"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"iso-8859-9", "ISO-8859-9"},
    {"iso-8859-10", "ISO-8859-10"},
    {"iso-8859-11", "ISO-8859-11"},
    {"iso-8859-13", "ISO-8859-13"},
    {"iso-8859-14", "ISO-8859-14"},
    {"iso-8859-15", "ISO-8859-15"},
    {"iso8859-15", "ISO-8859-15"},
    {"iso-8859-16", "ISO-8859-16"},
    {"windows-874", "CP874"},
    {"windows-1250", "CP1250"},
    {"windows-1251", "CP1251"},
    {"windows-1252", "CP1252"},
    {"windows-1253", "CP1253"},
    {"windows-1254", "CP1254"},
    {"windows-1255", "CP1255"},
    {"windows-1256", "CP1256"},
    {"windows-1257", "CP1257"},
    {"windows-1258", "CP1258"},
    {"cp1250", "CP1250"},
    {"cp1251", "CP1251"},
    {"cp1252", "CP1252"},
    {"cp437", "CP437"},
    {"ibm437", "CP437"},
    {"cp850", "CP850"},
    {"ibm850", "CP850"},
    {"cp866", "CP866"},
    {"ibm866", "CP866"},
    {"macintosh", "MACINTOSH"},
    {"koi8-r", "KOI8-R"},
    {"koi8-u", "KOI8-U"},
    {"tis-620", "TIS-620"},
    {"viscii", "VISCII"},
    {"gb2312", "GBK"},
    {"gbk", "GBK"},
    {"gb18030", "GB18030"},
    {"big5", "BIG5"},
    {"big5-hkscs", "BIG5-HKSCS"},
    {"euc-kr", "UHC"},
    {"ks_c_5601-1987", "UHC"},
    {"cp949", "UHC"},
    {"euc-jp", "EUC-JP"},
    {"shift_jis", "CP932"},
    {"shift-jis", "CP932"},
    {"x-sjis", "CP932"},
    {"cp932", "CP932"},
    {"windows-31j", "CP932"},
    {"iso-2022-jp", "ISO-2022-JP"},
    {"iso-2022-kr", "ISO-2022-KR"},
    {"utf-7", "UTF-7"},
    {"utf-16", "UTF-16"},
    {"utf-16be", "UTF-16BE"},
    {"utf-16le", "UTF-16LE"},
    {"utf-32", "UTF-32"},
};

const char* iconv_name(std::string_view charset) {
  for (const Known& candidate : known)
    if (iequals(candidate.name, charset)) return candidate.iconv;
  return nullptr;
}

void append_unicode(std::string& out, std::string_view octets) {
  while (!octets.empty()) {
    const auto character = decode_utf8(octets);
    append_utf8(out, character.point);
    octets.remove_prefix(character.octets);
  }
}

void append_single_octets(std::string& out, std::string_view octets, unsigned char most) {
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    append_utf8(out, octet <= most ? octet : 0xfffd);
  }
}

// Each turn takes input, makes room, or skips one octet that the set does not have: linear.
void append_converted(std::string& out, iconv_t descriptor, std::string_view octets) {
  iconv(descriptor, nullptr, nullptr, nullptr, nullptr);
  char* in = const_cast<char*>(octets.data());  // NOLINT: iconv's signature; it only reads
  std::size_t left = octets.size();
  std::array<char, 1024> buffer;
  while (left > 0) {
    char* to = buffer.data();
    std::size_t room = buffer.size();
    const bool failed = iconv(descriptor, &in, &left, &to, &room) == static_cast<std::size_t>(-1);
    const int error = errno;
    out.append(buffer.data(), buffer.size() - room);
    if (!failed || error == E2BIG) continue;
    append_utf8(out, 0xfffd);
    if (left > 0) ++in, --left;
  }
}

}  // namespace

CharsetDecoder::~CharsetDecoder() {
  for (const auto& [name, handle] : open_) iconv_close(static_cast<iconv_t>(handle));
}

bool CharsetDecoder::knows(std::string_view charset) { return iconv_name(charset) != nullptr; }

void* CharsetDecoder::descriptor(const char* name) {
  for (const auto& [open_name, handle] : open_)
    if (open_name == name) return handle;
  void* const handle = iconv_open("UTF-8", name);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): POSIX says (iconv_t)-1
  if (handle == reinterpret_cast<void*>(-1)) return nullptr;
  open_.emplace_back(name, handle);
  return handle;
}

bool CharsetDecoder::append(std::string& out, std::string_view charset, std::string_view octets) {
  const char* const name = iconv_name(charset);
  if (name == nullptr) return false;
  if (name == std::string_view("UTF-8")) return append_unicode(out, octets), true;
  if (name == std::string_view("ASCII")) return append_single_octets(out, octets, 0x7f), true;
  if (name == std::string_view("LATIN1")) return append_single_octets(out, octets, 0xff), true;
  void* const handle = descriptor(name);
  if (handle == nullptr) return false;  // the C library came without it
  append_converted(out, static_cast<iconv_t>(handle), octets);
  return true;
}

}  // namespace postern::mail
