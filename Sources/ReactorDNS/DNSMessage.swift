/// A message of the DNS (RFC 1035 section 4), with the records of class IN that it holds.
public struct DNSMessage: Hashable, Sendable {
    /// A question of class IN.
    public struct Question: Hashable, Sendable {
        public var name: DomainName
        public var type: RecordType

        public init(name: DomainName, type: RecordType) {
            self.name = name
            self.type = type
        }
    }

    /// The RCODE (RFC 1035 section 4.1.1), with the upper bits of EDNS where there are any (RFC 6891 section 6.1.3).
    public struct ResponseCode: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt16
        public init(rawValue: UInt16) { self.rawValue = rawValue }

        public static let noError = ResponseCode(rawValue: 0)
        public static let formatError = ResponseCode(rawValue: 1)
        public static let serverFailure = ResponseCode(rawValue: 2)
        /// NXDOMAIN
        public static let nameError = ResponseCode(rawValue: 3)
        public static let notImplemented = ResponseCode(rawValue: 4)
        public static let refused = ResponseCode(rawValue: 5)
    }

    public var id: UInt16
    public var isResponse = false
    public var opcode: UInt8 = 0
    public var isAuthoritative = false
    /// TC: the whole is to be had over TCP.
    public var isTruncated = false
    public var recursionDesired = false
    public var recursionAvailable = false
    public var responseCode = ResponseCode.noError
    public var questions: [Question] = []
    public var answers: [ResourceRecord] = []
    public var authorities: [ResourceRecord] = []
    /// Without the OPT pseudo-record, which ``payloadSize`` stands for.
    public var additionals: [ResourceRecord] = []
    /// The UDP payload that the sender takes, in bytes, if it speaks EDNS(0) (RFC 6891 section 6.2.3).
    public var payloadSize: UInt16?

    public init(id: UInt16) { self.id = id }

    /// A query, to a server that is to ask others as needed.
    public init(id: UInt16, asking question: Question, payloadSize: UInt16? = nil) {
        self.id = id
        questions = [question]
        recursionDesired = true
        self.payloadSize = payloadSize
    }

    /// A response to `query`, without records yet.
    public init(answering query: DNSMessage, _ code: ResponseCode = .noError) {
        id = query.id
        isResponse = true
        opcode = query.opcode
        recursionDesired = query.recursionDesired
        responseCode = code
        questions = query.questions
    }
}
