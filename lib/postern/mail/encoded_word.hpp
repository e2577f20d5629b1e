// Encoded words (RFC 2047, with the language of RFC 2231 section 5) as UTF-8.
//
// Readers are meant to see what a mail program would show, so habits are decoded too: words inside
// quoted strings, words with blanks or folds in them, words without blanks around them, characters
// split over adjacent words. Words of an unknown character set, and what only resembles a word,
// stay as they are. Linear, however the words are arranged.
#pragma once

#include <string>
#include <string_view>

namespace postern::mail {

// The text of an unstructured field or phrase: folds with the blanks around them become one blank,
// blanks at both ends go, a word that touches ordinary text gets the blank that RFC 2047 section
// 5 (1) wants there. The result is valid UTF-8 without controls but tabs: what is not UTF-8 becomes
// U+FFFD, and controls, encoded or not, a blank.
std::string display_text(std::string_view text);

// The same for a phrase whose quotes are resolved: the blanks at its ends were quoted and stay.
std::string display_phrase(std::string_view text);

// A parameter's value, where blanks count: words are decoded, all else stays, octet by octet.
std::string decode_words(std::string_view text);

// Base64 as mail has it: other octets are skipped, padding ends a group.
std::string decode_base64(std::string_view text);

}  // namespace postern::mail
