// The methods of `reactor serve rpc` that the benchmarks call, on libjson-rpc-cpp as its documentation has it: an
// AbstractServer behind its HttpServer (libmicrohttpd), with a fixed number of threads.
// usage: jsonrpc-cpp-peer PORT THREADS
//   The port is printed; SIGTERM ends it.
#include <jsonrpccpp/server.h>
#include <jsonrpccpp/server/connectors/httpserver.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

// HttpServer listens on every interface, and has no setting for it: libmicrohttpd finds this instead of the C library's.
extern "C" int bind(int fd, const struct sockaddr *address, socklen_t size) noexcept {
    sockaddr_in local = *reinterpret_cast<const sockaddr_in *>(address);
    if (local.sin_family == AF_INET) local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const void *chosen = local.sin_family == AF_INET ? static_cast<const void *>(&local) : address;
    return static_cast<int>(syscall(SYS_bind, fd, chosen, size));
}

class Methods : public jsonrpc::AbstractServer<Methods> {
public:
    explicit Methods(jsonrpc::AbstractServerConnector &connector)
        : jsonrpc::AbstractServer<Methods>(connector, jsonrpc::JSONRPC_SERVER_V2) {
        // Its procedures take their parameters by position or by name, not both.
        bindAndAddMethod(
            jsonrpc::Procedure("subtract", jsonrpc::PARAMS_BY_POSITION, jsonrpc::JSON_INTEGER, "minuend",
                               jsonrpc::JSON_INTEGER, "subtrahend", jsonrpc::JSON_INTEGER, NULL),
            &Methods::subtract);
    }

private:
    void subtract(const Json::Value &parameters, Json::Value &result) { result = parameters[0u].asInt64() - parameters[1u].asInt64(); }
};

int main(int count, char **arguments) {
    const int port = count == 3 ? std::atoi(arguments[1]) : 0, threads = count == 3 ? std::atoi(arguments[2]) : 0;
    if (port < 1 || port > 65535 || threads < 1) {
        std::fputs("usage: jsonrpc-cpp-peer PORT THREADS\n", stderr);
        return 64;
    }
    // Before there are other threads, which inherit this: the signal is waited for instead.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    jsonrpc::HttpServer connector(port, "", "", threads);
    Methods methods(connector);
    if (!methods.StartListening()) {
        std::fprintf(stderr, "jsonrpc-cpp-peer: cannot listen on port %d\n", port);
        return 1;
    }
    std::printf("listening on rpc+http://127.0.0.1:%d\n", port);
    std::fflush(stdout);
    int received;
    sigwait(&signals, &received);
    methods.StopListening();
}
