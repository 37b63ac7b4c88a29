import ArgumentParser
import ConnectionHandling
import ReactorHTTP
import ReactorRPC
import ServerArchitectures

struct ServeRPC: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rpc",
        abstract: "A JSON-RPC 2.0 endpoint, POST /rpc, with the methods add, subtract, echo and sleep.",
        discussion: """
            Try it:
              reactor serve rpc --listen 127.0.0.1:8081
              curl -H 'Content-Type: application/json' http://127.0.0.1:8081/rpc \\
                --data '{"jsonrpc":"2.0","method":"subtract","params":{"minuend":42,"subtrahend":23},"id":1}'
            """)

    @OptionGroup var server: ServerArguments
    @OptionGroup var tls: TLSArguments

    func run() throws {
        let targets = try server.streams(for: "serve rpc", under: tls.context(protocols: ["http/1.1"]))
        try Service.run(targets.map(rpc), server.options)
    }
}

func rpc(_ target: ListenTarget) -> Service {
    let methods = RPCMethods.samples
    return Service("rpc+http", secure: "rpc+https", target) {
        HTTPServerHandler(application: RPCApplication(methods: methods))
    }
}
