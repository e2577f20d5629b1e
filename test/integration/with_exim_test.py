"""docs/with-exim.md: each of its blocks with the real Exim, configured as Debian's packages do it."""

import unittest

from debian_exim import LIGHT, debian_exim, needs_debian_exim
from guide import LISTED
from guide_setup import (MESSAGE, DoesNotTrustPostern, EachSetupIsRun, Filters, FiltersByList,
                         GuideSetup, KeepsConnections)
from harness import *
from nameserver import needs_rbldnsd, needs_unbound
from outages import SurvivesOutages, assert_nothing_is_lost
from peers import EXIM
from programs import script


@needs_debian_exim
@needs_swaks
@needs_rbldnsd
@needs_unbound
class WithExim(GuideSetup):
    guide = "with-exim.md"
    program = EXIM
    own_ports = ("submission",)  # of Exim, that Postern has nothing to do with

    @classmethod
    def make_mta(cls):
        files = {name: text for name, text in cls.files.items()
                 if not name.endswith((".log", ".toml"))}
        server = debian_exim(cls.addClassCleanup, files, cls.program)
        for port in (cls.behind, *(getattr(cls, name) for name in cls.own_ports)):
            wait_until(lambda p=port: answers(p), f"Exim listens on {port}:\n{server.log()}")
        return server

    def test_users_of_this_machine_still_relay_by_exims_own_port(self):
        for name in self.own_ports:
            reply = self.rcpt("anybody@example.com", source="127.0.0.1", port=getattr(self, name))
            self.assertEqual(reply.code, 250, reply)


class FrontProxy(WithExim, FiltersByList, DoesNotTrustPostern, SurvivesOutages,
                 unittest.TestCase):
    setup = "front-proxy"


class FrontProxyV1(WithExim, FiltersByList, unittest.TestCase):
    setup = "front-proxy"

    @classmethod
    def postern(cls, cleanup, config, port):
        return super().postern(cleanup, config.replace("proxy-v2", "proxy-v1"), port)


class FrontLight(WithExim, FiltersByList, DoesNotTrustPostern, KeepsConnections, SurvivesOutages,
                 unittest.TestCase):
    setup = "front-light"
    program = LIGHT


class FrontPipe(WithExim, FiltersByList, DoesNotTrustPostern, unittest.TestCase):
    setup = "front-pipe"
    program = LIGHT

    @classmethod
    def make_mta(cls):
        files = {name: cls.files[name] for name in ("update-exim4.conf.conf", "exim4.conf.localmacros")}
        # Whoever Exim trusts must exist.
        files["exim4.conf.localmacros"] = files["exim4.conf.localmacros"].replace(": postern", ": nobody")
        server = debian_exim(cls.addClassCleanup, files, cls.program)
        wait_until(lambda: answers(cls.submission), f"Exim listens:\n{server.log()}")
        return server

    @classmethod
    def postern(cls, cleanup, config, port):
        # The program, with the configuration that is its own in a test.
        command = script(cls.mta.directory, "by-pipe",
                         f'exec {" ".join(cls.mta.command())} "$@"\n')
        return super().postern(cleanup, config.replace("/usr/sbin/exim4", command), port)


class Beside(WithExim, unittest.TestCase):
    setup = "beside"
    own_ports = ("own", "submission")

    def test_mail_for_the_domain_goes_through_postern(self):
        before = self.mta.messages()
        self.assertEqual(self.deliver(MESSAGE).code, 250)
        self.assertIn("(Postern) with ESMTP", self.new_message(before))
        self.assert_logged("mta.log", self.mta.log)

    def test_exims_own_port_serves_as_before(self):
        before = self.mta.messages()
        with self.connect(port=self.own) as client:
            reply = client.deliver("you@example.org", ["someone@example.net"], MESSAGE.encode())
        self.assertEqual(reply.code, 250)
        self.assertNotIn("Postern", self.new_message(before))

    def test_other_domains_are_refused(self):
        self.assertEqual(self.rcpt("anybody@example.com").code, 550)

    def test_the_list_only_observes(self):
        self.assertEqual(self.rcpt("someone@example.net", source=LISTED).code, 250)
        wait_until(lambda: "would" in self.server.log(), self.server.log())


class Behind(WithExim, Filters, DoesNotTrustPostern, unittest.TestCase):
    setup = "behind"
    own_ports = ("own",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client_port = cls.own

    def test_what_postern_refuses_is_refused_while_the_client_waits(self):
        before = self.mta.messages()
        reply = self.deliver("Subject: one\r\nSubject: two\r\n" + MESSAGE)
        self.assertEqual(reply.code, 550, reply)
        self.assertEqual(self.mta.messages(), before)

    def test_a_message_for_several_comes_back_once_for_each(self):
        before = self.mta.messages()
        reply = self.deliver(MESSAGE, ["someone@example.net", "second@example.net"])
        self.assertEqual(reply.code, 250)
        wait_until(lambda: len(self.mta.messages()) == len(before) + 2, "both come")
        for message in self.mta.messages():
            self.assertEqual(message.count(b"(Postern) with ESMTP"), 1)

    def test_killing_postern_loses_no_mail(self):
        def start():
            type(self).server = self.postern(self.addClassCleanup, self.files["postern.toml"],
                                             self.postern_port)
        assert_nothing_is_lost(self, self.own, [(self.server.kill_all, start)])


class Guide(EachSetupIsRun, unittest.TestCase):
    guide = WithExim.guide
    module = __name__


if __name__ == "__main__":
    unittest.main()
