// Counts the instructions and allocations of pieces of work, and holds them against what is committed.
import Foundation
import InstructionCounting
import MeasuredWork

let usage = """
    usage: instruction-counts check | update [--file FILE] [--only NAME] ...
           instruction-counts run NAME ROUNDS
           instruction-counts list

    check   counts each piece of work under valgrind, and fails where instructions are 2 % off what FILE says, or allocations
            are others. Instructions are counted, not timed: what else the machine does is of no matter.
    update  writes what it counts to FILE.
    run     does a piece of work so often, and prints how often it allocated memory.
    list    says what the pieces of work are.

    FILE is Tests/InstructionCounts/counts.json if none is given. Counts mean nothing of a debug build:
        swift build -c release --product instruction-counts && .build/release/instruction-counts check
    """

func complain(_ line: String) { FileHandle.standardError.write(Data("instruction-counts: \(line)\n".utf8)) }

func fail(_ line: String, status: Int32) -> Never {
    complain(line)
    exit(status)
}

func misused(_ line: String) -> Never { fail("\(line); --help says more", status: 64) }

func counting(_ arguments: ArraySlice<String>) throws -> CountingCommand {
    var (file, only, rest) = ("Tests/InstructionCounts/counts.json", [String](), Array(arguments))
    while let option = rest.first {
        guard ["--file", "--only"].contains(option) else { misused("\(option) is no option") }
        guard rest.count > 1 else { misused("\(option) needs a value") }
        if option == "--file" { file = rest[1] } else { only.append(rest[1]) }
        rest.removeFirst(2)
    }
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return try CountingCommand(file: URL(filePath: file), all: Work.all.map(\.name), only: only, program: program)
}

func run(_ arguments: ArraySlice<String>) throws {
    guard arguments.count == 2, let name = arguments.first, let rounds = arguments.last.flatMap({ Int($0) }), rounds >= 0 else {
        misused("run needs a name and a number of rounds")
    }
    guard let work = Work.all.first(where: { $0.name == name }) else { misused("no work is called \(name)") }
    let body = try work.prepare()
    let before = allocations()
    body(rounds)
    print("allocations=\(before < 0 ? -1 : allocations() - before)")
}

let arguments = CommandLine.arguments.dropFirst()
do {
    switch arguments.first {
    case "check":
        guard try counting(arguments.dropFirst()).check(print: { print($0) }, complain: complain) else { exit(1) }
    case "update": try counting(arguments.dropFirst()).update { print($0) }
    case "run": try run(arguments.dropFirst())
    case "list": for work in Work.all { print("\(work.name): \(work.round)") }
    case "--help", "-h", "help": print(usage)
    case let other: misused(other.map { "\($0) is no command" } ?? "a command is missing")
    }
} catch {
    fail("\(error)", status: 1)
}
