import ConnectionHandling
import ReactorWire

/// Every reply the server gives that is not made up of parts, with its enhanced status code (RFC 3463; RFC 2034 has none in
/// the greeting, in the answers to HELO and EHLO, and in 3yz replies). Thrown where a command is found wanting.
enum SMTPServerReply: Error {
    case ok, senderOK, recipientOK, reset, bye, cannotVerify, help, startInput
    case unknownCommand, unimplemented, lineTooLong, bareLineBreak, noArgumentExpected, argumentExpected, badHello
    case badMailSyntax, badRcptSyntax, badSender, badRecipient, pathTooLong, badParameter, unknownParameter, addressNeedsUTF8
    case helloFirst, nestedMail, mailFirst, noRecipients, relayingDenied, startTLS, alreadySecure, tooManyRecipients
    case badChunkSyntax, chunksBegun, binaryNeedsChunks, notTaken
    case tooLarge, malformedContent, malformedChunks, contentLineTooLong, headerTooLarge, tooManyHops, storeFull, storeFailed
    case spokeTooEarly, refusedBefore, tooManyMessages, tooMuchMail, tooMuchRecipients, undecided
    case authenticationFirst, authenticated, alreadyAuthenticated, authenticationInTransaction, encryptionFirst, unknownMechanism
    case authenticationCancelled, badBase64, authenticationLineTooLong, badCredentials, authenticationUnavailable
    case tooManyAttempts, tooMuchAuthentication
    case tooManyErrors, tooManyCommands, commandTimeout, dataTimeout, undecidedInTime, stopping
    /// The policy's own.
    indirect case refusal(SMTPRefusal)

    func write(to output: inout ByteQueue) {
        if case .refusal(let refusal) = self {
            output.append("\(refusal.code) \(refusal.status) \(refusal.text)\r\n" as String)
        } else {
            output.append(line)
        }
    }

    /// The session ends with it.
    var endsSession: Bool {
        switch self {
        case .refusal(let refusal): refusal.endsSession
        case .bareLineBreak, .badChunkSyntax, .malformedContent, .tooManyMessages, .tooManyAttempts: true
        default: false
        }
    }

    /// As the log has it.
    var text: String {
        if case .refusal(let refusal) = self { return "\(refusal.code) \(refusal.status) \(refusal.text)" }
        return String("\(line)".dropLast())
    }

    private var line: StaticString {
        switch self {
        case .ok: "250 2.0.0 OK\r\n"
        case .senderOK: "250 2.1.0 sender OK\r\n"
        case .recipientOK: "250 2.1.5 recipient OK\r\n"
        case .reset: "250 2.0.0 reset\r\n"
        case .bye: "221 2.0.0 bye\r\n"
        case .cannotVerify: "252 2.1.5 cannot verify, send some mail to find out\r\n"
        case .help: "214 2.0.0 commands: HELO EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP STARTTLS AUTH\r\n"
        case .startInput: "354 send the message, end with CRLF.CRLF\r\n"
        case .startTLS: "220 2.0.0 start TLS\r\n"
        case .alreadySecure: "503 5.5.1 TLS is there already\r\n"
        case .unknownCommand: "500 5.5.1 command not recognised\r\n"
        case .unimplemented: "502 5.5.1 command not implemented\r\n"
        case .lineTooLong: "500 5.5.2 line too long\r\n"
        case .bareLineBreak: "550 5.6.0 lines must end in CRLF, and hold no other CR or LF\r\n"
        case .noArgumentExpected: "501 5.5.4 no argument expected\r\n"
        case .argumentExpected: "501 5.5.4 argument expected\r\n"
        case .badHello: "501 5.5.4 give your domain name or address literal\r\n"
        case .badMailSyntax: "501 5.5.4 syntax: MAIL FROM:<address> [parameters]\r\n"
        case .badRcptSyntax: "501 5.5.4 syntax: RCPT TO:<address> [parameters]\r\n"
        case .badSender: "501 5.1.7 bad sender address\r\n"
        case .badRecipient: "501 5.1.3 bad recipient address\r\n"
        case .pathTooLong: "501 5.1.3 address too long\r\n"
        case .badParameter: "501 5.5.4 bad parameter\r\n"
        case .unknownParameter: "555 5.5.4 parameter not recognised\r\n"
        case .addressNeedsUTF8: "553 5.6.7 address needs SMTPUTF8\r\n"
        case .helloFirst: "503 5.5.1 say HELO or EHLO first\r\n"
        case .nestedMail: "503 5.5.1 sender already given\r\n"
        case .mailFirst: "503 5.5.1 MAIL first\r\n"
        case .noRecipients: "554 5.5.1 no valid recipients\r\n"
        case .relayingDenied: "554 5.7.1 relaying denied\r\n"
        case .tooManyRecipients: "452 4.5.3 too many recipients\r\n"
        case .badChunkSyntax: "501 5.5.4 syntax: BDAT size [LAST]\r\n"
        case .chunksBegun: "503 5.5.1 the message has begun by BDAT\r\n"
        case .binaryNeedsChunks: "503 5.5.1 BINARYMIME is sent by BDAT\r\n"
        case .notTaken: "503 5.5.1 chunk not taken\r\n"
        case .tooLarge: "552 5.3.4 message too large\r\n"
        case .malformedContent, .malformedChunks: "550 5.6.0 message holds a CR or LF that is not part of a CRLF\r\n"
        case .contentLineTooLong: "550 5.6.0 message holds a line that is too long\r\n"
        case .headerTooLarge: "552 5.3.4 message header too large\r\n"
        case .tooManyHops: "554 5.4.6 too many hops\r\n"
        case .storeFull: "452 4.3.1 no room for the message, try later\r\n"
        case .storeFailed: "451 4.3.0 message not stored, try later\r\n"
        case .spokeTooEarly: "554 5.5.1 wait for the greeting\r\n"
        case .refusedBefore: "503 5.5.1 no service for you, say QUIT\r\n"
        case .tooManyMessages: "421 4.7.0 too many messages in one session\r\n"
        case .tooMuchMail: "450 4.7.1 too many messages from your address, try later\r\n"
        case .tooMuchRecipients: "450 4.7.1 too many recipients from your address, try later\r\n"
        case .undecided: "451 4.3.0 no decision, try later\r\n"
        case .authenticationFirst: "530 5.7.0 authentication required\r\n"
        case .authenticated: "235 2.7.0 authenticated\r\n"
        case .alreadyAuthenticated: "503 5.5.1 authenticated already\r\n"
        case .authenticationInTransaction: "503 5.5.1 not in a transaction\r\n"
        case .encryptionFirst: "538 5.7.11 go over to TLS first\r\n"
        case .unknownMechanism: "504 5.5.4 mechanism not offered\r\n"
        case .authenticationCancelled: "501 5.7.0 authentication cancelled\r\n"
        case .badBase64: "501 5.5.2 not base64\r\n"
        case .authenticationLineTooLong: "500 5.5.6 authentication line too long\r\n"
        case .badCredentials: "535 5.7.8 not authenticated\r\n"
        case .authenticationUnavailable: "454 4.7.0 no authentication for now, try later\r\n"
        case .tooMuchAuthentication: "454 4.7.0 too many attempts from your address, try later\r\n"
        case .tooManyAttempts: "421 4.7.0 too many attempts to authenticate\r\n"
        case .tooManyErrors: "421 4.7.0 too many errors\r\n"
        case .tooManyCommands: "421 4.7.0 too many commands without a message\r\n"
        case .commandTimeout: "421 4.4.2 no command in time\r\n"
        case .dataTimeout: "421 4.4.2 message not sent in time\r\n"
        case .undecidedInTime: "421 4.3.0 no decision in time\r\n"
        case .stopping: "421 4.3.2 service stopping\r\n"
        // Written by `write(to:)` from its parts.
        case .refusal: ""
        }
    }
}
