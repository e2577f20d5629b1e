"""The plugin http_forward with a web server of Python's, plain and with TLS."""

import http.server
import os
import ssl
import threading
import unittest

from harness import *
from process import at_end
from tls_test import make_certificate, needs_openssl

CONFIG = """
hostname = "mx.example.test"
workers = 1
[[listen]]
address = "127.0.0.1:@PORT@"
[forward]
maildir = "@DIR@/maildir"
[[plugin]]
use = "http_forward"
url = "%s"
answer_within = "20s"
[[plugin]]
use = "rcpt_accept"
"""
MESSAGE = b"From: you@example.org\r\nSubject: by web\r\n\r\n.dots\r\n\xff\r\n"
SENDER, RECIPIENT = "you@example.org", "someone@example.test"


class WebServer:
    """Keeps each POST; answers `status`, in chunks."""

    def __init__(self, cleanup, context=None):
        self.posts, self.status = [], 202
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.posts.append((self.path, self.headers, body))
                self.send_response(outer.status)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"8\r\nso it is\r\n0\r\n\r\n")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        cleanup(at_end(self.stop))

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class HttpForward(unittest.TestCase):
    def deliver(self, url, message=MESSAGE, environment=None):
        for name, value in (environment or {}).items():
            os.environ[name] = value
            self.addCleanup(os.environ.pop, name, None)
        self.server = posternd(self.addCleanup, CONFIG % url)
        return self.send(message)

    def send(self, message=MESSAGE):
        with Client(self.server.port) as client:
            client.hello()
            return client.deliver(SENDER, [RECIPIENT, "b@example.test"], message)

    def test_a_message_arrives_octet_for_octet_with_its_envelope(self):
        web = WebServer(self.addCleanup)
        self.assertEqual(self.deliver(f"http://127.0.0.1:{web.port}/in?box=1").code, 250)
        (path, headers, body), = web.posts
        self.assertEqual(path, "/in?box=1")
        self.assertTrue(body.endswith(MESSAGE), body)
        self.assertEqual(headers["Postern-Sender"], f"<{SENDER}>")
        self.assertEqual(headers.get_all("Postern-Recipient"), [f"<{RECIPIENT}>", "<b@example.test>"])
        self.assertEqual(headers["Postern-Client"], "127.0.0.1")
        web.status = 403
        reply = self.send()
        self.assertEqual((reply.code, reply.text), (550, "5.3.0 so it is"))
        web.status = 500
        self.assertEqual(self.send().code, 451)
        web.stop()
        self.assertEqual(self.send().code, 451)

    def test_a_large_message(self):
        web = WebServer(self.addCleanup)
        body = MESSAGE + b"0123456789abcdef\r\n" * 500_000
        self.assertEqual(self.deliver(f"http://localhost:{web.port}/", body).code, 250)
        self.assertTrue(web.posts[0][2].endswith(body))

    @needs_openssl
    def test_by_https_only_to_whom_the_certificate_is_for(self):
        directory = temporary_directory(self.addCleanup)
        make_certificate(directory, "web", "localhost")
        make_certificate(directory, "other", "other.example.test")
        for stem, code in (("web", 250), ("other", 451)):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{directory}/{stem}.crt", f"{directory}/{stem}.key")
            web = WebServer(self.addCleanup, context)
            reply = self.deliver(f"https://localhost:{web.port}/",
                                 environment={"SSL_CERT_FILE": f"{directory}/{stem}.crt"})
            self.assertEqual(reply.code, code, self.server.log())
            self.assertEqual(len(web.posts), 1 if code == 250 else 0)


if __name__ == "__main__":
    unittest.main()
