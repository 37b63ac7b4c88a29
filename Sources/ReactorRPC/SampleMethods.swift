extension RPCMethods {
    /// The methods of `reactor serve rpc`: `add`, `subtract`, `echo` and `sleep`.
    public static var samples: RPCMethods {
        var methods = RPCMethods()
        methods.add("add") { parameters in
            switch parameters {
            case .positional(let terms): try sum(terms)
            // In one order whatever the run: sums of fractions depend on it.
            case .named(let members): try sum(members.sorted { $0.key < $1.key }.map(\.value))
            case .none: throw RPCError.invalidParams
            }
        }
        methods.add("subtract") { parameters in
            let terms = try parameters.values("minuend", "subtrahend")
            return try combine(terms[0], terms[1], { $0.subtractingReportingOverflow($1) }, { $0 - $1 })
        }
        methods.add("echo") { parameters in parameters.value }
        methods.addAsync("sleep") { parameters in
            let seconds = try parameters.values("seconds")[0]
            guard let time = seconds.double, (0...60).contains(time) else { throw RPCError.invalidParams }
            try await Task.sleep(for: .seconds(time))
            return seconds
        }
        return methods
    }

    private static func sum(_ terms: [JSONValue]) throws(RPCError) -> JSONValue {
        var total: JSONValue = 0
        for term in terms {
            total = try combine(total, term, { $0.addingReportingOverflow($1) }, { $0 + $1 })
        }
        return total
    }

    /// Exact while the numbers and the result are integers of 64 bits, rounded to a `Double` otherwise.
    private static func combine(
        _ left: JSONValue, _ right: JSONValue, _ exact: (Int, Int) -> (partialValue: Int, overflow: Bool),
        _ rounded: (Double, Double) -> Double
    ) throws(RPCError) -> JSONValue {
        if case .integer(let left) = left, case .integer(let right) = right {
            let (result, overflow) = exact(left, right)
            if !overflow { return .integer(result) }
        }
        guard let left = left.double, let right = right.double else { throw .invalidParams }
        let result = rounded(left, right)
        // JSON has no infinity and no NaN.
        guard result.isFinite else { throw .invalidParams }
        return .double(result)
    }
}
