"""Feeds tools/lint-coroutines what it must refuse and what it must leave alone."""

import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import sys
import tempfile
import unittest
import unittest.mock

LINT = pathlib.Path(__file__).resolve().with_name("lint-coroutines")


def load():
    sys.path.insert(0, str(LINT.parent))
    loader = importlib.machinery.SourceFileLoader("lint_coroutines", str(LINT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


program = load()


def lint(source):
    """(exit status, output) for a tree of one file."""
    with tempfile.TemporaryDirectory() as root:
        folder = pathlib.Path(root, "lib", "postern", "net")
        folder.mkdir(parents=True)
        (folder / "sample.cpp").write_text(source)
        output = io.StringIO()
        arguments = [str(LINT), "--root", root]
        with unittest.mock.patch.object(sys, "argv", arguments), contextlib.redirect_stdout(output):
            status = program.main()
        return status, output.getvalue()


def in_function(statement):
    return f"Task<void> run(Stream& stream) {{\n  {statement}\n}}\n"


STATEMENTS_REFUSED = {
    "if (co_await ready()) go();": "head of `if`",
    "if (!co_await ready()) go();": "head of `if`",
    "if (bool ok = co_await ready(); ok) go();": "head of `if`",
    "while (co_await more()) go();": "head of `while`",
    "for (int i = 0; co_await more(); ++i) go();": "head of `for`",
    "for (auto x : co_await all()) go(x);": "head of `for`",
    "switch (co_await which()) {}": "head of `switch`",
    "const bool b = ok && co_await ready();": "after `&&`",
    "const bool b = co_await ready() && ok;": "before `&&`",
    "co_return co_await ready() || ok;": "before `||`",
    "auto x = c ? co_await f() : g();": "`?:`",
    "auto x = c ? f() : co_await g();": "`?:`",
    "auto x = co_await f(c ? s : t);": "`?:`",
    "S s{a, co_await b()};": "braced list",
    "co_return S{co_await b()};": "braced list",
    "S s{co_await b(), a};": "list",
    "co_await ask({.name = n});": "braces in the operand",
    "co_await ask({\"a\", \"b\"});": "braces in the operand",
    "co_await f(Agg{n});": "braces in the operand",
    "co_await Awaiter{n};": "braces in the operand",
    "co_await f([s = n] { return s; });": "braces in the operand",
    "f(co_await g());": "inside another expression",
    "auto x = make(co_await g());": "inside another expression",
    "auto x = 1 + co_await g();": "after `+`",
    "auto x = !co_await g();": "after `!`",
    "auto [a, b] = co_await g();": "structured binding",
    "const auto& [a, b] = co_await g();": "structured binding",
    "task.detach();": "nothing is detached",
    "group->detach();": "nothing is detached",
    "// TODO(now): finish": "TODO(now)",
    "auto l = [&stream]() -> Task<int> { co_return 1; };": "capturing lambda",
    "auto l = [x] { co_await f(); };": "capturing lambda",
    "auto l = [=](int a) mutable -> coro::Task<int> { co_return a; };": "capturing lambda",
}

STATEMENTS_ALLOWED = [
    "co_await stream.close();",
    "(void)co_await stream.close();",
    "if (bad) co_await stream.close();",
    "if (bad) { go(); } else co_await stream.close();",
    "for (auto& x : all) co_await x.close();",
    "auto r = co_await f<int, char>(stream);",
    "const Result<std::map<int, int>> r = co_await f(std::move(name), 3, std::string(\"a?b && c{\"));",
    "last = co_await f();",
    "cache[key] = co_await f();",
    "total += co_await f();",
    "co_return co_await f();",
    "switch (n) { case 1: co_await f(); break; default: co_await g(); }",
    "auto keep = [&](Answer a) { found.push_back(a); };\n  co_await lookups.each(keep);",
    "auto l = [](int a) -> Task<int> { co_return a; };",
    "bool ok = x && y; int z = ok ? 1 : 2;",
    "// co_await in a comment: if (co_await x) {}",
    "auto s = \"if (co_await x) {}\"; auto t = R\"(f(co_await x))\"; char c = '\"';",
    "int big = 1'000'000; co_await f();",
    "table[0] = [] { return 1; }();",
    "// TODO(perf): one copy less",
    "if (co_await x()) {}  // NOLINT(lint-coroutines): shows what the compiler gets wrong",
]

FILES_REFUSED = {
    "Task<void> f(const std::string& name);": "const T&",
    "Task<void> f(std::string const& name);": "const T&",
    "Task<void> f(int a, std::string&& name) { co_return; }": "T&&",
    "Task<void> f(X&&);": "T&&",
    "Task<Result<int>> S::f(std::string_view name) { co_return 1; }": "string_view",
    "coro::Task<void> f(std::vector<std::string_view> names);": "string_view",
    "Task<void> f(std::span<const char> octets);": "span",
    "Task<void> f(std::initializer_list<int> all);": "initializer_list",
    "Task<void> f(Options o = {});": "default argument",
    "auto f(const X& x) -> Task<void>;": "const T&",
    "struct A { virtual Task<int> f(const X& x) = 0; };": "const T&",
    "auto l = [](const X& x) -> Task<void> { co_return; };": "const T&",
    "Task<std::map<int, int>> f(const X& x);": "const T&",
    "Task<void> f(std::map<int, int> m, const X& x);": "const T&",
    "Task<void> f(const X& x);  // NOLINT(lint-coroutines)": "without its reason",
    "// NOLINTBEGIN(lint-coroutines): why\nint x;": "without its NOLINTEND",
}

FILES_ALLOWED = [
    "Task<void> f(Session& session, std::string name, const int count);",
    "Task<void> f(std::function<void(const X&, std::string_view)> callback);",
    "Task<void> f(Result<int> (*open)(const X&), std::string name);",
    "Task<void> f(std::vector<const X*> all, Group<Task<int>>& group);",
    "Task<void> f(const X& x) { return g(copy(x)); }",
    "Task<void> f(std::function<void()> then = {});",
    "std::function<Task<void>(std::string_view)> make(const X& x);",
    "template <> class Task<void> { Task(Task&& other) noexcept; };",
    "auto operator co_await() const noexcept;",
    "Task<int> t = make(std::string_view(\"x\"));",
    "void g() { Task<int> task(std::move(other)); }",
    "// NOLINTBEGIN(lint-coroutines): shows the forms\nTask<void> f(const X& x);\n"
    "// NOLINTEND(lint-coroutines)\n",
]


class LintCoroutines(unittest.TestCase):
    def test_refuses_each_form_that_is_miscompiled_or_dangles(self):
        for statement, why in STATEMENTS_REFUSED.items():
            with self.subTest(statement):
                status, output = lint(in_function(statement))
                self.assertEqual(status, 1, output)
                self.assertIn("lib/postern/net/sample.cpp:2: ", output)
                self.assertIn(why, output)

    def test_leaves_the_other_forms_alone(self):
        for statement in STATEMENTS_ALLOWED:
            with self.subTest(statement):
                status, output = lint(in_function(statement))
                self.assertEqual(status, 0, output)

    def test_refuses_parameters_that_dangle(self):
        for source, why in FILES_REFUSED.items():
            with self.subTest(source):
                status, output = lint(source)
                self.assertEqual(status, 1, output)
                self.assertIn(why, output)

    def test_leaves_other_parameters_alone(self):
        for source in FILES_ALLOWED:
            with self.subTest(source):
                status, output = lint(source)
                self.assertEqual(status, 0, output)

    def test_names_the_line_behind_comments_strings_and_continuations(self):
        source = ('/* one\n two */ auto s = R"(\n\n)";\n#define X \\\n  if (co_await y)\n'
                  + in_function("f(co_await g());"))
        status, output = lint(source)
        self.assertEqual(status, 1)
        self.assertIn("sample.cpp:8: ", output)
        self.assertEqual(output.count("sample.cpp"), 1, output)


if __name__ == "__main__":
    unittest.main()
