import Glibc

/// The system refused something: which call, for what, and its `errno`.
public struct SystemError: Error, Equatable, CustomStringConvertible, Sendable {
    /// What was being done, as a phrase: `listen on 127.0.0.1:80`.
    public let operation: String
    public let errno: Int32

    public init(_ operation: String, errno: Int32) {
        self.operation = operation
        self.errno = errno
    }

    public var description: String { "cannot \(operation): \(String(cString: strerror(errno)))" }
}
