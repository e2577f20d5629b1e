"""p0f itself on the loopback interface, and beside it what a p0f would never say."""

import contextlib
import os
import pathlib
import shutil
import socket
import struct
import threading
import unittest

from harness import *

P0F = shutil.which("p0f", path="/usr/sbin:/usr/bin:/usr/local/sbin")
CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "maildir"
[[plugin]]
use = "p0f"
socket = "@SOCKET@"
add_headers = true
@KEYS@
[[plugin]]
use = "rcpt_ok"
domains = ["example.test"]
"""


class P0f(unittest.TestCase):
    def start(self, path, keys=""):
        self.server = posternd(self.addCleanup, CONFIG.replace("@SOCKET@", path).replace("@KEYS@", keys))

    def rcpt(self, source="127.0.0.1"):
        with Client(self.server.port, source=source) as client:
            client.hello()
            client.must(250, "MAIL FROM:<a@b.example>")
            reply = client.command("RCPT TO:<x@example.test>")
            if reply.code == 250:
                client.must(354, "DATA")
                client.send(b"Subject: s\r\nX-P0F-Genre: forged\r\n\r\nb\r\n.\r\n")
                self.assertEqual(client.reply().code, 250)
            return f"{reply.code} {reply.text}"

    def message(self):
        folder = pathlib.Path(self.server.directory, "maildir", "new")
        return wait_until(lambda: next(iter(folder.glob("*")), None), "a message").read_text(encoding="utf-8")

    @unittest.skipUnless(P0F and os.geteuid() == 0, "p0f wants to be installed, and root")
    def test_p0f_itself(self):
        path = os.path.join(temporary_directory(self.addCleanup), "p0f")
        p0f = Process(self.addCleanup, [P0F, "-i", "lo", "-s", path], path + ".log")
        try:
            p0f.wait_ready(lambda: os.path.exists(path) and "Entered main event loop" in p0f.log(), "p0f listens")
        except RuntimeError as refused:
            self.skipTest(f"p0f may not listen on lo here: {refused}")
        self.start(path, 'blocked = ["/^linux/ Get a system"]\npatience = "4s"')
        self.assertEqual(self.rcpt("127.0.0.77"), "550 5.7.1 Get a system")
        self.server.stop()
        self.start(path, 'blocked = ["/windows/"]\npatience = "4s"')
        self.assertEqual(self.rcpt("127.0.0.78").split()[0], "250")
        self.assertRegex(self.message(), r"(?m)^X-P0F-Genre: Linux$")
        self.assertNotIn("forged", self.message())
        p0f.stop()
        self.assertEqual(self.rcpt("127.0.0.79").split()[0], "250")

    def stub(self, answer):
        """A p0f that says `answer`, whatever it is asked, and then nothing any more. Gives its path."""
        path = os.path.join(temporary_directory(self.addCleanup), "p0f")
        listening = socket.socket(socket.AF_UNIX)
        self.addCleanup(listening.close)
        listening.bind(path)
        listening.listen(5)
        self.questions = []

        def serve():
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                self.addCleanup(connection.close)
                self.questions.append(connection.recv(100))
                with contextlib.suppress(OSError):  # whoever only looked whether the daemon is there has gone
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return path

    def test_what_is_no_answer_refuses_nobody(self):
        def packed(magic=0x50304602, status=0x10, genre=b"Windows"):
            return struct.pack("=9Ihbb32s32s32s32s32s32s", magic, status, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, genre, b"XP", b"",
                               b"", b"DSL", b"")
        for answer, heard in ((packed(), "550 5.7.1 OS Blocked"), (packed(magic=0xdefaced), "250 2.1.5 Recipient OK"),
                              (packed(status=0), "250 2.1.5 Recipient OK"), (packed(status=0x20), "250 2.1.5 Recipient OK"),
                              (packed()[:100], "250 2.1.5 Recipient OK"), (b"", "250 2.1.5 Recipient OK"),
                              (packed(genre=b""), "250 2.1.5 Recipient OK"), (packed() + b"more", "550 5.7.1 OS Blocked")):
            with self.subTest(answer=answer):
                patience = 'patience = "4s"' if heard.startswith("550") else ""  # the stub may be slow
                self.start(self.stub(answer), 'blocked = ["/windows xp/"]\n' + patience)
                self.assertEqual(self.rcpt(), heard)
                self.assertEqual(self.questions[0], struct.pack("=IB16s", 0x50304601, 4, b"\x7f\0\0\1"))
                self.server.stop()


if __name__ == "__main__":
    unittest.main()
