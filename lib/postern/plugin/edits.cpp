#include <postern/mail/field.hpp>
#include <postern/plugin/edits.hpp>

#include <utility>

namespace postern::plugin {
namespace {

std::optional<std::size_t> find_nth(const mail::HeaderSection& header, std::string_view name,
                                    std::size_t nth) {
  auto found = header.find(name);
  for (; found && nth > 0; --nth) found = header.find(name, *found + 1);
  return found;
}

}  // namespace

Result<void> Edits::record(FieldEdit edit) {
  auto field = mail::make_field(edit.name, edit.value);
  if (!field) return fail(field.error());
  fields_.push_back(std::move(edit));
  return {};
}

Result<void> Edits::add_field(std::string name, std::string value) {
  return record({Kind::add, std::move(name), std::move(value)});
}

Result<void> Edits::append_field(std::string name, std::string value) {
  return record({Kind::append, std::move(name), std::move(value)});
}

Result<void> Edits::replace_field(std::string name, std::string value, std::size_t nth) {
  return record({Kind::replace, std::move(name), std::move(value), nth});
}

void Edits::remove_field(std::string name) {
  fields_.push_back({Kind::remove, std::move(name), {}});
}

void Edits::remove_field(std::string name, std::size_t nth) {
  fields_.push_back({Kind::remove, std::move(name), {}, nth});
}

Result<void> Edits::apply(mail::HeaderSection& header) const {
  for (const FieldEdit& edit : fields_) {
    Result<void> done;
    std::optional<std::size_t> index;
    if (edit.nth) index = find_nth(header, edit.name, *edit.nth);
    if (edit.kind == Kind::remove && !edit.nth)
      header.remove_all(edit.name);
    else if (edit.kind == Kind::remove && index)
      header.remove(*index);
    else if (edit.kind == Kind::append)
      done = header.append(edit.name, edit.value);
    else if (edit.kind == Kind::replace && index)
      done = header.replace(*index, edit.value);
    else if (edit.kind != Kind::remove)
      done = header.add_top(edit.name, edit.value);
    if (!done) return done;
  }
  return {};
}

}  // namespace postern::plugin
