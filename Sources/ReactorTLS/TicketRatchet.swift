import COpenSSL
import Synchronization

/// The keys that seal session tickets (RFC 5077 section 5.5, RFC 8446 section 4.6.1).
///
/// Time is cut into epochs. From an epoch's secret its key is derived, and the next epoch's secret; the secret itself is
/// then overwritten. So threads, and processes forked later, have the same keys without a word between them: all go by the
/// time since the machine was started, which nobody sets. And who gets hold of the present secret can open no ticket of an
/// epoch whose key is gone.
/// `Sendable`.
final class TicketRatchet: Sendable {
    /// In seconds.
    let lifetime: Int64
    private let rotation: Int64
    private let state: Mutex<Epochs>
    private let clock: @Sendable () -> Int64

    /// - Parameter clock: in seconds.
    init(_ options: TLSTicketOptions, clock: @escaping @Sendable () -> Int64 = timeSinceStart) throws(TLSConfigurationError) {
        (rotation, lifetime) = (options.rotation.components.seconds, options.lifetime.components.seconds)
        // A week is the most that TLS 1.3 allows (RFC 8446 section 4.6.1).
        guard rotation >= 60, (1...604_800).contains(lifetime), (lifetime + 63) / 64 <= rotation else {
            throw TLSConfigurationError(
                .invalidValue, "tickets",
                "their key must change every minute at most and 64 times in a lifetime at most, and they live for a week at most")
        }
        self.clock = clock
        // A ticket of the last second of an epoch is good for a lifetime from then.
        let kept = (lifetime - 1) / rotation + 2
        state = Mutex(try Epochs(at: clock() / rotation, kept: kept))
    }

    var now: Int64 { clock() }

    /// Seals: the key of now.
    func currentKey() -> TicketKey {
        let epoch = clock() / rotation
        return state.withLock { state in
            state.advance(to: epoch)
            return state.key(of: state.current)
        }
    }

    /// Opens: the key of that name, and whether it is that of now. Nil if it is gone, or never was.
    func key(named name: TicketKey.Name) -> (key: TicketKey, isCurrent: Bool)? {
        let epoch = clock() / rotation
        return state.withLock { state in
            state.advance(to: epoch)
            for epoch in stride(from: state.current, through: state.oldest, by: -1) {
                let key = state.key(of: epoch)
                if key.name == name { return (key, epoch == state.current) }
            }
            return nil
        }
    }
}

struct TicketKey: Sendable {
    typealias Name = SIMD2<UInt64>
    typealias Part = SIMD4<UInt64>

    /// Sent in the ticket, so no secret.
    var name: Name
    var cipher: Part
    var mac: Part

    mutating func wipe() {
        withUnsafeMutableBytes(of: &self) { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }
}

/// The secret of the present epoch and the keys of the last few, in memory that is wiped before it is given back.
private struct Epochs: ~Copyable {
    private(set) var current: Int64
    private let first: Int64
    private let kept: Int64
    private let secret: UnsafeMutablePointer<TicketKey.Part>
    private let keys: UnsafeMutablePointer<TicketKey>

    init(at epoch: Int64, kept: Int64) throws(TLSConfigurationError) {
        (current, first, self.kept) = (epoch, epoch, kept)
        secret = .allocate(capacity: 1)
        keys = .allocate(capacity: Int(kept))
        secret.initialize(to: .zero)
        keys.initialize(repeating: TicketKey(name: .zero, cipher: .zero, mac: .zero), count: Int(kept))
        guard RAND_priv_bytes(UnsafeMutableRawPointer(secret).assumingMemoryBound(to: UInt8.self), 32) == 1 else {
            throw .library("tickets", "no random bytes")
        }
        deriveKey()
    }

    deinit {
        OPENSSL_cleanse(secret, MemoryLayout<TicketKey.Part>.size)
        OPENSSL_cleanse(keys, MemoryLayout<TicketKey>.stride * Int(kept))
        secret.deallocate()
        keys.deallocate()
    }

    /// The first epoch whose key is still there.
    var oldest: Int64 { max(first, current - kept + 1) }

    func key(of epoch: Int64) -> TicketKey { keys[slot(of: epoch)] }

    private func slot(of epoch: Int64) -> Int { Int(((epoch % kept) + kept) % kept) }

    /// Never back: there is no secret to derive an earlier key from.
    mutating func advance(to target: Int64) {
        while current < target {
            secret.pointee = derive("next")
            current += 1
            deriveKey()
        }
    }

    /// Takes the place of the oldest key.
    private func deriveKey() {
        let name = derive("name")
        keys[slot(of: current)] = TicketKey(name: name.lowHalf, cipher: derive("cipher"), mac: derive("mac"))
    }

    /// HMAC-SHA256 keyed with the secret: one way.
    private func derive(_ label: StaticString) -> TicketKey.Part {
        var result = TicketKey.Part.zero
        withUnsafeMutableBytes(of: &result) { result in
            var length: UInt32 = 0
            _ = HMAC(
                EVP_sha256(), secret, 32, label.utf8Start, label.utf8CodeUnitCount,
                result.baseAddress?.assumingMemoryBound(to: UInt8.self), &length)
        }
        return result
    }
}
