/// Where a request's parts stand, counted from its head's first byte.
struct RequestLayout: Sendable {
    let method: HTTPMethod
    let nameRange: Range<Int>
    let target: RequestTarget
    let host: Range<Int>?
    let headLength: Int
    let minorVersion: UInt8

    init(_ head: borrowing RequestHead) {
        method = head.method
        nameRange = head.start..<head.methodEnd
        target = head.target
        host = head.host
        headLength = head.length
        minorVersion = head.minorVersion
    }
}
