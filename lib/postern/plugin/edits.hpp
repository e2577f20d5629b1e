// Changes to what is handed over: a list, applied in its order to what was received.
#pragma once

#include <postern/base/result.hpp>
#include <postern/mail/header_section.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::plugin {

class Edits {
 public:
  // Names and values as mail::HeaderSection takes them. Errors: malformed, too_long; nothing is
  // recorded then.
  Result<void> add_field(std::string name, std::string value);      // on top
  Result<void> append_field(std::string name, std::string value);   // behind the last
  Result<void> replace_field(std::string name, std::string value);  // the first; added when absent
  void remove_field(std::string name);                              // all of that name
  void replace_body(std::string body) { body_ = std::move(body); }

  bool empty() const { return fields_.empty() && !body_; }
  Result<void> apply(mail::HeaderSection& header) const;
  const std::optional<std::string>& body() const { return body_; }

 private:
  enum class Kind : std::uint8_t { add, append, replace, remove };
  struct FieldEdit {
    Kind kind;
    std::string name;
    std::string value;
  };
  Result<void> record(Kind kind, std::string name, std::string value);

  std::vector<FieldEdit> fields_;
  std::optional<std::string> body_;
};

}  // namespace postern::plugin
