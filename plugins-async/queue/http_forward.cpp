// http_forward: recipients whose mail is posted to a web server.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class HttpForward final : public PluginOf<HttpForward> {
 public:
  static constexpr const char* summary = "Posts messages to a web server (HTTP/1.1).";
  struct Settings {
    Url url;
    std::vector<std::string> headers;
    unsigned on_4xx = 550;
    unsigned on_5xx = 451;
    std::chrono::milliseconds answer_within = 60s;
  };
  static void describe(Schema<Settings>& schema) {
    schema
        .key("url", &Settings::url,
             "where each message is posted to as message/rfc822, \"http://HOST:PORT/PATH\" or "
             "\"https://…\", with the envelope in the fields Postern-Sender, Postern-Recipient, "
             "Postern-Client; a status of 2xx takes it, and no redirect is followed; not set: mail "
             "of these recipients goes on to the next route")
        .per_domain();
    schema
        .key("headers", &Settings::headers,
             "further fields of the request, \"NAME: VALUE\" each: \"Authorization: Bearer …\"")
        .per_domain();
    schema
        .key("on_4xx", &Settings::on_4xx,
             "what the client hears of a status of 4xx; 408, 425 and 429 are 451 in any case, and "
             "413 is 552")
        .at_least(400)
        .at_most(599)
        .per_domain();
    schema.key("on_5xx", &Settings::on_5xx, "what it hears of 5xx")
        .at_least(400)
        .at_most(599)
        .per_domain();
    schema
        .key("answer_within", &Settings::answer_within,
             "for all of it, from the connection to the status; no answer is 451")
        .at_least(100ms)
        .at_most(9min)
        .per_domain();
  }
  void setup(Hooks& hooks) override { hooks.on_route(this, &HttpForward::choose); }

 private:
  std::optional<deliver::Route*> choose(Recipient& to) {
    auto* routes = services().find<Routes>("postern");
    const Settings& mine = settings(to);
    if (!routes || mine.url.empty()) return {};
    if (deliver::Route* route = routes->web_server(
            {mine.url, mine.headers, mine.on_4xx, mine.on_5xx, mine.answer_within}))
      return route;
    throw std::runtime_error("headers: \"NAME: VALUE\" each");  // on_error decides
  }
};

}  // namespace

POSTERN_PLUGIN(HttpForward, "http_forward")

}  // namespace postern::plugins
