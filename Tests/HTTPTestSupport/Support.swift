import ConnectionHandling
package import ReactorTesting
package import Testing

/// How an input is cut into the pieces that arrive.
package enum Feeding: CustomTestStringConvertible, CaseIterable, Sendable {
    case whole, byteByByte, randomly

    package var testDescription: String {
        switch self {
        case .whole: "whole"
        case .byteByByte: "byte by byte"
        case .randomly: "split at random"
        }
    }
}

package let seed: UInt64 = {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("splits at random from seed \(seed)")
    return seed
}()

extension TestDriver {
    package func feed(_ text: String, _ feeding: Feeding) { feed(Array(text.utf8), feeding) }

    package func feed(_ bytes: [UInt8], _ feeding: Feeding) {
        var generator = SeededGenerator(seed: seed &+ UInt64(bytes.count))
        var rest = bytes[...]
        while !rest.isEmpty {
            let count =
                switch feeding {
                case .whole: rest.count
                case .byteByByte: 1
                case .randomly: Int.random(in: 1...min(rest.count, 40), using: &generator)
                }
            receive(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
    }
}

/// The moment that RFC 9110 has in its example, which is the test driver's first.
package let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

/// An answer as the server writes it.
package func answer(_ status: String, _ fields: String..., body: String = "", close: Bool = false) -> String {
    var text = "HTTP/1.1 \(status)\r\n" + date
    for field in fields { text += field + "\r\n" }
    if !status.hasPrefix("204") { text += "Content-Length: \(body.utf8.count)\r\n" }
    if close { text += "Connection: close\r\n" }
    return text + "\r\n" + body
}

/// The answer that ends a connection.
package func refusal(_ status: String) -> String {
    answer(status, "Content-Type: text/plain", body: status + "\n", close: true)
}

/// The answer that ends a connection, to HEAD: as if there were a body, without it (RFC 9110 section 9.3.2).
package func refusalToHEAD(_ status: String) -> String {
    String(refusal(status).dropLast(status.utf8.count + 1))
}

package func status(_ text: String) -> String {
    answer(text, "Content-Type: text/plain", body: text + "\n")
}

package let hello = answer("200 OK", "Content-Type: text/plain", body: "Hello, World!")
