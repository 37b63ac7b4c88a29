// Gives inputs to one of the fuzz targets.
// usage: fuzz TARGET FILE ...      each of the files, once
// In a build with libFuzzer, which has a main and options of its own, FUZZ_TARGET names the target: see Tests/Fuzzing/run.
import Foundation
import FuzzTargets
import ReactorWire

#if FUZZING
private let target = FuzzTarget.named(ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? "")

@_cdecl("LLVMFuzzerTestOneInput") public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let target else { preconditionFailure("FUZZ_TARGET names no target") }
    target.run(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: data, count: size)))
    return 0
}
#else
@main
enum Fuzz {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count > 2, let target = FuzzTarget.named(arguments[1]) else {
            let names = FuzzTarget.all.map(\.name).joined(separator: ", ")
            FileHandle.standardError.write(Data("usage: fuzz TARGET FILE ...\ntargets: \(names)\n".utf8))
            exit(64)
        }
        for path in arguments.dropFirst(2) {
            let input = [UInt8](try Data(contentsOf: URL(filePath: path)))
            target.run(input.span.bytes)
        }
    }
}
#endif
