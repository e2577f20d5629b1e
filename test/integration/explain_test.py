"""`postern explain`: of real plugins, without a daemon, which settings hold for whom, and why."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

POSTERN = pathlib.Path(os.environ["POSTERND"]).resolve().parent.parent / "cli" / "postern"

CONFIG = """hostname = "mx.example.test"
include = ["conf.d/*.toml"]
[[listen]]
address = "127.0.0.1:2525"
[forward]
to = ["127.0.0.1:2526"]
[plugin_defaults]
reply = "{reason} ({id})"
[[plugin]]
use = "dnsbl"
zones = ["bl.example.test", { name = "other.example.test", weight = 2 }]
threshold = 2
[[plugin]]
use = "badmailfrom"
name = "badmailfrom:strict"
file = "bad"
enforce_at = "rcpt"
[[plugin]]
use = "rcpt_ok"
domains = ["example.net"]
"""
FILES = {
    "bad": "# who is bad\nspam@b.example\n$include more\n",
    "more": "^robot(?!ics)\n@evil.example  Go away\n",
    "conf.d/batv.toml": '[[plugin]]\nuse = "batv"\nsecrets = ["0123456789abcdef-hush"]\n'
                        'domains = ["example.net"]\n',
    "domains/example.net.toml": """[plugin.dnsbl]
threshold = 3
[plugin."badmailfrom:strict"]
mode = "tag"
[recipient."anna@example.net".plugin.dnsbl]
mode = "off"
""",
}


class Explain(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.write("postern.toml", CONFIG)
        for name, content in FILES.items():
            self.write(name, content)

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)

    def postern(self, *arguments, status=0):
        result = subprocess.run([str(POSTERN), "--config", "postern.toml", "explain", *arguments],
                                capture_output=True, text=True, timeout=60, cwd=self.folder,
                                stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result.stdout if status == 0 else result.stderr

    def keys(self, subject, plugin):
        explanation = json.loads(self.postern("--json", subject, plugin))
        self.assertEqual([each["name"] for each in explanation["plugins"]], [plugin])
        return {key["key"]: key for key in explanation["plugins"][0]["keys"]}

    def lines(self, *arguments):
        return [" ".join(line.split()) for line in self.postern(*arguments).splitlines()]

    def test_a_value_is_told_with_the_place_that_it_comes_from(self):
        site = self.lines("example.org", "dnsbl")
        self.assertEqual(site[0], "example.org has no settings of its own: those of the site hold.")
        self.assertIn('* zones ["bl.example.test", { name = "other.example.test", weight = 2 }] '
                      "block at postern.toml:11", site)
        self.assertIn("* threshold 2 block at postern.toml:12", site)
        self.assertIn('* reply "{reason} ({id})" plugin_defaults at postern.toml:8', site)
        self.assertIn('mode "on" default', site)
        self.assertIn('enforce_at "rcpt" default', site)  # the plugin's own
        domain = self.lines("example.net", "dnsbl")
        self.assertIn("* threshold 3 domains/example.net.toml:2", domain)
        self.assertIn('mode "on" default', domain)
        recipient = self.lines("Anna@example.net", "dnsbl")
        self.assertIn("* threshold 3 domains/example.net.toml:2", recipient)
        self.assertIn('* mode "off" recipient in domains/example.net.toml:6', recipient)

    def test_a_file_of_a_list_is_told_with_the_number_of_its_entries(self):
        keys = self.keys("bert@example.net", "badmailfrom:strict")
        self.assertEqual(keys["file"], {"key": "file", "value": '"bad"', "size": "3 entries",
                                        "origin": "block", "file": "postern.toml", "line": 16})
        self.assertEqual(keys["mode"], {"key": "mode", "value": '"tag"', "origin": "domain",
                                        "file": "domains/example.net.toml", "line": 4})
        self.assertIsNone(keys["list"]["value"])

    def test_without_a_plugin_all_are_told_and_no_secret(self):
        page = self.postern("example.net")
        for name in ("messages", "dnsbl", "badmailfrom:strict (badmailfrom)", "rcpt_ok", "batv"):
            self.assertIn(f"\n{name}\n", page)
        self.assertIn("(not shown)", page)
        self.assertIn("block at conf.d/batv.toml:3", page)
        self.assertNotIn("hush", page)
        self.assertNotIn("hush", self.postern("--json", "example.net"))

    def test_what_is_not_there_is_told(self):
        self.assertIn("no [[plugin]] block is named 'dnsbll'; did you mean dnsbl?",
                      self.postern("example.net", "dnsbll", status=1))
        self.assertIn("'a b' is neither a domain nor a recipient",
                      self.postern("a b", status=1))
        self.write("domains/example.net.toml", "[plugin.dnsbl]\nthreshhold = 3\n")
        self.assertIn("domains/example.net.toml:2:1: plugin.dnsbl.threshhold: ",
                      self.postern("example.net", status=1))


if __name__ == "__main__":
    unittest.main()
