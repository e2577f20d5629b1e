"""The reader of the table of differences, and what it complains of."""

import unittest

from differences import HEADING, Difference, complaints, documented

TEXT = f"""# From qpsmtpd

| elsewhere | `2` | `5` | another table |

{HEADING}

| dialogue | qpsmtpd | Postern | why |
| --- | --- | --- | --- |
| EHLO twice | `2 2 5` | `2 2 2` | RFC 5321 section 4.1.4 |
| a bare LF | `2 4 x` | `2 5` | smuggling |

## After

| and after | `2` | `5` | too late |
"""


class Table(unittest.TestCase):
    def test_is_read_below_its_heading_only(self):
        self.assertEqual(documented(TEXT), {
            "EHLO twice": Difference("2 2 5", "2 2 2", "RFC 5321 section 4.1.4"),
            "a bare LF": Difference("2 4 x", "2 5", "smuggling")})

    def test_must_be_there(self):
        with self.assertRaises(ValueError):
            documented("# From qpsmtpd\n\n## Plugins\n")

    def test_names_each_dialogue_once(self):
        with self.assertRaises(ValueError):
            documented(TEXT.replace("a bare LF", "EHLO twice"))


class Complaints(unittest.TestCase):
    table = {"EHLO twice": Difference("2 2 5", "2 2 2", "because")}

    def test_nothing_where_all_is_as_documented(self):
        self.assertEqual(complaints({"EHLO twice": ("2 2 5", "2 2 2"), "NOOP": ("2", "2")}, self.table), [])

    def assert_one(self, outcomes, text, table=None):
        found = complaints(outcomes, table or self.table)
        self.assertEqual(len(found), 1, found)
        self.assertIn(text, found[0])

    def test_of_a_difference_that_is_not_listed(self):
        self.assert_one({"EHLO twice": ("2 2 5", "2 2 2"), "NOOP": ("2", "5")}, "NOOP: qpsmtpd 2, Postern 5")

    def test_of_a_listed_one_that_no_longer_differs(self):
        self.assert_one({"EHLO twice": ("2 2 2", "2 2 2")}, "both say 2 2 2")

    def test_of_one_that_differs_otherwise(self):
        self.assert_one({"EHLO twice": ("2 2 5", "2 2 4")}, "the table says 2 2 5 and 2 2 2")

    def test_of_a_dialogue_that_is_gone(self):
        self.assert_one({}, "no dialogue")

    def test_of_a_missing_reason(self):
        self.assert_one({"EHLO twice": ("2 2 5", "2 2 2")}, "no reason",
                        {"EHLO twice": Difference("2 2 5", "2 2 2", "")})


if __name__ == "__main__":
    unittest.main()
