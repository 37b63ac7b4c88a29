import ArgumentParser
struct ServeSMTP: ParsableCommand {}
struct ServeRPC: ParsableCommand {}
struct ServeDemo: ParsableCommand {}
struct Queue: ParsableCommand {}
