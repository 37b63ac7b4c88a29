import ReactorWeb
import ReactorWire
import Testing

private struct Person: Codable, Equatable {
    struct Address: Codable, Equatable {
        var city: String
        var zip: Int?
    }
    enum Colour: String, Codable { case red, blue }

    var name: String
    var age: Int?
    var member = false
    var score: Double?
    var tags: [String]?
    var colour: Colour?
    var address: Address?
    var homes: [Address]?
}

/// A type that a peer's input could make as deep as it likes.
private struct Endless: Decodable {
    var inner: [Endless] = []
    init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        while !list.isAtEnd { inner.append(try list.decode(Endless.self)) }
    }
}

private func decode<Value: Decodable>(_ text: String, as type: Value.Type = Value.self) throws -> Value {
    try FormDecoder().decode(type, from: Array(text.utf8).span.bytes)
}

@Suite struct FormCodingTests {
    @Test func aFormBecomesAValue() throws {
        let text = "name=Ada+L&age=36&member=on&score=1.5&tags=x&tags=y&colour=red&address[city]=London&homes[1][city]=B&homes[0][city]=A"
        let expected = Person(
            name: "Ada L", age: 36, member: true, score: 1.5, tags: ["x", "y"], colour: .red,
            address: .init(city: "London"), homes: [.init(city: "A"), .init(city: "B")])
        #expect(try decode(text) == expected)
    }

    @Test func emptyAndMissingFields() throws {
        #expect(try decode("name=&age=&member=0&score=") == Person(name: ""))
        #expect(throws: DecodingError.self) { try decode("age=1&member=1", as: Person.self) }
        struct Text: Decodable { var note: String? }
        #expect(try decode("note=", as: Text.self).note == "")
        #expect(try decode("", as: Text.self).note == nil)
    }

    @Test func ofARepeatedNameTheLastCounts() throws {
        #expect(try decode("name=a&name=b&member=0", as: Person.self).name == "b")
    }

    @Test func arraysInEveryNotation() throws {
        struct List: Decodable { var n: [Int] }
        #expect(try decode("n=1&n=2", as: List.self).n == [1, 2])
        #expect(try decode("n[]=1&n[]=2", as: List.self).n == [1, 2])
        #expect(try decode("n[10]=3&n[2]=1&n[5]=2", as: List.self).n == [1, 2, 3])
        // A number past any array is a place in an order, not a size.
        #expect(try decode("n[4294967295]=7", as: List.self).n == [7])
    }

    @Test(arguments: [
        "name=a&member=maybe", "name=a&member=0&age=x", "name=a&member=0&age=99999999999999999999", "name=a&member=0&age=1.5",
        "name=a&member=0&score=nan", "name=a&member=0&score=inf", "name=a&member=0&score=1e999", "name=a&member=0&colour=green",
        "name[x]=a&member=0", "name=a&member=0&address=London", "name=a&member=0&homes=x",
    ])
    func whatIsNoValueIsRefused(_ text: String) {
        #expect(throws: DecodingError.self) { try decode(text, as: Person.self) }
    }

    @Test func names() {
        #expect(throws: FormViolation.malformedName) { try decode("a[b=1", as: [String: String].self) }
        #expect(throws: FormViolation.malformedName) { try decode("a[b]c=1", as: [String: String].self) }
        #expect(throws: FormViolation.nestedTooDeeply) { try decode("a[b][c][d][e][f][g][h][i]=1", as: [String: String].self) }
        #expect(throws: Never.self) { try decode("a[b][c][d][e][f][g][h]=1", as: Endless.self) }
    }

    @Test func nothingIsEndlesslyDeep() {
        struct Root: Decodable { var a: Endless }
        #expect(throws: FormViolation.nestedTooDeeply) { try decode("a=1", as: Root.self) }
    }

    @Test func whatIsEncodedIsDecoded() throws {
        let person = Person(
            name: "a&b=c", age: -1, member: true, score: 0.1, tags: ["", "x y"], colour: .blue,
            address: .init(city: "Köln", zip: 5), homes: [.init(city: "1"), .init(city: "2", zip: 2)])
        let bytes = try FormEncoder().encode(person)
        #expect(try FormDecoder().decode(Person.self, from: bytes.span.bytes) == person)
        let query = String(decoding: try FormEncoder().encode(Person(name: "x", tags: ["1", "2"])), as: UTF8.self)
        #expect(query == "name=x&member=false&tags=1&tags=2")
    }

    @Test func whatHasNoNamesIsNotEncoded() {
        #expect(throws: EncodingError.self) { try FormEncoder().encode(7) }
        #expect(throws: EncodingError.self) { try FormEncoder().encode([1, 2]) }
        #expect(throws: EncodingError.self) { try FormEncoder().encode(["x": Double.nan]) }
    }
}
