// The common keys, described once, and the template of replies.
#include <postern/base/text.hpp>
#include <postern/policy/common.hpp>
#include <postern/policy/names.hpp>
#include <postern/policy/reading.hpp>
#include <postern/policy/schema.hpp>
#include <postern/policy/suggest.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postern::policy {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t max_reply_octets = 1000;

struct Placeholder {
  std::string_view name;
  std::string_view ReplyValues::*value;
};

constexpr std::array<Placeholder, 7> placeholders{{{"reason", &ReplyValues::reason},
                                                   {"instance", &ReplyValues::instance},
                                                   {"client", &ReplyValues::client},
                                                   {"helo", &ReplyValues::helo},
                                                   {"sender", &ReplyValues::sender},
                                                   {"recipient", &ReplyValues::recipient},
                                                   {"id", &ReplyValues::id}}};

const Placeholder* find_placeholder(std::string_view name) {
  const auto found = std::find_if(placeholders.begin(), placeholders.end(),
                                  [&](const Placeholder& known) { return known.name == name; });
  return found == placeholders.end() ? nullptr : &*found;
}

std::string fault_of_placeholder(std::string_view name) {
  if (find_placeholder(name) != nullptr) return {};
  std::vector<std::string> known;
  for (const Placeholder& placeholder : placeholders) known.emplace_back(placeholder.name);
  const std::string shown = printable(name, 64);
  if (const auto meant = nearest(name, known))
    return fmt::format("no placeholder {{{}}}; did you mean {{{}}}?", shown, *meant);
  return fmt::format("no placeholder {{{}}}; there are {{{}}}", shown, fmt::join(known, "}, {"));
}

}  // namespace

std::string_view step_of(Stage stage) {
  return stage == Stage::now ? "connect" : names_of(stage)[static_cast<std::size_t>(stage)];
}

bool Exempt::empty() const {
  return clients.empty() && rdns.empty() && helo.empty() && senders.empty() && recipients.empty() &&
         passed.empty() && !authenticated && !relay;
}

std::string fault_of_reply(std::string_view text) {
  if (text.size() > max_reply_octets)
    return fmt::format("is longer than {} octets", max_reply_octets);
  if (!valid_utf8(text)) return "is not UTF-8";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_control(c) && c != '\n') return "has a control character other than a line's end";
    const bool is_doubled = i + 1 < text.size() && text[i + 1] == c;
    if (c == '}' && !is_doubled) return "has a '}' without '{'; write \"}}\" for the brace itself";
    if ((c == '{' || c == '}') && is_doubled) {
      ++i;
    } else if (c == '{') {
      const auto end = text.find('}', i);
      if (end == std::string_view::npos)
        return "has a '{' without '}'; write \"{{\" for the brace itself";
      if (std::string fault = fault_of_placeholder(text.substr(i + 1, end - i - 1)); !fault.empty())
        return fault;
      i = end;
    }
  }
  return {};
}

std::string ReplyTemplate::fill(const ReplyValues& values) const {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '{' && c != '}') {
      out += c;
    } else if (i + 1 < text.size() && text[i + 1] == c) {
      out += text[i++];
    } else {
      const auto end = text.find('}', i);
      if (end == std::string::npos) break;
      if (const auto* known = find_placeholder(std::string_view(text).substr(i + 1, end - i - 1)))
        out += values.*known->value;
      i = end;
    }
  }
  return out;
}

Codec codec(std::type_identity<ReplyTemplate>) {
  return {"a text",
          [](Reading& reading, const Value& value, void* out) {
            if (!reading.expect(value, Value::Type::text, "a string")) return false;
            if (std::string fault = fault_of_reply(value.text); !fault.empty())
              return reading.complain(value, std::move(fault));
            static_cast<ReplyTemplate*>(out)->text = value.text;
            return true;
          },
          [](const void* in) {
            const auto& reply = *static_cast<const ReplyTemplate*>(in);
            return reply.empty() ? std::string() : '"' + reply.text + '"';
          }};
}

void Exempt::describe(Schema<Exempt>& schema) {
  schema.key("clients", &Exempt::clients, "networks of clients");
  schema.key("rdns", &Exempt::rdns,
             "confirmed reverse names of clients: \"example.net\" for that name, \".example.net\" "
             "for all below it");
  schema.key("helo", &Exempt::helo, "names given at HELO or EHLO, in the same form");
  schema.key("senders", &Exempt::senders,
             "envelope senders: addresses, \"@example.net\", \".example.net\" for its subdomains, "
             "\"<>\"; whoever likes can forge one");
  schema.key("recipients", &Exempt::recipients, "envelope recipients, in the same form");
  schema.key("passed", &Exempt::passed,
             "names of instances that have vouched for the client or "
             "message");
  schema.key("authenticated", &Exempt::authenticated, "clients that have authenticated");
  schema.key("relay", &Exempt::relay, "clients that may relay");
}

void Common::describe(Schema<Common>& schema) {
  using C = Common;
  schema
      .key("mode", &C::mode,
           "what a refusal becomes: itself; nothing, since the plugin is off; only a line in the "
           "record; a header field of the message; points; or a deferral at most")
      .later({"quarantine"})
      .per_domain();
  schema
      .key("enforce_at", &C::enforce_at,
           "when a refusal takes effect: at once, or at a later step of the session")
      .per_domain();
  schema.table("exempt", &C::exempt, "Whose mail this instance does not refuse: any of these.")
      .per_domain();
  schema
      .key("on_error", &C::on_error,
           "what happens when the plugin fails or is late: nothing, a deferral or a rejection, "
           "which then passes through mode")
      .per_domain();
  schema.key("timeout", &C::timeout, "how long one call of the plugin may take")
      .at_least(milliseconds(10))
      .at_most(std::chrono::hours(1))
      .per_domain();
  schema
      .key("parallel", &C::parallel,
           "tasks of this instance at a time, for each worker; further ones wait within their "
           "timeout; 0 is no limit")
      .at_most(100'000);
  schema
      .key("reply", &C::reply,
           "text of the refusal instead of the plugin's, with {reason}, {instance}, {client}, "
           "{helo}, {sender}, {recipient} and {id}")
      .per_domain();
  schema.key("points", &C::points, "what a refusal adds to the score in mode score")
      .at_least(1)
      .at_most(1'000'000)
      .per_domain();
  schema
      .key("may_drop", &C::may_drop,
           "the plugin may make a message vanish that has been acknowledged; it is recorded")
      .per_domain();
}

}  // namespace postern::policy
