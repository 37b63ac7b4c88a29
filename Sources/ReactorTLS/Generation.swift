import CReactorTLS

/// How often a server's certificates were read anew, counted where the processes forked from this one see it too.
final class Generation: Sendable {
    private nonisolated(unsafe) let counter: UnsafeMutableRawPointer

    init() throws(TLSConfigurationError) {
        guard let counter = creactor_shared_counter_new() else { throw .library("TLS", "no memory") }
        self.counter = counter
    }

    deinit { creactor_shared_counter_free(counter) }

    var current: UInt32 { creactor_shared_counter_value(counter) }

    /// Begins the next, and says which it is.
    func advance() -> UInt32 { creactor_shared_counter_add(counter) }
}
