/// Why a pool handed out no connection.
public enum PoolError: Error, Equatable, CustomStringConvertible, Sendable {
    /// No connection became free in time. The last failure to connect, if there was one lately, may say why.
    case waitedTooLong(lastFailure: ConnectFailure?)
    /// As many wait already as ``PoolLimits`` allows.
    case queueFull
    /// The destination could not be connected to.
    case connectFailed(ConnectFailure)
    /// The pool was closed.
    case closed

    public var description: String {
        switch self {
        case .waitedTooLong(let failure?): "no connection became free in time (\(failure))"
        case .waitedTooLong: "no connection became free in time"
        case .queueFull: "too many wait for a connection already"
        case .connectFailed(let error): "\(error)"
        case .closed: "the connection pool is closed"
        }
    }
}

/// One acquisition that waits. Tickets of a pool are in the order in which they were drawn.
public struct PoolTicket: Hashable, Comparable, Sendable {
    let number: UInt64
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// The place of one connection in a pool, from the attempt to make it to its end. Never reused.
package struct PoolPlace: Hashable, Sendable {
    let number: UInt64
}
