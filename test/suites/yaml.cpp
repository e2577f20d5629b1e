#include "yaml.hpp"

#include <yaml.h>

#include <memory>
#include <stdexcept>

namespace postern::suites {
namespace {

using nlohmann::json;
using Event = std::unique_ptr<yaml_event_t, void (*)(yaml_event_t*)>;

class Reader {
 public:
  explicit Reader(const std::string& text) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { yaml_parser_delete(&parser_); }

  std::vector<json> documents() {
    std::vector<json> all;
    for (;;) {
      const Event event = next();
      if (event->type == YAML_STREAM_END_EVENT) return all;
      if (event->type == YAML_DOCUMENT_START_EVENT) all.push_back(value(next()));
    }
  }

 private:
  static void free(yaml_event_t* event) {
    yaml_event_delete(event);
    delete event;
  }
  Event next() {
    auto* event = new yaml_event_t{};
    Event owned(event, &free);
    if (!yaml_parser_parse(&parser_, event))
      throw std::invalid_argument(std::string("YAML: ") + parser_.problem);
    return owned;
  }
  static std::string scalar(const Event& event) {
    const auto& found = event->data.scalar;
    return {reinterpret_cast<const char*>(found.value), found.length};
  }
  json value(const Event& event) {
    if (event->type == YAML_SCALAR_EVENT) return scalar(event);
    const bool is_list = event->type == YAML_SEQUENCE_START_EVENT;
    if (!is_list && event->type != YAML_MAPPING_START_EVENT)
      throw std::invalid_argument("YAML: an alias");
    json out = is_list ? json::array() : json::object();
    for (;;) {
      const Event first = next();
      if (first->type == YAML_SEQUENCE_END_EVENT || first->type == YAML_MAPPING_END_EVENT)
        return out;
      if (is_list)
        out.push_back(value(first));
      else
        out[scalar(first)] = value(next());
    }
  }

  yaml_parser_t parser_{};
};

}  // namespace

std::vector<json> parse_yaml(const std::string& text) { return Reader(text).documents(); }

}  // namespace postern::suites
