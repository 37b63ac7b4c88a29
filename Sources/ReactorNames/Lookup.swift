import ConnectionHandling
import ReactorDNS

/// A look-up under way. It belongs to its resolver's loop; it need not be kept.
public final class Lookup {
    let name: String
    let type: RecordType
    let deadline: MonotonicTime
    /// The names still to be tried, the one under way not among them.
    var candidates: ArraySlice<DomainName> = []
    /// One of those tried is there, but has no such record.
    var sawNoData = false
    /// Its deadline is watched.
    var isNoted = false
    private var completion: ((Result<Answer, ResolutionError>) -> Void)?
    private weak var core: ResolverCore?
    /// It has its result, which waits to be told.
    private var hasResult = false

    init(
        _ name: String, _ type: RecordType, deadline: MonotonicTime, core: ResolverCore,
        completion: @escaping (Result<Answer, ResolutionError>) -> Void
    ) {
        self.name = name
        self.type = type
        self.deadline = deadline
        self.core = core
        self.completion = completion
    }

    /// Ends it: its completion is never called. Harmless when it has ended already. A query that is on its way goes on: its
    /// answer is kept for the next who asks.
    public func cancel() {
        // Taken out before it goes: what it holds may cancel this again as it goes with it.
        guard let body = completion.take() else { return }
        if !hasResult { core?.lookupEnded() }
        _ = consume body
    }

    /// It is still to be given a result.
    var isWaiting: Bool { completion != nil && !hasResult }

    /// It takes no other result from now on, and may yet be cancelled.
    func settle() { hasResult = true }

    /// Tells the result, unless it was cancelled meanwhile.
    func complete(_ result: Result<Answer, ResolutionError>) {
        guard let body = completion else { return }
        completion = nil
        body(result)
    }
}
