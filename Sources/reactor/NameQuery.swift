import Reactor
import ReactorDNS
import ReactorNames

/// Looks names up, one after another, each for all its types at once, and prints what it finds.
struct NameQuery {
    /// In the order of their weight: what a person must hear about first.
    enum Status: Int32, Comparable {
        case answered = 0, nameDoesNotExist, noData, failed
        case misuse = 64

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

        init(_ error: ResolutionError) {
            switch error {
            case .nameDoesNotExist: self = .nameDoesNotExist
            case .noData: self = .noData
            case .invalidName: self = .misuse
            default: self = .failed
            }
        }
    }

    private let loop: EventLoop
    private let resolver: Resolver

    init(options: ResolverOptions) throws(SystemError) {
        loop = try EventLoop()
        resolver = try Resolver(loop: loop, options: options)
    }

    /// The records on the standard output, or why there are none in a line on the standard error.
    func print(_ name: String, _ types: [RecordType]) -> Status {
        let types = types.isEmpty ? [.a, .aaaa] : types
        let results = ask(name, types)
        var known: Set<DomainName> = []
        for case .success(let answer)? in results {
            for alias in aliases(from: name, to: answer.canonicalName) where known.insert(alias).inserted { Swift.print(alias) }
            for record in answer.records { Swift.print(record.data) }
        }
        return explain(name, types, results)
    }

    /// All at once: the names' time is that of the slowest.
    private func ask(_ name: String, _ types: [RecordType]) -> [Result<Answer, ResolutionError>?] {
        var results = [Result<Answer, ResolutionError>?](repeating: nil, count: types.count)
        var open = types.count
        for (index, type) in types.enumerated() {
            resolver.lookUp(name, type) { [loop] result in
                results[index] = result
                open -= 1
                if open == 0 { loop.stop() }
            }
        }
        loop.run()
        return results
    }

    /// Where the CNAME records lead from the name, `canonical` last. The answer has the ends of the way alone, so it is gone
    /// again.
    private func aliases(from name: String, to canonical: DomainName) -> [DomainName] {
        guard let ascii = try? InternationalName.asciiForm(of: name), let typed = try? DomainName(parsing: ascii), typed != canonical
        else { return [] }
        var way: [DomainName] = []
        var next = name
        while way.count < DNSMessage.mostAliases, way.last != canonical, case .success(let answer)?? = ask(next, [.cname]).first,
            case .cname(let target)? = answer.records.first?.data
        {
            way.append(target)
            next = target.description
        }
        return way
    }

    private func explain(_ name: String, _ types: [RecordType], _ results: [Result<Answer, ResolutionError>?]) -> Status {
        let errors = results.compactMap { result -> ResolutionError? in
            if case .failure(let error)? = result { error } else { nil }
        }
        guard let worst = errors.max(by: { Status($0) < Status($1) }) else { return .answered }
        let status = Status(worst)
        // Some records of several types are an answer, but for what could not be found out.
        if status < .failed && errors.count < results.count { return .answered }
        if status == .noData {
            let list = types.map(\.description).joined(separator: " or ")
            printError("reactor: cannot look up \(printable(name)): the name has no \(list) record")
        } else {
            printError("reactor: \(worst)")
        }
        return status
    }
}
