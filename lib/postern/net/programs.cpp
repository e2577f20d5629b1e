#include <postern/base/text.hpp>
#include <postern/net/programs.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace postern::net {
namespace {

constexpr std::array<std::string_view, 4> kinds{"exited", "killed", "late", "refused"};
constexpr std::size_t most_octets = Programs::most_output_octets + 64;

// "exited 75 LF output"; the output may hold anything.
std::optional<ProgramEnd> parse(std::string_view text) {
  const auto space = text.find(' '), line = text.find('\n');
  if (line == std::string_view::npos || space > line) return {};
  ProgramEnd end;
  std::size_t kind = 0;
  while (kind < kinds.size() && kinds[kind] != text.substr(0, space)) ++kind;
  if (kind == kinds.size()) return {};
  end.kind = static_cast<ProgramEnd::Kind>(kind);
  const auto [stop, error] = std::from_chars(text.data() + space + 1, text.data() + line, end.code);
  if (error != std::errc() || stop != text.data() + line) return {};
  end.output = text.substr(line + 1);
  return end;
}

}  // namespace

coro::Task<Result<ProgramEnd>> read_program_end(Stream& end, Duration limit) {
  coro::Context* context = co_await coro::current_context();
  const coro::TimePoint due = context->scheduler().now() + limit;
  while (!end.ended()) {
    if (end.input().size() > most_octets) co_return fail(Errc::malformed, "the helper's words");
    const auto left = std::max(due - context->scheduler().now(), Duration::zero());
    auto more = co_await end.more(left);
    if (!more && more.error().code != Errc::closed) co_return fail(more.error());
  }
  if (end.input().empty()) co_return fail(Errc::closed, "the helper has gone");
  auto parsed = parse(end.input());
  if (!parsed) co_return fail(Errc::malformed, "the helper's words");
  co_return std::move(*parsed);
}

std::string write_program_end(const ProgramEnd& end) {
  return fmt::format("{} {}\n{}", kinds[static_cast<std::size_t>(end.kind)], end.code,
                     std::string_view(end.output).substr(0, Programs::most_output_octets));
}

std::string describe(const ProgramEnd& end) {
  constexpr std::size_t most_shown = 300;
  std::string text;
  switch (end.kind) {
    case ProgramEnd::Kind::exited:
      text = fmt::format("status {}", end.code);
      break;
    case ProgramEnd::Kind::killed:
      text = fmt::format("signal {}", end.code);
      break;
    case ProgramEnd::Kind::late:
      text = "killed when its time was up";
      break;
    case ProgramEnd::Kind::refused:
      text = "not started";
      break;
  }
  if (end.output.empty()) return text;
  return fmt::format("{}: {}", text, printable(end.output, most_shown));
}

}  // namespace postern::net
