public import Foundation

/// What one round of a piece of work takes.
public struct Count: Codable, Equatable, Sendable {
    public var instructions: Double
    public var allocations: Double

    public init(instructions: Double, allocations: Double) {
        self.instructions = instructions
        self.allocations = allocations
    }
}

/// Counts by the name of the work, for each kind of processor: the file that is committed.
public struct Counts: Equatable, Sendable {
    public typealias OfOneProcessor = [String: Count]
    public var byProcessor: [String: OfOneProcessor]

    public init(_ byProcessor: [String: OfOneProcessor] = [:]) { self.byProcessor = byProcessor }

    public init(reading file: URL) throws {
        do {
            byProcessor = try JSONDecoder().decode([String: OfOneProcessor].self, from: Data(contentsOf: file))
        } catch {
            throw CountingFailure("cannot read \(file.relativePath): \((error as? CocoaError)?.localizedDescription ?? "\(error)")")
        }
    }

    /// A line for each count, so that a change shows in a diff as what it is.
    public func write(to file: URL) throws {
        let processors = byProcessor.sorted { $0.key < $1.key }.map { processor, counts in
            let lines = counts.sorted { $0.key < $1.key }.map { name, count in
                "    \"\(name)\": {\"instructions\": \(Self.decimal(count.instructions, 1)), \"allocations\": \(Self.decimal(count.allocations, 2))}"
            }
            return "  \"\(processor)\": {\n" + lines.joined(separator: ",\n") + "\n  }"
        }
        do {
            try Data(("{\n" + processors.joined(separator: ",\n") + "\n}\n").utf8).write(to: file)
        } catch {
            throw CountingFailure("cannot write \(file.relativePath): \(error.localizedDescription)")
        }
    }

    static func decimal(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    /// The processors that this program was built for.
    public static var processor: String {
        #if arch(x86_64)
        "x86_64"
        #elseif arch(arm64)
        "aarch64"
        #else
        "other"
        #endif
    }
}

public struct CountingFailure: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
