#include <postern/plugin/hook_point.hpp>
#include <postern/plugin/services.hpp>

#include <utility>

namespace postern::plugin {

Services::Services() = default;
Services::~Services() = default;

void Services::attach(Attachment attachment) { attachments_.push_back(std::move(attachment)); }

}  // namespace postern::plugin
