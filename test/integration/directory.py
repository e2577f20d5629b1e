"""OpenLDAP's slapd, with people of the test."""

import os
import pathlib
import shutil
import signal
import subprocess

from harness import *
from process import as_nobody

SLAPD = shutil.which("slapd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
BASE = "dc=example,dc=test"
ADMIN, PASSWORD = f"cn=admin,{BASE}", "secret"

CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile @DIR@/slapd.pid
@TLS@
access to * by dn.exact="@ADMIN@" read by anonymous auth
database mdb
maxsize 67108864
suffix "@BASE@"
rootdn "cn=root,@BASE@"
rootpw root
directory @DIR@/db
index mail,uid eq
"""

TREE = f"""dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Example
dc: example

dn: {ADMIN}
objectClass: person
cn: admin
sn: admin
userPassword: {PASSWORD}

"""


def person(number, mail):
    return (f"dn: cn=p{number},{BASE}\nobjectClass: inetOrgPerson\ncn: p{number}\nsn: p{number}\nuid: p{number}\n"
            f"mail: {mail}\n\n")


class Directory:
    """As nobody, in the foreground; `stop()` and `start()` any number of times."""

    def __init__(self, cleanup, mails, names="IP:127.0.0.1"):
        self.cleanup, self.port = cleanup, free_port()
        self.directory = temporary_directory(cleanup)
        os.chmod(self.directory, 0o755)
        self.certify(names)
        config = CONFIG.replace("@TLS@", f"TLSCertificateFile {self.path('cert.pem')}\n"
                                         f"TLSCertificateKeyFile {self.path('key.pem')}")
        config = config.replace("@ADMIN@", ADMIN).replace("@BASE@", BASE).replace("@DIR@", self.directory)
        pathlib.Path(self.path("slapd.conf")).write_text(config, encoding="utf-8")
        people = TREE + "".join(person(number, mail) for number, mail in enumerate(mails))
        pathlib.Path(self.path("people.ldif")).write_text(people, encoding="utf-8")
        os.mkdir(self.path("db"))
        for path in ("", "db", "key.pem"):
            if os.geteuid() == 0:
                shutil.chown(self.path(path), "nobody", "nogroup")
        subprocess.run(as_nobody([SLAPD.replace("slapd", "slapadd"), "-q", "-f", self.path("slapd.conf"), "-l",
                                  self.path("people.ldif")]), check=True, capture_output=True, timeout=LIMIT)
        self.start()

    def path(self, name):
        return os.path.join(self.directory, name)

    def certify(self, names):
        """A certificate that it signs itself."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=slapd",
                        "-addext", f"subjectAltName={names}", "-keyout", self.path("key.pem"), "-out",
                        self.path("cert.pem")], check=True, capture_output=True, timeout=LIMIT)

    def start(self):
        """For the first time, or when it has ended."""
        uris = f"ldap://127.0.0.1:{self.port}/"
        self.process = Process(self.cleanup, as_nobody([SLAPD, "-d", "0", "-f", self.path("slapd.conf"), "-h", uris]),
                               self.path("slapd.log"), cwd=self.directory)
        self.process.wait_ready(self.answers, "slapd answers")

    def freeze(self):
        """It says nothing any more, until `thaw()`."""
        self.process.kill_all(signal.SIGSTOP)
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        wait_until(lambda: all((task / "stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "T"
                               for task in tasks.iterdir()), "each of its threads has stopped")

    def thaw(self):
        self.process.kill_all(signal.SIGCONT)

    def answers(self):
        done = subprocess.run(["ldapsearch", "-x", "-LLL", "-H", self.uri, "-b", "", "-s", "base", "namingContexts"],
                              capture_output=True, timeout=LIMIT, check=False)
        return done.returncode == 0

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.port}"
