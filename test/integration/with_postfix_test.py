"""docs/with-postfix.md: each of its blocks with the real Postfix."""

import unittest

from guide import LISTED
from guide_setup import (LIST_SAYS, MESSAGE, DoesNotTrustPostern, EachSetupIsRun, Filters,
                         FiltersByList, GuideSetup, KeepsConnections)
from harness import *
from nameserver import needs_rbldnsd, needs_unbound
from outages import SurvivesOutages, assert_nothing_is_lost
from peers import Postfix as PostfixServer

# The administrator's own main.cf. 127.0.0.1 is trusted, as everywhere; the tests' clients are strangers.
SITE = """
myhostname = pf.example.net
mynetworks = 127.0.0.1/32
virtual_mailbox_domains = example.net
virtual_mailbox_maps = inline:{ someone@example.net=all/, second@example.net=all/ }
"""


@needs_postfix
@needs_swaks
@needs_rbldnsd
@needs_unbound
class WithPostfix(GuideSetup):
    guide = "with-postfix.md"

    @classmethod
    def make_mta(cls):
        return PostfixServer(cls.addClassCleanup, temporary_directory(cls.addClassCleanup), SITE,
                             cls.files["master.cf"])


class FrontXclient(WithPostfix, FiltersByList, DoesNotTrustPostern, SurvivesOutages,
                   unittest.TestCase):
    setup = "front-xclient"


class FrontXforward(WithPostfix, FiltersByList, DoesNotTrustPostern, KeepsConnections, SurvivesOutages,
                    unittest.TestCase):
    setup = "front-xforward"


class FrontProxy(WithPostfix, FiltersByList, DoesNotTrustPostern, SurvivesOutages,
                 unittest.TestCase):
    setup = "front-proxy"


class FrontProxyV1(WithPostfix, FiltersByList, unittest.TestCase):
    setup = "front-proxy"

    @classmethod
    def postern(cls, cleanup, config, port):
        return super().postern(cleanup, config.replace("proxy-v2", "proxy-v1"), port)


class FrontNone(WithPostfix, FiltersByList, DoesNotTrustPostern, KeepsConnections,
                unittest.TestCase):
    setup = "front-none"


class Filter(WithPostfix, Filters, unittest.TestCase):
    setup = "filter"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client_port = cls.own

    def test_a_listed_client_is_refused_while_it_waits(self):
        before = self.mta.messages()
        with self.connect(source=LISTED) as client:
            client.must(250, "MAIL FROM:<you@example.org>")
            reply = client.must(550, "RCPT TO:<someone@example.net>")
            self.assertIn(LIST_SAYS, reply.text)
        self.assertEqual(self.mta.messages(), before)

    def test_what_postern_refuses_of_the_content_is_refused_while_the_client_waits(self):
        before = self.mta.messages()
        reply = self.deliver("Subject: one\r\nSubject: two\r\n" + MESSAGE)
        self.assertEqual(reply.code, 550, reply)
        self.assertEqual(self.mta.messages(), before)

    def test_a_message_for_several_comes_back_once(self):
        before = self.mta.messages()
        reply = self.deliver(MESSAGE, ["someone@example.net", "second@example.net"])
        self.assertEqual(reply.code, 250)
        wait_until(lambda: len(self.mta.messages()) == len(before) + 2, "both come")

    def test_what_postfix_offers_passes_postern(self):
        before = self.mta.messages()
        with self.connect() as client:
            client.must(250, "MAIL FROM:<j\u00fcrgen@example.org> SMTPUTF8 BODY=8BITMIME RET=HDRS ENVID=x")
            client.must(250, "RCPT TO:<someone@example.net> NOTIFY=NEVER ORCPT=rfc822;x@example.net")
            client.must(354, "DATA")
            client.send_body(MESSAGE)
            client.must(250)
        self.assertIn("Return-Path: <j\u00fcrgen@example.org>", self.new_message(before))

    def test_killing_postern_loses_no_mail(self):
        def start():
            type(self).server = self.postern(self.addClassCleanup, self.files["postern.toml"],
                                             self.postern_port)
        assert_nothing_is_lost(self, self.own, [(self.server.kill_all, start)])


class Beside(WithPostfix, unittest.TestCase):
    setup = "beside"

    def test_mail_for_the_domain_goes_through_postern(self):
        before = self.mta.messages()
        self.assertEqual(self.deliver(MESSAGE).code, 250)
        self.assertIn("(Postern) with ESMTP", self.new_message(before))
        self.assert_logged("mta.log", self.mta.log)

    def test_postfix_own_port_serves_as_before(self):
        before = self.mta.messages()
        with self.connect(port=self.own) as client:
            reply = client.deliver("you@example.org", ["someone@example.net"], MESSAGE.encode())
        self.assertEqual(reply.code, 250)
        self.assertNotIn("Postern", self.new_message(before))
        self.assertEqual(self.rcpt("a@example.com", source="127.0.0.1", port=self.own).code, 250)

    def test_other_domains_are_refused(self):
        self.assertEqual(self.rcpt("anybody@example.com").code, 550)

    def test_the_list_only_observes(self):
        self.assertEqual(self.rcpt("someone@example.net", source=LISTED).code, 250)
        wait_until(lambda: "would" in self.server.log(), self.server.log())


class Guide(EachSetupIsRun, unittest.TestCase):
    guide = WithPostfix.guide
    module = __name__


if __name__ == "__main__":
    unittest.main()
