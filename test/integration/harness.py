"""What integration tests import: `from harness import *`. A test is a file x_test.py in this folder
that also runs alone: `python3 test/integration/x_test.py -v`."""

import faults  # noqa: F401
from client import Client, ProtocolError, Refused, Reply  # noqa: F401
from dovecot import Dovecot, dovecot, needs_dovecot  # noqa: F401
from downstream import CAPABILITIES, Downstream, Message  # noqa: F401
from faults import Gone  # noqa: F401
from peers import (Exim, Postern, Postfix, configure_postern, exim, is_sanitized,  # noqa: F401
                   messages_in, needs_exim, needs_postfix, needs_smtp_sink, needs_swaks, postfix, posternd,
                   run_posternd, smtp_sink, smtp_source, swaks)
from process import (LIMIT, Process, answers, children_of, free_port,  # noqa: F401
                     temporary_directory, wait_until)
