public import Reactor
public import ReactorDNS

/// Why a look-up has no answer. Each case has the name and the type that were asked for.
public enum ResolutionError: Error, Equatable, Sendable {
    /// There is no such name (NXDOMAIN): no records of any type.
    case nameDoesNotExist(name: String, type: RecordType)
    /// The name is there, but has no records of the type (NODATA, RFC 2308 section 2.2).
    case noData(name: String, type: RecordType)
    /// The server could not find out (SERVFAIL), or doesn't know how to (NOTIMP, FORMERR).
    case serverFailure(name: String, type: RecordType)
    /// The server will not say (REFUSED).
    case refused(name: String, type: RecordType)
    /// No server answered in time.
    case timedOut(name: String, type: RecordType)
    /// No server could be reached: nobody listens there, there is no way to it, or this machine has no descriptor left for a
    /// socket.
    case unreachable(name: String, type: RecordType)
    /// What came is no sound answer.
    case malformedAnswer(name: String, type: RecordType, DNSViolation)
    /// The text is not a domain name. Nobody was asked.
    case invalidName(name: String, type: RecordType, DomainNameError)
    /// As many look-ups as ``ResolverOptions/maxConcurrent`` says are under way. Nobody was asked.
    case tooManyLookups(name: String, type: RecordType)
    /// This machine could not ask: memory has run out, or the resolver was closed (`ECANCELED`).
    case system(name: String, type: RecordType, SystemError)
}

extension ResolutionError: CustomStringConvertible {
    /// In one line, whatever the name holds.
    public var description: String {
        switch self {
        case .nameDoesNotExist(let name, let type): "\(Self.start(name, type)): there is no such name"
        case .noData(let name, let type): "\(Self.start(name, type)): the name has no \(type) record"
        case .serverFailure(let name, let type): "\(Self.start(name, type)): the name server failed"
        case .refused(let name, let type): "\(Self.start(name, type)): the name server refuses to answer"
        case .timedOut(let name, let type): "\(Self.start(name, type)): no name server answered in time"
        case .unreachable(let name, let type): "\(Self.start(name, type)): no name server can be reached"
        case .malformedAnswer(let name, let type, let violation):
            "\(Self.start(name, type)): the name server's answer is not sound: \(violation)"
        case .invalidName(let name, let type, let error): "cannot look up '\(printable(name))' (\(type)): \(error)"
        case .tooManyLookups(let name, let type): "\(Self.start(name, type)): too many look-ups are under way"
        case .system(let name, let type, let error): "\(Self.start(name, type)): \(error)"
        }
    }

    private static func start(_ name: String, _ type: RecordType) -> String { "cannot look up \(printable(name)) (\(type))" }
}

/// A name as it may stand in a log and on a terminal, wherever it came from: what would begin a line of its own, move the
/// cursor or turn the direction of writing is `\u{1B}`; and not much longer than any name is.
package func printable(_ name: String) -> String {
    let scalars = name.unicodeScalars
    var text = ""
    for scalar in scalars.prefix(longestPrinted) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator:
            text += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
        default: text.unicodeScalars.append(scalar)
        }
    }
    return scalars.dropFirst(longestPrinted).isEmpty ? text : text + "…"
}

private let longestPrinted = 255
