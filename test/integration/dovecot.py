"""The real Dovecot as an LMTP server: anna, bert and carl have a mailbox."""

import os
import shutil
import unittest

from peers import is_root, messages_in, write
from process import Process, answers, free_port, temporary_directory

needs_dovecot = unittest.skipUnless(is_root and os.path.exists("/usr/lib/dovecot/lmtp"),
                                    "dovecot-lmtpd is not installed, or we are not root")


class Dovecot(Process):
    """`address` is its TCP listener, `socket` its unix one, each as [forward] wants it."""

    def __init__(self, cleanup, directory):
        self.directory = directory
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.socket = f"unix:{directory}/run/lmtp"
        os.mkdir(os.path.join(directory, "mail"))
        shutil.chown(os.path.join(directory, "mail"), "dovecot", "dovecot")
        write(os.path.join(directory, "users"), "anna::::::\nbert::::::\ncarl::::::\n")
        config = os.path.join(directory, "dovecot.conf")
        write(config, DOVECOT_CONF.replace("@DIR@", directory).replace("@PORT@", str(self.port)))
        super().__init__(cleanup, ["dovecot", "-F", "-c", config], os.path.join(directory, "out.log"))
        self.wait_ready(lambda: answers(self.port, b"220"), "Dovecot greets")

    def messages(self, user):
        return messages_in(os.path.join(self.directory, "mail", user))


def dovecot(cleanup):
    return Dovecot(cleanup, temporary_directory(cleanup))


DOVECOT_CONF = """\
base_dir = @DIR@/run
state_dir = @DIR@/run
log_path = @DIR@/dovecot.log
protocols = lmtp
ssl = no
listen = 127.0.0.1
mail_location = maildir:@DIR@/mail/%n
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = username_format=%n @DIR@/users
}
userdb {
  driver = passwd-file
  args = username_format=%n @DIR@/users
  default_fields = uid=dovecot gid=dovecot home=@DIR@/mail/%n
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = @PORT@
  }
  unix_listener lmtp {
    mode = 0666
  }
}
"""
