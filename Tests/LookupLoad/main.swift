// Looks names up with Resolver, for the benchmarks, which count what it costs.
// usage: lookup-load PORT NAMES ROUNDS
//   asks the server on 127.0.0.1:PORT for the A records of so many names at once, and in each further round for as many
//   others. Each must be 127.0.0.1.
import ConnectionHandling
import Foundation
import Reactor
import ReactorDNS
import ReactorNames

let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
guard CommandLine.arguments.count == 4, numbers.count == 3, let port = UInt16(exactly: numbers[0]), numbers[1] > 0 else {
    FileHandle.standardError.write(Data("usage: lookup-load PORT NAMES ROUNDS\n".utf8))
    exit(64)
}

var options = ResolverOptions(servers: [.loopback(port: port)])
options.searchDomains = []
options.maxConcurrent = numbers[1]
let load = try LookupLoad(options)
let began = ContinuousClock.now
for round in 0..<numbers[2] { load.lookUp((round * numbers[1])..<((round + 1) * numbers[1])) }
let time = ContinuousClock.now - began
print("count=\(load.answered) seconds=\(time / .seconds(1)) queries=\(load.queries)")

/// One loop with a resolver on it.
final class LookupLoad {
    private let loop: EventLoop
    private let resolver: Resolver
    private(set) var answered = 0
    var queries: UInt64 { resolver.statistics.queries }

    init(_ options: ResolverOptions) throws {
        loop = try EventLoop()
        resolver = try Resolver(loop: loop, options: options)
    }

    /// All at once; returns when all are answered, and ends the program if one is not.
    func lookUp(_ numbers: Range<Int>) {
        for number in numbers {
            resolver.lookUp("lookup-\(number).example", .a) { [unowned self] in take($0, end: numbers.upperBound) }
        }
        loop.run()
    }

    private func take(_ result: Result<Answer, ResolutionError>, end: Int) {
        let addresses = (try? result.get())?.records.map(\.data.address)
        guard addresses == [.v4(0x7F00_0001)] else {
            FileHandle.standardError.write(Data("lookup-load: \(result)\n".utf8))
            exit(1)
        }
        answered += 1
        if answered == end { loop.stop() }
    }
}
