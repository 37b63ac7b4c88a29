import Foundation
import Glibc
import Testing

@testable import BenchmarkHarness

@Suite struct PortTests {
    /// nginx, whose port is chosen for it; the first time it is another's by then.
    private func lateNginx(_ scratch: borrowing Scratch, message: String) -> Subject {
        let marker = scratch.file("marker")
        let script = "[ -e \(marker) ] && exec nginx -c \"$1\"; touch \(marker); echo '\(message)' >&2; exit 1"
        return Subject(
            name: "late", summary: "", command: { _, _, _ in ["sh", "-c", script, "sh"] },
            configuration: Subject.nginx.configuration, hasExactFields: false)
    }

    @Test(.enabled(if: Subject.nginx.isInstalled(Environment.ofThisPackage.executables)))
    func anotherPortIsTried() throws {
        let scratch = try Scratch()
        let subject = lateNginx(scratch, message: "bind() to 127.0.0.1 failed (98: Address already in use)")
        let server = try ServerProcess.start(subject, .http, workers: 1, in: .ofThisPackage)
        #expect(server.tree.listens(on: server.port))
        try server.stop()
    }

    @Test func nothingElseIsTriedAgain() throws {
        let scratch = try Scratch()
        let subject = lateNginx(scratch, message: "out of memory")
        #expect { _ = try ServerProcess.start(subject, .http, workers: 1, in: .ofThisPackage).port } throws: {
            "\($0)".contains("out of memory")
        }
    }

    /// A server that another program's port was given to is not taken for that program.
    @Test func theListenerMustBeTheServers() throws {
        let server = try ServerProcess.start(.floor, .http, workers: 1, in: .ofThisPackage)
        let child = try ChildProcess(["sleep", "60"], cpu: nil)
        #expect(server.tree.listens(on: server.port))
        #expect(!ProcessTree(root: child.id).listens(on: server.port))
        try server.stop()
    }
}
