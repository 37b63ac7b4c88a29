/// Every fixed reply the server gives, with its enhanced status code (RFC 3463; RFC 2034 has none in the greeting, in
/// the answers to HELO and EHLO, and in 3yz replies). Thrown where a command is found wanting.
enum SMTPServerReply: Error {
    case ok, senderOK, recipientOK, reset, bye, cannotVerify, help, startInput
    case unknownCommand, unimplemented, lineTooLong, bareLineBreak, noArgumentExpected, argumentExpected, badHello
    case badMailSyntax, badRcptSyntax, badSender, badRecipient, pathTooLong, badParameter, unknownParameter
    case helloFirst, nestedMail, mailFirst, noRecipients, relayingDenied, startTLS, alreadySecure, tooManyRecipients
    case tooLarge, malformedContent, tooManyHops, storeFull, storeFailed
    case tooManyErrors, tooManyCommands, commandTimeout, dataTimeout, stopping

    var line: StaticString {
        switch self {
        case .ok: "250 2.0.0 OK\r\n"
        case .senderOK: "250 2.1.0 sender OK\r\n"
        case .recipientOK: "250 2.1.5 recipient OK\r\n"
        case .reset: "250 2.0.0 reset\r\n"
        case .bye: "221 2.0.0 bye\r\n"
        case .cannotVerify: "252 2.1.5 cannot verify, send some mail to find out\r\n"
        case .help: "214 2.0.0 commands: HELO EHLO MAIL RCPT DATA RSET NOOP QUIT VRFY HELP\r\n"
        case .startInput: "354 send the message, end with CRLF.CRLF\r\n"
        case .startTLS: "220 2.0.0 start TLS\r\n"
        case .alreadySecure: "503 5.5.1 TLS is there already\r\n"
        case .unknownCommand: "500 5.5.1 command not recognised\r\n"
        case .unimplemented: "502 5.5.1 command not implemented\r\n"
        case .lineTooLong: "500 5.5.2 line too long\r\n"
        case .bareLineBreak: "500 5.5.2 lines must end in CRLF, and hold no other CR or LF\r\n"
        case .noArgumentExpected: "501 5.5.4 no argument expected\r\n"
        case .argumentExpected: "501 5.5.4 argument expected\r\n"
        case .badHello: "501 5.5.4 give your domain name or address literal\r\n"
        case .badMailSyntax: "501 5.5.4 syntax: MAIL FROM:<address> [SIZE=n] [BODY=7BIT|8BITMIME]\r\n"
        case .badRcptSyntax: "501 5.5.4 syntax: RCPT TO:<address>\r\n"
        case .badSender: "501 5.1.7 bad sender address\r\n"
        case .badRecipient: "501 5.1.3 bad recipient address\r\n"
        case .pathTooLong: "501 5.1.3 address too long\r\n"
        case .badParameter: "501 5.5.4 bad parameter\r\n"
        case .unknownParameter: "555 5.5.4 parameter not recognised\r\n"
        case .helloFirst: "503 5.5.1 say HELO or EHLO first\r\n"
        case .nestedMail: "503 5.5.1 sender already given\r\n"
        case .mailFirst: "503 5.5.1 MAIL first\r\n"
        case .noRecipients: "554 5.5.1 no valid recipients\r\n"
        case .relayingDenied: "554 5.7.1 relaying denied\r\n"
        case .tooManyRecipients: "452 4.5.3 too many recipients\r\n"
        case .tooLarge: "552 5.3.4 message too large\r\n"
        case .malformedContent: "550 5.6.0 message holds a CR or LF that is not part of a CRLF\r\n"
        case .tooManyHops: "554 5.4.6 too many hops\r\n"
        case .storeFull: "452 4.3.1 no room for the message, try later\r\n"
        case .storeFailed: "451 4.3.0 message not stored, try later\r\n"
        case .tooManyErrors: "421 4.7.0 too many errors\r\n"
        case .tooManyCommands: "421 4.7.0 too many commands without a message\r\n"
        case .commandTimeout: "421 4.4.2 no command in time\r\n"
        case .dataTimeout: "421 4.4.2 message not sent in time\r\n"
        case .stopping: "421 4.3.2 service stopping\r\n"
        }
    }
}
