#include <postern/base/text.hpp>
#include <postern/mail/field.hpp>
#include <postern/mail/header_section.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <limits>

namespace postern::mail {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Where the line that begins at `begin` ends, CRLF included.
std::size_t line_end(std::string_view octets, std::size_t begin) {
  const std::size_t end = octets.find("\r\n", begin);
  return end == std::string_view::npos ? octets.size() : end + 2;
}

constexpr unsigned bit(Oddity oddity) { return static_cast<unsigned>(oddity); }

}  // namespace

bool HeaderSection::complete(std::string_view message, std::size_t& searched) {
  if (message.starts_with("\r\n")) return true;
  if (message.find("\r\n\r\n", searched) != std::string_view::npos) return true;
  searched = message.size() - std::min<std::size_t>(message.size(), 3);
  return false;
}

// The field whose first line is [begin, line_end); nothing when that line is no field.
std::optional<HeaderSection::Entry> HeaderSection::read_field(std::string_view octets,
                                                              std::size_t begin,
                                                              std::size_t line_end) {
  std::size_t name_end = begin;
  while (name_end < line_end && is_ftext(octets[name_end])) ++name_end;
  std::size_t colon = name_end;
  while (colon < line_end && is_blank(octets[colon])) ++colon;
  if (name_end == begin || colon == line_end || octets[colon] != ':') return {};
  const auto narrow = [](std::size_t offset) { return static_cast<std::uint32_t>(offset); };
  return Entry{narrow(begin), narrow(name_end), narrow(colon), narrow(line_end)};
}

// Takes the line [at, end) into the section; false when it does not belong there.
bool HeaderSection::take_line(std::string_view message, std::size_t at, std::size_t end) {
  const std::string_view line = message.substr(at, end - at);
  if (line.empty() || line == "\r\n") return false;
  if (is_blank(line.front()) && !entries_.empty()) {
    if (line.find_first_not_of(" \t\r\n") == std::string_view::npos)
      oddities_ |= bit(Oddity::blank_continuation);
    entries_.back().end = static_cast<std::uint32_t>(end);
  } else {
    const auto field = read_field(message, at, end);
    if (!field) return false;
    if (field->colon != field->name_end) oddities_ |= bit(Oddity::blank_before_colon);
    entries_.push_back(*field);
  }
  if (line.size() > max_line_octets + 2) oddities_ |= bit(Oddity::long_line);
  return true;
}

// The section ends at `at`: notes how.
void HeaderSection::end_at(std::string_view message, std::size_t at) {
  octets_ = message.substr(0, at);
  body_offset_ = at;
  if (at == message.size()) {
    oddities_ |= bit(Oddity::no_empty_line);
  } else if (message.substr(at).starts_with("\r\n")) {
    body_offset_ += 2;
  } else {
    oddities_ |= bit(Oddity::ended_by_line);
    body_begins_blank_ = is_blank(message[at]);
  }
  note_octets();
}

Result<HeaderSection> HeaderSection::parse(std::string_view message, HeaderLimits limits) {
  assert(limits.octets < std::numeric_limits<std::uint32_t>::max());
  HeaderSection section;
  section.entries_.reserve(16);
  if (message.starts_with("From ") || message.starts_with(">From ")) {
    section.lead_octets_ = line_end(message, 0);
    section.oddities_ |= bit(Oddity::mbox_line);
  }
  std::size_t at = section.lead_octets_;
  for (std::size_t end = at; at <= limits.octets; at = end) {
    end = line_end(message, at);
    if (!section.take_line(message, at, end)) break;
    if (section.size() > limits.fields)
      return fail(Errc::too_long, fmt::format("over {} header fields", limits.fields));
  }
  if (at > limits.octets)
    return fail(Errc::too_long, fmt::format("a header section over {} octets", limits.octets));
  section.end_at(message, at);
  return section;
}

void HeaderSection::note_octets() {
  for (std::size_t at = 0; at < octets_.size(); ++at) {
    const char c = octets_[at];
    if (!is_ascii(c))
      oddities_ |= bit(Oddity::eight_bit);
    else if (c == '\0')
      oddities_ |= bit(Oddity::nul);
    else if (c == '\r' && at + 1 < octets_.size() && octets_[at + 1] == '\n')
      ++at;
    else if (c == '\r' || c == '\n')
      oddities_ |= bit(Oddity::bare_newline);
  }
}

HeaderSection::Field HeaderSection::operator[](std::size_t index) const {
  const Entry& entry = entries_.at(index);
  const std::string_view octets(octets_);
  std::string_view value = octets.substr(entry.colon + 1, entry.end - entry.colon - 1);
  if (value.ends_with("\r\n")) value.remove_suffix(2);
  return {octets.substr(entry.begin, entry.name_end - entry.begin), value,
          octets.substr(entry.begin, entry.end - entry.begin)};
}

bool HeaderSection::is_named(const Entry& entry, std::string_view name) const {
  return iequals(std::string_view(octets_).substr(entry.begin, entry.name_end - entry.begin), name);
}

std::size_t HeaderSection::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      entries_.begin(), entries_.end(), [&](const Entry& entry) { return is_named(entry, name); }));
}

std::optional<std::size_t> HeaderSection::find(std::string_view name, std::size_t from) const {
  for (std::size_t index = from; index < size(); ++index)
    if (is_named(entries_[index], name)) return index;
  return {};
}

std::optional<std::size_t> HeaderSection::find_last(std::string_view name) const {
  for (std::size_t index = size(); index-- > 0;)
    if (is_named(entries_[index], name)) return index;
  return {};
}

std::optional<std::string> HeaderSection::value(std::string_view name) const {
  const auto index = find(name);
  if (!index) return {};
  return std::string(trim(unfold((*this)[*index].value)));
}

Result<HeaderSection::Entry> HeaderSection::store(std::string_view name, std::string_view value) {
  const auto field = make_field(name, value);
  if (!field) return fail(field.error());
  const std::size_t begin = octets_.size();
  octets_ += *field;
  return *read_field(octets_, begin, octets_.size());
}

Result<void> HeaderSection::insert(std::size_t before, std::string_view name,
                                   std::string_view value) {
  if (before > size()) return fail(Errc::not_found, fmt::format("no field {}", before));
  const auto entry = store(name, value);
  if (!entry) return fail(entry.error());
  entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(before), *entry);
  return {};
}

Result<void> HeaderSection::replace(std::size_t index, std::string_view value) {
  if (index >= size()) return fail(Errc::not_found, fmt::format("no field {}", index));
  const std::string name((*this)[index].name);
  const auto entry = store(name, value);
  if (!entry) return fail(entry.error());
  entries_[index] = *entry;
  return {};
}

void HeaderSection::remove(std::size_t index) {
  assert(index < size());
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
}

std::size_t HeaderSection::remove_all(std::string_view name) {
  return std::erase_if(entries_, [&](const Entry& entry) { return is_named(entry, name); });
}

void HeaderSection::append_to(std::string& out) const {
  bool at_line_begin = true;  // but for the last line of a message that ends without CRLF
  const auto append = [&](std::string_view octets) {
    if (!at_line_begin) out += "\r\n";
    out += octets;
    at_line_begin = octets.ends_with("\r\n");
  };
  if (lead_octets_ > 0) append(std::string_view(octets_).substr(0, lead_octets_));
  for (std::size_t index = 0; index < size(); ++index) append((*this)[index].octets);
  const bool separated = !has(Oddity::no_empty_line) && !has(Oddity::ended_by_line);
  if (separated || (body_begins_blank_ && !entries_.empty())) append("\r\n");
}

std::string HeaderSection::text() const {
  std::string out;
  out.reserve(octets_.size() + 2);
  append_to(out);
  return out;
}

}  // namespace postern::mail
