public import ConnectionHandling
import Glibc

/// The system refused something: which call, for what, and its `errno`.
public struct SystemError: Error, Equatable, CustomStringConvertible, Sendable {
    /// What was being done, as a phrase: `listen on 127.0.0.1:80`.
    public let operation: String
    public let errno: Int32
    /// What it was done to or with, where that is an address.
    public let address: SocketAddress?

    public init(_ operation: String, errno: Int32, address: SocketAddress? = nil) {
        self.operation = operation
        self.errno = errno
        self.address = address
    }

    public var description: String { "cannot \(operation): \(String(cString: strerror(errno)))" }
}
