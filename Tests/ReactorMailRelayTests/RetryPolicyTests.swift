@testable import ReactorMailRelay
import ReactorSMTP
import ReactorTesting
import Testing

@Suite struct RetryPolicyTests {
    private let day: Int64 = 86_400
    private let received: Int64 = 1_700_000_000

    private func conclude(
        _ message: OutgoingMessage, _ outcomes: [DeliveryOutcome], after seconds: Int64 = 0, isFinal: Bool = false,
        isHop: Bool = false, limits: DeliveryLimits = DeliveryLimits()
    ) -> RetryPolicy.Conclusion {
        var random = SeededGenerator(seed: 1)
        return RetryPolicy(limits: limits, hostname: "relay.test").conclude(
            message, outcomes, isFinal: isFinal, isHop: isHop, at: received + seconds, using: &random)
    }

    private func recipients(_ count: Int, _ notify: Envelope.Notify? = nil) -> [Envelope.Recipient] {
        (0..<count).map { Envelope.Recipient("r\($0)@b.test", notify: notify) }
    }

    @Test("delays double", arguments: [(0, 300), (1, 600), (3, 2400), (4, 3600), (1000, 3600), (Int.max, 3600)] as [(Int, Int64)])
    func delays(_ attempts: Int, _ seconds: Int64) {
        let attempt = conclude(message(attempts: attempts), [.deferred(report(4, 2, 0))]).attempts[0]
        let delay = attempt.nextAttempt - received
        #expect(delay >= seconds * 8 / 10 && delay <= seconds * 12 / 10 + 1)
        #expect(attempt.notices.isEmpty && !attempt.warned)
    }

    @Test func eachRecipientHasItsOwn() {
        var message = message(recipients(3))
        message.recipients[1].attempts = 3
        let attempts = conclude(message, Array(repeating: .deferred(report(4, 2, 0)), count: 3)).attempts
        #expect(attempts.map { $0.message.recipients.map(\.position) } == [[0, 2], [1]])
        #expect(attempts[0].nextAttempt - received <= 361 && attempts[1].nextAttempt - received >= 1920)
    }

    @Test func aConfiguredNextHopIsTriedAgainSoon() {
        let broken = DeliveryOutcome.deferred(report(4, 4, 2))
        #expect(conclude(message(), [broken], isHop: true).attempts[0].nextAttempt - received <= 2)
        #expect(conclude(message(attempts: 50), [broken], isHop: true).attempts[0].nextAttempt - received <= 73)
        #expect(conclude(message(), [broken]).attempts[0].nextAttempt - received >= 240)
    }

    @Test func leftOversFollowAtOnceIfSomebodyWasDeliveredTo() {
        let left = DeliveryOutcome.leftOver(report(4, 5, 3))
        let conclusion = conclude(message(recipients(3)), [.delivered(report(2, 0, 0)), left, left])
        #expect(conclusion.again?.recipients.map(\.position) == [1, 2])
        #expect(conclusion.again?.content.size ?? 0 > 0)
        #expect(conclusion.attempts.flatMap { $0.message.recipients.map(\.position) } == [0])
        let nobody = conclude(message(recipients(2)), [.deferred(report(4, 5, 3)), left])
        #expect(nobody.again == nil && nobody.attempts[0].outcomes == [.deferred(report(4, 5, 3)), .deferred(report(4, 5, 3))])
    }

    @Test func givenUpAfterFiveDays() {
        let refused = DeliveryOutcome.deferred(report(4, 2, 0, "450 later"))
        #expect(conclude(message(), [refused], after: 5 * day).attempts[0].outcomes == [refused])
        let attempt = conclude(message(), [refused], after: 5 * day + 1).attempts[0]
        #expect(attempt.outcomes == [.failed(report(4, 4, 7, "not delivered in time: 450 later"))])
        #expect(attempt.notices.count == 1 && attempt.notices[0].envelope.recipients.map(\.address) == ["a@a.test"])
        #expect(attempt.message.content.size == 0, "what was decided needs no content")
    }

    @Test func aClockThatWasSetBackMakesNothingOld() {
        let refused = DeliveryOutcome.deferred(report(4, 2, 0))
        #expect(conclude(message(received: .max), [refused]).attempts[0].outcomes == [refused])
        #expect(conclude(message(received: .min), [refused]).attempts.count == 1)
    }

    @Test func warnedOnceAfterFourHours() {
        let refused = DeliveryOutcome.deferred(report(4, 2, 0))
        #expect(!conclude(message(), [refused], after: 4 * 3600).attempts[0].warned)
        let late = conclude(message(), [refused], after: 4 * 3600 + 1).attempts[0]
        #expect(late.warned && late.notices.count == 1)
        #expect(late.notices[0].content.text.contains("Will-Retry-Until: Sun, 19 Nov 2023 22:13:20 +0000"))
        #expect(conclude(message(isWarned: true), [refused], after: 5 * 3600).attempts[0].notices.isEmpty)
        var silent = DeliveryLimits()
        silent.warnAfter = nil
        #expect(!conclude(message(), [refused], after: day, limits: silent).attempts[0].warned)
    }

    @Test("who wants to hear what", arguments: [
        (nil, [.failure, .delay]), (.never, []), (.success, [.success]), (.failure, [.failure]), (.delay, [.delay]),
        ([.success, .failure, .delay], [.success, .failure, .delay]),
    ] as [(Envelope.Notify?, Envelope.Notify)])
    func notify(_ asked: Envelope.Notify?, _ expected: Envelope.Notify) {
        func told(_ outcome: DeliveryOutcome) -> Int {
            conclude(message(recipients(1, asked)), [outcome], after: 5 * 3600).attempts[0].notices.count
        }
        #expect(told(.delivered(report(2, 0, 0))) == (expected.contains(.success) ? 1 : 0))
        #expect(told(.failed(report(5, 0, 0))) == (expected.contains(.failure) ? 1 : 0))
        #expect(told(.deferred(report(4, 0, 0))) == (expected.contains(.delay) ? 1 : 0))
        var onward = report(2, 0, 0)
        onward.notifiesOnward = true
        #expect(told(.delivered(onward)) == 0, "the next hop has taken over the duty")
    }

    @Test func nobodyHearsOfANotice() {
        for outcome in [DeliveryOutcome.failed(report(5, 0, 0)), .deferred(report(4, 0, 0)), .delivered(report(2, 0, 0))] {
            let conclusion = conclude(message(recipients(1, [.success, .failure, .delay]), sender: ""), [outcome], after: 6 * day)
            #expect(conclusion.attempts[0].notices.isEmpty && !conclusion.attempts[0].warned)
        }
    }

    @Test func oneNoticeForAllWhoShareAnOutcome() {
        let conclusion = conclude(
            message(recipients(4, [.success, .failure, .delay])),
            [.failed(report(5, 1, 1)), .delivered(report(2, 0, 0)), .failed(report(5, 1, 2)), .deferred(report(4, 2, 0))], after: 5 * 3600)
        let notices = conclusion.attempts.flatMap(\.notices).map(\.content.text)
        #expect(notices.count == 3)
        #expect(notices[0].contains("Final-Recipient: rfc822; r0@b.test") && notices[0].contains("Final-Recipient: rfc822; r2@b.test"))
        #expect(notices[1].contains("Action: delayed") && notices[1].contains("r3@b.test"))
        #expect(notices[2].contains("Action: relayed") && notices[2].contains("r1@b.test"))
    }

    @Test func overdueIsWhatExpiredOrIsToBeTold() {
        let policy = RetryPolicy(limits: DeliveryLimits(), hostname: "relay.test")
        #expect(!policy.isOverdue(message(), at: received + 3600))
        #expect(policy.isOverdue(message(), at: received + 5 * 3600))
        #expect(!policy.isOverdue(message(isWarned: true), at: received + 5 * 3600))
        #expect(!policy.isOverdue(message(recipients(1, .never)), at: received + 5 * 3600), "nobody is to be told")
        #expect(policy.isOverdue(message(recipients(1, .never)), at: received + 6 * day))
    }
}
