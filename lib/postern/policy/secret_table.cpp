#include <postern/base/text.hpp>
#include <postern/policy/secret_table.hpp>

#include <utility>

namespace postern::policy {

std::string SecretTable::add(std::string_view entry) {
  const auto colon = entry.find(':');
  if (colon == std::string_view::npos) return "is not USER:SECRET";
  const std::string_view user = trim(entry.substr(0, colon));
  if (!auth::is_user_name(user))
    return "has no user before its colon, or one of more than 255 octets";
  auto secret = auth::read_secret(trim(entry.substr(colon + 1)));
  if (!secret) return std::move(secret.error().text);
  const auto form = static_cast<std::size_t>(secret->form);
  const auto [place, is_new] = secrets_.try_emplace(lower(user), std::move(*secret));
  if (!is_new) return "is of a user who has one already";
  ++counts_[form];
  some_[form] = &place->second;  // of a map, entries stay where they are
  return {};
}

const auth::StoredSecret* SecretTable::find(std::string_view user) const {
  const auto found = secrets_.find(lower(user));
  return found == secrets_.end() ? nullptr : &found->second;
}

const auth::StoredSecret* SecretTable::any_of(auth::StoredSecret::Form form) const {
  return some_[static_cast<std::size_t>(form)];
}

}  // namespace postern::policy
