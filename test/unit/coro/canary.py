#!/usr/bin/env python3
"""Says which forms of co_await the compiler gets wrong, and fails when an allowed one is among them.

usage: canary.py canary_forms.cpp COMPILER...

The day a compiler is repaired, the list below the line "wrong" shrinks; the day it breaks a form that
our coding rules allow, this test fails.
"""
import os
import subprocess
import sys
import tempfile

# Forms that the compiler may refuse or die of: one program each. All of them are forbidden.
ALONE = {
    "forbidden_braced_list": 'Task<int> f() { co_return co_await ask_list({"a", "b"}); }',
    "forbidden_temporary_left_of_and": "Task<int> f() { bool b = Text().empty() && co_await yes(); co_return b; }",
    "forbidden_statement_expression": "Task<int> f() { Text t = ({ Text r = co_await text(); if (r.empty()) co_return 1; r; }); co_return 0; }",
}
ALONE_BEGIN = """
#include <coroutine>
#include <initializer_list>
#include <utility>
struct Text { Text(); Text(const char*); Text(const Text&); ~Text(); bool empty() const; };
template <typename T> struct Task {
  struct promise_type {
    Task get_return_object();
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void unhandled_exception();
    void return_value(T);
  };
  ~Task();
  bool await_ready();
  bool await_suspend(std::coroutine_handle<>);
  T await_resume();
};
Task<int> one();
Task<bool> yes();
Task<Text> text();
Task<int> ask_list(std::initializer_list<Text>);
"""
LEVELS = ("-O0", "-O2")


def compiles(compiler, level, source, out):
    command = [*compiler, "-std=c++20", "-w", level, source, *out]
    return subprocess.run(command, capture_output=True, timeout=300).returncode == 0


def outcome(program, form):
    try:
        status = subprocess.run([program, form], capture_output=True, timeout=60).returncode
    except subprocess.TimeoutExpired:
        return "hangs"
    return "right" if status == 0 else "killed" if status < 0 else "wrong"


def main():
    source, compiler = sys.argv[1], sys.argv[2:]
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for level in LEVELS:
            program = os.path.join(folder, "canary" + level)
            if not compiles(compiler, level, source, ["-o", program]):
                print(f"canary_forms.cpp does not compile at {level}: an allowed form may be refused")
                return 1
            names = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
            for name in names:
                results.setdefault(name, []).append(outcome(program, name))
            for name, body in ALONE.items():
                path = os.path.join(folder, name + ".cpp")
                with open(path, "w", encoding="ascii") as file:
                    file.write(ALONE_BEGIN + body + "\n")
                done = compiles(compiler, level, path, ["-c", "-o", os.devnull])
                results.setdefault(name, []).append("right" if done else "refused")
    bad = {name: found for name, found in results.items() if set(found) != {"right"}}
    print(f"{len(results)} forms at {', '.join(LEVELS)}; wrong:")
    for name, found in sorted(bad.items()):
        print(f"  {name}: {', '.join(found)}")
    if not bad:
        print("  none: this compiler needs no house rule")
    broken = [name for name in bad if name.startswith("allowed_")]
    if broken:
        print(f"FAILED: our coding rules allow {', '.join(sorted(broken))}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
