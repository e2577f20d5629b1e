#include <postern/net/folder_watch.hpp>

#include <uv.h>

namespace postern::net {
namespace {

class UvFolderWatch final : public FolderWatch {
 public:
  UvFolderWatch(Loop& loop, FolderListener& listener) : handle_(new Handle(loop, listener)) {}
  ~UvFolderWatch() override {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle_->event),
             [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
  }

  Result<void> start(const std::string& path) {
    const int failed = uv_fs_event_start(
        &handle_->event,
        [](uv_fs_event_t* event, const char* name, int, int) {
          auto* heard = static_cast<Handle*>(event->data);
          heard->loop.enter();
          heard->listener.folder_changed(name == nullptr ? "" : name);
        },
        path.c_str(), 0);
    if (failed) return fail_errno(failed, "watching " + path);
    return {};
  }

 private:
  struct Handle {  // frees itself in its close callback
    Handle(Loop& owner, FolderListener& hears) : loop(owner), listener(hears) {
      uv_fs_event_init(loop.uv(), &event);
      event.data = this;
    }
    Loop& loop;
    FolderListener& listener;
    uv_fs_event_t event{};
  };

  Handle* handle_;
};

}  // namespace

Result<std::unique_ptr<FolderWatch>> FolderWatch::open(Loop& loop, const std::string& path,
                                                       FolderListener& listener) {
  auto watch = std::make_unique<UvFolderWatch>(loop, listener);
  auto started = watch->start(path);
  if (!started) return fail(started.error());
  return watch;
}

}  // namespace postern::net
