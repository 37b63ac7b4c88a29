public import ReactorTesting

/// The text with a few random faults in it.
public func damaged(_ text: String, _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = Array(text.utf8)
    let pieces = ["\r\n", "\r", "\n", ".", "\r\n.\r\n", "\n.\n", "<", ">", " ", "\u{0}", "\u{E9}", "250-", "354 go\r\n", "DATA\r\n", "RSET\r\n"]
    for _ in 0..<Int.random(in: 1...6, using: &random) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.remove(at: at)
        case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.insert(contentsOf: Array(pieces.randomElement(using: &random)!.utf8), at: at)
        default:
            let end = min(bytes.count, at + Int.random(in: 1...40, using: &random))
            bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0..<bytes.count, using: &random))
        }
    }
    return bytes
}
