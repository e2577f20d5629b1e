#include <postern/session/trail.hpp>

namespace postern::session {

std::string_view name(Effect effect) {
  switch (effect) {
    case Effect::vouched:
      return "vouched";
    case Effect::claimed:
      return "claimed";
    case Effect::accepted:
      return "accepted";
    case Effect::refused:
      return "refused";
    case Effect::dropped:
      return "dropped";
    case Effect::observed:
      return "would have refused";
    case Effect::tagged:
      return "tagged";
    case Effect::scored:
      return "scored";
    case Effect::exempt:
      return "exempt";
    case Effect::overridden:
      return "overridden";
    case Effect::failed:
      return "failed";
  }
  return "failed";
}

void Trail::add(Step step, std::string_view text, std::string_view settings) {
  if (steps_.size() >= most_steps) {
    ++uncounted_;
    return;
  }
  step.text = keep(text);
  step.settings = keep(settings);
  steps_.push_back(step);
}

std::uint16_t Trail::keep(std::string_view text) {
  if (text.empty()) return 0;
  texts_.emplace_back(text.substr(0, 500));
  return static_cast<std::uint16_t>(texts_.size());
}

void Trail::append_to(json::Writer& record, const plugin::Lineup& lineup) const {
  for (const Step& step : steps_) {
    record.begin().key("plugin").string(lineup.instance_name(step.instance));
    record.key("hook").string(name(step.hook));
    if (step.at != step.hook) record.key("at").string(name(step.at));
    if (step.recipient > 0) record.key("recipient").number(step.recipient);
    record.key("verdict").string(name(step.verdict)).key("effect").string(name(step.effect));
    if (step.text > 0) record.key("text").string(texts_[step.text - 1u]);
    if (step.settings > 0) record.key("settings").string(texts_[step.settings - 1u]);
    if (step.us > 0) record.key("us").number(step.us);
    record.end();
  }
  if (uncounted_ > 0) record.begin().key("more").number(uncounted_).end();
}

void record_facts(json::Writer& record, const std::vector<const plugin::HookScope*>& scopes) {
  bool begun = false;
  for (const plugin::HookScope* scope : scopes) {
    scope->each_fact([&](const plugin::FactNode& node) {
      if (!node.type.record) return;
      if (!begun) record.begin_array("facts");
      begun = true;
      record.begin();
      if (!node.type.name.empty()) record.key("fact").string(node.type.name);
      record.key("by").string(node.owner);
      plugin::Fields fields(record);
      node.type.record(node.value, fields);
      record.end();
    });
  }
  if (begun) record.end();
}

}  // namespace postern::session
