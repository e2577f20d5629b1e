"""`postern plugin new`: the project it writes builds out of tree against the build tree, passes its own
test, and posternd loads its module and refuses as it says. And the tutorial: what it shows compiles."""

import json
import os
import pathlib
import re
import subprocess
import unittest

from harness import *

BUILD = pathlib.Path(os.environ["POSTERND"]).resolve().parent.parent
SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
POSTERN = BUILD / "cli" / "postern"

CONFIG = """
hostname = "mx.example.test"
workers = 1
plugin_path = ["project/build"]
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "@DIR@/maildir"
[[plugin]]
use = "gone_away"
list = ["old@example.test"]
text = "moved to the sea"
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""


def run(*command, limit=300, **more):
    environment = {**os.environ, "PKG_CONFIG_PATH": str(BUILD / "meson-uninstalled")}
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=limit,
                          stdin=subprocess.DEVNULL, check=False, env=environment, **more)


def sanitizer():
    """What this Postern was built with: a plugin must be, too."""
    options = json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text())
    return next(o["value"] for o in options if o["name"] == "b_sanitize")


def build_options():
    return [f"-Db_sanitize={sanitizer()}", "-Dbuildtype=debug"]


class PluginNew(unittest.TestCase):
    def must(self, *command, **more):
        done = run(*command, **more)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def test_its_project_builds_passes_and_refuses_in_posternd(self):
        directory, port = configure_postern(self.addCleanup, CONFIG)
        project = pathlib.Path(directory, "project")
        self.must(POSTERN, "plugin", "new", "gone_away", "--dir", project)
        self.must("meson", "setup", project / "build", project, *build_options())
        self.must("meson", "test", "-C", project / "build", "--print-errorlogs")
        config = os.path.join(directory, "postern.toml")
        page = self.must(POSTERN, "--config", config, "plugin", "help", "gone_away")
        self.assertIn("Refuses recipients that were given up.", page)
        self.assertIn("rcpt          a decision", page)
        listed = json.loads(self.must(POSTERN, "--config", config, "plugin", "list", "--json"))
        self.assertIn(str(project / "build" / "gone_away.so"),
                      [plugin["path"] for plugin in listed["plugins"]])
        self.must(POSTERN, "--config", config, "check")

        server = Postern(self.addCleanup, directory, port)
        server.wait_ready(lambda: answers(port, b"220"), "posternd greets")
        with Client(port) as client:
            client.hello()
            client.must(250, "MAIL FROM:<a@example.org>")
            refused = client.must(550, "RCPT TO:<old@example.test>")
            self.assertIn("moved to the sea", str(refused))
            client.must(250, "RCPT TO:<new@example.test>")

    def test_it_overwrites_nothing_and_wants_a_name(self):
        directory = temporary_directory(self.addCleanup)
        there = pathlib.Path(directory, "there")
        there.mkdir()
        (there / "meson.build").write_text("mine")
        done = run(POSTERN, "plugin", "new", "fine", "--dir", there)
        self.assertEqual(done.returncode, 1)
        self.assertIn("there already", done.stderr)
        self.assertEqual([p.name for p in there.iterdir()], ["meson.build"])
        for name in ("Upper", "a-b", "../up", "", "a.b"):
            done = run(POSTERN, "plugin", "new", name, cwd=directory)
            self.assertEqual(done.returncode, 1, name)
        self.assertEqual([p.name for p in pathlib.Path(directory).iterdir()], ["there"])

    def test_the_tutorial_compiles(self):
        """docs/writing-a-plugin.md: each block ```cpp NAME.cpp is a plugin, or a test of one."""
        text = (SOURCE / "docs" / "writing-a-plugin.md").read_text()
        blocks = re.findall(r"^```cpp (\w+\.cpp)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        self.assertGreaterEqual(len(blocks), 3)
        directory = pathlib.Path(temporary_directory(self.addCleanup))
        build = ["project('tutorial', 'cpp', default_options: ['cpp_std=c++20', 'b_lundef=false'])",
                 "postern = dependency('postern')", "env = {'POSTERN_PLUGIN_PATH': meson.current_build_dir()}"]
        for name, code in blocks:
            (directory / name).write_text(code)
            stem = name.removesuffix(".cpp")
            if stem.endswith("_test"):
                build.append(f"test('{stem}', executable('{stem}', '{name}', dependencies: postern), env: env)")
            else:
                build.append(f"shared_module('{stem}', '{name}', name_prefix: '', dependencies: postern,"
                             " gnu_symbol_visibility: 'hidden')")
        (directory / "meson.build").write_text("\n".join(build) + "\n")
        self.must("meson", "setup", directory / "build", directory, *build_options())
        self.must("ninja", "-C", directory / "build")
        self.must("meson", "test", "-C", directory / "build", "--print-errorlogs")


if __name__ == "__main__":
    unittest.main()
