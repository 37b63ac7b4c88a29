/// Bytes that never change, for many connections to send without a copy each: a cached page, a broadcast.
public final class SharedBytes: Sendable {
    /// Written in the initialiser and never again, freed with the object.
    private nonisolated(unsafe) let storage: UnsafeRawBufferPointer

    public init(copying bytes: RawSpan) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.byteCount, 1), alignment: 1)
        bytes.withUnsafeBytes { copy.copyMemory(from: $0) }
        storage = UnsafeRawBufferPointer(rebasing: copy[..<bytes.byteCount])
    }

    public convenience init(_ text: String) { self.init(copying: Array(text.utf8).span.bytes) }

    deinit { storage.baseAddress?.deallocate() }

    public var count: Int { storage.count }

    /// Lent, as long as the object is there.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(RawSpan(_unsafeBytes: storage), borrowing: self) }
    }
}
