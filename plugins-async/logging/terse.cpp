// terse: a line for each message that is taken and each step that is refused, as qpsmtpd's logterse
// writes it: for the statistics that people have made for that.
#include <postern/plugin.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace postern::plugins {
namespace {

enum class Time : std::uint8_t { none, utc, tai64n };
constexpr auto names_of(Time) { return std::array<std::string_view, 3>{"none", "utc", "tai64n"}; }

// The label of multilog and tai64nlocal(8). TAI was ten seconds ahead of UTC in 1970, and whoever
// writes such labels from the system's clock knows of no leap second since.
std::string tai64n(std::chrono::system_clock::time_point when) {
  const auto since = when.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds).count();
  return fmt::format("@{:016x}{:08x}",
                     (std::uint64_t{1} << 62) + 10 + static_cast<std::uint64_t>(seconds.count()),
                     rest);
}

std::string label(Time form, std::chrono::system_clock::time_point when) {
  std::string text;
  if (form == Time::tai64n) text = tai64n(when);
  if (form == Time::utc) append_timestamp(text, when);
  if (!text.empty()) text += ' ';
  return text;
}

// Fields end with a TAB: none may be within one.
void add(std::string& line, std::string_view field) {
  line += '\t';
  const std::size_t begin = line.size();
  line += field;
  std::replace_if(line.begin() + static_cast<std::ptrdiff_t>(begin), line.end(), is_control, '_');
}

// Client, host name, HELO: what both kinds of line begin with.
template <typename Notice>
std::string beginning(const Notice& notice) {
  std::string line = "` " + notice.client.text();
  add(line, notice.client_name.empty() ? "Unknown" : notice.client_name);
  add(line, notice.helo);
  return line;
}

std::string paths(const std::vector<std::string>& recipients) {
  std::string all;
  for (const std::string& path : recipients)
    all.append(all.empty() ? "" : ",").append("<").append(path).append(">");
  return all;
}

// qpsmtpd's DENY, DENYSOFT, DENY_DISCONNECT and DENYSOFT_DISCONNECT.
int constant(const Rejected& what) {
  return 901 + (what.reply.is_transient() ? 1 : 0) + (what.closes ? 2 : 0);
}

bool has_sender(Hook hook) {
  return hook == Hook::mail || hook == Hook::rcpt || hook == Hook::data || hook == Hook::headers ||
         hook == Hook::message;
}

std::string line_of(const Rejected& what) {
  std::string line = beginning(what);
  add(line, has_sender(what.hook) ? "<" + what.reverse_path + ">" : "");
  add(line, paths(what.recipients));
  add(line, what.by);
  add(line, std::to_string(constant(what)));
  add(line, what.reply.text());
  add(line, "msg denied before queued");
  return line;
}

std::string line_of(const Accepted& message) {
  std::string line = beginning(message);
  add(line, "<" + message.reverse_path + ">");
  add(line, paths(message.recipients));
  add(line, "queued");
  add(line, "");
  const bool bracketed = message.message_id.starts_with('<');
  add(line, bracketed ? message.message_id : "<" + message.message_id + ">");
  return line;
}

class Terse final : public PluginOf<Terse> {
 public:
  static constexpr const char* summary =
      "Writes a line for each message that is taken, and each step that is refused.";
  struct Settings {
    FilePath file;
    Time time = Time::utc;
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("file", &Settings::file,
               "where; opened anew at SIGUSR1, as the log is; without it, lines go to the log, "
               "there with TABs as \\x09");
    schema.key("time", &Settings::time,
               "what stands before a line in the file: nothing, the time as the log has it, or "
               "multilog's label");
  }
  void setup(Hooks& hooks) override {
    hooks.on_accepted(this, &Terse::note_accepted);
    hooks.on_rejected(this, &Terse::note_rejected);
    hooks.on_tick(this, &Terse::open_again);
  }

 private:
  void note_accepted(Accepted message) { write(line_of(message)); }
  void note_rejected(Rejected what) { write(line_of(what)); }

  void write(const std::string& line) {
    const Settings& mine = site();
    if (mine.file.empty()) return log().notice("{}", line);
    if (!file_ && !tried_) open();
    if (file_)
      file_->write(label(mine.time, scheduler().wall()) + line);
    else
      ++lost_;
  }

  // Once when the worker begins, and as long as it fails once a minute: not for each line.
  void open_again(Tick) {
    if (!file_ && !site().file.empty()) open();
  }
  void open() {
    tried_ = true;
    auto* files = services().find<LineFiles>("postern");
    auto opened = files->open(site().file.text);
    if (opened) file_ = *opened;
    if (!opened) log().error("{}: {}", instance_name(), opened.error().describe());
    if (lost_ > 0) log().error("{}: {} lines were lost", instance_name(), std::exchange(lost_, 0));
  }

  LineFile* file_ = nullptr;
  bool tried_ = false;
  std::size_t lost_ = 0;  // lines, since that was told
};

}  // namespace

POSTERN_PLUGIN(Terse, "terse")

}  // namespace postern::plugins
