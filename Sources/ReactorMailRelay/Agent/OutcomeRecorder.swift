import Reactor
import ReactorSMTP

/// Has outcomes written down: all that came in a turn together, and again until the queue takes them. Belongs to the loop.
final class OutcomeRecorder {
    /// Attempts, and what is to be done once the disk has them.
    struct Entry {
        var attempts: [DeliveryAttempt]
        var written: () -> Void
    }

    /// The lease is lost: nothing is written down any more.
    var leaseLost: () -> Void = {}
    /// Told the reason each time that something could not be written down, and nil when everything is.
    var troubled: (MailQueueError?) -> Void = { _ in }
    /// So many outcomes wait for the disk that no message should be begun; and they no longer do.
    private(set) var isBehind = false
    var caughtUp: () -> Void = {}

    private weak var loop: EventLoop?
    private let queue: any QueueAccess
    private let mailbox: RecordMailbox
    private let pause: Duration
    private let mostUnwritten: Int
    private var unwritten = 0
    private var gathered: [Entry] = []
    private var isFlushing = false
    private var underWay: [Int: (entries: [Entry], isAgain: Bool)] = [:]
    private var lastNumber = 0
    /// What the queue did not take, until it is tried again.
    private var stuck: [Entry] = []
    /// Entries that are being tried again.
    private var again = 0
    private var watchers: [Watcher] = []

    init(queue: any QueueAccess, loop: EventLoop, limits: DeliveryLimits) throws(MailQueueError) {
        self.queue = queue
        self.loop = loop
        pause = limits.rewrite
        mostUnwritten = limits.unwrittenOutcomes
        mailbox = try RecordMailbox()
        watchers = [loop.onReadable(mailbox.descriptor) { [unowned self] in takeLetters() }]
    }

    deinit { watchers.forEach { $0.cancel() } }

    /// Something could not be written down, and is not yet. Nothing more is to be delivered: a queue that cannot be written
    /// to would have the same mail delivered again and again.
    var isFailing: Bool { !stuck.isEmpty || again > 0 }
    var isIdle: Bool { gathered.isEmpty && underWay.isEmpty && stuck.isEmpty }

    func record(_ attempts: [DeliveryAttempt], written: @escaping () -> Void) {
        gathered.append(Entry(attempts: attempts, written: written))
        unwritten += attempts.count
        if unwritten >= mostUnwritten { isBehind = true }
        if isFlushing { return }
        isFlushing = true
        loop?.after(.zero) { [weak self] in self?.flush() }
    }

    /// Sends what was gathered on its way.
    func flush() {
        isFlushing = false
        if gathered.isEmpty { return }
        let entries = gathered
        gathered = []
        send(entries, isAgain: false)
    }

    private func send(_ entries: [Entry], isAgain: Bool) {
        lastNumber += 1
        underWay[lastNumber] = (entries, isAgain)
        queue.record(entries.flatMap(\.attempts)) { [mailbox, lastNumber] in mailbox.post(lastNumber, $0) }
    }

    private func takeLetters() {
        let wasFailing = isFailing
        for letter in mailbox.take() {
            guard let (entries, isAgain) = underWay.removeValue(forKey: letter.number) else { continue }
            if isAgain { again -= entries.count }
            switch letter.result {
            case .success: wrote(entries)
            case .failure(.leaseLost): return leaseLost()
            case .failure(let error): setAside(entries, error)
            }
        }
        if wasFailing, !isFailing { troubled(nil) }
    }

    private func wrote(_ entries: [Entry]) {
        for entry in entries {
            unwritten -= entry.attempts.count
            entry.written()
        }
        if !isBehind || unwritten > mostUnwritten / 2 { return }
        isBehind = false
        caughtUp()
    }

    private func setAside(_ entries: [Entry], _ error: MailQueueError) {
        if stuck.isEmpty { loop?.after(pause) { [weak self] in self?.tryAgain() } }
        stuck += entries
        troubled(error)
    }

    /// Each for itself: one that the queue will never take must not keep the others from it.
    private func tryAgain() {
        let entries = stuck
        stuck = []
        again += entries.count
        for entry in entries { send([entry], isAgain: true) }
    }
}
