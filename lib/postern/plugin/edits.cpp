#include <postern/mail/field.hpp>
#include <postern/plugin/edits.hpp>

namespace postern::plugin {

Result<void> Edits::record(Kind kind, std::string name, std::string value) {
  auto field = mail::make_field(name, value);
  if (!field) return fail(field.error());
  fields_.push_back({kind, std::move(name), std::move(value)});
  return {};
}

Result<void> Edits::add_field(std::string name, std::string value) {
  return record(Kind::add, std::move(name), std::move(value));
}

Result<void> Edits::append_field(std::string name, std::string value) {
  return record(Kind::append, std::move(name), std::move(value));
}

Result<void> Edits::replace_field(std::string name, std::string value) {
  return record(Kind::replace, std::move(name), std::move(value));
}

void Edits::remove_field(std::string name) {
  fields_.push_back({Kind::remove, std::move(name), {}});
}

Result<void> Edits::apply(mail::HeaderSection& header) const {
  for (const FieldEdit& edit : fields_) {
    Result<void> done;
    const auto index = header.find(edit.name);
    if (edit.kind == Kind::remove)
      header.remove_all(edit.name);
    else if (edit.kind == Kind::append)
      done = header.append(edit.name, edit.value);
    else if (edit.kind == Kind::replace && index)
      done = header.replace(*index, edit.value);
    else
      done = header.add_top(edit.name, edit.value);
    if (!done) return done;
  }
  return {};
}

}  // namespace postern::plugin
