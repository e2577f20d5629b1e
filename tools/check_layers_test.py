"""Feeds tools/check-layers small trees: what it must refuse and what it must leave alone."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).resolve().with_name("check-layers")


def check(files):
    """(exit status, output) for a tree of {path: [headers as they are written]}."""
    with tempfile.TemporaryDirectory() as root:
        for name, headers in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("// a file\n" + "".join(f"#include {h}\n" for h in headers))
        ran = subprocess.run([sys.executable, CHECK, "--root", root], capture_output=True, text=True)
        return ran.returncode, ran.stdout + ran.stderr


REFUSED = [
    ("lib/postern/base/a.cpp", "<postern/coro/task.hpp>", "base may not include coro"),
    ("lib/postern/smtp/a.hpp", "<postern/mail/field.hpp>", "smtp may not include mail"),
    ("lib/postern/smtp/a.hpp", "<postern/net/stream.hpp>", "smtp may not include net"),
    ("lib/postern/net/a.hpp", "<postern/smtp/reply.hpp>", "net may not include smtp"),
    ("lib/postern/policy/a.cpp", "<postern/net/stream.hpp>", "policy may not include net"),
    ("lib/postern/deliver/a.cpp", "<postern/session/session.hpp>", "deliver may not include"),
    ("lib/postern/plugin/a.hpp", "<postern/net/tcp.hpp>", "tcp.hpp is not one"),
    ("lib/postern/wild/a.hpp", "<postern/base/ip.hpp>", "unknown layer wild"),
    ("lib/postern/base/a.cpp", '"ip.hpp"', "in quotes"),
    ("lib/postern/session/a.cpp", "<uv.h>", "belongs to lib/postern/net only"),
    ("lib/postern/testing/a.cpp", "<uv.h>", "belongs to lib/postern/net only"),
    ("daemon/main.cpp", "<uv.h>", "belongs to lib/postern/net only"),
    ("lib/postern/net/a.cpp", "<ares.h>", "belongs to lib/postern/dns only"),
    ("lib/postern/net/a.cpp", "<lmdb.h>", "belongs to lib/postern/store only"),
    ("lib/postern/mail/a.cpp", "<openssl/evp.h>", "lib/postern/net and lib/postern/verify only"),
    ("daemon/config.cpp", "<toml++/toml.h>", "belongs to lib/postern/policy only"),
    ("daemon/master.cpp", "<CLI/CLI.hpp>", "a program's main.cpp only"),
    ("lib/postern/base/a.hpp", "<nlohmann/json.hpp>", "include it in the .cpp"),
    ("plugins-async/rcpt/a.cpp", "<postern/base/ip.hpp>", "a plugin may not include"),
    ("bench/load.cpp", "<uv.h>", "belongs to lib/postern/net only"),
    ("bench/spike/a.cpp", "<postern/base/ip.hpp>", "shares no code with it"),
]

ALLOWED = {
    "lib/postern/coro/a.hpp": ["<postern/base/result.hpp>", "<postern/coro/b.hpp>", "<fmt/core.h>"],
    "lib/postern/net/a.cpp": ["<uv.h>", "<openssl/ssl.h>", "<postern/coro/a.hpp>"],
    "lib/postern/net/stream.hpp": ["<postern/coro/a.hpp>", "<string>"],
    "lib/postern/policy/a.cpp": ["<toml++/toml.h>", "<postern/smtp/path.hpp>"],
    "lib/postern/plugin/a.hpp": ["<postern/net/stream.hpp>", "<postern/policy/a.hpp>"],
    "lib/postern/session/a.cpp": ["<postern/deliver/pool.hpp>", "<postern/net/tcp.hpp>"],
    "lib/postern/testing/a.hpp": ["<postern/net/stream.hpp>", "<postern/session/a.hpp>"],
    "lib/postern/base/a.cpp": ["<nlohmann/json.hpp>"],
    "lib/postern/base/b.hpp": ["<nlohmann/json_fwd.hpp>"],
    "daemon/main.cpp": ["<CLI/CLI.hpp>", '"master.hpp"', "<postern/session/a.hpp>"],
    "test/unit/net/tcp_test.cpp": ["<uv.h>", '"catch.hpp"'],
    "bench/spike/a.cpp": ["<uv.h>", "<ares.h>", '"wire.hpp"'],
    "plugins-async/rcpt/a.cpp": ["<postern/plugin.hpp>", "<postern/facts/dnsbl.hpp>", "<string>"],
}


class CheckLayers(unittest.TestCase):
    def test_refuses_what_goes_upwards_or_sideways(self):
        for path, header, why in REFUSED:
            with self.subTest(path=path, header=header):
                status, output = check({path: ["<string>", header]})
                self.assertEqual(status, 1, output)
                self.assertIn(f"{path}:3: ", output)
                self.assertIn(why, output)

    def test_allows_what_goes_downwards(self):
        status, output = check(ALLOWED)
        self.assertEqual(status, 0, output)

    def test_an_include_in_a_comment_is_none(self):
        status, output = check({"lib/postern/base/a.cpp": ["<string> /*", "<uv.h>", "<string> */"]})
        self.assertEqual(status, 0, output)

    def test_testing_and_interfaces_do_not_reach_the_loop_through_other_headers(self):
        tree = {"lib/postern/net/tcp.hpp": ["<postern/net/handle.hpp>"],
                "lib/postern/net/handle.hpp": ["<postern/net/tcp.hpp>", "<uv.h>"],
                "lib/postern/net/stream.hpp": ["<postern/net/tcp.hpp>"],
                "lib/postern/testing/h.hpp": ["<postern/net/tcp.hpp>"]}
        status, output = check(tree)
        self.assertEqual(status, 1)
        self.assertIn("net/stream.hpp:2: an interface may not reach <uv.h>", output)
        self.assertIn("testing/h.hpp:2: testing may not reach <uv.h>", output)
        self.assertIn("postern/net/tcp.hpp -> postern/net/handle.hpp", output)
        self.assertEqual(output.count("\n"), 2, output)


if __name__ == "__main__":
    unittest.main()
