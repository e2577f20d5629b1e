"""Ratios are made round by round, and a target is met or missed."""

import unittest

import sample

import judge


def figure(results, beginning):
    (found,) = [each for each in judge.figures(results) if each.title.startswith(beginning)]
    return found


class Judge(unittest.TestCase):
    def test_a_ratio_is_the_median_of_the_rounds(self):
        """2, 3 and 1; of the medians, 400 and 300, it would be 1.33."""
        attack = {"posternd": sample.server(200.0, 900.0, 400.0), "spike": sample.server(100.0, 300.0, 400.0)}
        self.assertEqual(judge.ratio(attack, "posternd", "spike"), 2.0)

    def test_the_spike_is_an_upper_limit(self):
        found = figure(sample.results(), "attack: CPU, of the spike's")
        self.assertEqual((found.value, found.target, found.met), (1.5, "<= 1.6", True))
        self.assertFalse(judge.Figure("", 1.7, at_most=judge.OF_THE_SPIKE).met)

    def test_forkserver_is_a_lower_limit_where_it_is_judged(self):
        results = sample.results()
        found = figure(results, "message: less CPU than forkserver")
        self.assertEqual((found.value, found.target, found.met), (100.0, ">= 80", True))
        self.assertEqual(figure(results, "dnsbl: less CPU than forkserver").target, "")
        self.assertFalse(judge.Figure("", 79.0, at_least=judge.LESS_THAN_FORKSERVER).met)

    def test_too_many_calls_are_a_miss(self):
        self.assertFalse(figure(sample.results(), "attack: calls").met)

    def test_what_was_not_measured_is_not_judged(self):
        self.assertEqual(list(judge.figures({"side_by_side": None, "idle": None})), [])


if __name__ == "__main__":
    unittest.main()
