/// Requests that were not answered as they should be, by why.
public struct LoadErrors: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// No connection, or no TLS on it.
        case connect
        /// The connection was closed or reset before the answer was whole.
        case closed
        /// No whole answer in time.
        case timeout
        /// An answer that refuses: a status outside of 200 to 299, a reply of SMTP above 3, an error of JSON-RPC.
        case status
        /// An answer that is none, or has wrong bytes.
        case `protocol`
        /// Due, and unsent or unanswered when the load had ended.
        case unanswered
    }

    private var counts = [UInt64](repeating: 0, count: Kind.allCases.count)
    /// What the first of each kind was.
    public private(set) var examples: [Kind: String] = [:]

    public subscript(kind: Kind) -> UInt64 { counts[kind.place] }
    public var all: UInt64 { counts.reduce(0, +) }

    mutating func count(_ kind: Kind, _ times: UInt64, _ cause: String) {
        if times == 0 { return }
        counts[kind.place] += times
        if examples[kind] == nil { examples[kind] = cause }
    }
}

extension LoadErrors.Kind {
    fileprivate var place: Int {
        switch self {
        case .connect: 0
        case .closed: 1
        case .timeout: 2
        case .status: 3
        case .protocol: 4
        case .unanswered: 5
        }
    }
}
