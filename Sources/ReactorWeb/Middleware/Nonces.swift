import ConnectionHandling
import ReactorWire
import Synchronization

/// The nonces of Digest authentication: a moment and random bytes with their HMAC, so that none need be kept when it is given
/// out. Kept is which counts of a nonce were used, within bounds.
final class Nonces: Sendable {
    /// Counts of one nonce: the highest, and which of the 64 below it were used. Requests of a browser overtake each other.
    private struct Used {
        var highest: UInt32
        var below: UInt64
    }

    private struct State: Sendable {
        var used: RecencyTable<[UInt8], Used>
        /// Of what had to be forgotten before it was too old: who had a nonce made before is given another.
        var forgotten: UInt64 = 0
    }

    private static let randomCount = 8
    private let key: [UInt8]
    private let lifetime: UInt64
    private let state: Mutex<State>

    /// - Parameter capacity: the most nonces in use.
    init(lifetime: Duration, capacity: Int = 10_000) throws(RandomnessFailure) {
        key = try randomBytes(32)
        self.lifetime = lifetime.wholeNanoseconds
        state = Mutex(State(used: RecencyTable(capacity: capacity)))
    }

    /// A nonce; nil if the system gives no random bytes.
    func make(at now: MonotonicTime) -> String? {
        guard let random = try? randomBytes(Self.randomCount) else { return nil }
        let front = withUnsafeBytes(of: now.nanoseconds.bigEndian) { Array($0) } + random
        return TextCode.base64URL(front + hmacSHA256(key: key, front.span.bytes))
    }

    /// Notes that `count` is used.
    ///
    /// - Returns: whether the nonce is one of ours and not too old, and the count is used for the first time.
    func use(_ nonce: String, count: UInt32, at now: MonotonicTime) -> Bool {
        guard count > 0, let bytes = TextCode.decodeBase64(Array(nonce.utf8).span.bytes, .url), bytes.count == 16 + 32 else { return false }
        let front = Array(bytes.prefix(16))
        guard equalsInConstantTime(hmacSHA256(key: key, front.span.bytes), Array(bytes.suffix(32))) else { return false }
        let made = Self.moment(front)
        // Another loop's clock may be a little ahead.
        if made.nanoseconds(until: now) > lifetime { return false }
        return state.withLock { state in
            if let used = state.used.peek(front) {
                guard let updated = Self.using(count, of: used) else { return false }
                state.used.set(front, updated)
                return true
            }
            if made.nanoseconds <= state.forgotten { return false }
            if let evicted = state.used.set(front, Used(highest: count, below: 0)) {
                state.forgotten = max(state.forgotten, Self.moment(evicted.key).nanoseconds)
            }
            return true
        }
    }

    private static func moment(_ front: [UInt8]) -> MonotonicTime {
        MonotonicTime(nanoseconds: front.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
    }

    private static func using(_ count: UInt32, of used: Used) -> Used? {
        if count > used.highest {
            let step = UInt64(count - used.highest)
            // What was highest is now `step` below.
            let below = step > 64 ? 0 : (step == 64 ? 0 : used.below << step) | 1 << (step - 1)
            return Used(highest: count, below: below)
        }
        let distance = UInt64(used.highest - count)
        guard distance >= 1, distance <= 64 else { return nil }
        let bit = UInt64(1) << (distance - 1)
        return used.below & bit == 0 ? Used(highest: used.highest, below: used.below | bit) : nil
    }
}
