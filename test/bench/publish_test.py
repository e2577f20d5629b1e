"""What ./dev bench writes: a table for a terminal, one for README.md, and a plot."""

import pathlib
import re
import tempfile
import unittest
import xml.etree.ElementTree

import sample

import plot
import publish
import table

README = f"# Postern\n\n{publish.BEGIN}\nold\n{publish.END}\n\nafter\n"


class Tables(unittest.TestCase):
    def test_markdown_has_a_cell_for_each_server(self):
        lines = list(table.markdown(sample.results()))
        self.assertEqual({line.count("|") for line in lines}, {7})
        self.assertTrue(lines[0].startswith("| | **Postern** | spike |"))
        self.assertIn("| µs of CPU: the same, pipelined | 300 | 200 | 250 | 9,000 | 30,000 |", lines)
        self.assertTrue(lines[-1].endswith("| 2.0 | – | – | – | 4,096.0 |"), lines[-1])

    def test_a_server_that_took_no_part_has_a_dash(self):
        (late,) = [line for line in table.markdown(sample.results()) if "20 ms" in line]
        self.assertEqual(late.split("|")[4].strip(), "–")

    def test_the_terminal_tells_what_was_missed(self):
        lines = "\n".join(table.terminal(sample.results()))
        self.assertRegex(lines, r"attack: calls per session +40\.0 +<= 36  MISSED")
        self.assertRegex(lines, r"less CPU than forkserver +100\.0 times +>= 80  met")


class Readme(unittest.TestCase):
    def test_only_what_is_between_the_marks_changes(self):
        text = publish.between_marks(README, "new")
        self.assertEqual(text, README.replace("old", "new"))
        self.assertEqual(publish.between_marks(text, "new"), text)

    def test_must_have_both_marks_once_and_in_order(self):
        for broken in ("# Postern\n", README + README, README.replace(publish.END, ""),
                       f"{publish.END}\n{publish.BEGIN}\n"):
            with self.subTest(broken), self.assertRaises(ValueError):
                publish.between_marks(broken, "new")

    def test_says_on_which_machine_and_when(self):
        text = publish.section(sample.results()).replace("\n", " ")
        for fact in ("2026-01-02", "A & B", "2 cores", "abc1234", "0.94-6"):
            self.assertIn(fact, text)
        self.assertIn("100 times less", text)
        self.assertNotIn("Provisional", text)

    def test_says_when_the_machine_was_busy(self):
        results = sample.results()
        results["facts"]["busy"] = 0.4
        self.assertIn("Provisional", publish.section(results))
        self.assertLessEqual(max(map(len, publish.section(results).splitlines())), 115)

    def test_facts_are_found_on_this_machine(self):
        found = publish.facts()
        self.assertTrue(all(str(value) for value in found.values()), found)
        self.assertTrue(0 <= found["busy"] <= 1, found)

    def test_table_and_plot_are_written(self):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "docs").mkdir()
            (root / "README.md").write_text(README, encoding="utf-8")
            publish.publish(sample.results(), root)
            self.assertIn("| **Postern** |", (root / "README.md").read_text(encoding="utf-8"))
            self.assertIn("<svg", (root / "docs/bench.svg").read_text(encoding="utf-8"))

    def test_the_tree_s_own_has_the_marks(self):
        root = pathlib.Path(__file__).resolve().parents[2]
        publish.between_marks((root / "README.md").read_text(encoding="utf-8"), "")


class Plot(unittest.TestCase):
    def setUp(self):
        self.svg = plot.svg(sample.results()["side_by_side"])
        self.root = xml.etree.ElementTree.fromstring(self.svg)

    def all(self, name):
        return self.root.findall(f"{{http://www.w3.org/2000/svg}}{name}")

    def test_has_a_bar_and_a_figure_for_each_measurement(self):
        self.assertEqual(len(self.all("rect")), 5 + 5 + 4)
        words = [text.text for text in self.all("text")]
        self.assertEqual(words.count("30,000"), 3)
        self.assertEqual(words.count("Postern"), 3)

    def test_its_scale_is_logarithmic(self):
        """From 100 to 100,000: 300 is at 0.477 of the first of three decades."""
        widths = [int(bar.get("width")) for bar in self.all("rect")]
        self.assertEqual(widths[0], round(plot.WIDTH * 0.4771 / 3))
        self.assertEqual(widths[4], round(plot.WIDTH * 2.4771 / 3))

    def test_nothing_is_outside(self):
        _, _, width, height = map(float, self.root.get("viewBox").split())
        for element in self.all("rect") + self.all("text"):
            self.assertLessEqual(float(element.get("x")), width - 40)
            self.assertLessEqual(float(element.get("y")), height)

    def test_is_readable_on_dark_ground_too(self):
        self.assertIn("prefers-color-scheme:dark", self.svg)
        self.assertIsNone(re.search(r"<rect[^>]*width=\"%s\"" % self.root.get("width"), self.svg))

    def test_equal_figures_are_no_division_by_zero(self):
        one = {"posternd": sample.server(100.0)}
        plot.svg({scenario: one for scenario in plot.SCENARIOS})


if __name__ == "__main__":
    unittest.main()
