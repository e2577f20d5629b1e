"""Real programs to test against, each in a temporary directory of its own and on free ports: posternd,
Postfix with its smtp-sink and smtp-source, Exim, swaks."""

import contextlib
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import unittest

from process import (LIMIT, Process, answers, as_nobody, at_end, children_of, free_port, group_lives,
                     temporary_directory, wait_until)

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EXIM = pathlib.Path(os.environ.get("POSTERN_EXIM", ROOT / "build/peers/exim/usr/sbin/exim4"))
MASTER_CF = pathlib.Path("/usr/share/postfix/master.cf.dist")

is_root = os.geteuid() == 0
is_sanitized = "asan" in os.environ.get("POSTERND", "")  # the tree of ./dev test
needs_postfix = unittest.skipUnless(is_root and shutil.which("postfix") and MASTER_CF.exists(),
                                    "Postfix is not installed, or we are not root")
needs_exim = unittest.skipUnless(is_root and EXIM.exists(),
                                 "Exim is not unpacked under build/peers, or we are not root")
needs_smtp_sink = unittest.skipUnless(shutil.which("smtp-sink"), "smtp-sink is not installed")
needs_swaks = unittest.skipUnless(shutil.which("swaks"), "swaks is not installed")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o644)


def messages_in(maildir):
    """The content of each message of a Maildir's new/ and cur/, in the order of their names."""
    files = [path for part in ("new", "cur") for path in pathlib.Path(maildir, part).glob("*")]
    found = []
    for path in sorted(files, key=lambda file: file.name):
        with contextlib.suppress(FileNotFoundError):  # a server may just move it
            found.append(path.read_bytes())
    return found


# ---- posternd ------------------------------------------------------------------------------------


class Postern(Process):
    """A running posternd. `port` is where @PORT@ of its configuration is."""

    def __init__(self, cleanup, directory, port):
        self.directory = directory
        self.port = port
        config = os.path.join(directory, "postern.toml")
        super().__init__(cleanup, [posternd_path(), "--config", config],
                         os.path.join(directory, "posternd.log"))

    def workers(self):
        """The process ids of the master's children."""
        return children_of(self.pid)

    def messages(self, maildir="maildir"):
        return messages_in(os.path.join(self.directory, maildir))


def posternd_path():
    path = os.environ.get("POSTERND") or ROOT / "build/release/daemon/posternd"
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is not there: ./dev build makes it; or set POSTERND")
    return str(path)


def configure_postern(cleanup, config_text, files=None, port=None):
    """Writes postern.toml and `files` (name -> text) to a new directory; gives (directory, port). In
    all of them @PORT@ becomes a free port and @DIR@ the directory."""
    directory, port = temporary_directory(cleanup), port or free_port()
    for name, text in {**(files or {}), "postern.toml": config_text}.items():
        path = pathlib.Path(directory, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, text.replace("@PORT@", str(port)).replace("@DIR@", directory))
    return directory, port


def posternd(cleanup, config_text, files=None, greeting=b"220", port=None):
    """Starts posternd and waits for its greeting. `port`: where the configuration listens, if it does
    not say @PORT@."""
    directory, port = configure_postern(cleanup, config_text, files, port)
    server = Postern(cleanup, directory, port)
    server.wait_ready(lambda: answers(port, greeting), "posternd greets")
    return server


def run_posternd(cleanup, config_text, *arguments, files=None):
    """Runs posternd to its end (--check, or a configuration that it must refuse)."""
    directory, _ = configure_postern(cleanup, config_text, files)
    config = os.path.join(directory, "postern.toml")
    return subprocess.run([posternd_path(), "--config", config, *arguments], capture_output=True,
                          text=True, timeout=LIMIT, stdin=subprocess.DEVNULL, check=False)


# ---- small programs ------------------------------------------------------------------------------


def smtp_sink(cleanup, *options, backlog=100):
    """Postfix's smtp-sink. The process has `.port`."""
    port, directory = free_port(), temporary_directory(cleanup)
    sink = Process(cleanup, as_nobody(["smtp-sink", *options, f"127.0.0.1:{port}", str(backlog)]),
                   os.path.join(directory, "sink.log"), cwd=directory)
    sink.port = port
    sink.wait_ready(lambda: answers(port), "smtp-sink listens")
    return sink


def smtp_source(port, *options, limit=LIMIT):
    """Postfix's load generator, run to its end: smtp_source(port, "-s", 4, "-m", 100)."""
    command = ["smtp-source", *map(str, options), "-f", "a@example.org", "-t", "b@example.test",
               f"127.0.0.1:{port}"]
    return subprocess.run(as_nobody(command), capture_output=True, text=True, timeout=limit,
                          stdin=subprocess.DEVNULL, check=False)


def swaks(port, *options, limit=LIMIT):
    """swaks, run to its end; exit status 0 when the message was accepted."""
    command = ["swaks", "--server", f"127.0.0.1:{port}", "--from", "you@example.org", "--to",
               "someone@example.test", *map(str, options)]
    return subprocess.run(command, capture_output=True, text=True, timeout=limit,
                          stdin=subprocess.DEVNULL, check=False)


# ---- Postfix -------------------------------------------------------------------------------------


class Postfix:
    """`port` is plain SMTP with XCLIENT and XFORWARD for us, `proxy_port` wants a PROXY header. Mail
    for example.test is delivered into one Maildir."""

    def __init__(self, cleanup, directory, main="", services=None):
        """`main`: lines for main.cf that differ. `services`: lines of master.cf, with what listens for mail, in
        place of the two above."""
        self.directory = directory
        self.port = free_port()
        self.proxy_port = free_port()
        self.config = os.path.join(directory, "conf")
        self._write(main, services or self._services())
        self.pid = 0
        cleanup(at_end(self.stop))
        self.start()

    def start(self):
        """Also again, after it has ended in whichever way."""
        started = self._postfix("start")
        if started.returncode != 0:
            raise RuntimeError(f"{started.stdout}{started.stderr}{self.log()}")
        self.pid = int(wait_until(self._read_pid, "Postfix has a master").strip())

    def _services(self):
        return (f"127.0.0.1:{self.port} inet n - n - - smtpd\n"
                f"127.0.0.1:{self.proxy_port} inet n - n - - smtpd\n"
                "  -o smtpd_upstream_proxy_protocol=haproxy\n")

    def _write(self, main, services):
        # The queue is readable by Postfix's own user only below its top.
        for name in ("conf", "spool", "log"):
            os.mkdir(os.path.join(self.directory, name))
        os.chmod(self.config, 0o755)
        for name, owner in (("data", "postfix"), ("mail", "nobody")):
            os.mkdir(os.path.join(self.directory, name))
            shutil.chown(os.path.join(self.directory, name), owner)
        # postsuper, which is the postfix user by then, has to say what a killed Postfix left behind.
        write(os.path.join(self.directory, "log/maillog"), "")
        shutil.chown(os.path.join(self.directory, "log/maillog"), "postfix")
        write(os.path.join(self.config, "main.cf"),
              main_cf(POSTFIX_MAIN.replace("@DIR@", self.directory), main))
        write(os.path.join(self.config, "master.cf"), self._master_cf(services))

    @staticmethod
    def _master_cf(services):
        lines = []
        for line in MASTER_CF.read_text(encoding="utf-8").splitlines():
            fields = line.split()
            if line.startswith("#") or not fields or fields[:2] == ["smtp", "inet"]:
                continue
            if not line[0].isspace() and len(fields) >= 8:
                fields[4] = "n"  # no chroot: its files would have to be copied first
                line = " ".join(fields)
            lines.append(line)
        return "\n".join(lines) + "\n" + services

    def _postfix(self, command):
        return subprocess.run(["postfix", "-c", self.config, command], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=LIMIT, check=False)

    def _read_pid(self):
        with contextlib.suppress(FileNotFoundError):
            return pathlib.Path(self.directory, "spool/pid/master.pid").read_text(encoding="ascii")
        return None

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            return pathlib.Path(self.directory, "log/maillog").read_text(encoding="utf-8")
        return ""

    def messages(self):
        return messages_in(os.path.join(self.directory, "mail", "all"))

    def run_queue(self):
        """Tries to deliver all that is queued, whenever that is due."""
        self._postfix("flush")

    def stop(self):
        self._postfix("stop")
        if self.pid and group_lives(self.pid):
            self.kill_all()

    def kill_all(self, number=signal.SIGKILL):
        """To all of its processes: its group is the one that `start` made for it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)
        if number == signal.SIGKILL:
            wait_until(lambda: not group_lives(self.pid), "Postfix has gone")


def main_cf(lines, others):
    """`lines`, but for those in whose place `others` say something else."""
    said = {line.split()[0] for line in others.splitlines() if line}
    kept = [line for line in lines.splitlines() if line.split()[0] not in said]
    return "\n".join(kept) + "\n" + others


def postfix(cleanup):
    server = Postfix(cleanup, temporary_directory(cleanup))
    wait_until(lambda: answers(server.port, b"220"), f"Postfix greets:\n{server.log()}")
    return server


# service_throttle_time: its master starts nothing for so long after a child was killed before it had
# served anybody; 60 s by default.
POSTFIX_MAIN = """\
compatibility_level = 3.6
queue_directory = @DIR@/spool
data_directory = @DIR@/data
myhostname = pf.example.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = example.test
virtual_mailbox_base = @DIR@/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 1
local_recipient_maps =
alias_maps =
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_authorized_xforward_hosts = 127.0.0.0/8
smtp_host_lookup = native
service_throttle_time = 1s
maillog_file = @DIR@/log/maillog
maillog_file_prefixes = @DIR@
"""


# ---- Exim ----------------------------------------------------------------------------------------


class Exim(Process):
    """`port` is plain SMTP; from 127.0.0.2 it wants a PROXY header. Recipients called reject and defer
    are refused so; all other mail is delivered into one Maildir. `main`: more options; `rcpt`: verbs before
    those for recipients."""

    def __init__(self, cleanup, directory, main="", rcpt="", tls="tls_advertise_hosts ="):
        self.directory = directory
        self.port = free_port()
        program = reachable_copy(EXIM, directory)
        for name in ("spool", "log", "mail"):
            os.mkdir(os.path.join(directory, name))
            shutil.chown(os.path.join(directory, name), "Debian-exim", "Debian-exim")
        config = os.path.join(directory, "exim.conf")
        write(config, EXIM_CONF.replace("@DIR@", directory).replace("@PORT@", str(self.port))
              .replace("@EXIM@", program).replace("@MAIN@", main).replace("@RCPT@", rcpt)
              .replace("@TLS@", tls))
        super().__init__(cleanup, [program, "-C", config, "-bdf", "-q1m"],
                         os.path.join(directory, "exim.log"))
        self.wait_ready(lambda: answers(self.port, b"220"), "Exim greets")

    def messages(self):
        return messages_in(os.path.join(self.directory, "mail"))


def reachable_copy(program, directory):
    """Exim starts itself again as its own user: the program must lie where that user may go, setuid
    as the package has it."""
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in program.parents):
        return str(program)
    copy = os.path.join(directory, program.name)
    shutil.copy(program, copy)
    os.chmod(copy, 0o4755)
    return copy


def exim(cleanup):
    return Exim(cleanup, temporary_directory(cleanup))


EXIM_CONF = """\
exim_path = @EXIM@
exim_user = Debian-exim
exim_group = Debian-exim
primary_hostname = exim.example.test
spool_directory = @DIR@/spool
log_file_path = @DIR@/log/%slog
pid_file_path = @DIR@/exim.pid
daemon_smtp_ports = @PORT@
local_interfaces = 127.0.0.1
hosts_proxy = 127.0.0.2
@TLS@
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = accept
pipelining_advertise_hosts = *
chunking_advertise_hosts = *
prdr_enable = true
smtputf8_advertise_hosts = *
smtp_accept_max = 300
smtp_accept_queue_per_connection = 0
never_users =
keep_environment =
@MAIN@begin acl
acl_rcpt:
@RCPT@  deny  local_parts = reject
  defer local_parts = defer
  accept
begin routers
all:
  driver = accept
  transport = mbox
begin transports
mbox:
  driver = appendfile
  directory = @DIR@/mail
  maildir_format
  user = Debian-exim
begin retry
* * F,1h,1m
"""
