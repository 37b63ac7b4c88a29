/// What is wrong with a message of the peer's.
public enum DNSViolation: Error, Hashable, Sendable {
    /// The message ends within what is expected at this offset, or a record's data within itself.
    case truncated(at: Int)
    /// A compression pointer does not point backwards, or a name has too many of them.
    case badPointer(at: Int)
    /// A label of a type that RFC 1035 section 4.1.4 reserves.
    case badLabel(at: Int)
    /// A name of more than 255 bytes.
    case nameTooLong(at: Int)
    /// The data of a record is not what its type has.
    case badData(RecordType, at: Int)
    /// The CNAME records of an answer lead in a circle, or through too many names.
    case aliasLoop
    /// It is not a response, or not to the question that was asked.
    case otherQuestion
}

extension DNSViolation: CustomStringConvertible {
    public var description: String {
        switch self {
        case .truncated(let offset): "the message breaks off at byte \(offset)"
        case .badPointer(let offset): "a compression pointer at byte \(offset) does not lead backwards"
        case .badLabel(let offset): "a label of unknown type at byte \(offset)"
        case .nameTooLong(let offset): "a name of more than 255 bytes at byte \(offset)"
        case .badData(let type, let offset): "the \(type) record at byte \(offset) has other data than its type"
        case .aliasLoop: "its CNAME records lead in a circle, or too far"
        case .otherQuestion: "it answers another question"
        }
    }
}
