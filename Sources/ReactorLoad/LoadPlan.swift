public import ReactorTLS

/// How a load is to be: every setting has a default.
public struct LoadPlan: Sendable {
    /// When requests are due, if the load is open: whatever the server does.
    public struct Arrivals: Sendable, Equatable {
        public enum Spacing: String, Sendable, CaseIterable {
            /// As evenly as can be.
            case uniform
            /// At random, as independent users come.
            case poisson
        }

        /// Requests a second when the measurement begins, and when it ends: the rate changes evenly in between.
        public var from: Double
        public var to: Double
        public var spacing = Spacing.uniform
        /// Of the random spacing: the same seed gives the same moments.
        public var seed: UInt64 = 1

        public init(rate: Double) { (from, to) = (rate, rate) }
        public init(from: Double, to: Double) { (self.from, self.to) = (from, to) }
    }

    public var target: LoadTarget
    /// Nil for a closed load: each connection sends its next request when it has the answer to the one before.
    public var arrivals: Arrivals?
    public var connections = 64
    /// Requests that may be under way on one connection.
    public var pipeline = 1
    /// Seconds that are measured.
    public var duration = 10.0
    /// Seconds before, whose results are thrown away.
    public var warmUp = 1.0
    /// Seconds before that, in which connections, or the rate of an open load, rise from nothing.
    public var ramp = 0.0
    /// Seconds to connect, and that an answer may take.
    public var timeout = 10.0
    /// A new connection for each request.
    public var reconnects = false
    /// Connections beside, which are answered once and then do nothing.
    public var idle = 0

    // What is sent.
    public var method = "GET"
    public var headers: [(name: String, value: String)] = []
    public var body: [UInt8] = []
    /// The bytes of a message of SMTP or echo; nil for the protocol's default, 4096 and 64.
    public var size: Int?
    /// The JSON-RPC method that is called, and its parameters as JSON.
    public var call = "subtract"
    public var parameters = "[42,23]"
    public var mailFrom = "load@example.invalid"
    public var mailTo = "load@example.invalid"

    /// Whom to trust, where the scheme has TLS.
    public var tls = TLSClientConfiguration()

    public init(_ target: LoadTarget) { self.target = target }

    /// Bytes of what is asked for to be sent, once.
    var messageSize: Int {
        let fields = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        return body.count + (size ?? 0) + parameters.utf8.count + target.path.utf8.count + fields
    }

    /// Bytes that one message may have: they are held in memory.
    public static let largestMessage = 64 << 20

    /// - Throws: ``LoadMistake`` that names the command line's option.
    public func validate() throws(LoadMistake) {
        func check(_ holds: Bool, _ mistake: String) throws(LoadMistake) { if !holds { throw LoadMistake(mistake) } }
        if let arrivals {
            try check(
                arrivals.from >= 0 && arrivals.to >= 0 && arrivals.from + arrivals.to > 0 && max(arrivals.from, arrivals.to) <= 10_000_000,
                "--rate must be above 0, up to 10000000 requests a second")
        }
        try check((1...1_000_000).contains(connections), "--connections must be from 1 to 1000000")
        try check((1...1_024).contains(pipeline), "--pipeline must be from 1 to 1024")
        try check(duration >= 0.1 && duration <= 86_400, "--duration must be from 0.1 to 86400 seconds")
        try check(warmUp >= 0 && warmUp <= 3_600, "--warm-up must be from 0 to 3600 seconds")
        try check(ramp >= 0 && ramp <= 3_600, "--ramp must be from 0 to 3600 seconds")
        try check(timeout >= 0.01 && timeout <= 3_600, "--timeout must be from 0.01 to 3600 seconds")
        try check((0...1_000_000).contains(idle), "--idle must be from 0 to 1000000")
        try check(!reconnects || pipeline == 1, "--reconnect makes a connection for each request: --pipeline is for many")
        try check(!target.scheme.isSMTP || pipeline == 1, "--pipeline is for http, rpc and echo: SMTP's own is used where it is offered")
        let largest = messageSize
        try check(size ?? 1 >= 1 && largest <= Self.largestMessage, "--size must be from 1 to \(Self.largestMessage)")
        try check(largest * pipeline <= 4 * Self.largestMessage, "--pipeline times so large a message is more than memory should hold")
        try checkRequest()
    }

    private func checkRequest() throws(LoadMistake) {
        let delimiters = Set(#"()<>@,;:\"/[]?={}"#.utf8)
        func isToken(_ text: String) -> Bool {
            !text.isEmpty && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !delimiters.contains($0) }
        }
        if !isToken(method) || method == "CONNECT" { throw LoadMistake("--method '\(method)' is no method of an HTTP request") }
        for (name, value) in headers {
            guard isToken(name), value.utf8.allSatisfy({ ($0 >= 32 && $0 != 127) || $0 == 9 }) else {
                throw LoadMistake("--header '\(name): \(value)' is no field: write 'Name: value'")
            }
            if ["content-length", "transfer-encoding"].contains(name.lowercased()) {
                throw LoadMistake("--header \(name) comes from the body, which has it by itself")
            }
        }
        for (option, address) in [("--mail-from", mailFrom), ("--mail-to", mailTo)]
        where !address.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 60 && $0 != 62 }) {
            throw LoadMistake("\(option) '\(address)' is no address: write name@example.org")
        }
    }
}
