/// Names one message from acceptance to delivery: in the reply, the trace header, the log and the queue.
public struct QueueID: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// 13 random characters, 64 bits: unique without asking the spool, also among forked processes. The alphabet has
    /// no vowels, so that no words arise, and one case, so that people can read it out.
    public static func random() -> QueueID {
        let alphabet: StaticString = "0123456789BCDFGHJKLMNPQRSTVWXYZ"
        // Asked for once: each is a system call. 31 characters to the power of 13 are more than 64 bits.
        var left = UInt64.random(in: 0...UInt64.max)
        return QueueID(text: String(unsafeUninitializedCapacity: 13) { characters in
            for index in 0..<13 {
                characters[index] = alphabet.utf8Start[Int(left % UInt64(alphabet.utf8CodeUnitCount))]
                left /= UInt64(alphabet.utf8CodeUnitCount)
            }
            return 13
        })
    }

    public init(text: String) { self.text = text }
    public var description: String { text }
}
