import ConnectionHandling
import Reactor
import ReactorDNS

/// What both drivers do with a host's name, and with what the resolver says about it.
extension HappyEyeballs {
    /// The families whose addresses must be looked up. What needs no look-up is taken as it is: a literal address; or that
    /// an address to connect from, of one family, reaches none of the other.
    mutating func familiesToAskFor(connectingFrom local: SocketAddress?, at time: MonotonicTime) -> [Family] {
        let literal = SocketAddress(literalHost: host, port: port)
        return Family.allCases.filter { family in
            if let literal {
                found(family, [literal], at: time)
            } else if let local, !family.contains(local) {
                found(family, [], at: time)
            } else {
                return true
            }
            return false
        }
    }

    mutating func answered(_ family: Family, _ result: Result<Answer, ResolutionError>, at time: MonotonicTime) {
        switch result {
        case .success(let answer):
            found(family, answer.records.compactMap { $0.data.address?.socketAddress(port: port) }, at: time)
        // The name is there, and has none of these: that is no failure.
        case .failure(.noData): found(family, [], at: time)
        case .failure(let error): failed(family, error, at: time)
        }
    }

    private mutating func found(_ family: Family, _ addresses: [SocketAddress], at time: MonotonicTime) {
        resolved(family, addresses.filter(family.contains), at: time, sourceOf: SocketAddress.source)
    }
}

extension HappyEyeballs.Family {
    var recordType: RecordType { self == .ipv6 ? .aaaa : .a }
}

extension ConnectOptions {
    /// Without Fast Open: the system would call the first address connected before it has heard of it.
    var forOneOfSeveral: ConnectOptions {
        var options = self
        options.fastOpen = false
        return options
    }
}
