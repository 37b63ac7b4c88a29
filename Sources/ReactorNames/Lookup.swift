/// A look-up under way. It belongs to its resolver's loop; it need not be kept.
public final class Lookup {
    init() {}

    /// Ends it: its completion is never called. Harmless when it has ended already.
    public func cancel() {}
}
