import ArgumentParser

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start a sample server.",
        subcommands: [
            ServeHTTP.self, ServeSMTP.self, ServeSink.self, ServeRPC.self, ServeEcho.self, ServeChargen.self, ServeTime.self,
            ServeDemo.self,
        ])
}
