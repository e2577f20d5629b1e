// Changes to what is handed over: a list, applied in its order to what was received.
#pragma once

#include <postern/base/result.hpp>
#include <postern/mail/header_section.hpp>
#include <postern/smtp/path.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace postern::plugin {

class Edits {
 public:
  // Names and values as mail::HeaderSection takes them. Errors: malformed, too_long; nothing is
  // recorded then.
  Result<void> add_field(std::string name, std::string value);     // on top
  Result<void> append_field(std::string name, std::string value);  // behind the last
  // The `nth` of that name, from 0; added on top when there are not so many.
  Result<void> replace_field(std::string name, std::string value, std::size_t nth = 0);
  void remove_field(std::string name);                   // all of that name
  void remove_field(std::string name, std::size_t nth);  // one of them
  void replace_body(std::string body) { body_ = std::move(body); }
  // Who gets it besides, and who does not; the reply to his RCPT was given long ago.
  void add_recipient(smtp::Path path) { added_.push_back(std::move(path)); }
  void remove_recipient(smtp::Path path) { removed_.push_back(std::move(path)); }

  // For the engine. Recipients are no part of what apply() changes.
  bool change_content() const { return !fields_.empty() || body_; }
  const std::vector<smtp::Path>& added() const { return added_; }
  const std::vector<smtp::Path>& removed() const { return removed_; }
  Result<void> apply(mail::HeaderSection& header) const;
  const std::optional<std::string>& body() const { return body_; }

 private:
  enum class Kind : std::uint8_t { add, append, replace, remove };
  struct FieldEdit {
    Kind kind;
    std::string name;
    std::string value;
    std::optional<std::size_t> nth = {};
  };
  Result<void> record(FieldEdit edit);

  std::vector<FieldEdit> fields_;
  std::optional<std::string> body_;
  std::vector<smtp::Path> added_;
  std::vector<smtp::Path> removed_;
};

}  // namespace postern::plugin
