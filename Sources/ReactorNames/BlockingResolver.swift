public import Reactor
public import ReactorDNS

/// Looks names up on the calling thread, and waits for the answer: for the architectures that wait anyway. Never on a loop,
/// which has ``Resolver``.
///
/// It belongs to one thread at a time.
public final class BlockingResolver {
    public private(set) var statistics = ResolverStatistics()

    /// - Throws: ``SystemError``, as ``Resolver/init(loop:options:)``.
    public init(options: ResolverOptions = .init()) throws(SystemError) {}

    /// The records of `type` that `name` has; see ``Resolver/lookUp(_:_:completion:)``. Waits for at most
    /// ``ResolverOptions/deadline``.
    public func lookUp(_ name: String, _ type: RecordType) throws(ResolutionError) -> Answer {
        throw .noData(name: name, type: type)
    }
}
