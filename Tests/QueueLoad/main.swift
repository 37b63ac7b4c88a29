// Works a mail queue without any SMTP: for the benchmarks, which count what it costs, and for its tests, which kill it.
import Foundation

let usage = """
    usage: queue-load in SPOOL COUNT IN-FLIGHT SIZE     stores so many messages; prints how fast
           queue-load out SPOOL COUNT IN-FLIGHT         takes so many out, as delivered; prints how fast
           queue-load both SPOOL COUNT IN-FLIGHT SIZE   the two at once
           queue-load fill SPOOL COUNT DESTINATIONS     stores messages that are due in an hour
           queue-load start SPOOL                       takes the lease and asks what waits; prints times and memory
           queue-load commit SPOOL IN-FLIGHT SIZE       stores until it is killed; prints each id that was acknowledged
           queue-load deliver SPOOL IN-FLIGHT           takes out until it is killed; prints each id that is gone

    """

func end(_ text: String, _ status: Int32) -> Never {
    FileHandle.standardError.write(Data(text.utf8))
    exit(status)
}

/// Unbuffered, so that what was said before a kill was said.
func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

let arguments = Array(CommandLine.arguments.dropFirst())
let numbers = arguments.dropFirst(2).compactMap { Int($0) }
guard arguments.count >= 2, numbers.count == arguments.count - 2, numbers.allSatisfy({ $0 > 0 }) else { end(usage, 64) }
do {
    let load = try QueueLoad(arguments[1])
    switch (arguments[0], numbers.count) {
    case ("in", 3): report("in", numbers[0], load.time { load.store(numbers[0], inFlight: numbers[1], size: numbers[2]) })
    case ("out", 2): report("out", numbers[0], try load.time { try load.takeOut(numbers[0], inFlight: numbers[1]) })
    case ("both", 3):
        report("both", numbers[0], try load.time {
            let thread = Thread { load.store(numbers[0], inFlight: numbers[1], size: numbers[2]) }
            thread.start()
            try load.takeOut(numbers[0], inFlight: numbers[1])
        })
    case ("fill", 2): load.fill(numbers[0], destinations: numbers[1])
    case ("start", 0): try load.start()
    case ("commit", 2): load.storeForEver(inFlight: numbers[0], size: numbers[1])
    case ("deliver", 1): try load.takeOut(.max, inFlight: numbers[0], printing: true)
    default: end(usage, 64)
    }
    say(load.counts)
} catch {
    end("queue-load: \(error)\n", 1)
}

func report(_ what: String, _ count: Int, _ seconds: Double) {
    say("\(what) count=\(count) seconds=\(seconds) rate=\(Int(Double(count) / seconds))")
}
