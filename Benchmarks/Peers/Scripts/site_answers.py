"""What the Python servers answer with, the same for each: see Sources/floor/http.c and `reactor serve http`."""

import time
from email.utils import formatdate

PLAINTEXT = b"Hello, World!"
# Lines of 64 bytes, each with its number.
LINES = b"".join(b"%x" % ((1 << 60) + line) + b"." * 47 + b"\n" for line in range(1024))


class Date:
    """The value of Date, made once a second."""

    def __init__(self):
        self.second, self.text = 0, ""

    def now(self):
        second = int(time.time())
        if second != self.second:
            self.second, self.text = second, formatdate(second, usegmt=True)
        return self.text


def block(milliseconds):
    time.sleep(milliseconds / 1000)


def burn(milliseconds):
    """So much time of this thread's CPU."""
    end = time.thread_time_ns() + milliseconds * 1_000_000
    while time.thread_time_ns() < end:
        pass


def milliseconds(query):
    """Of `ms=N`, 1 without it; None beyond a second."""
    number = query.removeprefix("ms=") if query else "1"
    return int(number) if number.isdecimal() and int(number) <= 1000 else None


def of_mix(turn):
    """What the request of this number on its connection does: of ten, one blocks and one burns."""
    return {3: block, 8: burn}.get(turn % 10, lambda milliseconds: None)
