public import Reactor
public import ReactorNames
public import ReactorSMTP

/// Why a message was not given to any server: nobody has had it.
public enum SendMailError: Error, Sendable, CustomStringConvertible {
    /// The server's host could not be found, or not be connected to.
    case unreachable(ConnectByNameError)
    /// The server's address could not be connected to.
    case notConnected(SystemError)
    /// The server did not let it come to the message, refused the credentials, or has no TLS where that is required. Of
    /// class 4: another time, perhaps.
    case noService(DeliveryReport)
    /// The content could not be read.
    case unreadable(ContentFileError)
    /// The loop has stopped, or did before it was known what became of the message.
    case loopStopped

    public var description: String {
        switch self {
        case .unreachable(let error): "\(error)"
        case .notConnected(let error): "\(error)"
        case .noService(let report): "\(report.remote.map { "\($0): " } ?? "")\(report.text)"
        case .unreadable(let error): "\(error)"
        case .loopStopped: "\(EventLoopStopped())"
        }
    }
}
