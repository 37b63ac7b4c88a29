public import Glibc

/// Bytes in at the end, out at the front: the buffer under every connection's input and output.
///
/// Storage is one allocation that grows by doubling and is given back by ``removeAll(keepingCapacity:)``, so that an
/// idle connection holds none. Move-only: it frees its storage once, and no copy of it can be made by accident.
public struct ByteQueue: ~Copyable {
    @usableFromInline var storage: UnsafeMutableRawPointer?
    @usableFromInline var start = 0
    @usableFromInline var end = 0
    @usableFromInline var capacity = 0

    /// An empty queue that has allocated nothing.
    @inlinable public init() {}

    /// An empty queue with room for `capacity` bytes.
    @inlinable public init(capacity: Int) {
        storage = malloc(capacity)
        self.capacity = storage == nil ? 0 : capacity
    }

    @inlinable deinit { free(storage) }

    /// How many bytes wait in the queue.
    @inlinable public var count: Int { end - start }
    @inlinable public var isEmpty: Bool { end == start }

    /// How much storage is held, in bytes.
    package var capacityInUse: Int { capacity }
    package var hasStorage: Bool { storage != nil }

    /// The bytes in the queue, first in first. Lent: valid until the queue changes.
    @inlinable public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = RawSpan(_unsafeStart: UnsafeRawPointer(storage ?? emptyStorage) + start, byteCount: end - start)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Lends the bytes to a system call.
    @inlinable package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(start: storage.map { UnsafeRawPointer($0) + start }, count: end - start))
    }

    /// Takes the first `count` bytes out. Constant time.
    @inlinable public mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "cannot remove more bytes than the queue holds")
        start += count
        if start == end {
            start = 0
            end = 0
        }
    }

    /// Takes the last `count` bytes back.
    package mutating func removeLast(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "cannot remove more bytes than the queue holds")
        end -= count
    }

    /// Replaces the byte at `offset`, counted from the first in the queue.
    package mutating func overwrite(at offset: Int, with byte: UInt8) {
        precondition(offset >= 0 && offset < count, "offset outside the bytes")
        storage?.storeBytes(of: byte, toByteOffset: start + offset, as: UInt8.self)
    }

    /// Empties the queue, and frees its storage unless asked to keep it.
    @inlinable public mutating func removeAll(keepingCapacity: Bool = false) {
        start = 0
        end = 0
        if !keepingCapacity {
            free(storage)
            storage = nil
            capacity = 0
        }
    }

    // MARK: Appending

    /// Appends a copy of `bytes`.
    @inlinable public mutating func append(_ bytes: RawSpan) {
        let count = bytes.byteCount
        if count == 0 { return }
        bytes.withUnsafeBytes { source in
            if let from = source.baseAddress { memcpy(reserve(count), from, count) }
        }
        end += count
    }

    /// Appends a literal without making a `String` of it.
    @inlinable public mutating func append(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        if count == 0 { return }
        memcpy(reserve(count), text.utf8Start, count)
        end += count
    }

    /// Appends the UTF-8 of `text`. Disfavoured, because a literal would otherwise be taken for a `String`.
    @_disfavoredOverload @inlinable public mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { source in
            guard let from = source.baseAddress, source.count > 0 else { return }
            memcpy(reserve(source.count), from, source.count)
            end += source.count
        }
    }

    /// Appends the bytes of an array.
    @inlinable public mutating func append(_ bytes: [UInt8]) {
        append(bytes.span.bytes)
    }

    /// Appends one byte.
    @inlinable public mutating func append(_ byte: UInt8) {
        reserve(1).storeBytes(of: byte, as: UInt8.self)
        end += 1
    }

    /// Appends a number in decimal digits, as most text protocols write lengths and codes.
    public mutating func append(decimal value: Int) {
        if value < 0 { append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var digits = 1
        var bound: UInt = 10
        while rest >= bound {
            digits += 1
            // No `Int` is as large as 10 to the 19th, which is still no overflow.
            bound &*= 10
        }
        let target = reserve(digits)
        for index in stride(from: digits - 1, through: 0, by: -1) {
            let next = rest / 10
            target.storeBytes(of: UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- next &* 10), toByteOffset: index, as: UInt8.self)
            rest = next
        }
        end += digits
    }

    /// Appends what `body` writes into `capacity` bytes of room; `body` returns how many it wrote.
    ///
    /// - Throws: what `body` throws; then nothing is appended.
    @inlinable public mutating func append<Failure: Error>(
        capacity: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        let room = UnsafeMutableRawBufferPointer(start: reserve(capacity), count: capacity)
        let written = try body(room)
        precondition(written >= 0 && written <= capacity, "wrote past the room that was asked for")
        end += written
    }

    // MARK: Storage

    /// Room for `count` more bytes behind the last one.
    @inlinable mutating func reserve(_ count: Int) -> UnsafeMutableRawPointer {
        if let storage, capacity - end >= count { return storage + end }
        return makeRoom(count)
    }

    @usableFromInline mutating func makeRoom(_ count: Int) -> UnsafeMutableRawPointer {
        let used = end - start
        defer {
            start = 0
            end = used
        }
        if start > 0, let storage, capacity - used >= count, used <= capacity / 2 {
            memmove(storage, storage + start, used)
            return storage + used
        }
        var grown = max(capacity, 256)
        while grown - used < count { grown *= 2 }
        guard let fresh = malloc(grown) else { fatalError("out of memory: \(grown) bytes") }
        if let storage { memcpy(fresh, storage + start, used) }
        free(storage)
        storage = fresh
        capacity = grown
        return fresh + used
    }
}

/// What an empty queue lends: an address that is valid and never read.
@usableFromInline nonisolated(unsafe) let emptyStorage = UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8)
