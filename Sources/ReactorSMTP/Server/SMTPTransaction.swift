import ConnectionHandling
import ReactorWire

/// What MAIL has begun: apart from the session, so that an idle one does not pay for it.
final class SMTPTransaction {
    var envelope: Envelope
    /// Once DATA or BDAT has begun the content.
    var incoming: IncomingMessage?

    init(_ envelope: Envelope) { self.envelope = envelope }
}

/// A message whose content is arriving.
final class IncomingMessage {
    var content: IncomingContent
    /// For DATA.
    var decoder: DataDecoder
    /// For BDAT.
    var lines = LineChecker()
    /// Bytes of the chunk that have yet to come; nil if the content comes behind DATA.
    var chunkLeft: Int?
    /// The last byte of the content has come.
    var hasEnded = false
    /// The chunk is the last one.
    var isLastChunk = false
    /// Fields that the header lacks have been added.
    var isCompleted = false
    /// Any bytes may be in it, and none are a line's end.
    let isBinary: Bool
    let deadline: MonotonicTime

    init(_ content: IncomingContent, isBinary: Bool, normalizing: Bool, deadline: MonotonicTime) {
        self.content = content
        self.isBinary = isBinary
        decoder = DataDecoder(normalizing: normalizing)
        self.deadline = deadline
    }

    /// Takes bytes of the chunk, as many as there are.
    func takeChunk(_ bytes: RawSpan) {
        chunkLeft = (chunkLeft ?? 0) - bytes.byteCount
        if !isBinary { lines.check(bytes) }
        content.append(bytes)
    }

    /// Why the message cannot be accepted; nil if nothing is wrong with what has come.
    func refusal(_ limits: SMTPServerLimits) -> SMTPServerReply? {
        if decoder.isMalformed { return .malformedContent }
        if lines.isMalformed { return .malformedChunks }
        if max(decoder.longestLine, lines.longestLine) > limits.contentLine { return .contentLineTooLong }
        if content.header.hops > limits.hops { return .tooManyHops }
        switch content.fault {
        case .tooLarge: return .tooLarge
        case .headerTooLarge: return .headerTooLarge
        case .noRoom: return .storeFull
        case .notWritten: return .storeFailed
        case nil: return nil
        }
    }
}
