import Synchronization

/// Makes the type that has one as a stored property be passed by address. Swift 6.3 copies a large struct to the stack for
/// each call that borrows it, though nothing could tell the copy from the original: an atomic value has to stay where it is,
/// and so does whatever holds one.
public struct InPlace: ~Copyable {
    private let anchor = Atomic<UInt8>(0)
    public init() {}
}
