import ConnectionHandling
import Glibc
import Reactor
import ReactorDNS

@testable import ReactorNames

/// A host, its name servers and the way to its addresses, on a virtual clock: what happens when, in milliseconds.
struct EyeballsWorld {
    enum Fate: Equatable {
        case connects(after: Int)
        case fails(after: Int)
        case neverAnswers
    }

    /// `6a` to `6z` and `4a` to `4z` name addresses.
    struct Reply {
        let at: Int
        let family: HappyEyeballs.Family
        /// Nil for a failure.
        let addresses: [String]?
    }

    var options = HappyEyeballsOptions()
    var replies: [Reply] = []
    var fates: [String: Fate] = [:]
    /// Addresses without a route.
    var unroutable: Set<String> = []

    static func address(_ name: String) -> SocketAddress {
        let letter = UInt32(name.utf8.last ?? 0)
        // Documentation prefixes: global, and with no rule of RFC 6724 between two of one family.
        return name.hasPrefix("6")
            ? .ipv6(high: 0x2001_0DB8 << 32, low: UInt64(letter), port: 443) : .ipv4(0xC000_0200 + letter, port: 443)
    }

    static func name(_ address: SocketAddress) -> String {
        switch address {
        case .ipv6(_, let low, _, _): "6" + String(UnicodeScalar(UInt8(truncatingIfNeeded: low)))
        case .ipv4(let number, _): "4" + String(UnicodeScalar(UInt8(truncatingIfNeeded: number)))
        case .unix: "?"
        }
    }

    func source(for address: SocketAddress) -> SocketAddress? {
        unroutable.contains(Self.name(address)) ? nil : Self.address(address.family == AF_INET6 ? "6~" : "4~")
    }

    static func refusal(_ address: SocketAddress) -> SystemError {
        SystemError("connect to \(address)", errno: ECONNREFUSED, address: address)
    }

    struct Run {
        /// `250 try 4a`, `300 cancel 6a`, `300 won 4a`, `30000 failed`.
        var trace: [String] = []
        var error: ConnectByNameError?
        var ended = false
        /// Times at which attempts began, and whether one had failed since the one before.
        var starts: [(at: UInt64, afterFailure: Bool)] = []
        /// When nothing was reported, and nothing was due: the machine would wait for ever.
        var hung = false
    }

    func run() -> Run {
        let epoch: UInt64 = 1_000_000_000_000
        var now = MonotonicTime(nanoseconds: epoch)
        var machine = HappyEyeballs(host: "host.example", port: 443, options: options, at: now)
        var result = Run()
        /// What is to come: in order of time, then of arrival here.
        var coming: [(at: MonotonicTime, event: Event)] = replies.map {
            (MonotonicTime(nanoseconds: epoch + UInt64($0.at) * 1_000_000), .reply($0))
        }
        var running: Set<Int> = []
        var names: [String] = []
        var hasFailed = false
        while !result.ended {
            let next = coming.indices.min { coming[$0].at < coming[$1].at }
            let soonest = min(machine.deadline, next.map { coming[$0].at } ?? .distantFuture)
            if soonest == .distantFuture {
                result.hung = true
                return result
            }
            now = max(now, soonest)
            let time = (now.nanoseconds - epoch) / 1_000_000
            if let next, coming[next].at <= now {
                switch coming.remove(at: next).event {
                case .reply(let reply):
                    if let addresses = reply.addresses {
                        machine.resolved(reply.family, addresses.map(Self.address), at: now, sourceOf: source)
                    } else {
                        machine.failed(reply.family, .serverFailure(name: "host.example", type: reply.family == .ipv6 ? .aaaa : .a), at: now)
                    }
                case .connected(let number):
                    if machine.connected(number, at: now) != running.contains(number) { result.trace.append("\(time) unexpected") }
                    running.remove(number)
                case .refused(let number):
                    if running.remove(number) != nil { hasFailed = true }
                    machine.attemptFailed(number, Self.refusal(Self.address(names[number])), at: now)
                }
            }
            while let action = machine.nextAction(at: now) {
                switch action {
                case .attempt(let number, let address):
                    let name = Self.name(address)
                    result.trace.append("\(time) try \(name)")
                    if number != names.count { result.trace.append("numbered \(number)") }
                    names.append(name)
                    running.insert(number)
                    result.starts.append((now.nanoseconds - epoch, hasFailed))
                    hasFailed = false
                    switch fates[name] ?? .neverAnswers {
                    case .connects(let delay): coming.append((now.advanced(by: .milliseconds(delay)), .connected(number)))
                    case .fails(let delay): coming.append((now.advanced(by: .milliseconds(delay)), .refused(number)))
                    case .neverAnswers: break
                    }
                case .cancel(let number):
                    result.trace.append("\(time) cancel \(names[number])")
                    if running.remove(number) == nil { result.trace.append("not running") }
                case .finish(let winner, let address):
                    result.trace.append("\(time) won \(names[winner])")
                    if Self.name(address) != names[winner] || !running.isEmpty { result.trace.append("\(time) wrong") }
                    result.ended = true
                case .fail:
                    result.trace.append("\(time) failed")
                    if !running.isEmpty { result.trace.append("\(time) wrong") }
                    result.error = machine.error
                    result.ended = true
                }
            }
        }
        // What comes too late changes nothing.
        for (_, event) in coming { if case .connected(let number) = event, machine.connected(number, at: now) { result.trace.append("twice") } }
        if machine.nextAction(at: .distantFuture) != nil || machine.deadline != .distantFuture { result.trace.append("not over") }
        return result
    }

    private enum Event {
        case reply(Reply)
        case connected(Int)
        case refused(Int)
    }
}
