/// Whether the numbers of a load are the server's: not, if the generator was what held them up.
struct Verdict {
    let isOpenLoop: Bool
    /// Of one core: what its thread used, and what it waited for while others had the core.
    let share: Double
    let waitedShare: Double
    /// In microseconds.
    let latencyP99: Double
    let lagP99: Double

    /// A thread that has nothing left sends late, whatever it is asked.
    private static let fullShare = 0.95
    /// Below, waiting is what every wake-up costs.
    private static let muchWaiting = 0.1
    /// In microseconds: a lag that is shorter, or vanishes beside the latencies, changes nothing.
    private static let shortLag = 1_000.0
    private static let vanishing = 0.1

    var doubts: [String] {
        var doubts: [String] = []
        if share >= Self.fullShare {
            doubts.append("the generator used \(percent(share)) of a core: it was the bottleneck, or nearly so")
        } else if !isOpenLoop && waitedShare >= Self.muchWaiting && share + waitedShare >= Self.fullShare {
            doubts.append(
                "the generator used \(percent(share)) of a core and waited for it another \(percent(waitedShare)): "
                    + "give it a core of its own")
        }
        if isOpenLoop && lagP99 > Self.shortLag && lagP99 > Self.vanishing * latencyP99 {
            doubts.append(
                "the generator was late: 1 % of the requests were sent \(Int(lagP99)) µs or more after they were due")
        }
        return doubts
    }

    private func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}
