import ReactorWire

/// The Content-Type of files, by the endings of their names.
public struct MediaTypes: Sendable {
    /// An ending in lower case, with NULs behind it. A longer one is none.
    private struct Ending: Hashable {
        static let longest = 16
        var first: UInt64 = 0
        var second: UInt64 = 0

        init?(_ bytes: RawSpan) {
            if bytes.byteCount == 0 || bytes.byteCount > Self.longest { return nil }
            for index in 0..<bytes.byteCount {
                let byte = bytes[index]
                let lowercase = UInt64(byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte) << UInt64((index & 7) * 8)
                if index < 8 { first |= lowercase } else { second |= lowercase }
            }
        }
    }

    private var table = defaultTable

    private static let defaultTable: [Ending: [UInt8]] = {
        var table: [Ending: [UInt8]] = [:]
        for (type, endings) in defaults {
            for ending in endings.split(separator: " ") {
                if let key = Ending(Array(ending.utf8).span.bytes) { table[key] = Array(type.utf8) }
            }
        }
        return table
    }()

    /// For a name without a known ending: `application/octet-stream`, which browsers save instead of showing it.
    public var other: String {
        get { String(decoding: otherBytes, as: UTF8.self) }
        set { otherBytes = Array(newValue.utf8) }
    }
    private var otherBytes = Array("application/octet-stream".utf8)

    /// The types of ``defaults``.
    public init() {}

    /// The type of names with this ending, which is written without its dot and compared without case; up to 16 bytes.
    public subscript(ending: String) -> String? {
        get { Ending(Array(ending.utf8).span.bytes).flatMap { table[$0] }.map { String(decoding: $0, as: UTF8.self) } }
        set {
            guard let key = Ending(Array(ending.utf8).span.bytes) else { return }
            table[key] = newValue.map { Array($0.utf8) }
        }
    }

    /// The type of a file, as the field has it.
    func type(of name: RawSpan) -> [UInt8] {
        var dot = name.byteCount - 1
        while dot >= 0, name[dot] != UInt8(ascii: "."), name[dot] != UInt8(ascii: "/") { dot -= 1 }
        guard dot >= 0, name[dot] == UInt8(ascii: "."), let ending = Ending(name.slice(dot + 1..<name.byteCount)) else {
            return otherBytes
        }
        return table[ending] ?? otherBytes
    }
}
