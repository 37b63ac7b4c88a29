import CBenchSystem
import Foundation

/// A directory for what a relay keeps, on a disk: gone with this value, or when a signal ends the harness.
package struct SpoolDirectory: ~Copyable {
    package let path: String
    private let place: Int32

    /// Not `/tmp`, which is often in memory: a message that is synced there is not on a disk.
    package static let parent = "/var/tmp"

    package init() throws {
        path = Self.parent + "/bench-\(UUID().uuidString)"
        place = bench_remove_on_signals(path)
        guard place >= 0 else { throw Failure("there is no room to remember \(path)") }
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        } catch {
            bench_forget_directory(place)
            throw Failure("cannot make \(path): \(error.localizedDescription)")
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
        bench_forget_directory(place)
    }

    /// The kind of file system that spools are on, such as ext4.
    package static var fileSystem: String {
        fileSystem(of: parent, mounts: (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? "")
    }

    /// - Parameter mounts: as proc_pid_mounts(5) has it. Of two mounts on one another the later one is seen.
    static func fileSystem(of path: String, mounts: String) -> String {
        var (found, length) = ("an unknown file system", 0)
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { continue }
            let point = fields[1] == "/" ? "" : fields[1]
            guard path == point || path.hasPrefix(point + "/"), point.utf8.count >= length else { continue }
            (found, length) = (String(fields[2]), point.utf8.count)
        }
        return found
    }
}
