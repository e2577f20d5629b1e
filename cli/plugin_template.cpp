#include "plugin_template.hpp"

#include <postern/base/text.hpp>

namespace postern::cli {
namespace {

constexpr const char* build_file =
    R"(project('@name@', 'cpp', version: '0.1.0', license: 'MIT', meson_version: '>= 1.0',
  default_options: ['cpp_std=c++20', 'warning_level=3', 'buildtype=debugoptimized', 'b_lundef=false'])

postern = dependency('postern')

module = shared_module('@name@', '@name@.cpp', name_prefix: '', dependencies: postern,
  cpp_args: ['-DPOSTERN_PLUGIN_VERSION="@0@"'.format(meson.project_version()),
             '-DPOSTERN_PLUGIN_LICENCE="@0@"'.format(meson.project_license()[0])],
  gnu_symbol_visibility: 'hidden',
  install: true, install_dir: postern.get_variable('plugindir'))

# The whole of Postern in virtual time, with this module in it.
test('@name@', executable('test-@name@', '@name@_test.cpp', dependencies: postern),
  depends: module, env: {'POSTERN_PLUGIN_PATH': meson.current_build_dir()})
)";

constexpr const char* source = R"(// @name@: refuses recipients that were given up.
#include <postern/plugin.hpp>

namespace postern::plugins {
namespace {

class @Class@ final : public PluginOf<@Class@> {
 public:
  static constexpr const char* summary = "Refuses recipients that were given up.";

  // What can be set, with its defaults. per_domain(): also for a domain or a recipient.
  struct Settings {
    AddressList list;
    std::string text = "This address is no longer in use";
  };
  static void describe(Schema<Settings>& schema) {
    schema.key("list", &Settings::list, "addresses that were given up").per_domain();
    schema.key("text", &Settings::text, "what their senders are told").per_domain();
  }

  // At which points of a session it wants to be called. What the function returns tells what it
  // is: a Verdict is a decision, void an observer, a Fact a finding; a Task<…> may wait.
  void setup(Hooks& hooks) override { hooks.on_rcpt(this, &@Class@::decide); }

 private:
  // Called for each recipient, with the settings of that recipient.
  Verdict decide(Recipient& to) {
    const Settings& mine = settings(to);
    if (!mine.list.contains(to.path())) return Verdict::next();
    return Verdict::reject({5, 1, 6}, mine.text);
  }
};

}  // namespace

POSTERN_PLUGIN(@Class@, "@name@")

}  // namespace postern::plugins
)";

constexpr const char* test =
    R"(// @name@ in a whole Postern: a resolver, a downstream and clients, all in virtual time.
#include <postern/testing/harness.hpp>

#include <cstdio>
#include <string>

using postern::testing::Harness;

namespace {

int failures = 0;

void check(bool holds, const char* what, const Harness& h) {
  if (holds) return;
  ++failures;
  std::printf("not so: %s\n%s\n", what, h.client.transcript().c_str());
}

void refuses_whom_it_is_told_to_refuse() {
  Harness h;  // recipients at example.net are taken, unless a plugin refuses them
  h.load("@name@", "list = [\"old@example.net\"]\ntext = \"gone\"\n");
  h.client.connect();
  check(h.client.greeting().code == 220, "the client is greeted", h);
  const auto refused = h.client.recipient("old@example.net");
  check(refused.code == 550, "mail to old@example.net is refused", h);
  check(refused.text().find("gone") != std::string::npos, "the refusal has the text", h);
  check(h.client.recipient("new@example.net").code == 250, "others get their mail", h);
  check(h.end() == "", "nothing is left behind", h);
}

void is_off_without_a_list() {
  Harness h;
  h.load("@name@");
  h.client.connect();
  h.client.greeting();
  check(h.client.recipient("old@example.net").code == 250, "an empty list refuses nobody", h);
  check(h.end() == "", "nothing is left behind", h);
}

}  // namespace

int main() {
  refuses_whom_it_is_told_to_refuse();
  is_off_without_a_list();
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
)";

constexpr const char* readme = R"(# @name@

A plugin for Postern.

    meson setup build
    meson test -C build

Where Postern is not installed, its build tree will do: add
`PKG_CONFIG_PATH=POSTERN/build/release/meson-uninstalled` to the first line. A Postern that was built
with sanitizers wants a plugin that is, too: `-Db_sanitize=address,undefined`.

To try it, name the folder of the module and use it:

    plugin_path = ["/path/to/@name@/build"]      # at the top of postern.toml

    [[plugin]]
    use = "@name@"
    list = ["old@example.net"]

`postern --config postern.toml plugin help @name@` tells what it has to say, `postern --config
postern.toml check` whether the settings are good. `meson install -C build` puts it among Postern's
own plugins; then `plugin_path` is not needed.
)";

// "bad_rcpt_to" -> "BadRcptTo"
std::string class_name(const std::string& name) {
  std::string out;
  bool starts = true;
  for (const char c : name) {
    if (c != '_') out += starts ? ascii_upper(c) : c;
    starts = c == '_';
  }
  return out;
}

void replace(std::string& text, const std::string& mark, const std::string& by) {
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size()))
    text.replace(at, mark.size(), by);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> plugin_project(const std::string& name) {
  std::vector<std::pair<std::string, std::string>> files = {{"meson.build", build_file},
                                                            {name + ".cpp", source},
                                                            {name + "_test.cpp", test},
                                                            {"README.md", readme}};
  for (auto& [file, text] : files) {
    replace(text, "@name@", name);
    replace(text, "@Class@", class_name(name));
  }
  return files;
}

}  // namespace postern::cli
