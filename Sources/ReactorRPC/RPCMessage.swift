import FoundationEssentials

/// What one HTTP request carries, a call or a batch, on its way to being answered.
struct RPCMessage: Sendable {
    private typealias Suspending = @Sendable (RPCParameters) async throws -> JSONValue

    private enum Entry: Sendable {
        /// Nil when there is nothing to answer.
        case done(JSONValue?)
        case waiting(RPCCall, Suspending)
    }

    private var entries: [Entry]
    private let isBatch: Bool

    /// Carries out every call that does not suspend.
    init(_ value: JSONValue, methods: RPCMethods, limits: RPCLimits) {
        guard case .array(let values) = value else {
            isBatch = false
            entries = [Self.begin(value, methods)]
            return
        }
        // Section 6: an empty batch is answered as one invalid request; so is one past the limit.
        isBatch = !values.isEmpty && values.count <= limits.batch
        entries =
            isBatch
            ? values.map { Self.begin($0, methods) } : [.done(RPCReply.error(.invalidRequest, id: .null))]
    }

    private static func begin(_ value: JSONValue, _ methods: RPCMethods) -> Entry {
        let call: RPCCall
        do { call = try RPCCall(value) } catch { return .done(RPCReply.error(.invalidRequest, id: error.id)) }
        switch methods[call.method] {
        case .immediate(let body):
            return .done(RPCReply.answer(to: call, Result { try body(call.parameters) }))
        case .suspending(let body):
            return .waiting(call, body)
        case nil:
            return .done(RPCReply.answer(to: call, .failure(RPCError.methodNotFound)))
        }
    }

    /// Some calls are still to be carried out, by ``finished()``.
    var isWaiting: Bool {
        entries.contains { if case .waiting = $0 { true } else { false } }
    }

    /// The answer as JSON; nil when nothing is to be answered. Of calls not yet carried out there is none.
    var reply: Data? {
        get throws {
            let answers = entries.compactMap { if case .done(let answer) = $0 { answer } else { nil } }
            guard let first = answers.first else { return nil }
            return try (isBatch ? .array(answers) : first).json
        }
    }

    /// Carries out the calls that suspend, all at the same time; the answers keep the order of the calls.
    consuming func finished() async -> RPCMessage {
        var message = self
        await withTaskGroup(of: (Int, JSONValue?).self) { group in
            for (index, entry) in message.entries.enumerated() {
                guard case .waiting(let call, let body) = entry else { continue }
                group.addTask {
                    do {
                        return (index, RPCReply.answer(to: call, .success(try await body(call.parameters))))
                    } catch {
                        return (index, RPCReply.answer(to: call, .failure(error)))
                    }
                }
            }
            for await (index, answer) in group { message.entries[index] = .done(answer) }
        }
        return message
    }
}
