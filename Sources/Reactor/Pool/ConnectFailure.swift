public import ConnectionHandling

/// Why a connection could not be made fit for use.
public enum ConnectFailure: Error, Equatable, CustomStringConvertible, Sendable {
    /// As the system says.
    case system(SystemError)
    /// It was there, and ended before its handshake did.
    case handshake(CloseReason)

    public var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .handshake(.tlsFailed(let failure)): "\(failure)"
        case .handshake(let reason): "the connection ended in its handshake: \(reason)"
        }
    }
}
