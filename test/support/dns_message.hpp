// Builds DNS messages, right ones and wrong ones. Also for the seeds of fuzz targets: needs nothing
// but the standard library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace postern::testing::wire {

constexpr std::uint16_t a = 1, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28, opt = 41;

inline std::string u16(unsigned value) {
  return {static_cast<char>(value >> 8 & 255), static_cast<char>(value & 255)};
}
inline std::string u32(std::uint32_t value) { return u16(value >> 16) + u16(value & 0xffff); }

// Labels by their dots; "" is the root. Says nothing about lengths: 64 and more make what is wrong.
inline std::string name(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view label = text.substr(0, text.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    text.remove_prefix(label.size() == text.size() ? label.size() : label.size() + 1);
  }
  return out + '\0';
}
inline std::string pointer(unsigned target) { return u16(0xc000 | target); }

inline std::string mx_data(unsigned preference, std::string_view host) {
  return u16(preference) + name(host);
}
inline std::string txt_data(const std::vector<std::string>& strings) {
  std::string out;
  for (const std::string& text : strings) out += static_cast<char>(text.size()) + text;
  return out;
}
inline std::string soa_data(std::uint32_t minimum) {
  return name("ns.example") + name("john\\.doe.example") + u32(1) + u32(2) + u32(3) + u32(4) +
         u32(minimum);
}

class Message {
 public:
  // A recursive server's answer, without an error; `question` stands at octet 12.
  Message(std::string_view question, std::uint16_t type, unsigned id = 0) : id_(id) {
    question_ = name(question) + u16(type) + u16(1);
  }

  Message& code(unsigned code) { return flags_ |= code, *this; }
  Message& truncated() { return flags_ |= 0x0200, *this; }
  Message& flags(unsigned flags) { return flags_ = flags, *this; }
  Message& questions(unsigned count) { return questions_ = count, *this; }
  // `owner` and `data` as on the wire.
  Message& answer(std::string_view owner, std::uint16_t type, std::uint32_t ttl,
                  std::string_view data) {
    return ++answers_, record(owner, type, ttl, data);
  }
  // About the name asked for.
  Message& answer(std::uint16_t type, std::uint32_t ttl, std::string_view data) {
    return answer(pointer(12), type, ttl, data);
  }
  Message& negative(std::uint32_t ttl, std::uint32_t minimum) {
    return ++authorities_, record(name("example"), soa, ttl, soa_data(minimum));
  }
  Message& raw(std::string_view octets, unsigned answers = 0) {
    return answers_ += answers, records_ += octets, *this;
  }

  std::string octets() const {
    return u16(id_) + u16(flags_) + u16(questions_) + u16(answers_) + u16(authorities_) + u16(0) +
           question_ + records_;
  }

 private:
  Message& record(std::string_view owner, std::uint16_t type, std::uint32_t ttl,
                  std::string_view data) {
    records_ += owner;
    records_ += u16(type) + u16(1) + u32(ttl) + u16(static_cast<unsigned>(data.size()));
    records_ += data;
    return *this;
  }

  unsigned id_;
  unsigned flags_ = 0x8180;  // QR, RD, RA
  unsigned questions_ = 1;
  unsigned answers_ = 0;
  unsigned authorities_ = 0;
  std::string question_;
  std::string records_;
};

}  // namespace postern::testing::wire
