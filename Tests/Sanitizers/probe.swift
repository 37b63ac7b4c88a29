// Faults made on purpose, and one that is none: proof that the sanitizers see what they should. No part of the package;
// compiled in language mode 5, since mode 6 refuses the race.
// usage: probe locked | raced | leaked | overrun
import Foundation
import Synchronization

final class Counter {
    let locked = Mutex(0)
    var bare = 0
}

final class Ring { var next: Ring? }

let counter = Counter()
let kind = CommandLine.arguments.dropFirst().first ?? ""
switch kind {
case "locked", "raced":
    let threads = (0..<4).map { _ in
        Thread {
            for _ in 0..<20_000 {
                if kind == "raced" { counter.bare += 1 } else { counter.locked.withLock { $0 += 1 } }
            }
            counter.locked.withLock { $0 += 1_000_000 }
        }
    }
    for thread in threads { thread.start() }
    while counter.locked.withLock({ $0 }) < 4_000_000 { usleep(1_000) }
case "leaked":
    func leak() {
        for _ in 0..<100 {
            let ring = Ring()
            ring.next = ring
        }
    }
    leak()
case "overrun":
    let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: 8)
    bytes[8] = UInt8(truncatingIfNeeded: CommandLine.arguments.count)
    print(bytes[8])
default: break
}
