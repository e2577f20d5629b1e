"""Feeds tools/check-where small trees."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().with_name("check-where")
TABLE = "# x\n\n## Where is …?\n\n| looking for | it is in |\n| --- | --- |\n"


def check(text, *files):
    """(exit status, output)."""
    with tempfile.TemporaryDirectory() as root:
        for name in files:
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        pathlib.Path(root, "HACKING.md").write_text(text, encoding="utf-8")
        ran = subprocess.run([sys.executable, CHECK, "--root", root], capture_output=True, text=True)
        return ran.returncode, ran.stdout + ran.stderr


class CheckWhere(unittest.TestCase):
    def test_finds_files_by_their_stem_folders_and_patterns(self):
        rows = "| a | `smtp/path`, `smtp/limits.hpp` (`Reply::text`) |\n| b | `daemon/`, `test/wire/*.smtp` |\n"
        status, output = check(TABLE + rows, "lib/postern/smtp/path.cpp", "lib/postern/smtp/limits.hpp",
                               "daemon/main.cpp", "test/wire/a.smtp")
        self.assertEqual(status, 0, output)
        self.assertIn("4 places", output)

    def test_names_what_has_moved(self):
        status, output = check(TABLE + "| a | `smtp/path` |\n", "lib/postern/mail/path.cpp")
        self.assertEqual(status, 1)
        self.assertIn("HACKING.md:7: smtp/path is not there", output)

    def test_reads_no_other_table(self):
        status, output = check(TABLE + "| a | `x/y` |\n\n## Next\n\n| b | `no/such` |\n", "x/y.py")
        self.assertEqual(status, 0, output)

    def test_a_missing_table_is_an_error(self):
        self.assertEqual(check("# nothing\n")[0], 1)


if __name__ == "__main__":
    unittest.main()
