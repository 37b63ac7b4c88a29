import CReactorSystem
import Glibc

/// What the calling thread has had of the CPU: a generator that has none left measures itself.
struct OwnTime {
    let wall: UInt64
    let user: UInt64
    let system: UInt64
    /// Nanoseconds in which it could have run and another had the CPU; 0 where the kernel doesn't say.
    let waited: UInt64

    static func now() -> OwnTime {
        var (user, system): (UInt64, UInt64) = (0, 0)
        creactor_thread_cpu(&user, &system)
        return OwnTime(wall: creactor_monotonic_ns(), user: user, system: system, waited: runQueueWait())
    }

    func since(_ earlier: OwnTime) -> OwnTime {
        OwnTime(
            wall: wall - min(earlier.wall, wall), user: user - min(earlier.user, user), system: system - min(earlier.system, system),
            waited: waited - min(earlier.waited, waited))
    }

    /// Of one CPU, from 0 to 1.
    var share: Double { wall == 0 ? 0 : Double(user + system) / Double(wall) }
    var waitedShare: Double { wall == 0 ? 0 : Double(waited) / Double(wall) }

    /// The second number of proc(5)'s schedstat.
    private static func runQueueWait() -> UInt64 {
        guard let file = fopen("/proc/thread-self/schedstat", "re") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, CInt(line.count), file) != nil else { return 0 }
        let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).split(separator: " ")
        return words.count > 1 ? UInt64(words[1]) ?? 0 : 0
    }
}
