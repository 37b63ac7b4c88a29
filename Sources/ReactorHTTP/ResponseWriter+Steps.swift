package import ConnectionHandling

/// For those who answer by tasks, and bring bodies of their own.
extension ResponseWriter {
    /// Has a step of something longer taken, and ``HTTPApplication/answered(_:)`` called at its end.
    package mutating func awaitStep(_ begin: @escaping @Sendable (AwaitedWork, any TaskStarter) -> Void) {
        connection.awaitStep(begin)
    }
}
