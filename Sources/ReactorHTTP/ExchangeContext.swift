import ConnectionHandling
import HTTPTypes
import ReactorWire

/// Names a value of an ``ExchangeContext``.
public protocol ExchangeContextKey {
    associatedtype Value: Sendable
}

/// What the parts of an application tell each other about one exchange: values by the type of their key. Made when it is
/// first asked for, by ``ResponseWriter/context``, and lasts until the exchange is over. It stays with its connection's
/// thread.
public final class ExchangeContext {
    private let clock: DriverClock
    private let began: MonotonicTime
    /// By the type of their key.
    package private(set) var values: [ObjectIdentifier: any Sendable] = [:]
    /// What answers this exchange, and no other.
    package var application: AnyObject?
    /// Of a request whose body was delivered whole.
    var trailers: HTTPFields?
    /// Passes the answer's body through itself, if it accepts the answer.
    var encoding: ResponseEncoding?

    init(clock: DriverClock) {
        self.clock = clock
        began = clock.now
    }

    /// The value of that name, nil if none was set.
    public subscript<Key: ExchangeContextKey>(key: Key.Type) -> Key.Value? {
        get { values[ObjectIdentifier(key)] as? Key.Value }
        set { values[ObjectIdentifier(key)] = newValue }
    }

    /// Since the context was made.
    public var elapsed: Duration { .nanoseconds(began.nanoseconds(until: clock.now)) }
}
