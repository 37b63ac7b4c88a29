"""aiosmtpd as a mail sink: every message is taken and dropped; one thread, asyncio's loop.

usage: aiosmtpd_sink.py PORT
  0: any free port. The port is printed; SIGTERM ends it.
"""

import asyncio
import signal
import sys

from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP


async def serve(port):
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)

    # The name is given, because it would otherwise be looked up for each session. Commands have no limit: by default a
    # session is closed after 20 of a kind.
    def session():
        return SMTP(Sink(), hostname="sink.example", loop=loop, command_call_limit=None)

    server = await loop.create_server(session, "127.0.0.1", port, backlog=4096)
    print(f"listening on smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await stopped.wait()
    # Sessions that are still open end with the process.


def main():
    if len(sys.argv) != 2 or not sys.argv[1].isdecimal():
        sys.exit(__doc__)
    asyncio.run(serve(int(sys.argv[1])))


main()
