import ConnectionHandling
import ReactorDNS

/// What servers have said, for as long as they said it holds (RFC 1035 section 7.4, RFC 2308). It knows the time only from
/// its caller.
///
/// It has so many places. When all are taken, a hand goes round, as in CLOCK: what was used since it last came by is spared
/// once, the next that was not, or that has expired, makes room.
struct AnswerCache {
    private struct Entry {
        let question: DNSMessage.Question
        let resolution: Resolution
        let stored: MonotonicTime
        let expires: MonotonicTime
        var wasUsed = false
    }

    private let options: ResolverOptions
    private var entries: [Entry] = []
    private var places: [DNSMessage.Question: Int] = [:]
    private var hand = 0

    var count: Int { entries.count }

    init(options: ResolverOptions) { self.options = options }

    /// What is known, with the times to live that are left.
    mutating func find(_ question: DNSMessage.Question, at now: MonotonicTime) -> Resolution? {
        guard let place = places[question], now < entries[place].expires else { return nil }
        entries[place].wasUsed = true
        let entry = entries[place]
        guard case .records(let records, let canonicalName, _) = entry.resolution else { return entry.resolution }
        let age = UInt32(clamping: entry.stored.nanoseconds(until: now) / 1_000_000_000)
        let left = UInt32(clamping: now.nanoseconds(until: entry.expires) / 1_000_000_000)
        let aged = records.map {
            ResourceRecord(name: $0.name, timeToLive: $0.timeToLive > age ? $0.timeToLive - age : 0, data: $0.data)
        }
        return .records(aged, canonicalName: canonicalName, timeToLive: left)
    }

    /// Keeps what was said, if it may be kept.
    mutating func store(_ resolution: Resolution, for question: DNSMessage.Question, at now: MonotonicTime) {
        guard options.maxCached > 0, let time = timeToKeep(resolution), time > .zero,
            resolution.footprint <= options.maxCachedSize
        else { return }
        let entry = Entry(question: question, resolution: resolution, stored: now, expires: now.advanced(by: time))
        if let place = places[question] {
            entries[place] = entry
        } else if entries.count < options.maxCached {
            places[question] = entries.count
            entries.append(entry)
        } else {
            let place = makeRoom(at: now)
            places[entries[place].question] = nil
            places[question] = place
            entries[place] = entry
        }
    }

    /// Forgets everything: other servers may say otherwise.
    mutating func removeAll() {
        entries = []
        places = [:]
        hand = 0
    }

    private func timeToKeep(_ resolution: Resolution) -> Duration? {
        switch resolution {
        case .records(_, _, let seconds):
            return max(options.shortestTimeToLive, min(.seconds(seconds), options.longestTimeToLive))
        case .nameDoesNotExist(let seconds?), .noData(let seconds?):
            return min(max(options.shortestTimeToLive, .seconds(seconds)), options.longestNegativeTimeToLive)
        case .nameDoesNotExist(nil), .noData(nil), .failure:
            return nil
        }
    }

    private mutating func makeRoom(at now: MonotonicTime) -> Int {
        while entries[hand].wasUsed && now < entries[hand].expires {
            entries[hand].wasUsed = false
            hand = (hand + 1) % entries.count
        }
        defer { hand = (hand + 1) % entries.count }
        return hand
    }
}
