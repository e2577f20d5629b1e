"""Feeds tools/check-protocol-lines small lists."""

import importlib.machinery
import importlib.util
import pathlib
import unittest

PATH = pathlib.Path(__file__).resolve().with_name("check-protocol-lines")
loader = importlib.machinery.SourceFileLoader("check_protocol_lines", str(PATH))
checks = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
loader.exec_module(checks)


class CheckProtocolLines(unittest.TestCase):
    def complaints(self, lines, tags, not_yet=()):
        return list(checks.complaints(lines, set(tags), dict.fromkeys(not_yet, "why")))

    def test_each_line_has_a_test_or_a_reason(self):
        self.assertEqual(self.complaints([1, 2, 3], [1, 3], [2]), [])
        self.assertEqual(self.complaints([1, 2], [1]), ["line 2 has no test that names it"])

    def test_a_reason_ends_with_the_first_test(self):
        self.assertEqual(len(self.complaints([1], [1], [1])), 1)

    def test_a_line_that_is_not_there_is_named_by_nobody(self):
        self.assertEqual(self.complaints([1], [1, 7], [9]),
                         ["there is no line 7", "there is no line 9"])

    def test_lines_are_numbered_without_a_gap(self):
        self.assertEqual(len(self.complaints([1, 3], [1, 3])), 1)

    def test_reads_rows_and_tags(self):
        self.assertEqual(checks.numbers(checks.ROW, "| line | x |\n| --- |\n| 1 | a | b |\n| 2 | | |\n"), [1, 2])
        self.assertEqual(checks.numbers(checks.TAG, 'TEST("x", "[smtp][line:4][line:17]")'), [4, 17])


if __name__ == "__main__":
    unittest.main()
