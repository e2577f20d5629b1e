"""Feeds tools/count-tests logs as meson writes them."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

COUNT = pathlib.Path(__file__).resolve().with_name("count-tests")


def entry(stdout="", stderr="", result="OK"):
    return {"name": "sample", "stdout": stdout, "stderr": stderr, "result": result}


def count(*entries, broken=0):
    """(exit status, last line, output)."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as log:
        log.write("".join(json.dumps(e) + "\n" for e in entries))
        log.flush()
        ran = subprocess.run([sys.executable, COUNT, "--broken", str(broken), log.name],
                             capture_output=True, text=True)
    return ran.returncode, ran.stdout.rstrip("\n").split("\n")[-1], ran.stdout + ran.stderr


ROWS = [
    ("Catch2, all good", entry("All tests passed (46 assertions in 8 test cases)\n"), 0, "8 passed, 0 failed"),
    ("Catch2, one case", entry("All tests passed (1 assertion in 1 test case)\n"), 0, "1 passed, 0 failed"),
    ("Catch2, some fail", entry("test cases: 9 | 7 passed | 2 failed\nassertions: 3 | 3 failed\n",
                                result="FAIL"), 1, "7 passed, 2 failed"),
    ("Catch2, all fail", entry("test cases: 1 | 1 failed\n", result="FAIL"), 1, "0 passed, 1 failed"),
    ("Catch2, failed as expected", entry("test cases: 3 | 2 passed | 1 failed as expected\n"), 0,
     "3 passed, 0 failed"),
    ("Catch2, nothing in it", entry("No tests ran\n"), 1, "0 passed, 1 failed"),
    ("a leak after the summary", entry("All tests passed (4 assertions in 2 test cases)\n",
                                       "ERROR: LeakSanitizer", "FAIL"), 1, "2 passed, 1 failed"),
    ("a crash", entry("", "AddressSanitizer: SEGV", "FAIL"), 1, "0 passed, 1 failed"),
    ("a hang", entry("", "", "TIMEOUT"), 1, "0 passed, 1 failed"),
    ("unittest, all good", entry("", "Ran 5 tests in 0.010s\n\nOK\n"), 0, "5 passed, 0 failed"),
    ("unittest, skipped", entry("", "Ran 5 tests in 0.010s\n\nOK (skipped=2)\n"), 0,
     "3 passed, 0 failed, 2 skipped"),
    ("unittest, failures", entry("", "Ran 5 tests in 1.010s\n\nFAILED (failures=1, errors=1, skipped=1)\n",
                                 "FAIL"), 1, "2 passed, 2 failed, 1 skipped"),
    ("unittest, class set-up fails", entry("", "Ran 0 tests in 1.010s\n\nFAILED (errors=1)\n", "FAIL"),
     1, "0 passed, 1 failed"),
    ("unittest, nothing in it", entry("", "Ran 0 tests in 0.000s\n\nOK\n"), 1, "0 passed, 1 failed"),
    ("a script", entry("every include is allowed\n"), 0, "1 passed, 0 failed"),
    ("a script that fails", entry("x:1: bad\n", result="FAIL"), 1, "0 passed, 1 failed"),
    ("a script that skips alone is no success", entry(result="SKIP"), 1,
     "0 passed, 0 failed, 1 skipped"),
]


class CountTests(unittest.TestCase):
    def test_reads_each_summary(self):
        for name, log, status, last in ROWS:
            with self.subTest(name):
                self.assertEqual(count(log)[:2], (status, last))

    def test_sums_over_entries(self):
        good = entry("All tests passed (46 assertions in 8 test cases)\n")
        self.assertEqual(count(good, good, entry())[:2], (0, "17 passed, 0 failed"))

    def test_counts_a_stage_that_left_no_log(self):
        self.assertEqual(count(entry(), broken=2)[:2], (1, "1 passed, 2 failed"))

    def test_fails_when_nothing_ran(self):
        self.assertEqual(count()[:2], (1, "0 passed, 0 failed"))

    def test_names_what_failed(self):
        self.assertIn("failed: sample (TIMEOUT)", count(entry(result="TIMEOUT"))[2])

    def test_shows_the_end_of_what_a_failed_test_printed_before_the_last_line(self):
        noise = "".join(f"line {n}\n" for n in range(99))
        said = ("FAIL: test_early (x.T)\n" + noise + "y" * 400 + "\n\n"
                "Ran 2 tests in 0.010s\n\nFAILED (failures=2)\n")
        _, last, output = count(entry("to stdout\n", said, "FAIL"), entry("fine, says nothing\n"))
        self.assertEqual(last, "1 passed, 2 failed")
        for line in ("to stdout", "FAIL: test_early (x.T)", "line 98", "y" * 300, "FAILED (failures=2)"):
            self.assertIn(f"\n  {line}\n", output)
        self.assertNotIn("line 80\n", output)
        self.assertNotIn("fine", output)

    def test_shows_a_sanitizers_report_without_its_map_of_memory(self):
        report = ("==7==ERROR: AddressSanitizer: heap-use-after-free\n    #0 in f x.cpp:1\n"
                  "SUMMARY: AddressSanitizer: heap-use-after-free x.cpp:1 in f\n"
                  "Shadow bytes around the buggy address:\n" + "  0x0c04: 00 00\n" * 40 + "==7==ABORTING\n")
        output = count(entry("", report, "FAIL"))[2]
        self.assertIn("#0 in f x.cpp:1", output)
        self.assertNotIn("0x0c04", output)


if __name__ == "__main__":
    unittest.main()
