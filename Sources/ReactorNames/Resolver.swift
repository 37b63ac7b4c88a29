public import Reactor
public import ReactorDNS

/// Looks names up on a loop, without blocking it.
///
/// It belongs to the loop's thread, as everything of the loop does. Keep it as long as answers are wanted: when it goes, or
/// the loop, its look-ups are cancelled.
public final class Resolver {
    public private(set) var statistics = ResolverStatistics()

    /// - Throws: ``SystemError`` if the options cannot be met: a server that is no IP address (`EINVAL`), no memory.
    public init(loop: EventLoop, options: ResolverOptions = .init()) throws(SystemError) {}

    /// Asks for the records of `type` that `name` has. The completion is called once, later in the loop, never from within
    /// this call; not at all if the look-up is cancelled, or the resolver or its loop goes before.
    ///
    /// A name that ends in a dot is taken as it is; others may be completed by a search domain. A literal address has itself
    /// as its record; its PTR records are those of its ``IPAddress/reverseName``.
    @discardableResult
    public func lookUp(
        _ name: String, _ type: RecordType, completion: @escaping (Result<Answer, ResolutionError>) -> Void
    ) -> Lookup { Lookup() }

    /// Cancels every look-up, and closes the sockets. Later look-ups fail with `ECANCELED`.
    public func close() {}
}
