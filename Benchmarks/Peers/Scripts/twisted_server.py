"""Twisted: its epoll reactor, one thread; twisted.web for HTTP, a Protocol for echo.

usage: twisted_server.py http|echo THREADS PORT
  THREADS: how many there are at most for what blocks. PORT 0: any that is free. The port is printed; SIGTERM ends it.
"""

import sys

from twisted.internet import epollreactor

# Twisted's choice on Linux, but not left to an environment.
epollreactor.install()

from twisted.internet import reactor, threads
from twisted.internet.protocol import Factory, Protocol
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

import site_answers as site


class Fixed(Resource):
    isLeaf = True

    def __init__(self, body):
        super().__init__()
        self.body = body

    def render_GET(self, request):
        request.setHeader(b"Content-Type", b"text/plain")
        return self.body


class Work(Resource):
    """On the reactor's pool of threads, as its documentation has it for what blocks."""

    isLeaf = True

    def __init__(self, work):
        super().__init__()
        self.work = work

    def render_GET(self, request):
        query = request.uri.partition(b"?")[2].decode("latin-1")
        milliseconds = site.milliseconds(query)
        if milliseconds is None:
            request.setResponseCode(400)
            return b""
        threads.deferToThread(self.work, milliseconds).addCallback(self.answer, request)
        return NOT_DONE_YET

    def answer(self, _, request):
        if request._disconnected:
            return
        request.setHeader(b"Content-Type", b"text/plain")
        request.setHeader(b"Content-Length", b"%d" % len(site.PLAINTEXT))
        request.write(site.PLAINTEXT)
        request.finish()


class Echo(Protocol):
    def connectionMade(self):
        self.transport.setTcpNoDelay(True)
        # Input stops while the peer takes nothing.
        self.transport.registerProducer(self.transport, True)

    def dataReceived(self, data):
        self.transport.write(data)

    def connectionLost(self, reason):
        self.transport.unregisterProducer()


def http():
    root = Resource()
    root.putChild(b"plaintext", Fixed(site.PLAINTEXT))
    root.putChild(b"bytes", Fixed(site.LINES))
    root.putChild(b"block", Work(site.block))
    root.putChild(b"burn", Work(site.burn))
    # Nothing is logged, and idle connections are left alone for longer than any run.
    factory = Site(root, timeout=300)
    factory.log = lambda request: None
    return factory


def main():
    factories = {"http": http, "echo": lambda: Factory.forProtocol(Echo)}
    if len(sys.argv) != 4 or sys.argv[1] not in factories or not all(word.isdecimal() for word in sys.argv[2:]):
        sys.exit(__doc__)
    reactor.suggestThreadPoolSize(int(sys.argv[2]))
    port = reactor.listenTCP(int(sys.argv[3]), factories[sys.argv[1]](), backlog=4096, interface="127.0.0.1")
    print(f"listening on {sys.argv[1]}://127.0.0.1:{port.getHost().port}", flush=True)
    reactor.run()


main()
