/// A mail queue at one moment, as its page shows it: told by whoever starts the site, which knows no queue itself.
public struct QueueSnapshot: Sendable, Equatable {
    /// A state and how many messages are in it.
    public struct Count: Sendable, Equatable {
        public var name: String
        public var count: Int

        public init(_ name: String, _ count: Int) {
            self.name = name
            self.count = count
        }
    }

    /// Those who wait for messages to one destination.
    public struct Destination: Sendable, Equatable {
        public var name: String
        public var recipients: Int
        /// One count for each of ``QueueSnapshot/ages``, and one more.
        public var byAge: [Int]

        public init(name: String, recipients: Int, byAge: [Int]) {
            self.name = name
            self.recipients = recipients
            self.byAge = byAge
        }
    }

    public struct Message: Sendable, Equatable {
        public var id = ""
        public var state = ""
        /// Empty for the null sender of notices.
        public var sender = ""
        /// In bytes.
        public var size = 0
        /// Seconds since 1970.
        public var received: Int64 = 0
        public var attempts = 0
        /// Seconds since 1970; nil when none is to come.
        public var nextAttempt: Int64?
        /// Why it is set aside.
        public var problem: String?
        public var recipients: [Recipient] = []
        /// Recipients beside these.
        public var moreRecipients = 0

        public init() {}
    }

    public struct Recipient: Sendable, Equatable {
        public var address: String
        public var state: String
        /// What was said last about it, and by whom.
        public var lastReply: String?

        public init(address: String, state: String, lastReply: String?) {
            self.address = address
            self.state = state
            self.lastReply = lastReply
        }
    }

    /// Where it is.
    public var place = ""
    public var states: [Count] = []
    /// Of all contents.
    public var bytes = 0
    /// Recipients who wait.
    public var recipients = 0
    /// When the oldest message came, in seconds since 1970.
    public var oldestReceived: Int64?
    /// Upper ends of ages, in minutes.
    public var ages: [Int] = []
    /// The fullest.
    public var destinations: [Destination] = []
    public var destinationCount = 0
    /// Some at each end.
    public var oldest: [Message] = []
    public var newest: [Message] = []

    public init() {}

    var messages: Int { states.reduce(0) { $0 + $1.count } }
}
